/** What a commit changes, as a value that two commits share where they change the same. */
import { encodePath, type Entry, type Hasher, type PathChange } from '../model/index.ts';

/**
 * `sha256:` over a line `path NUL mode NUL blob-id LF` for each changed path, in the order of the paths' bytes; where a path is deleted, mode and
 * blob id are `-`. `changes`: of a commit against its first parent, each path once.
 */
export function changeDigest(
  hasher: Pick<Hasher, 'sha256'>,
  changes: readonly Pick<PathChange, 'path' | 'after'>[],
): string {
  const encoder = new TextEncoder();
  const lines = changes
    .map(({ path, after }) => ({ path: encodePath(path), after }))
    .sort((one, other) => compareBytes(one.path, other.path))
    .map(({ path, after }) => [path, encoder.encode(`\0${after?.mode ?? '-'}\0${after?.id ?? '-'}\n`)])
    .flat();
  return `sha256:${hasher.sha256(joined(lines))}`;
}

/** The whole of what consecutive commits change, oldest first; a path that ends as it began is not changed. */
export function sumOf(commits: readonly (readonly PathChange[])[]): readonly PathChange[] {
  const whole = new Map<string, PathChange>();
  for (const change of commits.flat()) {
    const { before } = whole.get(change.path) ?? change;
    whole.set(change.path, { ...change, before });
  }
  return [...whole.values()].filter(({ before, after }) => !isSame(before, after));
}

const isSame = (one: Entry | null, other: Entry | null) => one?.id === other?.id && one?.mode === other?.mode;

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
