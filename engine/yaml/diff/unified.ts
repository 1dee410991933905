import { FILE_HEADERS_ONLY, formatPatch } from 'diff';
import { lineHunks, makeEffort } from './line-diff.ts';
import { maskText } from '../mask/mask.ts';
import { CHANGED_MASK, MASK } from '../mask/secrets.ts';

export const BINARY = 'Binary files differ\n';
export const ONLY_MOVED = 'Only masked values changed their places.\n';

/**
 * The unified difference of two texts, secrets masked on both sides before they are compared: a secret that is another one
 * afterwards reads `*** (changed)`, so that its line shows. null stands for no file; '' comes out where the texts are equal.
 * Nothing is cut: `cutDiff` does that where it is shown.
 */
export function unifiedDiff(input: { path: string; before: string | null; after: string | null }): string {
  const { path, before, after } = input;
  if (before === after) return '';
  if (before?.includes('\0') || after?.includes('\0')) return BINARY;
  const masked = maskBoth(path, before ?? '', after ?? '');
  const names = {
    oldFileName: before === null ? '/dev/null' : `a/${path}`,
    newFileName: after === null ? '/dev/null' : `b/${path}`,
  };
  const onlyMoved = masked.before === masked.after && before !== null && after !== null;
  const hunks = onlyMoved ? [] : lineHunks(masked, makeEffort());
  const patch = formatPatch(
    { ...names, oldHeader: undefined, newHeader: undefined, hunks },
    FILE_HEADERS_ONLY,
  );
  return onlyMoved ? `${patch}${ONLY_MOVED}` : patch;
}

function maskBoth(path: string, before: string, after: string): { before: string; after: string } {
  const known = new Set<string>();
  return {
    before: maskText(before, path, (secret) => {
      known.add(secret);
      return MASK;
    }),
    after: maskText(after, path, (secret) => (known.has(secret) || before === '' ? MASK : CHANGED_MASK)),
  };
}
