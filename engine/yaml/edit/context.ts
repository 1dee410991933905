import type { ParsedText } from '../core/document.ts';
import type { Located } from '../core/located.ts';
import type { OutlineEntry, Outline } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import type { Splice } from '../core/splice.ts';
import { columnOf, eolOf, positionOf } from '../core/text.ts';

export interface Operation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly selector: string;
}

/** Input of one edit. */
export interface EditContext {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly eol: string;
  /** Range in the base that is restored. */
  readonly selected: { readonly start: number; readonly end: number };
  /** Trimmed comment lines of either text. */
  readonly comments: { readonly base: ReadonlySet<string>; readonly target: ReadonlySet<string> };
}

/** The edit of the base: splices, and the operations they perform. */
export interface Change {
  readonly splices: readonly Splice[];
  readonly operations: readonly Operation[];
}

/** A value and its entry; the root of a document has no entry. */
export interface Slot {
  readonly parsed: ParsedText;
  readonly entry: OutlineEntry | null;
  readonly outline: Outline;
  /** Column of the key or `-`. */
  readonly column: number;
  /** Whether the entry is in a flow collection. */
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

/** The slot of a node's parent. */
export function parentSlot(parsed: ParsedText, { path, ancestors }: Located): Slot {
  const outline = ancestors.at(-1) ?? refuse('unsupported', 'The root of a document has no parent.');
  return slotOf(parsed, { entry: path.at(-2) ?? null, outline, parent: ancestors.at(-2) ?? null });
}

export const childSlot = ({ parsed, outline }: Slot, entry: OutlineEntry): Slot =>
  slotOf(parsed, { entry, outline: entry.value, parent: outline });

/**
 * Refuses to change a node that aliases outside of the selected field refer to.
 * `below`: checks the node's descendants as well.
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
      .map(([other]) => positionOf(base.text, other.range?.[0] ?? 0));
    const listed =
      places.slice(0, 3).join(' and ') + (places.length > 3 ? ` and ${places.length - 3} more places` : '');
    refuse('anchor', `The value has the anchor &${source.anchor ?? ''}, which is used at ${listed}.`);
  }
}
