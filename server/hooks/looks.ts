/** What a delivery causes: one more look at the pull requests, and not more often than every few seconds for each of them. */
import type { Logger } from '../../workers/index.ts';

export interface HookLooks {
  /** `about`: what the delivery is about. Whether it causes a look of its own; else one that is due already serves. */
  ask(about: string): boolean;
  close(): Promise<void>;
}

const BETWEEN_MS = 5000;

/** `look` looks at all pull requests: one serves whoever asked before it began. */
export function createHookLooks({
  look,
  logger,
  betweenMs = BETWEEN_MS,
}: {
  readonly look: () => Promise<unknown>;
  readonly logger: Logger;
  /** Milliseconds between two looks for the same. */
  readonly betweenMs?: number;
}): HookLooks {
  /** When the last look for it began, and when the next one is due; in milliseconds of this process. */
  const looked = new Map<string, number>();
  const due = new Map<string, number>();
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const arm = () => {
    clearTimeout(timer);
    if (running !== null || due.size === 0 || isClosed) return;
    timer = setTimeout(run, Math.max(0, Math.min(...due.values()) - performance.now()));
  };
  const run = () => {
    const now = performance.now();
    for (const [about, at] of looked) if (now - at > betweenMs) looked.delete(about);
    for (const about of due.keys()) looked.set(about, now);
    due.clear();
    running = look()
      .then(
        () => undefined,
        (error: unknown) => logger.warn({ err: error }, 'pull requests cannot be looked at'),
      )
      .finally(() => {
        running = null;
        arm();
      });
  };
  return {
    ask: (about) => {
      if (due.has(about)) return false;
      due.set(about, Math.max(performance.now(), (looked.get(about) ?? -Infinity) + betweenMs));
      arm();
      return true;
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
