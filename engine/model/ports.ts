import type { CommitObject, LogCommit, ObjectId, TreeEntry } from './git.ts';

/** Reads objects. Rejects with OBJECT_MISSING where the object is not there or is of another type. */
export interface ObjectReader {
  commit(id: ObjectId): Promise<CommitObject>;
  /** Entries in Git's own order. */
  tree(id: ObjectId): Promise<readonly TreeEntry[]>;
  /** Rejects with FILE_TOO_LARGE over the reader's limit. */
  blob(id: ObjectId): Promise<Uint8Array>;
}

export interface HistoryReader {
  /** The history is cut off (a shallow clone): what lies before the oldest commits was never fetched. */
  readonly shallow: boolean;
  /**
   * Commits of the first-parent line of `tip` that changed `path` (a literal file or folder; '' is the whole tree), newest first.
   * `after` leaves out that commit and everything before it. What a commit at the cut of a shallow clone changed is not known: it is left out.
   */
  log(query: { tip: ObjectId; path: string; after?: ObjectId }): Promise<readonly LogCommit[]>;
  /** Commits of the first-parent line whose message claims a rollback or a delivery, newest first; without their changes. */
  recorded(tip: ObjectId): Promise<readonly LogCommit[]>;
  /** Every commit id of the first-parent line of `tip`, newest first. */
  firstParents(tip: ObjectId): Promise<readonly ObjectId[]>;
  /** Is a commit on the first-parent line of `tip`? One that only a merge brought in is not. */
  isOnLine(tip: ObjectId, commit: ObjectId): Promise<boolean>;
  /** The newest commit of the first-parent line of `tip` at or before `time` (ISO 8601), or null; SHALLOW_TARGET where it may lie beyond the cut. */
  firstParentBefore(tip: ObjectId, time: string): Promise<ObjectId | null>;
  /** A full or abbreviated (4 to 64 hexadecimal digits) commit id; null where none is meant, SHALLOW_TARGET where it may lie beyond the cut, REVISION_INVALID where several are meant. */
  findCommit(abbreviated: string): Promise<ObjectId | null>;
  /**
   * The commits that a tag and a branch of this name are at, tags peeled; null where there is none, or where it is no commit. The name
   * must be that of a branch by `isRefName`.
   */
  named(name: string): Promise<{ readonly tag: ObjectId | null; readonly branch: ObjectId | null }>;
  /** Renames that Git detects between two commits, of files that are alike by 80 % at least, new path to old path; without git only those of files with the same content. */
  renames(from: ObjectId, to: ObjectId): Promise<ReadonlyMap<string, string>>;
}

/** Hashes, so that the pure parts need no module of the platform. */
export interface Hasher {
  /** Lower-case hexadecimal sha256. */
  sha256(bytes: Uint8Array): string;
  /** The object id that Git gives a blob of these bytes. */
  blobId(bytes: Uint8Array): ObjectId;
}

/** A read-only view of one tree, real or planned. Paths are relative, '/'-separated, without a leading slash; '' is the root. */
export interface TreeView {
  entry(path: string): Promise<TreeEntry | null>;
  /** Entries of a folder in Git's order; empty where there is no folder. */
  list(path: string): Promise<readonly TreeEntry[]>;
  /** Bytes of a regular file; null where the path is absent, a folder, a symlink or a submodule. Links are never followed. */
  read(path: string): Promise<Uint8Array | null>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** How far a fetch is, as git tells it. */
export interface Progress {
  /** `asking`: the remote has said nothing yet. `locked`: another process uses the mirror. */
  readonly phase:
    | 'asking'
    | 'locked'
    | 'counting'
    | 'compressing'
    | 'receiving'
    | 'resolving'
    | 'indexing'
    | 'rendering';
  /** null where the end is not known yet. */
  readonly percent: number | null;
  /** Done so far, in this phase. */
  readonly objects: number;
  /** `12.30 MiB | 4.50 MiB/s`; `12 s` of waiting. */
  readonly amount?: string;
}

/** Programs that render manifests. Each runs on a few files, in a private folder that is gone afterwards. */
export interface Programs {
  /** May this command of a repository's configuration run? Its words as they stand there, placeholders unfilled. */
  allows(argv: readonly string[]): boolean;
  /** null where the program is not installed. RENDER_FAILED where it passes a limit, INTERRUPTED where it was stopped. */
  run(task: ProgramTask): Promise<ProgramResult | null>;
  /** The same programs, with one limit of time over all that they run from now on. */
  together(): Programs;
  /** Are they kept away from the network and from files of others, and how, or why not? For people. */
  confinement(): Promise<{ readonly confined: boolean; readonly how: string }>;
}

export interface ProgramTask {
  /** A name that PATH finds, and its arguments. It runs in the folder that holds the files. */
  readonly argv: readonly string[];
  /** Bytes by path; the paths are safe and relative. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface ProgramResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  /** The end of what it complained about; names files relative to the folder. May hold anything that a terminal obeys. */
  readonly stderr: string;
}
