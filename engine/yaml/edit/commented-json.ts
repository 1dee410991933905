import type { EntryEdit } from './source/block.ts';
import type { EditContext, Slot } from './context.ts';
import { endOf, type Entry } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import type { Splice } from '../core/splice.ts';
import { lineEnd, lineStart, nextLine, placeOf, startsLine } from '../core/text.ts';

/** Do comments of JSON stand within the brackets? */
export const isCommented = ({ parsed: { text, code }, outline: { start, end } }: Slot): boolean =>
  text !== code && text.slice(start, end) !== code.slice(start, end);

/**
 * Removes and adds entries in brackets between which comments stand: a line with one entry goes with the comment behind it, comments on
 * lines of their own stay. `sourceOf` gives what is added.
 */
export function editCommented(
  context: EditContext,
  base: Slot,
  { removed, added }: EntryEdit,
  sourceOf: (entry: Entry) => string,
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

/** Where the comma behind an entry stands; negative where there is none. */
function commaAfter({ parsed: { code }, outline: { entries, end } }: Slot, entry: Entry): number {
  const next = entries[entries.indexOf(entry) + 1];
  const from = endOf(entry);
  const at = code.slice(from, next?.start ?? end - 1).indexOf(',');
  return at < 0 ? at : from + at;
}

/** Takes an entry away with its comma and, where it has lines of its own, with these. */
export function removal(base: Slot, entry: Entry): Splice {
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
  readonly behind: Entry | null;
  readonly first: Entry | undefined;
  readonly sources: readonly string[];
}

function addition({ context, base, behind, first, sources }: Adding): Splice[] {
  const { text } = base.parsed;
  const model = behind ?? first;
  if (!model) refuse('unsupported', 'None of the entries stays.');
  const comma = behind ? commaAfter(base, behind) : base.outline.start;
  const after = comma < 0 ? endOf(model) : comma + 1;
  // The entry behind which it goes gets a comma where it has none; then the last one that is added has none either.
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

/** Does nothing but blanks and comments that end there follow on the line? */
function endsLine({ parsed: { text, code } }: Slot, offset: number): boolean {
  const end = lineEnd(text, offset);
  if (code.slice(offset, end).trim() !== '') return false;
  const behind = text.slice(offset, end).trim();
  const open = behind.lastIndexOf('/*');
  const isOpen = open >= 0 && !behind.slice(open + 2).includes('*/') && !/^[^]*\/\/[^]*\/\*/.test(behind);
  if (isOpen)
    refuse(
      'flow-unsupported',
      `A comment of several lines begins behind an entry (${placeOf(text, offset)}).`,
    );
  return true;
}

/** Puts the first entry between brackets that hold nothing but comments. */
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
