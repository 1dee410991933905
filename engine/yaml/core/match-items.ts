import { isScalar } from 'yaml';
import type { ParsedText } from './document.ts';
import { documentNames, itemNames, matchOf } from './identity.ts';
import { childOf } from './nodes.ts';
import type { Outline } from './outline.ts';
import type { Step } from './selector.ts';

/** A pair of corresponding list items or documents; `before` or `after` is absent if only one side has it. */
export interface MatchedPair {
  readonly step: Step;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface Matching {
  /** Items of the first list in its order, then those that only the second list has. */
  readonly items: readonly MatchedPair[];
  /** The items of both lists in the order of each, if the orders differ; else null. */
  readonly reordered: {
    readonly before: readonly MatchedPair[];
    readonly after: readonly MatchedPair[];
  } | null;
}

/** Items of a list, or documents of a file, to be matched. */
export interface NodeList {
  readonly parsed: ParsedText;
  readonly outlines: ReadonlyMap<unknown, Outline>;
  readonly nodes: readonly unknown[];
  /** Whether a scalar may appear in a selector (it is not secret). */
  readonly mayShow: (scalar: unknown) => boolean;
}

/** Computes an id and the selector step of each item; null for an item without one. */
type Identity = (list: NodeList) => readonly ({ readonly id: string; readonly step: Step } | null)[];

/** Matches list items by identity, else unique scalars by their text, else by index. */
export function matchItems(before: NodeList, after: NodeList): Matching {
  const names = itemNames([before, after].map(toItems));
  const named = names === null ? null : match(before, after, byNames(names));
  if (named !== null) return named;
  const texts = match(before, after, byText);
  return texts === null ? matchByPlace(before, after) : replaced(texts, after.nodes);
}

/** Matches documents by kind and name, with namespace and API version as far as needed; else by index. */
export function matchDocuments(before: NodeList, after: NodeList): Matching {
  const names = documentNames([before, after].map(toItems));
  return (names === null ? null : match(before, after, byNames(names))) ?? matchByPlace(before, after);
}

function toItems({ parsed, outlines, nodes }: NodeList) {
  return { parsed, items: nodes.flatMap((node) => outlines.get(node) ?? []) };
}

const byNames =
  (names: readonly string[]): Identity =>
  ({ parsed, outlines, nodes, mayShow }) =>
    nodes.map((node) => {
      const outline = outlines.get(node);
      const match = outline === undefined ? null : matchOf(parsed, outline, names);
      if (match === null) return null;
      const isShown = Object.keys(match).every((name) => isOpen(nodeAt(node, name), mayShow));
      return isShown ? { id: JSON.stringify(match), step: { match } } : null;
    });

/** A name behind an alias may be masked at its anchor. */
const isOpen = (node: unknown, mayShow: NodeList['mayShow']) => isScalar(node) && mayShow(node);

function nodeAt(node: unknown, name: string): unknown {
  return childOf(node, name) ?? name.split('.').reduce<unknown>(childOf, node);
}

const byText: Identity = ({ nodes, mayShow }) =>
  nodes.map((node, index) => {
    if (!isScalar(node) || !mayShow(node)) return null;
    return { id: JSON.stringify([node.tag, node.type, node.source]), step: { index } };
  });

const byPlace: Identity = ({ nodes }) =>
  nodes.map((_node, index) => ({ id: String(index), step: { index } }));

export function matchByPlace(before: NodeList, after: NodeList): Matching {
  return match(before, after, byPlace) ?? { items: [], reordered: null };
}

/** null if an item has no id, or two items share one. */
function match(before: NodeList, after: NodeList, identity: Identity): Matching | null {
  const old = identity(before).flatMap((named, index) => (named === null ? [] : { ...named, index }));
  const next = identity(after).flatMap((named, index) => (named === null ? [] : { ...named, index }));
  const places = new Map(next.map(({ id, index }) => [id, index]));
  const known = new Set(old.map(({ id }) => id));
  if (known.size !== before.nodes.length || places.size !== after.nodes.length) return null;
  const place = new Map<MatchedPair, number>();
  const items = old.map(({ id, step, index }): MatchedPair => {
    const other = places.get(id);
    const item = {
      step,
      before: before.nodes[index],
      ...(other === undefined ? {} : { after: after.nodes[other] }),
    };
    if (other !== undefined) place.set(item, other);
    return item;
  });
  const added = next
    .filter(({ id }) => !known.has(id))
    .map(({ step, index }) => ({ step, after: after.nodes[index] }));
  const common = [...place.keys()];
  const sorted = common.toSorted((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
  const isMoved = sorted.some((item, index) => item !== common[index]);
  return { items: [...items, ...added], reordered: isMoved ? { before: common, after: sorted } : null };
}

/** A scalar removed and another one added at the same index count as a replacement. */
function replaced(matching: Matching, after: readonly unknown[]): Matching {
  const added = new Set(matching.items.filter((item) => !('before' in item)).map((item) => item.after));
  const items = matching.items.map((item) => {
    const next = 'index' in item.step ? after[item.step.index] : undefined;
    return 'after' in item || !added.delete(next) ? item : { ...item, after: next };
  });
  return { ...matching, items: items.filter((item) => 'before' in item || added.has(item.after)) };
}
