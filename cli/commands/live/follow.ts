/** Looks again and again whether a scope is live, at growing intervals. */
import { type Clock, FAILURES, isFailure, type LiveStatus } from '../../../engine/index.ts';

/** Milliseconds between two looks. */
const FIRST = 1_000;
const LAST = 15_000;
/** How long it may take until a signal is heard. */
const NAP = 500;

interface Following {
  readonly look: () => Promise<LiveStatus>;
  readonly waitMs: number;
  readonly clock: Clock;
  /** Told of every look. */
  readonly onLook: (status: LiveStatus) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the last look saw: `live` or `overtaken`, `degraded` by two looks, or whatever it is when the time is over. A signal ends the waiting: the
 * last look counts.
 *
 * @throws what the first look fails with, and later ones where trying again does not help
 */
export async function followLive({ look, waitMs, clock, onLook, signal }: Following): Promise<LiveStatus> {
  const end = clock.now() + waitMs;
  let status = await look();
  onLook(status);
  let before: LiveStatus['state'] | null = null;
  for (let interval = FIRST; !isFinal(status, before); interval = Math.min(interval * 1.5, LAST)) {
    const until = Math.min(clock.now() + interval, end);
    if (clock.now() >= end || !(await sleepUntil(clock, until, signal))) return status;
    before = status.state;
    status = await lookAgain(look, status);
    onLook(status);
  }
  return status;
}

/** One look alone may catch a pod between two attempts. */
const isFinal = ({ state }: LiveStatus, before: LiveStatus['state'] | null) =>
  state === 'live' || state === 'overtaken' || (state === 'degraded' && before === 'degraded');

/** A remote that is away for a moment ends no waiting. */
async function lookAgain(look: () => Promise<LiveStatus>, before: LiveStatus): Promise<LiveStatus> {
  try {
    return await look();
  } catch (error) {
    if (isFailure(error) && FAILURES[error.code].retry === 'later') return before;
    throw error;
  }
}

/** false: the signal came first. */
async function sleepUntil(clock: Clock, until: number, signal: AbortSignal | undefined): Promise<boolean> {
  for (let left = until - clock.now(); left > 0; left = until - clock.now()) {
    if (signal?.aborted === true) return false;
    await clock.sleep(Math.min(left, NAP));
  }
  return signal?.aborted !== true;
}
