import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from 'diff';
import type { StructuredPatch } from 'diff';
import { maskText } from './mask.ts';
import { MASK } from './secrets.ts';

/** Edits after which a smallest difference is no longer looked for, and lines and characters that are shown of one. */
const EDIT_LIMIT = 3000;
const LINES_SHOWN = 2000;
const LINE_SHOWN = 500;
const CONTEXT = 3;

export const BINARY = 'Binary files differ\n';

/**
 * The unified difference of two texts, secrets masked on both sides before they are compared: a secret that is another one
 * afterwards reads `*** (changed)`, so that its line shows. null stands for no file; '' comes out where the texts are equal.
 * Lines over 500 characters and differences over 2000 lines are cut, and say so.
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
  if (masked.before === masked.after && before !== null && after !== null) {
    return `${formatPatch({ ...names, oldHeader: undefined, newHeader: undefined, hunks: [] }, FILE_HEADERS_ONLY)}Only masked values changed their places.\n`;
  }
  const patch =
    structuredPatch(names.oldFileName, names.newFileName, masked.before, masked.after, undefined, undefined, {
      context: CONTEXT,
      maxEditLength: EDIT_LIMIT,
    }) ?? coarsePatch(names, masked);
  return cut(formatPatch(patch, FILE_HEADERS_ONLY));
}

function maskBoth(path: string, before: string, after: string): { before: string; after: string } {
  const known = new Set<string>();
  return {
    before: maskText(before, path, (secret) => {
      known.add(secret);
      return MASK;
    }),
    after: maskText(after, path, (secret) =>
      known.has(secret) || before === '' ? MASK : `${MASK} (changed)`,
    ),
  };
}

/** For texts with little in common: everything between the common beginning and the common end, in one hunk. */
function coarsePatch(
  names: Pick<StructuredPatch, 'oldFileName' | 'newFileName'>,
  masked: { before: string; after: string },
): StructuredPatch {
  const old = masked.before.replace(/\n$/, '').split('\n');
  const next = masked.after.replace(/\n$/, '').split('\n');
  const shorter = Math.min(old.length, next.length);
  let head = 0;
  while (head < shorter && old[head] === next[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === next.at(-1 - tail)) tail += 1;
  const removed = old.slice(head, old.length - tail);
  const added = next.slice(head, next.length - tail);
  const lines = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
  const hunk = {
    oldStart: head + 1,
    oldLines: removed.length,
    newStart: head + 1,
    newLines: added.length,
    lines,
  };
  return { ...names, oldHeader: undefined, newHeader: undefined, hunks: [hunk] };
}

function cut(patch: string): string {
  const lines = patch.split('\n');
  const short = lines
    .slice(0, LINES_SHOWN)
    .map((line) => (line.length > LINE_SHOWN ? `${line.slice(0, LINE_SHOWN)}…` : line));
  if (lines.length > LINES_SHOWN) short.push(`… ${lines.length - LINES_SHOWN} more lines`, '');
  return short.join('\n');
}
