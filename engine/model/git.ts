/** Git's object model, as the rest of the engine uses it. */

/** The hash function of a repository's object ids. */
export type ObjectFormat = 'sha1' | 'sha256';

/** Lower-case hexadecimal digits: 40 in a SHA-1 repository, 64 in a SHA-256 one. */
export type ObjectId = string;

/** True for a full object id of either format. Does not look whether the object exists. */
export function isObjectId(text: string): text is ObjectId {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The rules of git-check-ref-format(1) for `--branch`: a valid name can not be parsed as an option, a range or a revision. */
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

/** Tree entry modes, as six octal digits. */
export const MODE = {
  file: '100644',
  executable: '100755',
  symlink: '120000',
  tree: '040000',
  submodule: '160000',
} as const;

type FileMode = string;

/** What a tree has at a path: mode and object id. */
export interface Entry {
  readonly mode: FileMode;
  readonly id: ObjectId;
}

export interface TreeEntry extends Entry {
  /** Decoded with `decodePath`; bytes that are not UTF-8 become lone surrogates. */
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

/** How a commit changed one path, compared with its first parent. */
export interface PathChange {
  readonly path: string;
  readonly before: Entry | null;
  readonly after: Entry | null;
}

/** A commit of the first-parent line, with the changes below the path that was queried. */
export interface LogCommit {
  readonly id: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Person;
  /** Committer time, ISO 8601 in UTC. */
  readonly time: string;
  readonly subject: string;
  /** Trailer lines as git-interpret-trailers(1) parses them, unfolded, `Key: value`. */
  readonly trailers: readonly string[];
  /** Commits that the message names as reverted, in the form that `git revert` writes. */
  readonly reverts: readonly ObjectId[];
  readonly changes: readonly PathChange[];
}

/** Several logs of one line as one, in its order. `line`: all ids of the line, newest first; asked only where there are several logs. */
export async function inOrder(
  logs: readonly (readonly LogCommit[])[],
  line: () => Promise<readonly ObjectId[]>,
): Promise<readonly LogCommit[]> {
  if (logs.length === 1) return logs[0] ?? [];
  const merged = new Map<ObjectId, LogCommit>();
  for (const commit of logs.flat()) {
    const known = merged.get(commit.id);
    merged.set(commit.id, known ? { ...known, changes: [...known.changes, ...commit.changes] } : commit);
  }
  return merged.size === 0 ? [] : (await line()).flatMap((id) => merged.get(id) ?? []);
}

/**
 * By which emails are compared: without blanks around them, and A to Z in lower case. Other letters stay as they are: Unicode makes ASCII letters of
 * some of them, such as of the Kelvin sign.
 */
export const emailKey = (email: string): string =>
  email.trim().replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** An email that can be written as it is into a commit, a trailer and a list of keys, where none of its characters means anything else. */
export const isPlainEmail = (text: string): boolean => text.length <= LONGEST_EMAIL && PLAIN_EMAIL.test(text);
const LONGEST_EMAIL = 320;
const PLAIN_EMAIL = /^[^@\s\p{C}<>,;:"()[\]\\*?!]+@[^@\s\p{C}<>,;:"()[\]\\*?!]+$/u;
