/** What a batch is given, and what it knows from one push to the next. */
import type { ObjectId, RequestId, RollbackRequest, RollbackResult } from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Delivered } from '../deliver.ts';
import type { ExecuteInput } from '../execute.ts';
import type { Planned } from '../planning/planned.ts';

/** One rollback of a batch, which the branch does not hold yet. */
export interface BatchMember extends Pick<ExecuteInput, 'onStep'> {
  readonly asked: Pick<
    RollbackRequest,
    'id' | 'scope' | 'target' | 'base' | 'allowRemoval' | 'overrides' | 'hold' | 'resume'
  >;
  /** What is recorded of it, where this plan may go ahead; throws where it may not. */
  readonly authorize: (planned: Planned) => Promise<RollbackRequest>;
}

export interface BatchInput
  extends Pick<
    ExecuteInput,
    'git' | 'observe' | 'programs' | 'committer' | 'clock' | 'signal' | 'recorder' | 'wanted'
  > {
  /** Oldest first. */
  readonly members: readonly BatchMember[];
  /** The branch as it was looked at just now: for the first round. */
  readonly snapshot: Snapshot;
  /** Awaited before each push but the first. */
  readonly turn?: (() => Promise<void>) | undefined;
  readonly record: NonNullable<ExecuteInput['record']>;
}

export type BatchResults = ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>;

export interface Round extends BatchInput {
  /** All in one push, or none: whatever stands in the way of one is thrown as `Obstructed`. */
  readonly together?: true;
  /** Plans of earlier rounds. */
  readonly plans: Map<RequestId, Authorized>;
  readonly results: Map<RequestId, PromiseSettledResult<RollbackResult>>;
  /** Paths that changed between two tips; null where the first is not on the line of the second. */
  readonly moved: Map<string, Promise<readonly string[] | null>>;
  /** The tip that the first round saw. */
  since: ObjectId | null;
  /** How often in a row others were faster. */
  losses: number;
}

/** `together`: all in one push, or none. */
export const beginRound = (input: BatchInput, how: Pick<Round, 'together'> = {}): Round => ({
  ...input,
  ...how,
  results: new Map(),
  plans: new Map(),
  moved: new Map(),
  since: null,
  losses: 0,
});

/** What stands in the way of rollbacks that are published together, by the request that it is the fault of. */
export class Obstructed extends Error {
  readonly obstacles: ReadonlyMap<RequestId, unknown>;

  constructor(obstacles: ReadonlyMap<RequestId, unknown>) {
    super('Not all of them can be published.');
    this.obstacles = obstacles;
  }
}

export interface Authorized {
  readonly request: RollbackRequest;
  readonly planned: Planned;
}

export interface Ready extends Authorized {
  readonly member: BatchMember;
}

export interface Staged extends Pick<Ready, 'member' | 'request'> {
  readonly delivered: Delivered;
}
