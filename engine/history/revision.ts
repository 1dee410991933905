import type { LogCommit, ObjectId, PathChange } from '../model/index.ts';
import type { RollbackRecord } from '../record/trailers.ts';

export interface Revision {
  /** 1 is the oldest. */
  readonly version: number;
  readonly commit: LogCommit;
  /** The changes that made this a revision of the scope. */
  readonly changes: readonly PathChange[];
  /** The record, where the commit is a rollback. */
  readonly rollback: RollbackRecord | null;
  /** The rollback commit that left this revision behind. */
  readonly rolledBackBy: ObjectId | null;
  /** The newer commit that took it back in any way: a rollback, a `git revert`, or a return to what was before it. */
  readonly undoneBy: ObjectId | null;
  /** The newer rollback of a part of the scope, or `git revert`, that left something behind which this revision still holds. */
  readonly holdsLeft: ObjectId | null;
}
