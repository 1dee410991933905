import type { LogCommit, ObjectId, PathChange } from '../model/index.ts';
import type { RollbackRecord } from '../record/trailers.ts';

export interface Revision {
  /** 1 is the oldest. */
  readonly version: number;
  readonly commit: LogCommit;
  /** The changes that made this commit a revision of the scope. */
  readonly changes: readonly PathChange[];
  /** The records, if the commit is a rollback; several where a pull request brought several with it. */
  readonly rollbacks: readonly RollbackRecord[];
  /** It gives back what a hold took away: nothing is undone by it. */
  readonly isResume: boolean;
  /** The rollback commit that went back behind this revision. */
  readonly rolledBackBy: ObjectId | null;
  /** The newer commit that undid it: a rollback, a `git revert`, or a return to the former content. */
  readonly undoneBy: ObjectId | null;
  /** The newer rollback of a part of the scope, or `git revert`, that undid something which this revision still contains. */
  readonly holdsLeft: ObjectId | null;
}
