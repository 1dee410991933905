import type { BacktrailError } from './failure.ts';
import type { Finding } from './finding.ts';
import type { LogCommit, ObjectId, PathChange, Person } from './git.ts';
import type { Signature } from './ledger.ts';
import type { Hasher, HistoryReader, ObjectReader } from './ports.ts';
import type { Write } from './plan.ts';
import type { RequestId } from './request.ts';

/**
 * One opened repository, as two ports: whatever only looks takes the reader, whatever changes something the publisher. A way of publishing other
 * than a push is one more publisher. Errors are BacktrailErrors.
 */

/** Reads objects, refs and history. The contract is test/contracts/readers-*.test.ts, for native git and for isomorphic-git. */
export interface RepositoryReader {
  readonly kind: 'local' | 'mirror' | 'clone';
  /** The git directory, of a linked worktree its own, of a clone our mirror's. */
  readonly directory: string;
  readonly worktree: string | null;
  /** As the user typed it. May hold a password: show `shownAddress(location)`. */
  readonly location: string;
  /** The history is cut off: older commits than the cut were never fetched. */
  readonly shallow: boolean;
  /** Its mirror was found damaged on opening, and fetched anew. */
  readonly renewed: boolean;
  readonly objects: ObjectReader;
  readonly history: HistoryReader;
  readonly hasher: Hasher;
  /** What HEAD is, at the remote for a mirror. @throws BRANCH_UNKNOWN where that names no branch */
  head(): Promise<Head>;
  /** The branch that the user has checked out, in the repository or clone itself; null where HEAD is detached, and for a mirror. */
  checkedOut(): Promise<string | null>;
  /** The branch that HEAD names. @throws BRANCH_UNKNOWN where it names none */
  defaultBranch(): Promise<string>;
  /** @throws BRANCH_UNKNOWN where there is no such branch */
  tip(branch: string): Promise<ObjectId>;
  /** Fetches, for a mirror. */
  refresh(): Promise<void>;
  /** Fetches before a question, if need be; where it was allowed on opening, an answer that is not up to date says so. */
  look(): Promise<Offline | null>;
  /** The trailers of commits. */
  messages(ids: readonly ObjectId[]): Promise<Map<ObjectId, CommitMessage>>;
  /**
   * The commit on the first-parent line of `tip`, after `base`, that executes this request: the oldest one whose only Rollback-Request-ID is
   * this. Where `base` is null or not on the line, all of the line is searched.
   */
  findRequest(search: {
    readonly tip: ObjectId;
    readonly base: ObjectId | null;
    readonly requestId: RequestId;
  }): Promise<ObjectId | null>;
  isAncestor(ancestor: ObjectId, of: ObjectId): Promise<boolean>;
  /** The commit that git itself means by a name, for a repository of this machine; null where there is none. Absent: names are those of branches and tags. */
  readonly resolve?: (revision: string) => Promise<ObjectId | null>;
  /** Every path that differs between two commits. */
  diffPaths(from: ObjectId, to: ObjectId): Promise<readonly PathChange[]>;
  /** Commits as they were written, with every path that they change against their first parent. */
  inspect(ids: readonly ObjectId[]): Promise<readonly LogCommit[]>;
  /** The bytes of a commit object, header and message, as they were written. @throws OBJECT_MISSING, SHALLOW_TARGET */
  commitBytes(id: ObjectId): Promise<Uint8Array>;
  /** Who the user's configuration says they are; null where it says nothing. */
  identity(): Promise<Person | null>;
  /** A file that a key of the user's own configuration of git names (`~` expanded); null where it names none. */
  readonly userFile: (key: string) => Promise<string | null>;
  /** Ends every child process. Nothing may be called afterwards, but this again. */
  close(): Promise<void>;
}

/** Writes commits, and publishes them where the branch lives. */
export interface RepositoryPublisher {
  /** @throws GIT_MISSING where the repository is only read, because there is no git: every method that writes throws the same */
  requireWriting(): void;
  /** Where a branch is published. */
  destination(branch: string): Promise<Destination>;
  /** What whoever confirms a plan should know about the place of publishing. `paths` are those that would change. */
  preview(edit: {
    readonly branch: string;
    readonly base: ObjectId;
    readonly paths: readonly string[];
  }): Promise<readonly Finding[]>;
  /** Asks the server for permission to push, and pushes nothing; null where publishing asks no server. @throws as `publish` */
  tryPush(commit: ObjectId): Promise<{ readonly atomic: boolean } | null>;
  /**
   * Whether commits that are to be signed (absent: where it was opened to sign all) can be: asked before anything is written.
   *
   * @throws SIGNING_FAILED
   */
  requireKey(sign: boolean | undefined): Promise<void>;
  /** Writes objects below a staging ref, which no one looks at; gives their ids in order. */
  writeCommits(input: NewCommits): Promise<readonly ObjectId[]>;
  /** The same for a chain of commits whose messages name the ids of those before them. */
  beginChain(start: ChainStart): CommitChain;
  /** Makes ready for so many chains and other writes, so that these begin sooner. What it gives is called when no more are to come. */
  expectWrites(count: number): () => void;
  /**
   * Moves the branch where it lives, from `expected` to its descendant `next`, and the refs `also` with it: all of them in one transaction or
   * one atomic push, or none. Gives those of `also` that were left where they are: all of them where the server has no atomic pushes or
   * refuses such refs, and where files have to follow the branch here; the branch moved alone then, and its records are written after it.
   * @throws BRANCH_MOVED (`details.ref`: which one), DESCENT_BROKEN, REPOSITORY_MIRRORS, WORKTREE_DIRTY, BRANCH_CHECKED_OUT, REMOTE_REJECTED,
   * REMOTE_DENIED, REMOTE_UNAVAILABLE, REPOSITORY_LOCKED
   */
  publish(edit: BranchEdit): Promise<readonly RefMove[]>;
  /**
   * Makes, moves or deletes branches of ours (`PROPOSED_BRANCH`) where the branch lives, each from where it is expected, and the refs `also` with
   * them; gives those of `also` that were left, as `publish` does. They alone may be moved to what does not descend from where they were.
   *
   * @throws BRANCH_MOVED (`details.ref`), and what `publish` fails with
   */
  propose(edit: ProposedEdit): Promise<readonly RefMove[]>;
  /** Where a branch of ours is, read anew from where the branch lives, with its objects; null where there is none. */
  proposedAt(branch: string): Promise<ObjectId | null>;
  /** The tip, read anew from where it was published. */
  readBack(branch: string): Promise<ObjectId>;
  /**
   * After publishing: brings the local branch of a clone to `next`, with its files where it is checked out. Idempotent;
   * what is left behind is a finding, never an error, as the rollback is already published.
   */
  followUp(edit: { readonly branch: string; readonly next: ObjectId }): Promise<readonly Finding[]>;
  /**
   * The commits on the first-parent line of `tip`, without those that `after` (null: none) can reach, that execute requests: by request the
   * oldest one whose only Rollback-Request-ID is this.
   */
  requestsSince(range: {
    readonly tip: ObjectId;
    readonly after: ObjectId | null;
  }): Promise<ReadonlyMap<RequestId, ObjectId>>;
  /** Idempotent. */
  deleteStaging(...requestIds: RequestId[]): Promise<void>;
  /** Requests, reviews and their outcome; at the remote for a mirror and for a clone. */
  readonly ledger: LedgerStore;
  /** The last push that the server refused because its commits were not signed, where none was taken since. Absent: no server is pushed to. */
  readonly refusedUnsigned?: () => Promise<UnsignedRefusal | null>;
  /** null but for a clone whose own `git fetch` does not fetch the ledger. */
  ledgerFetch(branch: string): Promise<LedgerFetch | null>;
}

export interface Destination {
  /** As the clone names it; null where a repository is published to by itself or by its address. */
  readonly remote: string | null;
  /** A path or an address, without credentials. */
  readonly address: string;
  /** Its name there. */
  readonly branch: string;
}

export interface UnsignedRefusal {
  /** Its name there. */
  readonly branch: string;
  /** ISO 8601. */
  readonly at: string;
  /** As the push failed with. */
  readonly message: string;
}

export interface LedgerFetch {
  /** Its name in the clone. */
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
  /** Whose staging refs are no longer needed then: a local repository deletes them in the same transaction. */
  readonly requestId?: RequestId;
  /** Records that are to move with the branch, as `prepare` of the ledger gives one. */
  readonly also?: readonly RefMove[];
  /** The branch does not go without them: where one would be left, nothing moves, and it fails with REMOTE_REJECTED or BRANCH_CHECKED_OUT. */
  readonly isWhole?: boolean;
  /** Told as soon as it has moved where it is published, if that is elsewhere: what is done here for it afterwards keeps nobody waiting. */
  readonly onMoved?: () => void;
}

/** Branches of ours, moved by compare-and-swap in one push. */
interface ProposedEdit {
  readonly moves: readonly ProposedMove[];
  readonly also?: readonly RefMove[];
}

export interface ProposedMove {
  /** Short name: `backtrail/<request-id>`. */
  readonly branch: string;
  /** null: it must not exist. */
  readonly expected: ObjectId | null;
  /** null: it is deleted. */
  readonly next: ObjectId | null;
}

/** A ref by its whole name, moved by compare-and-swap. */
export interface RefMove {
  readonly ref: string;
  /** null: the ref must not exist. */
  readonly expected: ObjectId | null;
  /** Descends from `expected`. */
  readonly next: ObjectId;
}

export interface CommitMessage {
  /** Trailer lines as git itself parses them, unfolded, `Key: value`. */
  readonly trailers: readonly string[];
}

export interface NewCommit {
  /** null: the commit before it in the list; none for the first one of a chain. */
  readonly parent: ObjectId | null;
  readonly author: Person;
  readonly committer: Person;
  /** ISO 8601; stored in whole seconds, in UTC. */
  readonly time: string;
  readonly message: string;
  readonly writes: readonly Write[];
  /** With the user's own SSH key. Absent: where the repository was opened to sign all. */
  readonly sign?: boolean | undefined;
}

export interface NewCommits {
  readonly requestId: RequestId;
  readonly commits: readonly NewCommit[];
}

export interface ChainStart {
  readonly parent: ObjectId;
  /** It is staged as this request's. */
  readonly requestId: RequestId;
}

/** Commits of several rollbacks, one on top of the other. */
export interface CommitChain {
  /** Writes a commit on top of the last one; gives its id. @throws PATH_UNSAFE, GIT_FAILED, GIT_TIMEOUT, SIGNING_FAILED */
  add(commit: Omit<NewCommit, 'parent'>): Promise<ObjectId>;
  /** Makes what was added readable. Nothing may be added afterwards. */
  end(): Promise<void>;
  /** Nothing of it is needed any more: it is published, or given up. Idempotent. */
  drop(): Promise<void>;
}

/** Events that are about to be prepared. */
interface EventChain {
  /** Gives the id of its commit. */
  add(event: NewEvent): Promise<ObjectId>;
  /** Makes what was added readable. Nothing may be added afterwards. */
  end(): Promise<PreparedEvents>;
  /** Gives up what has not come to its end. Idempotent. */
  drop(): Promise<void>;
}

/** The chain of commits on one ref of ours, where the repository lives: an event a commit, appended by compare-and-swap. */
export interface LedgerStore {
  /**
   * Asks for the ref anew (fetches it, for a mirror or a clone); null where there is none yet. LEDGER_REWOUND where it does not
   * descend from what this machine saw last. `refreshed`: the repository was refreshed for the same work, which has fetched it already.
   */
  tip(ref: string, how?: { readonly refreshed?: boolean }): Promise<ObjectId | null>;
  /**
   * Where the ref was when the repository was last read (a mirror: fetched): no process and no network, and nobody asks whether it was forced
   * back. For what may be left out, never for what is decided.
   */
  peek(ref: string): Promise<ObjectId | null>;
  /**
   * Writes events as commits on `parent` (null: the first ones) and moves the ref from `parent` to the last of them, or changes
   * nothing. BRANCH_MOVED where it is elsewhere by now; SIGNING_FAILED; what `publish` of a repository fails with.
   */
  append(input: NewEvents): Promise<readonly ObjectId[]>;
  /**
   * The first half of `append`: writes and signs, and moves nothing, so that a publisher can move the ledger together with a branch:
   * `publish({ …, also: [prepared.move] })`, then `finish`. What was prepared on a ledger that has moved since is discarded and prepared again.
   */
  prepare(input: NewEvents): Promise<PreparedEvents>;
  /**
   * The same, one event after the other: the id of each is known before git has it, for whatever names it. Not where events are signed (`signs`):
   * a signature needs what it signs.
   */
  begin(start: Pick<NewEvents, 'ref' | 'parent' | 'committer'>): EventChain;
  /** The end of what was prepared, once: nothing of it stays staged, and a ledger that moved is remembered as seen. Best effort. */
  finish(prepared: PreparedEvents, outcome: 'moved' | 'discarded'): Promise<void>;
  /**
   * Advisory lock: serialises writers that share a cache folder, to avoid compare-and-swap retries. Correctness does not depend on it: after 20 s
   * of waiting `use` runs without the lock.
   */
  inTurn<Value>(ref: string, use: () => Promise<Value>): Promise<Value>;
  /** A text that saves reading the ledger, kept in the cache folder; null where there is none, or not as it was written. Never fails. */
  readonly index: LedgerText;
  /** Another one: what pull requests brought to the branch. */
  readonly arrivals: LedgerText;
  /** Does the user have a key, by git's own settings, that `append` signs with? Settings of the repository's own that run programs do not count. */
  signs(): Promise<boolean>;
  /**
   * Who signed each commit, by the keys of this list alone (a path; null: no one is trusted). `times`: when each was made, milliseconds since
   * 1970, which decides whether a key with an end or a beginning was valid; the commit's own date where absent.
   */
  signatures(
    ids: readonly ObjectId[],
    allowedSigners: string | null,
    times?: ReadonlyMap<ObjectId, number>,
  ): Promise<ReadonlyMap<ObjectId, Signature>>;
}

export interface LedgerText {
  read(ref: string): Promise<string | null>;
  write(ref: string, text: string): Promise<void>;
}

export interface NewEvents {
  readonly ref: string;
  /** null: these are the first ones. */
  readonly parent: ObjectId | null;
  /** At least one, except for `append`. */
  readonly events: readonly NewEvent[];
  readonly committer: Person;
  /** They are staged as this request's: what a killed process leaves of them goes with the next attempt at it. */
  readonly requestId?: RequestId | undefined;
}

export interface PreparedEvents {
  /** In the order of the events. */
  readonly commits: readonly ObjectId[];
  readonly move: RefMove;
  /** The refs that keep the objects until then. */
  readonly staged: readonly { readonly ref: string; readonly id: ObjectId }[];
}

export interface NewEvent {
  readonly author: Person;
  /** ISO 8601. */
  readonly time: string;
  readonly message: string;
  readonly writes: readonly Write[];
  /** With the user's own key, where there is one. */
  readonly sign: boolean;
}
