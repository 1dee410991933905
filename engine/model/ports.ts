import type { CommitObject, LogCommit, ObjectId, TreeEntry } from './git.ts';

/** Reads objects. Methods reject with OBJECT_MISSING if the object does not exist or is of another type. */
export interface ObjectReader {
  commit(id: ObjectId): Promise<CommitObject>;
  /** Entries in Git's own order. */
  tree(id: ObjectId): Promise<readonly TreeEntry[]>;
  /** Rejects with FILE_TOO_LARGE above the reader's limit. */
  blob(id: ObjectId): Promise<Uint8Array>;
  /**
   * Of these blobs, those whose bytes pass the test, and those that are missing or over the limit; others may be named as well. `rules` names the test: what passed before
   * may be remembered by it, also from one process to the next, so that nothing that is written may rest on the answer. Each is read where absent.
   */
  passing?(
    ids: readonly ObjectId[],
    test: { readonly rules: string; readonly passes: (bytes: Uint8Array) => boolean },
  ): Promise<ReadonlySet<ObjectId>>;
}

export interface HistoryReader {
  /** The history is truncated (a shallow clone): parents of the oldest commits were not fetched. */
  readonly shallow: boolean;
  /**
   * Commits of the first-parent line of `tip` that changed `path` (a literal file or folder; '' is the whole tree), newest first.
   * `after` excludes that commit and its ancestors; `limit`: only so many of the newest. A commit at the boundary of a shallow clone is left out: its changes are unknown.
   */
  log(query: {
    tip: ObjectId;
    path: string;
    after?: ObjectId;
    limit?: number;
  }): Promise<readonly LogCommit[]>;
  /**
   * Commits of the first-parent line of `tip` that changed one of the paths, each once, newest first, with the changes below any of them.
   * As `log` says of each path; may be answered from an index of the line, so what is written or judged must not rest on it alone.
   */
  changed(query: { tip: ObjectId; paths: readonly string[] }): Promise<readonly LogCommit[]>;
  /** Commits of the first-parent line with the trailers of a rollback or a delivery, newest first; `changes` is empty. */
  recorded(tip: ObjectId): Promise<readonly LogCommit[]>;
  /** All commit ids of the first-parent line of `tip`, newest first. */
  firstParents(tip: ObjectId): Promise<readonly ObjectId[]>;
  /** For whoever is about to ask what changed many scopes of this line, one after the other: one pass over it answers all of them. */
  expectMany?(tip: ObjectId): Promise<void>;
  /** Whether a commit is on the first-parent line of `tip`; false for commits reached only through a merge's other parents. */
  isOnLine(tip: ObjectId, commit: ObjectId): Promise<boolean>;
  /** The newest commit of the first-parent line of `tip` at or before `time` (ISO 8601), or null. Rejects with SHALLOW_TARGET if it may be beyond a shallow boundary. */
  firstParentBefore(tip: ObjectId, time: string): Promise<ObjectId | null>;
  /** Resolves a full or abbreviated commit id (4 to 64 hexadecimal digits); null if there is none. Rejects with SHALLOW_TARGET if it may be beyond a shallow boundary, with REVISION_INVALID if the abbreviation is ambiguous. */
  findCommit(abbreviated: string): Promise<ObjectId | null>;
  /**
   * The commits of the tag and of the branch of this name, tags peeled; null if it does not exist or does not point to a commit. `name`
   * must satisfy `isRefName`.
   */
  named(name: string): Promise<{ readonly tag: ObjectId | null; readonly branch: ObjectId | null }>;
  /** Renames between two commits with at least 80 % similarity, as git detects them: new path to old path. Without git, exact renames only. */
  renames(from: ObjectId, to: ObjectId): Promise<ReadonlyMap<string, string>>;
}

/** Hash functions, so that pure modules need no `node:crypto`. */
export interface Hasher {
  /** Lower-case hexadecimal sha256. */
  sha256(bytes: Uint8Array): string;
  /** The object id of a blob with this content. */
  blobId(bytes: Uint8Array): ObjectId;
  /** The object id of a tree with this content, as git writes it: entries in their order, ids as bytes. */
  treeId(bytes: Uint8Array): ObjectId;
}

/** A read-only view of one tree, stored or planned. Paths are relative, separated by '/', without a leading slash; '' is the root. */
export interface TreeView {
  entry(path: string): Promise<TreeEntry | null>;
  /** Entries of a folder in Git's order; empty if the folder does not exist. */
  list(path: string): Promise<readonly TreeEntry[]>;
  /** Content of a regular file; null if the path does not exist or is a folder, a symlink or a submodule. Symlinks are never followed. */
  read(path: string): Promise<Uint8Array | null>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** Progress of a fetch, as git reports it. */
export interface Progress {
  /** `asking`: no output from the remote yet. `locked`: another process uses the mirror. `history`: commits of a line, or their files, are read. `working`: git does something else. `auditing`: rollbacks are made again. */
  readonly phase:
    | 'asking'
    | 'locked'
    | 'history'
    | 'working'
    | 'counting'
    | 'compressing'
    | 'receiving'
    | 'resolving'
    | 'indexing'
    | 'rendering'
    | 'auditing';
  /** null while the total is unknown. */
  readonly percent: number | null;
  /** Objects processed in this phase. */
  readonly objects: number;
  /** `12.30 MiB | 4.50 MiB/s`; `12 s` of waiting. */
  readonly amount?: string;
}

/** Runs external renderers. Each run gets only the files passed to it, in a private temporary folder. */
export interface Programs {
  /** Whether the operator allows this command of a repository's configuration. `argv` as configured, placeholders not replaced. */
  allows(argv: readonly string[]): boolean;
  /** null if the program is not installed. Rejects with RENDER_FAILED above a limit, with INTERRUPTED if it was stopped. */
  run(task: ProgramTask): Promise<ProgramResult | null>;
  /** The same programs with one time limit shared by all runs that follow. */
  withSharedTimeLimit(): Programs;
  /** Whether runs are isolated from the network and from other files, and how or why not. For display. */
  confinement(): Promise<{ readonly confined: boolean; readonly how: string }>;
}

export interface ProgramTask {
  /** A program name, searched in PATH, and its arguments. The working directory is the folder with the files. */
  readonly argv: readonly string[];
  /** Content by path. Paths are relative and safe (`isSafePath`). */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface ProgramResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  /** The end of stderr, with paths relative to the folder. May contain terminal control sequences. */
  readonly stderr: string;
}

/** What a registry says of a container image. */
export interface ImageAnswer {
  /** `missing`: the registry accepted our credentials (or wants none) and has not the image; `unchecked`: nobody was asked, or gave no clear answer. */
  readonly state: 'present' | 'missing' | 'unchecked';
  /** Why it is unchecked; a clause such as `the registry does not answer`. */
  readonly reason?: string;
}

/** Asks container registries. Never rejects: whatever goes wrong is `unchecked`. */
export interface ImageRegistries {
  /** Answers by image, as written in a manifest: `ghcr.io/acme/api:v2`, `nginx`, `acme/api@sha256:…`. */
  ask(images: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, ImageAnswer>>;
}
