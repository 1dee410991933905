import type {
  BacktrailError,
  Finding,
  Hasher,
  HistoryReader,
  LogCommit,
  ObjectFormat,
  ObjectId,
  ObjectReader,
  PathChange,
  Person,
  RequestId,
} from '../model/index.ts';
import { hasherOf } from './store/hash.ts';
import { createHistory } from './store/history.ts';
import { writeCommits } from './store/import.ts';
import type { NewCommits } from './store/import.ts';
import type { LedgerStore } from './ledger/ledger.ts';
import { findRequest, messages } from './store/messages.ts';
import type { CommitMessage } from './store/messages.ts';
import { createObjects } from './store/objects.ts';
import type { NativeObjects } from './store/objects.ts';
import { isAncestor } from './store/refs.ts';
import type { RefEdit } from './store/refs.ts';
import type { Runner } from './process/runner.ts';
import { deleteStaging, listStaging } from './store/staging.ts';

/**
 * One repository, opened: a local one, our mirror of a remote, or a clone: a local one that is read and published through
 * our mirror of its upstream. Errors are BacktrailErrors.
 */
export interface GitRepository {
  readonly kind: 'local' | 'mirror' | 'clone';
  /** The git directory, of a linked worktree its own, of a clone our mirror's. */
  readonly directory: string;
  readonly worktree: string | null;
  /** As the user typed it. May hold a password: show `shownAddress(location)`. */
  readonly location: string;
  /** The history is cut off: older commits than the cut were never fetched. */
  readonly shallow: boolean;
  readonly objects: ObjectReader;
  readonly history: HistoryReader;
  readonly hasher: Hasher;
  /** What HEAD is, at the remote for a mirror. BRANCH_UNKNOWN where that names no branch. */
  head(): Promise<Head>;
  /** The branch that the user has checked out, in the repository or clone itself; null where HEAD is detached, and for a mirror. */
  checkedOut(): Promise<string | null>;
  /** The branch that HEAD names. BRANCH_UNKNOWN where it names none. */
  defaultBranch(): Promise<string>;
  /** BRANCH_UNKNOWN where there is no such branch. */
  tip(branch: string): Promise<ObjectId>;
  /** Fetches, for a mirror. */
  refresh(): Promise<void>;
  /** The same before a question; where that was allowed on opening, an answer that is not up to date says so. */
  look(): Promise<Offline | null>;
  /** Its mirror was found damaged on opening, and fetched anew. */
  readonly renewed: boolean;
  /** What whoever confirms a plan should know about the place of publishing. `paths` are those that would change. */
  preview(edit: { branch: string; base: ObjectId; paths: readonly string[] }): Promise<readonly Finding[]>;
  /** Where a branch is published. */
  destination(branch: string): Promise<Destination>;
  /** Writes objects below a staging ref; gives their ids in order. */
  writeCommits(input: NewCommits): Promise<readonly ObjectId[]>;
  /**
   * Moves the branch where it lives, from `expected` to its descendant `next`, or changes nothing. BRANCH_MOVED,
   * DESCENT_BROKEN, REPOSITORY_MIRRORS, WORKTREE_DIRTY, BRANCH_CHECKED_OUT, REMOTE_REJECTED, REMOTE_DENIED, REMOTE_UNAVAILABLE, REPOSITORY_LOCKED.
   */
  publish(edit: BranchEdit): Promise<void>;
  /**
   * After publishing: brings the local branch of a clone to `next`, with its files where it is checked out. Safe to repeat;
   * what stays behind is a finding, never an error, for the rollback stands already.
   */
  followUp(edit: { branch: string; next: ObjectId }): Promise<readonly Finding[]>;
  /** Asks the server for leave to push, and pushes nothing; null where publishing asks no server. Errors as of `publish`. */
  tryPush(commit: ObjectId): Promise<{ readonly atomic: boolean } | null>;
  /** The tip, asked for anew where it was published. */
  readBack(branch: string): Promise<ObjectId>;
  messages(ids: readonly ObjectId[]): Promise<Map<ObjectId, CommitMessage>>;
  findRequest(search: {
    tip: ObjectId;
    base: ObjectId | null;
    requestId: RequestId;
  }): Promise<ObjectId | null>;
  isAncestor(ancestor: ObjectId, of: ObjectId): Promise<boolean>;
  /** Safe to repeat. */
  deleteStaging(requestId: RequestId): Promise<void>;
  diffPaths(from: ObjectId, to: ObjectId): Promise<readonly PathChange[]>;
  /** Commits as git itself reads them back, with every path that they change against their first parent. */
  inspect(ids: readonly ObjectId[]): Promise<readonly LogCommit[]>;
  /** Who the user's configuration says they are; null where it says nothing. */
  identity(): Promise<Person | null>;
  /** Requests, reviews and what became of them; at the remote for a mirror and for a clone. */
  readonly ledger: LedgerStore;
  /** null but for a clone whose own `git fetch` leaves the ledger at the remote. */
  ledgerFetch(branch: string): Promise<LedgerFetch | null>;
  /** GIT_MISSING where the repository is only read, because there is no git; every method that writes says the same. */
  requireWriting(): void;
  /** Ends every child. Nothing may be asked afterwards. Safe to repeat. */
  close(): Promise<void>;
}

export interface Destination {
  /** As the clone names it; null where a repository is published to by itself or by its address. */
  readonly remote: string | null;
  /** A path or an address, without a login. */
  readonly address: string;
  /** Its name there. */
  readonly branch: string;
}

export interface LedgerFetch {
  /** A name of the clone's. */
  readonly remote: string;
  /** From now on `git fetch` brings the ledger, to `refs/backtrail/remote/`. */
  add(): Promise<void>;
}

/** The remote cannot be reached; what the mirror holds is as of then. */
export interface Offline {
  readonly asOf: Date;
  readonly cause: BacktrailError;
}

/** HEAD names a branch, or, detached (as automation checks out), a commit. */
export type Head =
  | { readonly branch: string; readonly commit: null }
  | { readonly branch: null; readonly commit: ObjectId };

export interface BranchEdit {
  readonly branch: string;
  readonly expected: ObjectId;
  readonly next: ObjectId;
  /** Whose staging refs have done their service then: a local repository drops them in the same transaction. */
  readonly requestId?: RequestId;
}

/** What a local repository and a mirror have in common. */
export type Common = Pick<
  GitRepository,
  | 'directory'
  | 'shallow'
  | 'history'
  | 'hasher'
  | 'writeCommits'
  | 'messages'
  | 'findRequest'
  | 'isAncestor'
  | 'deleteStaging'
  | 'diffPaths'
  | 'inspect'
> & {
  readonly objects: NativeObjects;
  /** The edits that delete what is staged for a request: by this process, and by earlier ones that were killed. */
  staged(requestId: RequestId | undefined): readonly RefEdit[];
};

export function common(
  runner: Runner,
  {
    shallow,
    format,
    branches = 'refs/heads',
  }: { readonly shallow: boolean; readonly format: ObjectFormat; readonly branches?: string },
): Common {
  const objects = createObjects({ runner, shallow });
  const history = createHistory({ runner, objects, shallow, format, branches });
  const staged = new Map<RequestId, readonly RefEdit[]>();
  return {
    directory: runner.directory,
    shallow,
    objects,
    history,
    hasher: hasherOf(format),
    writeCommits: async (input) => {
      const { requestId } = input;
      const before = staged.get(requestId);
      const [{ ids, refs }, left] = await Promise.all([
        writeCommits(runner, input),
        before ?? listStaging(runner, requestId),
      ]);
      const edits = refs.map(({ ref, id }) => ({ ref, expected: id, next: null }));
      const others = left.filter(({ ref }) => !edits.some((edit) => edit.ref === ref));
      staged.set(requestId, [...others, ...edits]);
      return ids;
    },
    staged: (requestId) => (requestId === undefined ? [] : (staged.get(requestId) ?? [])),
    messages: (ids) => messages(runner, ids),
    findRequest: (search) => findRequest(runner, search),
    isAncestor: (ancestor, of) => isAncestor(runner, ancestor, of),
    deleteStaging: (requestId) => {
      staged.delete(requestId);
      return deleteStaging(runner, requestId);
    },
    diffPaths: (from, to) => history.diffPaths(from, to),
    inspect: (ids) => history.inspect(ids),
  };
}
