/**
 * Several rollbacks as one chain of commits and one push, as a database commits a group of transactions. Each keeps its own revert commit,
 * delivery commit, trailers and result, and fails alone.
 */
import { FAILURES, isFailure } from '../../model/index.ts';
import { pushRound } from './push-round.ts';
import { type BatchInput, type BatchMember, type BatchResults, beginRound, Obstructed } from './round.ts';

/** So often in a row may others be faster on the branch, before fewer are tried, and where one alone is left, before it is given up. */
const ATTEMPTS = 8;
/** Others wait too, and a round takes longer than a pause: what counts is to begin the next one as soon as the other push has landed. */
const LONGEST = 3;
/** So few are not divided because the branch moved: their push takes hardly longer than that of one, and they would each have to win. */
const TOGETHER = 16;

/**
 * Executes all of them. A branch that moved: plans that its changes do not touch are kept, and their commits are written anew on the new tip;
 * fewer at once then, as a smaller push is sooner there. A refusal: halves, until what is refused stands alone.
 */
export async function executeBatch(input: BatchInput): Promise<BatchResults> {
  const { clock, signal } = input;
  const round = beginRound(input);
  const { results } = round;
  const isOpen = ({ asked }: BatchMember) => !results.has(asked.id);
  const fail = (members: readonly BatchMember[], reason: unknown) => {
    for (const { asked } of members.filter(isOpen)) results.set(asked.id, { status: 'rejected', reason });
  };
  const groups = [input.members];
  let [rounds, moves, failures] = [0, 0, 0];
  for (let group = groups.shift()?.filter(isOpen); group; group = groups.shift()?.filter(isOpen)) {
    if (group.length === 0) continue;
    try {
      rounds += 1;
      if (rounds > 1) await input.turn?.();
      await pushRound(round, group);
      [moves, failures, round.losses] = [0, 0, 0];
      // Those that the others stood in the way of are decided on what the branch holds now.
      groups.unshift(group.filter(isOpen));
    } catch (error) {
      // Those that were withdrawn meanwhile.
      if (error instanceof Obstructed)
        for (const [id, reason] of error.obstacles) results.set(id, { status: 'rejected', reason });
      const left = group.filter(isOpen);
      const middle = Math.ceil(left.length / 2);
      const isMove = isFailure(error) && error.code === 'BRANCH_MOVED';
      const isAlone = left.length <= 1;
      if (isMove) round.losses += 1;
      const isWhole = isAlone || (isMove && left.length <= TOGETHER && moves + 1 < ATTEMPTS);
      moves = isMove && isWhole ? moves + 1 : 0;
      failures = isGitAlone(error) && isAlone ? failures + 1 : failures;
      if (signal?.aborted === true) fail(input.members, signal.reason);
      // What is away for one is away for all.
      else if (error instanceof Obstructed) groups.unshift(left);
      else if ((!isMove && !isRefusal(error) && !isGitAlone(error)) || failures > FAILED_ALONE)
        fail(input.members, error);
      else if (!isWhole) groups.unshift(left.slice(0, middle), left.slice(middle));
      else if (isMove && moves < ATTEMPTS) groups.unshift(left);
      else {
        fail(left, error);
        moves = 0;
      }
      if (isMove && left.some(isOpen)) await clock.sleep(5 * 2 ** Math.min(moves, LONGEST));
    }
  }
  return results;
}

/** It would be refused again: by a hook, a rule of the server, a worktree in the way. */
const isRefusal = (error: unknown) => !isFailure(error) || FAILURES[error.code].retry === 'never';

/** Perhaps of one of them: what is too much for git, or takes it too long, may be little without it. */
const isGitAlone = (error: unknown) =>
  isFailure(error) && (error.code === 'GIT_FAILED' || error.code === 'GIT_TIMEOUT');

/** So many of which each failed alone, and none landed in between: git fails whatever it is given. */
const FAILED_ALONE = 2;
