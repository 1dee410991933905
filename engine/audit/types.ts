/** What an audit says: of every rollback, of the ledger, and of what was done without Backtrail. */
import type { Arrival, Mode, ObjectId, Person } from '../model/index.ts';
import type { Problem, Verdict } from './problems.ts';

/** `git`, or isomorphic-git: a second reader, that shares nothing with the one that the writer used. */
export const READERS = ['git', 'isomorphic'] as const;
export type ReaderName = (typeof READERS)[number];

/** One commit that is a rollback, or says that it is. */
export interface AuditRow {
  readonly commit: ObjectId;
  /** '' where it names none, or several. */
  readonly requestId: string;
  /** `tenant/environment/service`, as far as given. */
  readonly scope: string;
  /** null where it names none; of a resume: none is recorded. */
  readonly mode: Mode | null;
  readonly verdict: Verdict;
  readonly problems: readonly Problem[];
  readonly kind: 'rollback' | 'resume' | 'delivery';
  /** How it came to the branch. */
  readonly how: 'push' | Arrival;
  readonly deliveryCommit: ObjectId | null;
  /** Committer time, ISO 8601 in UTC; null where the branch does not hold the commit. */
  readonly time: string | null;
}

/** A problem of the ledger itself; `commit` is one of the ledger's. */
export interface LedgerProblem extends Problem {
  readonly commit?: ObjectId;
  readonly requestId?: string;
}

/** A commit that undoes or imitates a rollback without Backtrail, or moves holds. */
export interface OutsideCommit {
  readonly commit: ObjectId;
  /** The commit of ours that its message says it reverts; null where it says none. */
  readonly reverts: ObjectId | null;
  readonly kind: 'revert' | 'imitation' | 'hold';
  readonly subject: string;
}

export interface AuditReport {
  /** Commits of the first-parent line: after `from` (null: from the beginning), up to `to`. */
  readonly range: { readonly from: ObjectId | null; readonly to: ObjectId };
  readonly reader: ReaderName;
  readonly checked: number;
  readonly honest: number;
  readonly tampered: number;
  readonly unverifiable: number;
  /** Newest first. */
  readonly rows: readonly AuditRow[];
  readonly ledger: { readonly tip: ObjectId | null; readonly problems: readonly LedgerProblem[] };
  readonly outside: readonly OutsideCommit[];
}

export interface VerifyAsk {
  /** `FROM..TO`, either may be left out; or one revision, for that commit alone. All of the line where absent. */
  readonly range?: string;
  /** Only rollbacks of these, and of what is in them. */
  readonly scopes?: readonly string[];
  /** The second reader where the repository is small enough, where absent. */
  readonly reader?: ReaderName;
  /** Render manifests again and compare their bytes. */
  readonly render?: boolean;
  /** Who asks, where that is a person: they need the permission to `read` all that is audited. */
  readonly person?: Person;
  /** Ends it at the next rollback. */
  readonly signal?: AbortSignal;
}
