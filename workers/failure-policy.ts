import { FAILURES } from '../engine/model/index.ts';
import type { FailureCode } from '../engine/model/index.ts';

const SECOND = 1000;
const WAITS = [SECOND, 4 * SECOND, 15 * SECOND, 60 * SECOND] as const;
const LONGEST = 300 * SECOND;

/** How often a rollback is tried in all, when each failure may pass: about 21 minutes from the first to the last. */
export const MAX_ATTEMPTS = 9;

/** Milliseconds to wait before retry number `retry`; the first retry, after the first failure, is number 1. */
export function waitBefore(retry: number): number {
  return WAITS[retry - 1] ?? LONGEST;
}

/** The wait, made longer by at most a fifth, so that rollbacks that failed together do not come back together. `random` gives [0, 1). */
export function withJitter(wait: number, random: () => number): number {
  return wait + Math.floor((wait / 5) * random());
}

/**
 * May the cause pass? `replan` is answered inside of one execution; one that still comes out (the branch keeps moving)
 * is worth another attempt later.
 */
export function mayPass(code: FailureCode): boolean {
  return FAILURES[code].retry !== 'never';
}
