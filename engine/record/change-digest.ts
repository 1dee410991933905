/** What a commit changes, as one line of text: how a rollback is found on a branch, whatever became of its message. */
import { createHash } from 'node:crypto';
import { encodePath, type PathChange } from '../model/index.ts';

type Change = Pick<PathChange, 'path' | 'before' | 'after'>;

/**
 * `sha256:` over `path NUL mode NUL id LF` for each path, in the order of the paths' bytes: the mode in octal digits and the object id that it has
 * afterwards, `-` for both where it is deleted. What it had before does not count.
 */
export function changeDigest(changes: readonly Change[]): string {
  const hash = createHash('sha256');
  const lines = changes.map(({ path, after }) => ({ path: Buffer.from(encodePath(path)), after }));
  for (const { path, after } of lines.toSorted((one, other) => Buffer.compare(one.path, other.path))) {
    hash.update(path);
    hash.update(`\0${after?.mode ?? '-'}\0${after?.id ?? '-'}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}

/** The changes of consecutive commits, oldest first, as if one commit had made them. */
export function sumOf(changes: readonly (readonly Change[])[]): readonly Change[] {
  const sum = new Map<string, Change>();
  for (const change of changes.flat()) {
    const before = sum.has(change.path) ? (sum.get(change.path)?.before ?? null) : change.before;
    sum.set(change.path, { ...change, before });
  }
  return [...sum.values()].filter(
    ({ before, after }) => before?.id !== after?.id || before?.mode !== after?.mode,
  );
}
