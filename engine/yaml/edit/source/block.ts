import type { EditContext, Slot } from '../context.ts';
import { endOf, type OutlineEntry } from '../../core/outline.ts';
import { refuse } from '../../core/refusal.ts';
import { reindent, type Splice } from '../../core/splice.ts';
import { columnOf, lineEnd, lineStart, nextLine, positionOf, startsLine } from '../../core/text.ts';

/** An entry of the target, and the base's entry to insert it after; null: before the first entry that remains. */
export interface Addition {
  readonly entry: OutlineEntry;
  readonly behind: OutlineEntry | null;
}

export interface EntryEdit {
  readonly removed: ReadonlySet<OutlineEntry>;
  readonly added: readonly Addition[];
}

/** Removes and adds whole lines of a block collection of which at least one entry remains. */
export function editBlock(
  context: EditContext,
  base: Slot,
  target: Slot,
  { removed, added }: EntryEdit,
): Splice[] {
  const entries = base.outline.entries;
  const [first] = entries;
  const staying = entries.find((entry) => !removed.has(entry));
  if (!first || !staying) refuse('unsupported', 'No entry would remain.');
  const splices: Splice[] = [];
  const pulled = new Set<OutlineEntry>();
  if (removed.has(first) && !startsLine(base.parsed.text, first.start)) {
    splices.push(pullUp(base, staying));
    for (const entry of entries.slice(0, entries.indexOf(staying))) pulled.add(entry);
  }
  for (const entry of removed) if (!pulled.has(entry)) splices.push(removeLines(context, base, entry));
  const column = columnOf(base.parsed.text, first.start);
  for (const { entry, behind } of added) {
    const body = linesOf(context, target, entry, column);
    if (behind) splices.push(insertBehind(context, base, behind, column, body));
    else if (pulled.size > 0) refuse('unsupported', 'The first entry is replaced on the line of its "-".');
    else splices.push(insertBefore(context, base, staying, column, body));
  }
  return splices;
}

/** The removed first entry is on the line of a `-`: moves the next remaining entry there, unless a comment is in between. */
function pullUp({ parsed: { text }, outline }: Slot, staying: OutlineEntry): Splice {
  const { entries } = outline;
  const start = entries[0]?.start ?? 0;
  const before = entries[entries.indexOf(staying) - 1];
  const stop = before ? lineEnd(text, endOf(before)) : start;
  if (text.slice(stop, staying.start).trim() === '') return { start, end: staying.start, text: '' };
  return { start: text.slice(0, start).trimEnd().length, end: stop, text: '' };
}

function removeLines(context: EditContext, base: Slot, entry: OutlineEntry): Splice {
  const { text } = base.parsed;
  const { entries } = base.outline;
  const index = entries.indexOf(entry);
  const previous = entries[index - 1];
  if (!startsLine(text, entry.start))
    refuse('unsupported', `The entry is not at the start of its line (${positionOf(text, entry.start)}).`);
  const start = lineStart(text, entry.start);
  const isFileHead = base.entry === null && previous === undefined;
  const above = isFileHead
    ? start
    : commentsAbove(text, entry.start, previous ? endOf(previous) : (base.entry?.after ?? start));
  const gone = linesBetween(text, above, start).every((line) => !context.comments.target.has(line.trim()));
  return { start: gone ? above : start, end: trailEnd(context, base, entry), text: '' };
}

/** Start of the comments directly above an entry, in its column; not above `bound`. */
function commentsAbove(text: string, offset: number, bound: number): number {
  const column = columnOf(text, offset);
  let start = lineStart(text, offset);
  while (start > 0) {
    const above = lineStart(text, start - 1);
    if (above <= bound || !isComment(text, above, (indent) => indent === column)) break;
    start = above;
  }
  return start;
}

/** Start of the line after an entry and its more deeply indented comments; comments that the target has are kept. */
function trailEnd({ comments }: EditContext, { parsed: { text } }: Slot, entry: OutlineEntry): number {
  let end = nextLine(text, endOf(entry));
  const column = columnOf(text, entry.start);
  while (end < text.length && isComment(text, end, (indent) => indent > column)) {
    if (comments.target.has(text.slice(end, lineEnd(text, end)).trim())) break;
    end = nextLine(text, end);
  }
  return end;
}

function isComment(text: string, start: number, fits: (indent: number) => boolean): boolean {
  const line = text.slice(start, lineEnd(text, start));
  const indent = line.search(/[^ ]/);
  return line[indent] === '#' && fits(indent);
}

const linesBetween = (text: string, start: number, end: number): string[] =>
  start === end ? [] : text.slice(start, end).trimEnd().split('\n');

/** The lines of a target's entry, reindented, with those comments above it that the base does not have. No final line break. */
function linesOf({ comments, eol }: EditContext, target: Slot, entry: OutlineEntry, column: number): string {
  const { text } = target.parsed;
  const { entries } = target.outline;
  const previous = entries[entries.indexOf(entry) - 1];
  const indent = ' '.repeat(column);
  const start = lineStart(text, entry.start);
  const isFileHead = target.entry === null && previous === undefined;
  const bound = previous ? endOf(previous) : (target.entry?.after ?? start);
  const above =
    isFileHead || !startsLine(text, entry.start) ? start : commentsAbove(text, entry.start, bound);
  const own = linesBetween(text, above, start).map((line) => line.trim());
  const brought = own.some((line) => comments.base.has(line)) ? [] : own;
  const source = text.slice(entry.start, lineEnd(text, endOf(entry)));
  return [...brought, reindent(entryText(target, entry, source), column - columnOf(text, entry.start), eol)]
    .map((line) => indent + line)
    .join(eol);
}

/** Rewrites an entry of a flow collection as a line. */
function entryText({ parsed: { text }, outline }: Slot, entry: OutlineEntry, source: string): string {
  if (!outline.flow) return source;
  if (!entry.indicated) refuse('unsupported', `A key has no value (${positionOf(text, entry.start)}).`);
  const own = text.slice(entry.start, endOf(entry));
  return outline.kind === 'seq' ? `- ${own}` : own;
}

function insertBehind(
  context: EditContext,
  base: Slot,
  behind: OutlineEntry,
  column: number,
  body: string,
): Splice {
  const { text } = base.parsed;
  let at = nextLine(text, endOf(behind));
  while (at < text.length && isComment(text, at, (indent) => indent > column)) at = nextLine(text, at);
  const isOpen = at === text.length && !text.endsWith('\n');
  return { start: at, end: at, text: isOpen ? context.eol + body : body + context.eol };
}

function insertBefore(
  context: EditContext,
  base: Slot,
  next: OutlineEntry,
  column: number,
  body: string,
): Splice {
  const { text } = base.parsed;
  const { entries } = base.outline;
  if (!startsLine(text, next.start)) {
    const inline = body.slice(column) + context.eol + ' '.repeat(column);
    return { start: next.start, end: next.start, text: inline };
  }
  const line = lineStart(text, next.start);
  const previous = entries[entries.indexOf(next) - 1];
  // A comment above the first key of a file is likely about the file.
  const isFileHead = base.entry === null && previous === undefined;
  const at = isFileHead
    ? line
    : commentsAbove(text, next.start, previous ? endOf(previous) : (base.entry?.after ?? line));
  return { start: at, end: at, text: body + context.eol };
}
