/** What the ledger claims of one request that a pull request brought. Anybody who may push to the ledger can write it. */
import {
  type Arrival,
  formatCoordinates,
  type LedgerRequest,
  type ObjectId,
  type Person,
  type Proposed,
  type PullRequestLink,
  type RequestId,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { readResume, readRollback } from '../../record/read.ts';

export interface Claim {
  readonly requestId: RequestId;
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
  readonly author: Person;
  readonly how: Arrival;
  readonly link: PullRequestLink | null;
  /** What the request is, as its commit has to say it too. */
  readonly asks: Asks;
  /** What was proposed for it, the last first. */
  readonly proposals: readonly Proposal[];
}

interface Asks {
  readonly resume: boolean;
  readonly scope: string;
  readonly mode: string;
  readonly target: ObjectId;
}

interface Proposal {
  readonly base: ObjectId;
  /** What the commit that brought it may change. */
  readonly changes: readonly string[];
  /** null: no manifests. */
  readonly delivery: string | null;
  readonly trailers: readonly string[];
}

/** A branch is made anew every ten minutes at most. */
const MOST_PROPOSALS = 50;

/** null where no pull request brought it. */
export async function claimOf({ state, events }: RequestFile): Promise<Claim | null> {
  const { id: requestId, author, result } = state;
  if (result?.status !== 'completed' || result.arrived === undefined || result.commit === null) return null;
  const { commit, deliveryCommit, arrived } = result;
  const asks = asksOf(state);
  // Most commands never need it.
  const { readTrailers } = await import('../../git/reader/message.ts');
  const proposalOf = ({ base, messages, change, together }: Proposed): Proposal => ({
    base,
    changes: [change.whole, change.revert, ...(together === undefined ? [] : [together])],
    delivery: change.delivery,
    trailers: readTrailers(messages.revert),
  });
  const proposals = events
    .flatMap((event) => (event.type === 'proposed' ? [proposalOf(event.proposed)] : []))
    .slice(-MOST_PROPOSALS)
    .filter(({ trailers }) => agrees(requestId, asks, trailers))
    .toReversed();
  return {
    requestId,
    commit,
    deliveryCommit,
    author,
    how: arrived.how,
    link: arrived.link,
    asks,
    proposals,
  };
}

function asksOf({ resume, scope, target }: LedgerRequest): Asks {
  return { resume: resume === true, scope: formatCoordinates(scope), mode: scope.mode, target };
}

/** Whether a record is that of what was asked for. */
export function agrees(requestId: RequestId, asks: Asks, trailers: readonly string[]): boolean {
  if (asks.resume) return readResume(trailers)?.record.requestId === requestId;
  const record = readRollback(trailers)?.record;
  return (
    record?.requestId === requestId &&
    formatCoordinates(record) === asks.scope &&
    record.mode === asks.mode &&
    record.target === asks.target
  );
}
