export interface Bell {
  ring: () => void;
  wait: (milliseconds: number) => Promise<void>;
}

/** Ends the wait in progress, or the next one where none is. */
export function createBell(): Bell {
  let rung = false;
  let wake: (() => void) | null = null;
  const ring = () => {
    rung = true;
    wake?.();
  };
  const wait = async (milliseconds: number) => {
    if (!rung)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    wake = null;
    rung = false;
  };
  return { ring, wait };
}
