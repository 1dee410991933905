export interface WakeableTimer {
  wake: () => void;
  wait: (milliseconds: number) => Promise<void>;
}

/** `wake` ends the current wait, or the next one if none is in progress. */
export function createWakeableTimer(): WakeableTimer {
  let woken = false;
  let resume: (() => void) | null = null;
  const wake = () => {
    woken = true;
    resume?.();
  };
  const wait = async (milliseconds: number) => {
    if (!woken)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        resume = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    resume = null;
    woken = false;
  };
  return { wake, wait };
}
