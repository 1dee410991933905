/** What a look adds to what is known of a scope. Pure. */
import type { LiveState, ObjectId } from '../../model/index.ts';
import type { Deed, Memory } from './types.ts';

export interface Look {
  readonly revision: ObjectId;
  /** null: it was not asked for this time. */
  readonly state: LiveState | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds that never go back. */
  readonly monotonic: number;
}

/**
 * Between two looks nobody saw anything: so much of the time between them counts at most. A process that stood still does not know what it missed.
 */
const LONGEST_STEP_MS = 60_000;

export function follow(before: Memory | null, look: Look): Memory {
  const known = before !== null && before.revision === look.revision ? before : begin(before, look);
  const { state, now, monotonic } = look;
  if (state === null) return known;
  const step = known.state === null ? 0 : Math.min(Math.max(0, monotonic - known.seenAt), LONGEST_STEP_MS);
  return {
    ...known,
    state,
    stateAt: known.state === state ? known.stateAt : now,
    seenAt: monotonic,
    lookedAt: now,
    bad: badAfter(known, { state, now, step }),
    liveMs: liveAfter(known, state, step),
    confirmed: confirmedAfter(known, state),
  };
}

/** A time in which nothing is confirmed neither counts nor ends what was counted; any other state begins anew. */
function badAfter(
  { bad, state: last }: Memory,
  { state, now, step }: { readonly state: LiveState; readonly now: number; readonly step: number },
): Memory['bad'] {
  if (state === 'unconfirmed') return bad;
  if (state !== 'degraded') return null;
  if (bad === null) return { ms: 0, from: now };
  return last === 'degraded' ? { ...bad, ms: bad.ms + step } : bad;
}

/** What was live stays so until it degrades: where the next revision reaches the cluster before it is seen in Git, this one looks pending, or on its way. */
const confirmedAfter = ({ confirmed }: Memory, state: LiveState): LiveState | null =>
  state === 'unconfirmed' || (confirmed === 'live' && state !== 'degraded') ? confirmed : state;

function liveAfter({ liveMs, state: last }: Memory, state: LiveState, step: number): number {
  if (state === 'unconfirmed') return liveMs;
  return state === 'live' ? liveMs + (last === 'live' ? step : 0) : 0;
}

function begin(before: Memory | null, { revision, now, monotonic }: Look): Memory {
  return {
    revision,
    state: null,
    stateAt: now,
    seenAt: monotonic,
    lookedAt: now,
    bad: null,
    liveMs: 0,
    confirmed: null,
    before: before?.confirmed ?? null,
    becameAt: before === null ? null : now,
    done: new Set(),
  };
}

export const did = (memory: Memory, deed: Deed): Memory => ({
  ...memory,
  done: new Set([...memory.done, deed]),
});
