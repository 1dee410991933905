import { FILE_HEADERS_ONLY, formatPatch } from 'diff';
import { lineHunks, makeDiffBudget } from './line-diff.ts';
import { maskText } from '../mask/mask.ts';
import { CHANGED_MASK, MASK } from '../mask/secrets.ts';

export const BINARY = 'Binary files differ\n';
export const ONLY_MOVED = 'Only masked values changed their places.\n';

/**
 * The unified diff of two texts, with secrets masked on both sides before comparing. A secret that differs reads `*** (changed)`
 * afterwards, so that its line is shown. null: no file. '' if the texts are equal. Not shortened (see `shortenDiff`).
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
  const hunks = onlyMoved ? [] : lineHunks(masked, makeDiffBudget());
  const patch = formatPatch(
    { ...names, oldHeader: undefined, newHeader: undefined, hunks },
    FILE_HEADERS_ONLY,
  );
  return onlyMoved ? `${patch}${ONLY_MOVED}` : patch;
}

function maskBoth(path: string, before: string, after: string): { before: string; after: string } {
  const secretTexts = new Set<string>();
  return {
    before: maskText(before, path, (secret) => {
      secretTexts.add(secret);
      return MASK;
    }),
    after: maskText(after, path, (secret) =>
      secretTexts.has(secret) || before === '' ? MASK : CHANGED_MASK,
    ),
  };
}
