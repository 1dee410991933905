import { type Alignment, alignLists, alignMaps } from '../core/align.ts';
import { type Addition, editBlock } from './source/block.ts';
import {
  type Change,
  childSlot,
  type EditContext,
  guardAnchors,
  type Operation,
  type Slot,
} from './context.ts';
import { editFlow } from './source/flow.ts';
import { setValue } from './source/value.ts';
import { matchOf } from '../core/identity.ts';
import { isMerge, isMerged } from '../core/merge.ts';
import type { Entry } from '../core/outline.ts';
import { refusalReason, refuse } from '../core/refusal.ts';
import { formatSelector, type Selector, type Step } from '../core/selector.ts';
import { canonicalSource, keySource } from '../core/source.ts';
import type { Splice } from '../core/splice.ts';
import { placeOf } from '../core/text.ts';

/** Makes a value of the base what it is in the target, leaf by leaf where both are collections of one kind and style. */
export function changeValue(context: EditContext, base: Slot, target: Slot, selector: Selector): Change {
  if (canonicalSource(base.parsed, base.outline) === canonicalSource(target.parsed, target.outline))
    return NOTHING;
  guardAnchors(context, base.outline, false);
  if (!isSameCollection(base, target)) return replaceValue(context, base, target, selector);
  try {
    return changeEntries(context, base, target, selector);
  } catch (error) {
    if (!isLayout(error)) throw error;
    return replaceValue(context, base, target, selector);
  }
}

/** Replaces a value as a whole. */
export function replaceValue(context: EditContext, base: Slot, target: Slot, selector: Selector): Change {
  guardAnchors(context, base.outline, true);
  return {
    splices: [setValue(context, base, target)],
    operations: [{ op: 'replace', selector: formatSelector(selector) }],
  };
}

const NOTHING: Change = { splices: [], operations: [] };

/** Refusals that are about how the text is laid out, not about what it means. */
export function isLayout(error: unknown): boolean {
  const reason = refusalReason(error);
  return reason === 'unsupported' || reason === 'flow-unsupported';
}

function isSameCollection({ outline: base }: Slot, { outline: target }: Slot): boolean {
  if (base.kind !== target.kind || base.flow !== target.flow || base.tag !== target.tag) return false;
  return base.entries.length > 0 && target.entries.length > 0;
}

function changeEntries(context: EditContext, base: Slot, target: Slot, selector: Selector): Change {
  const alignment = base.outline.kind === 'map' ? alignMaps(base, target) : alignLists(base, target);
  if (alignment.kept.length === 0) return replaceValue(context, base, target, selector);
  const changes = alignment.kept.map(([own, other]) =>
    changeEntry({ context, base, target, selector, own, other, alignment }),
  );
  const edit = editEntries(context, base, target, alignment);
  const stepped = (entries: readonly Entry[], slot: Slot, op: Operation['op']) =>
    entries.map((entry) => ({ op, selector: formatSelector([...selector, stepTo(slot, entry, alignment)]) }));
  return {
    splices: [...changes.flatMap(({ splices }) => splices), ...edit],
    operations: [
      ...changes.flatMap(({ operations }) => operations),
      ...stepped(alignment.removed, base, 'remove'),
      ...stepped(alignment.added, target, 'add'),
    ],
  };
}

interface EntryPair {
  readonly context: EditContext;
  readonly base: Slot;
  readonly target: Slot;
  readonly selector: Selector;
  readonly own: Entry;
  readonly other: Entry;
  readonly alignment: Alignment;
}

function changeEntry({ context, base, target, selector, own, other, alignment }: EntryPair): Change {
  const step = stepTo(base, own, alignment);
  const value = changeValue(context, childSlot(base, own), childSlot(target, other), [...selector, step]);
  const key = keySource(base.parsed.text, own);
  const next = keySource(target.parsed.text, other);
  if (key === next) return value;
  const range = own.keyNode?.range;
  if (!range || own.explicit || other.explicit) {
    refuse('unsupported', `The key is not a plain one (${placeOf(base.parsed.text, own.start)}).`);
  }
  const splice = { start: range[0], end: range[1], text: next };
  const operations =
    value.operations.length > 0
      ? value.operations
      : [{ op: 'replace' as const, selector: formatSelector([...selector, step]) }];
  return { splices: [splice, ...value.splices], operations };
}

function stepTo({ parsed, outline }: Slot, entry: Entry, { names }: Pick<Alignment, 'names'>): Step {
  if (outline.kind === 'map') return { key: entry.key ?? '' };
  const match = names && matchOf(parsed, entry.value, names);
  return match ? { match } : { index: outline.entries.indexOf(entry) };
}

/** Removes and adds entries of a collection in which some stay. */
export function editEntries(
  context: EditContext,
  base: Slot,
  target: Slot,
  { kept, removed, added }: Pick<Alignment, 'kept' | 'removed' | 'added'>,
): Splice[] {
  if (removed.length === 0 && added.length === 0) return [];
  for (const entry of removed) guardRemoval(context, base, entry);
  const edit = {
    removed: new Set(removed),
    added: added.map((entry) => placeAddition(base, target, kept, entry)),
  };
  return base.outline.flow ? editFlow(context, base, target, edit) : editBlock(context, base, target, edit);
}

/** Refuses where taking an entry away would change more than the entry. */
export function guardRemoval(context: EditContext, base: Slot, entry: Entry): void {
  guardAnchors(context, entry.value, true);
  const place = placeOf(base.parsed.text, entry.start);
  if (isMerge(entry)) refuse('merge-key', `A << would go and with it the keys that it brings (${place}).`);
  if (entry.key !== null && isMerged(base.parsed, base.outline, entry.key)) {
    refuse('merge-key', `Without the key, << would bring it back (${place}).`);
  }
}

/** Behind the nearest entry before it in the target that stays; else before the nearest one after it; the order of the target is kept. */
function placeAddition(base: Slot, target: Slot, kept: Alignment['kept'], entry: Entry): Addition {
  const partner = new Map(kept.map(([own, other]) => [other, own]));
  const { entries } = target.outline;
  const index = entries.indexOf(entry);
  for (const other of entries.slice(0, index).reverse()) {
    const own = partner.get(other);
    if (own) return { entry, behind: own };
  }
  const next = entries.slice(index + 1).find((other) => partner.has(other));
  const own = next && partner.get(next);
  const before = own && base.outline.entries[base.outline.entries.indexOf(own) - 1];
  return { entry, behind: before ?? null };
}
