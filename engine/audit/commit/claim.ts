/** What a commit says of itself: the record in its trailers, and where that is not as Backtrail writes it. */
import { BacktrailError } from '../../model/index.ts';
import { readRollback } from '../../record/read.ts';
import { parseTrailerLines, type RollbackRecord } from '../../record/trailers.ts';
import { type Problem, problem, type ProblemCode } from '../problems.ts';

export interface ReadClaim {
  /** `requestId` is '' where there is none, or several. */
  readonly record: RollbackRecord;
  readonly problems: readonly Problem[];
}

const ID = /^rollback-request-id[ \t]*:/i;
/** In the place of one that is missing, so that the rest can be read. */
const NO_ID = `Rollback-Request-ID: rbk-${'0'.repeat(26)}`;

export function readClaim(trailers: readonly string[]): ReadClaim {
  const named = parseTrailerLines(trailers).get('rollback-request-id') ?? [];
  const [first = NO_ID] = trailers.filter((line) => ID.test(line));
  const claim = readRollback([first, ...trailers.filter((line) => !ID.test(line))]);
  if (claim === null) throw new BacktrailError('INTERNAL', 'A record with one request is none.');
  const problems = claim.problems.map((sentence) => problem(codeOf(sentence), sentence));
  if (named.length === 0)
    problems.unshift(problem('TRAILER_MISSING', 'The trailer Rollback-Request-ID is missing.'));
  if (named.length > 1)
    problems.unshift(
      problem('TRAILER_REPEATED', `The trailer Rollback-Request-ID occurs ${named.length} times.`),
    );
  const requestId = named.length === 1 ? claim.record.requestId : '';
  return { record: { ...claim.record, requestId }, problems };
}

export function codeOf(sentence: string): ProblemCode {
  if (/ occurs \d+ times\.$/.test(sentence)) return 'TRAILER_REPEATED';
  return sentence.endsWith(' is missing.') ? 'TRAILER_MISSING' : 'TRAILER_INVALID';
}

/** Whether enough is said for the rollback to be made again. */
export const isComplete = ({ environment, target }: RollbackRecord) => environment !== '' && target !== '';
