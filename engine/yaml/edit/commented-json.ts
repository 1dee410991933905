import type { EntryEdit } from './source/block.ts';
import type { EditContext, Slot } from './context.ts';
import { endOf, type OutlineEntry } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import type { Splice } from '../core/splice.ts';
import { lineEnd, lineStart, nextLine, positionOf, startsLine } from '../core/text.ts';

/** Whether the brackets contain JSON comments. */
export const isCommented = ({ parsed: { text, code }, outline: { start, end } }: Slot): boolean =>
  text !== code && text.slice(start, end) !== code.slice(start, end);

/**
 * Removes and adds entries of a flow collection with comments: a line with one entry is removed together with the comment after it;
 * comments on their own lines stay. `sourceOf` gives the source of an added entry.
 */
export function editCommented(
  context: EditContext,
  base: Slot,
  { removed, added }: EntryEdit,
  sourceOf: (entry: OutlineEntry) => string,
): Splice[] {
  const { entries } = base.outline;
  const staying = entries.filter((entry) => !removed.has(entry));
  const splices = [...removed].map((entry) => removal(base, entry));
  const [last, lastStaying] = [entries.at(-1), staying.at(-1)];
  if (last && removed.has(last) && commaAfter(base, last) < 0 && lastStaying) {
    const comma = commaAfter(base, lastStaying);
    splices.push({ start: comma, end: comma + 1, text: '' });
  }
  for (const behind of new Set(added.map((addition) => addition.behind))) {
    const sources = added
      .filter((addition) => addition.behind === behind)
      .map(({ entry }) => sourceOf(entry));
    splices.push(...addition({ context, base, behind, first: staying[0], sources }));
  }
  return splices;
}

/** Offset of the comma after an entry; negative if there is none. */
function commaAfter({ parsed: { code }, outline: { entries, end } }: Slot, entry: OutlineEntry): number {
  const next = entries[entries.indexOf(entry) + 1];
  const from = endOf(entry);
  const at = code.slice(from, next?.start ?? end - 1).indexOf(',');
  return at < 0 ? at : from + at;
}

/** Removes an entry with its comma, and the whole line if the entry has its own. */
export function removal(base: Slot, entry: OutlineEntry): Splice {
  const { text } = base.parsed;
  const comma = commaAfter(base, entry);
  const end = comma < 0 ? endOf(entry) : comma + 1;
  if (startsLine(text, entry.start) && endsLine(base, end))
    return { start: lineStart(text, entry.start), end: nextLine(text, end), text: '' };
  const blanks = /^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0;
  return { start: entry.start, end: end + blanks, text: '' };
}

interface Adding {
  readonly context: EditContext;
  readonly base: Slot;
  readonly behind: OutlineEntry | null;
  readonly first: OutlineEntry | undefined;
  readonly sources: readonly string[];
}

function addition({ context, base, behind, first, sources }: Adding): Splice[] {
  const { text } = base.parsed;
  const model = behind ?? first;
  if (!model) refuse('unsupported', 'No entry would remain.');
  const comma = behind ? commaAfter(base, behind) : base.outline.start;
  const after = comma < 0 ? endOf(model) : comma + 1;
  // If the entry before has no comma it gets one, and the last added entry gets none.
  const splices = comma < 0 ? [{ start: after, end: after, text: ',' }] : [];
  const lines = sources.map(
    (source, index) => source + (comma < 0 && index === sources.length - 1 ? '' : ','),
  );
  if (startsLine(text, model.start) && endsLine(base, after)) {
    const indent = text.slice(lineStart(text, model.start), model.start);
    const at = lineEnd(text, after);
    splices.push({ start: at, end: at, text: lines.map((line) => context.eol + indent + line).join('') });
  } else if (behind) splices.push({ start: after, end: after, text: ` ${lines.join(' ')}` });
  else splices.push({ start: model.start, end: model.start, text: `${lines.join(' ')} ` });
  return splices;
}

/** Whether only spaces and complete comments follow on the line. */
function endsLine({ parsed: { text, code } }: Slot, offset: number): boolean {
  const end = lineEnd(text, offset);
  if (code.slice(offset, end).trim() !== '') return false;
  const behind = text.slice(offset, end).trim();
  const open = behind.lastIndexOf('/*');
  const isOpen = open >= 0 && !behind.slice(open + 2).includes('*/') && !/^[^]*\/\/[^]*\/\*/.test(behind);
  if (isOpen)
    refuse(
      'flow-unsupported',
      `A comment of several lines starts after an entry (${positionOf(text, offset)}).`,
    );
  return true;
}

/** Inserts the first entry into brackets that contain only comments. */
export function fillCommented(context: EditContext, base: Slot, source: string): Splice {
  const { parsed, outline } = base;
  const after = outline.start + 1;
  const start = lineStart(parsed.text, outline.start);
  const indent = /^[ \t]*/.exec(parsed.text.slice(start))?.[0] ?? '';
  if (!endsLine(base, after)) return { start: after, end: after, text: `${source} ` };
  const at = lineEnd(parsed.text, after);
  return {
    start: at,
    end: at,
    text: `${context.eol}${indent}${indent.startsWith('\t') ? '\t' : '  '}${source}`,
  };
}
