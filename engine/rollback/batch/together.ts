/** Several rollbacks in one push, or none of them. */
import { isFailure } from '../../model/index.ts';
import { pushRound } from './push-round.ts';
import { type BatchInput, type BatchResults, beginRound } from './round.ts';

/** So often may others be faster on the branch: there is no smaller push to fall back on. */
const ATTEMPTS = 20;

/**
 * Executes all of them, which the branch does not hold yet, in one push; the results are all fulfilled. Where the branch moved, all are done again
 * on the new tip.
 *
 * @throws Obstructed where something stands in the way of one of them; what the push as a whole fails with. Nothing is published then.
 */
export async function executeTogether(input: BatchInput): Promise<BatchResults> {
  const { clock, members, signal } = input;
  const round = beginRound(input, { together: true });
  for (let attempt = 1; ; attempt += 1) {
    round.results.clear();
    if (attempt > 1) await input.turn?.();
    try {
      await pushRound(round, members);
      return round.results;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isFailure(error) || error.code !== 'BRANCH_MOVED' || attempt === ATTEMPTS) throw error;
      await clock.sleep(5 * 2 ** Math.min(attempt, 6));
    }
  }
}
