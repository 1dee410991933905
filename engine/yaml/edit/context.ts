import type { ParsedText } from '../core/document.ts';
import type { Located } from '../core/located.ts';
import type { Entry, Outline } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import type { Splice } from '../core/splice.ts';
import { columnOf, eolOf, placeOf } from '../core/text.ts';

export interface Operation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly selector: string;
}

/** What one edit works on. */
export interface EditContext {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly eol: string;
  /** Range in the base in which everything becomes what it is in the target. */
  readonly selected: { readonly start: number; readonly end: number };
  /** Trimmed lines of either text that are comments: to tell whether the other side has one. */
  readonly comments: { readonly base: ReadonlySet<string>; readonly target: ReadonlySet<string> };
}

/** What an edit does to the base. */
export interface Change {
  readonly splices: readonly Splice[];
  readonly operations: readonly Operation[];
}

/** A value and the entry that holds it; without entry it is the root of a document. */
export interface Slot {
  readonly parsed: ParsedText;
  readonly entry: Entry | null;
  readonly outline: Outline;
  /** Column of the key or `-`. */
  readonly column: number;
  /** Does the entry stand in brackets or braces? */
  readonly inFlow: boolean;
}

export function makeContext(
  base: ParsedText,
  target: ParsedText,
  selected: EditContext['selected'],
): EditContext {
  const comments = { base: commentsOf(base.text), target: commentsOf(target.text) };
  return { base, target, eol: eolOf(base.text), selected, comments };
}

function commentsOf(text: string): Set<string> {
  return new Set(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('#')),
  );
}

export function slotOf(
  parsed: ParsedText,
  { entry, outline, parent }: Pick<Located, 'entry' | 'outline' | 'parent'>,
): Slot {
  const column = columnOf(parsed.text, entry?.start ?? outline.start);
  return { parsed, entry, outline, column, inFlow: parent?.flow ?? false };
}

/** The slot of a located node's parent. */
export function parentSlot(parsed: ParsedText, { path, ancestors }: Located): Slot {
  const outline = ancestors.at(-1) ?? refuse('unsupported', 'The root of a document has no parent.');
  return slotOf(parsed, { entry: path.at(-2) ?? null, outline, parent: ancestors.at(-2) ?? null });
}

export const childSlot = ({ parsed, outline }: Slot, entry: Entry): Slot =>
  slotOf(parsed, { entry, outline: entry.value, parent: outline });

/**
 * Refuses where aliases outside of the selected field repeat this node, so that changing it would change them.
 * With `below`, also for the nodes inside.
 */
export function guardAnchors({ base, selected }: EditContext, outline: Outline, below: boolean): void {
  if (base.aliases.size === 0) return;
  for (const [alias, source] of base.aliases) {
    const at = alias.range?.[0] ?? 0;
    const isOutside = at < selected.start || at >= selected.end;
    const isTouched =
      source === outline || (below && source.start >= outline.start && source.end <= outline.end);
    if (!isOutside || !isTouched) continue;
    const places = [...base.aliases]
      .filter(([, other]) => other === source)
      .map(([other]) => placeOf(base.text, other.range?.[0] ?? 0));
    const shown =
      places.slice(0, 3).join(' and ') + (places.length > 3 ? ` and ${places.length - 3} more places` : '');
    refuse('anchor', `The value carries the anchor &${source.anchor ?? ''}, which is repeated at ${shown}.`);
  }
}
