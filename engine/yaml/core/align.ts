import { itemNames, matchOf } from './identity.ts';
import type { ParsedText } from './document.ts';
import type { OutlineEntry, Outline } from './outline.ts';
import { canonicalSource, keySource } from './source.ts';

/** Aligns the entries of two collections. */
export interface Alignment {
  readonly kept: readonly (readonly [OutlineEntry, OutlineEntry])[];
  readonly removed: readonly OutlineEntry[];
  readonly added: readonly OutlineEntry[];
  /** Names of the fields that identify list items; null for maps, and for lists whose items nothing identifies. */
  readonly names: readonly string[] | null;
}

export interface Side {
  readonly parsed: ParsedText;
  readonly outline: Outline;
}

/** Aligns maps by key. */
export function alignMaps(base: Side, target: Side): Alignment {
  const old = new Map(target.outline.entries.map((entry) => [keyId(target, entry), entry]));
  const kept: [OutlineEntry, OutlineEntry][] = [];
  const removed: OutlineEntry[] = [];
  for (const entry of base.outline.entries) {
    const id = keyId(base, entry);
    const other = old.get(id);
    if (other && old.delete(id)) kept.push([entry, other]);
    else removed.push(entry);
  }
  return { kept, removed, added: [...old.values()], names: null };
}

const keyId = ({ parsed }: Side, entry: OutlineEntry): string =>
  entry.key === null ? `?${keySource(parsed.text, entry)}` : `=${entry.key}`;

/**
 * Aligns lists by identity. If nothing identifies the items, aligns equal items and pairs those between two equal ones in order.
 * Items that changed their order count as removed and added, except for a longest run that kept its order.
 */
export function alignLists(base: Side, target: Side): Alignment {
  const names = itemNames(
    [base, target].map(({ parsed, outline }) => ({
      parsed,
      items: outline.entries.map(({ value }) => value),
    })),
  );
  const before = base.outline.entries;
  const after = target.outline.entries;
  const places = new Map(idsOf(target, names).map((id, index) => [id, index]));
  const matched = idsOf(base, names).map((id) => places.get(id));
  const pairs = longestRise(matched);
  const gaps = names === null ? pairGaps(pairs, before.length, after.length) : pairs;
  const kept = gaps.flatMap(([b, t]) => {
    const one = before[b];
    const other = after[t];
    return one && other ? [[one, other] as const] : [];
  });
  const used = new Set(kept.flat());
  return {
    kept,
    removed: before.filter((entry) => !used.has(entry)),
    added: after.filter((entry) => !used.has(entry)),
    names,
  };
}

/** Ids that are unique in their list: equal items are numbered. */
function idsOf({ parsed, outline }: Side, names: readonly string[] | null): string[] {
  const seen = new Map<string, number>();
  return outline.entries.map(({ value }) => {
    const id = names
      ? JSON.stringify(Object.values(matchOf(parsed, value, names) ?? {}))
      : canonicalSource(parsed, value);
    const count = seen.get(id) ?? 0;
    seen.set(id, count + 1);
    return `${count} ${id}`;
  });
}

type IndexPair = readonly [number, number];

/** The longest strictly rising subsequence of the defined values, with their indices (patience sorting). */
function longestRise(values: readonly (number | undefined)[]): IndexPair[] {
  const tails: number[] = [];
  const previous = new Map<number, number>();
  const valueAt = (index: number | undefined) => (index === undefined ? -1 : (values[index] ?? -1));
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (valueAt(tails[middle]) < value) low = middle + 1;
      else high = middle;
    }
    const before = tails[low - 1];
    if (before !== undefined) previous.set(index, before);
    tails[low] = index;
  }
  const rise: IndexPair[] = [];
  for (let at = tails.at(-1); at !== undefined; at = previous.get(at)) rise.push([at, valueAt(at)]);
  return rise.reverse();
}

/** Pairs the unmatched items between two matched pairs, in order. */
function pairGaps(pairs: readonly IndexPair[], before: number, after: number): IndexPair[] {
  const all: IndexPair[] = [];
  let [b, t] = [0, 0];
  for (const [nextB, nextT] of [...pairs, [before, after] as const]) {
    for (; b < nextB && t < nextT; b += 1, t += 1) all.push([b, t]);
    if (nextB < before) all.push([nextB, nextT]);
    [b, t] = [nextB + 1, nextT + 1];
  }
  return all;
}
