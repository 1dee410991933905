import { isScalar } from 'yaml';
import type { ParsedText } from './document.ts';
import { documentNames, itemNames, matchOf } from './identity.ts';
import { childOf } from './nodes.ts';
import type { Outline } from './outline.ts';
import type { Step } from './selector.ts';

/** Items of two lists, or documents of two files, that are one and the same: absent on the side where there is none. */
export interface Matched {
  readonly step: Step;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface Matching {
  /** Those of the first list in its order, then those that only the second has. */
  readonly items: readonly Matched[];
  /** The items that both lists have, in the order of each, where these differ; null where they do not. */
  readonly reordered: { readonly before: readonly Matched[]; readonly after: readonly Matched[] } | null;
}

/** The items of a list, or the documents of a file, as nodes. */
export interface List {
  readonly parsed: ParsedText;
  readonly outlines: ReadonlyMap<unknown, Outline>;
  readonly nodes: readonly unknown[];
  /** May a scalar be shown as the name of an item? */
  readonly mayShow: (scalar: unknown) => boolean;
}

/** What an item of a list is known by, and the step that names it. */
type Identity = (list: List) => readonly ({ readonly id: string; readonly step: Step } | null)[];

/** Matches the items of two lists by what identifies them, unique texts by themselves, anything else by its place. */
export function matchItems(before: List, after: List): Matching {
  const names = itemNames([before, after].map(toItems));
  const named = names === null ? null : match(before, after, byNames(names));
  if (named !== null) return named;
  const texts = match(before, after, byText);
  return texts === null ? matchByPlace(before, after) : replaced(texts, after.nodes);
}

/** Matches documents by kind and name, with as much of namespace and version as it takes; else by their place. */
export function matchDocuments(before: List, after: List): Matching {
  const names = documentNames([before, after].map(toItems));
  return (names === null ? null : match(before, after, byNames(names))) ?? matchByPlace(before, after);
}

function toItems({ parsed, outlines, nodes }: List) {
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

/** A name that comes through an alias could be one that is masked where it stands. */
const isOpen = (node: unknown, mayShow: List['mayShow']) => isScalar(node) && mayShow(node);

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

export function matchByPlace(before: List, after: List): Matching {
  return match(before, after, byPlace) ?? { items: [], reordered: null };
}

/** null where an item of either list is not identified, or two are alike. */
function match(before: List, after: List, identity: Identity): Matching | null {
  const old = identity(before).flatMap((named, index) => (named === null ? [] : { ...named, index }));
  const next = identity(after).flatMap((named, index) => (named === null ? [] : { ...named, index }));
  const places = new Map(next.map(({ id, index }) => [id, index]));
  const known = new Set(old.map(({ id }) => id));
  if (known.size !== before.nodes.length || places.size !== after.nodes.length) return null;
  const place = new Map<Matched, number>();
  const items = old.map(({ id, step, index }): Matched => {
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

/** One text gone and another come at the same place is one that was replaced. */
function replaced(matching: Matching, after: readonly unknown[]): Matching {
  const added = new Set(matching.items.filter((item) => !('before' in item)).map((item) => item.after));
  const items = matching.items.map((item) => {
    const next = 'index' in item.step ? after[item.step.index] : undefined;
    return 'after' in item || !added.delete(next) ? item : { ...item, after: next };
  });
  return { ...matching, items: items.filter((item) => 'before' in item || added.has(item.after)) };
}
