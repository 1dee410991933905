/** Ctrl-C and SIGTERM while a rollback is under way. */
import { BacktrailError } from '../../engine/model/failure.ts';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof EXIT_CODES;

/** npm and tsx pass a Ctrl-C on that their child had already got from the terminal: that is one signal, not two. */
const ONE_SIGNAL_MS = 250;

/** The user stopped it: an error like others, but it ends the program as the signal would have. */
export class Interrupted extends BacktrailError {
  readonly signal: Signal;
  readonly exitCode: number;

  constructor(signal: Signal, message: string, hint?: string) {
    super('INTERRUPTED', message, { details: { signal }, ...(hint !== undefined && { hint }) });
    this.signal = signal;
    this.exitCode = EXIT_CODES[signal];
  }
}

/**
 * Runs `use` with a signal that SIGINT or SIGTERM aborts, its reason an `Interrupted`; a second one exits at once. Where
 * `use` then fails, with that reason or otherwise, `explain` says what the user gets: a final result, or an error.
 */
export async function interruptible<T>(
  use: (signal: AbortSignal) => Promise<T>,
  explain: (signal: Signal, error: unknown) => Promise<T>,
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<T> {
  const stop = new AbortController();
  let first: { signal: Signal; at: number } | null = null;
  const handle = (signal: Signal) => {
    // Someone further in has the word.
    if (alone && process.listenerCount(signal) > 1) return;
    if (first !== null && Date.now() - first.at < ONE_SIGNAL_MS) return;
    if (first !== null) process.exit(EXIT_CODES[signal]);
    first = { signal, at: Date.now() };
    stop.abort(new Interrupted(signal, `Stopped by ${signal}.`));
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  try {
    return await use(stop.signal);
  } catch (error) {
    const reason: unknown = stop.signal.reason;
    if (!(reason instanceof Interrupted)) throw error;
    return await explain(reason.signal, error);
  } finally {
    process.off('SIGINT', handle).off('SIGTERM', handle);
  }
}

/** For what ends with `stop`: children are told, and given a moment to go. The program then ends as the signal would have it. */
export function stoppable<T>(use: () => Promise<T>, stop: () => Promise<void>, hint?: string): Promise<T> {
  return interruptible(
    async (signal) => {
      const end = () => {
        const reason: unknown = signal.reason;
        const code = reason instanceof Interrupted ? reason.exitCode : 1;
        setTimeout(() => process.exit(code), GRACE_MS).unref();
        void stop().catch(() => undefined);
      };
      signal.addEventListener('abort', end, { once: true });
      const value = await use();
      signal.throwIfAborted();
      return value;
    },
    (signal) => Promise.reject(new Interrupted(signal, `Stopped by ${signal}.`, hint)),
    { alone: true },
  );
}

const GRACE_MS = 2_000;
