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
import type { OutlineEntry } from '../core/outline.ts';
import { refusalReason, refuse } from '../core/refusal.ts';
import { formatSelector, type Selector, type Step } from '../core/selector.ts';
import { canonicalSource, keySource } from '../core/source.ts';
import type { Splice } from '../core/splice.ts';
import { positionOf } from '../core/text.ts';

/** Changes a value of the base into that of the target, leaf by leaf if both are collections of the same kind and style. */
export function changeValue(context: EditContext, base: Slot, target: Slot, selector: Selector): Change {
  if (canonicalSource(base.parsed, base.outline) === canonicalSource(target.parsed, target.outline))
    return NO_CHANGE;
  guardAnchors(context, base.outline, false);
  if (!isSameCollection(base, target)) return replaceValue(context, base, target, selector);
  try {
    return changeEntries(context, base, target, selector);
  } catch (error) {
    if (!isLayoutRefusal(error)) throw error;
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

const NO_CHANGE: Change = { splices: [], operations: [] };

/** Whether a refusal is caused by the layout of the text: replacing the whole value may still work. */
export function isLayoutRefusal(error: unknown): boolean {
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
  const stepped = (entries: readonly OutlineEntry[], slot: Slot, op: Operation['op']) =>
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
  readonly own: OutlineEntry;
  readonly other: OutlineEntry;
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
    refuse('unsupported', `The key is not a plain scalar (${positionOf(base.parsed.text, own.start)}).`);
  }
  const splice = { start: range[0], end: range[1], text: next };
  const operations =
    value.operations.length > 0
      ? value.operations
      : [{ op: 'replace' as const, selector: formatSelector([...selector, step]) }];
  return { splices: [splice, ...value.splices], operations };
}

function stepTo({ parsed, outline }: Slot, entry: OutlineEntry, { names }: Pick<Alignment, 'names'>): Step {
  if (outline.kind === 'map') return { key: entry.key ?? '' };
  const match = names && matchOf(parsed, entry.value, names);
  return match ? { match } : { index: outline.entries.indexOf(entry) };
}

/** Removes and adds entries of a collection of which at least one entry remains. */
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

/** Refuses if removing an entry would change more than the entry. */
export function guardRemoval(context: EditContext, base: Slot, entry: OutlineEntry): void {
  guardAnchors(context, entry.value, true);
  const place = positionOf(base.parsed.text, entry.start);
  if (isMerge(entry))
    refuse('merge-key', `Removing << would also remove the keys that it merges in (${place}).`);
  if (entry.key !== null && isMerged(base.parsed, base.outline, entry.key)) {
    refuse('merge-key', `Without the key, << would merge it in again (${place}).`);
  }
}

/** Places an entry after the nearest preceding entry of the target that the base has, else before the nearest following one. Keeps the target's order. */
function placeAddition(base: Slot, target: Slot, kept: Alignment['kept'], entry: OutlineEntry): Addition {
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
