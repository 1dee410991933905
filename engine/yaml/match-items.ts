import type { Document } from 'yaml';
import { isScalar } from 'yaml';
import { childOf, scalarText } from './nodes.ts';
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

type Identity = (item: unknown, index: number) => Readonly<Record<string, string>> | null;

/** What identifies an item of a list, the likeliest first. A list uses the first that is unique on both sides. */
const ITEM_NAMES = [
  'name',
  'id',
  'key',
  'containerPort',
  'mountPath',
  'path',
  'host',
  'ip',
  'port',
  'secretName',
  'type',
  'kind',
];
const DOCUMENT_NAMES = [
  ['kind', 'metadata.name'],
  ['kind', 'metadata.namespace', 'metadata.name'],
  ['apiVersion', 'kind', 'metadata.namespace', 'metadata.name'],
  ['kind'],
];

/** Tells of a scalar whether it may be shown as the name of an item. */
export type MayShow = (scalar: unknown) => boolean;

/** Matches the items of two lists by an identifying key, unique plain texts by themselves, anything else by its place. */
export function matchItems(
  before: readonly unknown[],
  after: readonly unknown[],
  mayShow: MayShow,
): Matching {
  const named = ITEM_NAMES.map(
    (name): Identity =>
      (item) =>
        identify(item, [name], mayShow),
  );
  const identity = named.find((identity) => isUnique(before, identity) && isUnique(after, identity));
  if (identity !== undefined) return match(before, after, identity, stepOfMatch);
  const byText: Identity = (item) =>
    isScalar(item) && mayShow(item)
      ? { text: `${String(item.tag)} ${String(item.type)} ${String(item.source)}` }
      : null;
  if (isUnique(before, byText) && isUnique(after, byText))
    return replaced(match(before, after, byText, stepOfIndex), after);
  return match(before, after, byPlace, stepOfIndex);
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

/** Matches documents by kind and name, with as much of namespace and version as it takes; else by their place. */
export function matchDocuments(
  before: readonly Document.Parsed[],
  after: readonly Document.Parsed[],
  mayShow: MayShow,
): Matching {
  const old = before.map((document) => document.contents);
  const next = after.map((document) => document.contents);
  const named = DOCUMENT_NAMES.map(
    (names): Identity =>
      (item) =>
        identify(item, names, mayShow),
  );
  const identity = named.find((identity) => isUnique(old, identity) && isUnique(next, identity));
  if (identity !== undefined) return match(old, next, identity, stepOfMatch);
  return match(old, next, byPlace, stepOfIndex);
}

const byPlace: Identity = (_item, index) => ({ index: String(index) });

type ToStep = (id: Readonly<Record<string, string>>, index: number) => Step;
const stepOfMatch: ToStep = (match) => ({ match });
const stepOfIndex: ToStep = (_id, index) => ({ index });

function match(
  before: readonly unknown[],
  after: readonly unknown[],
  identity: Identity,
  toStep: ToStep,
): Matching {
  const name = (item: unknown, index: number) => JSON.stringify(identity(item, index));
  const places = new Map(after.map((item, index) => [name(item, index), index]));
  const known = new Set(before.map(name));
  const order = new Map(after.map((item, index) => [item, index]));
  const items = before.map((item, index): Matched => {
    const place = places.get(name(item, index));
    const step = toStep(identity(item, index) ?? {}, index);
    return place === undefined ? { step, before: item } : { step, before: item, after: after[place] };
  });
  const added = after.flatMap((item, index): Matched[] =>
    known.has(name(item, index)) ? [] : [{ step: toStep(identity(item, index) ?? {}, index), after: item }],
  );
  const common = items.filter((item) => 'after' in item);
  const sorted = common.toSorted((a, b) => (order.get(a.after) ?? 0) - (order.get(b.after) ?? 0));
  const isMoved = sorted.some((item, index) => item !== common[index]);
  return { items: [...items, ...added], reordered: isMoved ? { before: common, after: sorted } : null };
}

function isUnique(items: readonly unknown[], identity: Identity): boolean {
  const ids = items.map(identity);
  return ids.every((id) => id !== null) && new Set(ids.map((id) => JSON.stringify(id))).size === items.length;
}

/** The scalars of a map under some of these dotted names; null unless the last one is there. */
function identify(
  item: unknown,
  names: readonly string[],
  mayShow: MayShow,
): Readonly<Record<string, string>> | null {
  const id: Record<string, string> = Object.create(null);
  for (const name of names) {
    const value = name.split('.').reduce<unknown>(childOf, item);
    const text = scalarText(value);
    if (text === null || text === '') continue;
    if (!mayShow(value)) return null;
    id[name] = text;
  }
  return Object.hasOwn(id, names.at(-1) ?? '') ? id : null;
}
