/** When a scope is looked at again: soon after a publication, then rarer. Pure. */
import type { AutoRule } from '../../model/index.ts';
import type { Memory, Watched } from './types.ts';

/** Milliseconds. */
const SOON = 2000;
const RARELY = 60_000;
/** Where nothing is to be decided any more. */
const SETTLED = 120_000;
/** Of what it waited for already: an interval grows with what it is about. */
const PART = 0.2;
/** While something may be decided, it is not looked at more rarely; a quarter of `bad` where that is less. */
const BAD_STEP = 15_000;
const SHORTEST = 500;
const badStep = (auto: AutoRule) => Math.max(SHORTEST, Math.min(BAD_STEP, auto.badMs / 4));

/** Milliseconds from the last observation to the next one. */
export function intervalOf(watched: Pick<Watched, 'auto' | 'since'>, memory: Memory): number {
  const { state, becameAt, lookedAt, bad, done } = memory;
  if (state === null) return 0;
  const age = Math.max(0, lookedAt - (becameAt ?? Date.parse(watched.since)));
  const grown = Math.min(Math.max(SOON, age * PART), RARELY);
  if (state === 'pending' || state === 'progressing') return grown;
  if (state === 'unconfirmed') return grown;
  const { auto } = watched;
  if (state === 'degraded' && auto !== null && bad !== null && !done.has('failed'))
    return Math.min(grown, badStep(auto));
  // It may degrade yet.
  if (auto !== null && age <= auto.windowMs + auto.badMs) return Math.min(grown, badStep(auto));
  return state === 'degraded' ? RARELY : SETTLED;
}

/** The same for a cluster that is away: nobody asks it in between. */
export const awayMs = (failures: number): number => Math.min(2500 * 2 ** failures, 5 * 60_000);

/** Up to a third more, so that workers do not all ask together. `random` in [0, 1). */
export const jittered = (ms: number, random: number): number => Math.ceil(ms * (1 + random / 3));
