import type { EntryEdit } from './block.ts';
import { editCommented, isCommented } from '../commented-json.ts';
import type { EditContext, Slot } from '../context.ts';
import { endOf, type OutlineEntry } from '../../core/outline.ts';
import { flowSource, isBlock } from './block-as-flow.ts';
import { refuse } from '../../core/refusal.ts';
import { keySource } from '../../core/source.ts';
import { reindent, type Splice } from '../../core/splice.ts';
import { columnOf, positionOf, startsLine } from '../../core/text.ts';

/** Removes and adds entries of a flow collection of which at least one entry remains; separators are written as in the base. */
export function editFlow(
  context: EditContext,
  base: Slot,
  target: Slot,
  { removed, added }: EntryEdit,
): Splice[] {
  const { entries } = base.outline;
  const staying = entries.find((entry) => !removed.has(entry));
  if (!staying) refuse('unsupported', 'No entry would remain.');
  if (isCommented(base))
    return editCommented(context, base, { removed, added }, (entry) =>
      entryInFlow(context, base, target, entry),
    );
  const splices = runsOf(entries, removed).map((run) => removeRun(base, run));
  if (added.length === 0) return splices;
  const separator = separatorOf(base);
  for (const { entry, behind } of added) {
    const source = entryInFlow(context, base, target, entry);
    const at = behind ? endOf(behind) : staying.start;
    splices.push({ start: at, end: at, text: behind ? separator + source : source + separator });
  }
  return splices;
}

interface RemovedRun {
  readonly first: OutlineEntry;
  readonly last: OutlineEntry;
  readonly before: OutlineEntry | undefined;
  readonly after: OutlineEntry | undefined;
}

/** Consecutive removed entries. */
function runsOf(entries: readonly OutlineEntry[], removed: ReadonlySet<OutlineEntry>): RemovedRun[] {
  const runs: RemovedRun[] = [];
  let start = -1;
  for (const [index, entry] of entries.entries()) {
    if (!removed.has(entry)) continue;
    if (start < 0) start = index;
    const after = entries[index + 1];
    if (after && removed.has(after)) continue;
    runs.push({ first: entries[start] ?? entry, last: entry, before: entries[start - 1], after });
    start = -1;
  }
  return runs;
}

function removeRun({ parsed: { text } }: Slot, { first, last, before, after }: RemovedRun): Splice {
  const start = after || !before ? first.start : endOf(before);
  const end = after ? after.start : endOf(last);
  const between = [text.slice(endOf(last), end), before ? text.slice(start, first.start) : ''];
  if (between.some((part) => part.includes('#'))) {
    refuse(
      'flow-unsupported',
      `There is a comment between entries in brackets (${positionOf(text, first.start)}).`,
    );
  }
  return { start, end, text: '' };
}

/** The text between two entries: separator and spacing. */
function separatorOf({ parsed: { text }, outline }: Slot): string {
  const [first, second] = outline.entries;
  if (!first) return ', ';
  const between = second
    ? text.slice(endOf(first), second.start)
    : `,${text.slice(outline.start + 1, first.start)}`;
  if (!/^\s*,\s*$/.test(between)) {
    refuse(
      'flow-unsupported',
      `There is a comment between entries in brackets (${positionOf(text, first.start)}).`,
    );
  }
  return between === ',' && !second ? ', ' : between;
}

/** The source of a target's entry, for a flow collection. */
export function entryInFlow({ eol }: EditContext, base: Slot, target: Slot, entry: OutlineEntry): string {
  const { text } = target.parsed;
  const { outline } = target;
  if (isBlock(entry.value)) {
    if (entry.explicit || !entry.indicated)
      refuse(
        'flow-unsupported',
        `The key is not a plain scalar (${positionOf(text, entry.start)} of the old text).`,
      );
    const value = flowSource(target.parsed, entry.value, positionOf(base.parsed.text, base.outline.start));
    return outline.kind === 'seq' ? value : `${keySource(text, entry)}: ${value}`;
  }
  const start = outline.kind === 'seq' ? entry.value.start : entry.start;
  const first = base.outline.entries[0];
  const isMoved =
    outline.flow && first && startsLine(base.parsed.text, first.start) && startsLine(text, entry.start);
  const delta = isMoved ? columnOf(base.parsed.text, first.start) - columnOf(text, entry.start) : 0;
  return reindent(text.slice(start, endOf(entry)), delta, eol);
}
