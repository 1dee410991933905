/** Git's nouns, as the rest of the engine sees them. */

/** How a repository names its objects. */
export type ObjectFormat = 'sha1' | 'sha256';

/** Lower-case hexadecimal digits: 40 in a SHA-1 repository, 64 in a SHA-256 one. */
export type ObjectId = string;

/** Full ids of either format; whether the repository has such an object is another question. */
export function isObjectId(text: string): text is ObjectId {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The rules of `git check-ref-format --branch`, so that a name typed by a user is never read as anything else. */
export function isRefName(name: string): boolean {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$/.test(name)) return false;
  return (
    name !== '' &&
    name !== '@' &&
    name !== 'HEAD' &&
    name.split('/').every((part) => !/^\.|\.lock$/.test(part))
  );
}

/** Modes as Git writes them in a tree. */
export const MODE = {
  file: '100644',
  executable: '100755',
  symlink: '120000',
  tree: '040000',
  submodule: '160000',
} as const;

export type FileMode = string;

/** What a path holds: mode and object. */
export interface Entry {
  readonly mode: FileMode;
  readonly id: ObjectId;
}

export interface TreeEntry extends Entry {
  /** Bytes that are not UTF-8 stand in it as `decodePath` says. */
  readonly name: string;
}

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface CommitObject {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
}

/** One path of one commit, against its first parent. */
export interface PathChange {
  readonly path: string;
  readonly before: Entry | null;
  readonly after: Entry | null;
}

/** A commit of the first-parent line, with the paths that it changed below the path asked for. */
export interface LogCommit {
  readonly id: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Person;
  /** Committer time, ISO 8601 in UTC. */
  readonly time: string;
  readonly subject: string;
  /** Trailer lines as git itself parses them, unfolded, `Key: value`. */
  readonly trailers: readonly string[];
  /** Commits that the message says it takes back, as `git revert` writes it. */
  readonly reverts: readonly ObjectId[];
  readonly changes: readonly PathChange[];
}
