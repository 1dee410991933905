import { alignLists, alignMaps } from '../core/align.ts';
import { changeValue, editEntries, guardRemoval } from './change.ts';
import { type Change, type EditContext, guardAnchors, parentSlot, type Slot, slotOf } from './context.ts';
import { fillCommented, isCommented, removal } from './commented-json.ts';
import { entryInFlow } from './source/flow.ts';
import { inlinePieces, type Pieces, setPieces } from './source/value.ts';
import type { Located } from '../core/located.ts';
import { endOf, type OutlineEntry, type Outline } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import type { Splice } from '../core/splice.ts';
import { columnOf, lineEnd, positionOf } from '../core/text.ts';

/** Changes a node of the base into that of the target. */
export function replaceField(context: EditContext, own: Located, other: Located, selector: Selector): Change {
  guardAncestors(context, own);
  return changeValue(context, slotOf(context.base, own), slotOf(context.target, other), selector);
}

/** Removes a node from its parent; the last entry leaves `{}` or `[]`. */
export function removeField(context: EditContext, own: Located, selector: Selector): Change {
  const { entry, parent } = own;
  if (!entry || !parent) refuse('document', `${formatSelector(selector)} is a document, not a field of one.`);
  guardAncestors(context, own);
  const slot = parentSlot(context.base, own);
  const kept = parent.entries.filter((other) => other !== entry).map((other) => [other, other] as const);
  const operations = [{ op: 'remove' as const, selector: formatSelector(selector) }];
  if (kept.length > 0)
    return { splices: editEntries(context, slot, slot, { kept, removed: [entry], added: [] }), operations };
  guardRemoval(context, slot, entry);
  return { splices: [removeLastEntry(context, slot, entry)], operations };
}

/** Inserts a node of the target into its parent, in the target's order; a null parent becomes a collection. */
export function addField(
  context: EditContext,
  other: Located,
  parent: Located | null,
  selector: Selector,
): Change {
  const { entry } = other;
  if (!entry) refuse('document', `${formatSelector(selector)} is a document, not a field of one.`);
  if (!parent) refuse('missing-parent', `The parent of ${formatSelector(selector)} does not exist.`);
  guardAncestors(context, parent);
  guardAnchors(context, parent.outline, false);
  const base = slotOf(context.base, parent);
  const target = parentSlot(context.target, other);
  const operations = [{ op: 'add' as const, selector: formatSelector(selector) }];
  if (isEmptyValue(base.outline, target.outline.kind))
    return { splices: [addFirstEntry(context, base, target, entry)], operations };
  if (base.outline.kind !== target.outline.kind) {
    const place = positionOf(context.base.text, base.outline.start);
    refuse('missing-parent', `The parent of ${formatSelector(selector)} has another kind now (${place}).`);
  }
  const alignment = base.outline.kind === 'map' ? alignMaps(base, target) : alignLists(base, target);
  const kept = alignment.kept.filter(([, paired]) => paired !== entry);
  return { splices: editEntries(context, base, target, { kept, removed: [], added: [entry] }), operations };
}

function guardAncestors(context: EditContext, { ancestors }: Located): void {
  for (const ancestor of ancestors) guardAnchors(context, ancestor, false);
}

/** An empty collection of the wanted kind, null in any spelling, or no value. */
function isEmptyValue({ kind, node, entries }: Outline, wanted: Outline['kind']): boolean {
  if (kind === 'map' || kind === 'seq') return kind === wanted && entries.length === 0;
  return kind === 'empty' || (kind === 'scalar' && node !== null && 'value' in node && node.value === null);
}

function guardProperties({ parsed, outline }: Slot): void {
  if (outline.tag === '' && outline.anchor === null) return;
  refuse('unsupported', `The parent has a tag or an anchor (${positionOf(parsed.text, outline.start)}).`);
}

function removeLastEntry(context: EditContext, slot: Slot, entry: OutlineEntry): Splice {
  guardProperties(slot);
  if (isCommented(slot)) return removal(slot, entry);
  const { outline } = slot;
  const { text } = slot.parsed;
  const empty = outline.kind === 'map' ? '{}' : '[]';
  if (outline.flow) return { start: outline.start, end: outline.end, text: empty };
  const pieces = inlinePieces(empty);
  const above = text
    .slice(slot.entry ? lineEnd(text, slot.entry.after) : entry.start, entry.start)
    .split('\n');
  const kept = above.map((line) => line.trimEnd()).filter((line) => context.comments.target.has(line.trim()));
  const splice = setPieces(context, slot, slot.entry ? pieces : { ...pieces, gap: '' }, 0);
  return { ...splice, text: [splice.text, ...kept].join(context.eol) };
}

/** Writes a collection in the target's style with one entry. */
function addFirstEntry(context: EditContext, base: Slot, target: Slot, entry: OutlineEntry): Splice {
  guardProperties(base);
  if (isCommented(base)) return fillCommented(context, base, entryInFlow(context, base, target, entry));
  const isFlow = base.inFlow || target.outline.flow;
  const pieces = isFlow ? flowPieces(context, base, target, entry) : blockPieces(target, entry);
  if (base.inFlow) {
    return {
      start: base.outline.start,
      end: base.outline.end,
      text: (base.outline.kind === 'empty' ? ' ' : '') + pieces.first + pieces.rest,
    };
  }
  return setPieces(context, base, base.entry ? pieces : { ...pieces, gap: '' }, base.column - target.column);
}

function flowPieces(context: EditContext, base: Slot, target: Slot, entry: OutlineEntry): Pieces {
  const { outline } = target;
  const { text } = target.parsed;
  const [open, close] = outline.kind === 'map' ? ['{', '}'] : ['[', ']'];
  const source = entryInFlow(context, base, target, entry);
  const [first, last] = [outline.entries[0], outline.entries.at(-1)];
  const lead = outline.flow && first ? text.slice(outline.start, first.start) : open;
  const trail = outline.flow && last ? text.slice(endOf(last), outline.end).replace(/^\s*,/, '') : close;
  if (lead.trim() !== open || trail.trim() !== close) {
    refuse(
      'flow-unsupported',
      `The brackets contain a comment or a tag (${positionOf(text, outline.start)}).`,
    );
  }
  const all = lead + source + trail;
  const newline = all.search(/\r?\n/);
  return newline < 0
    ? inlinePieces(all)
    : { ...inlinePieces(all.slice(0, newline)), rest: all.slice(newline) };
}

function blockPieces({ parsed: { text }, outline, entry: holder }: Slot, entry: OutlineEntry): Pieces {
  const source = text.slice(entry.start, lineEnd(text, endOf(entry)));
  const isCompact = outline.start <= lineEnd(text, holder?.after ?? outline.start);
  if (!isCompact) {
    const indent = ' '.repeat(columnOf(text, entry.start));
    return { style: 'head', gap: '', first: '', comment: '', rest: `\n${indent}${source}` };
  }
  const newline = source.search(/\r?\n/);
  const first = newline < 0 ? source : source.slice(0, newline);
  const gap = text.slice(holder?.after ?? outline.start, outline.start);
  return { style: 'compact', gap, first, comment: '', rest: newline < 0 ? '' : source.slice(newline) };
}
