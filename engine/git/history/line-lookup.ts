/** Which changes of a line are at or below some paths. */
import type { LineIndex } from './line-index.ts';
import { bytesOf, type PathTable } from './path-table.ts';

/** The changes at or below one of the paths, from the `first` on, in their order. */
export function changesBelow(index: LineIndex, first: number, below: readonly string[]): Iterable<number> {
  const lookup = below.includes('') ? null : lookupOf(index);
  if (lookup === null) return scanBelow(index, first, below);
  const { byPath, starts, changes } = lookup;
  const { paths } = index;
  const found = new Set<number>();
  const take = (place: number) => {
    for (let at = starts[place] ?? 0; at < (starts[place + 1] ?? 0); at += 1) {
      const change = changes[at] ?? 0;
      if (change >= first) found.add(change);
    }
  };
  for (const folder of below) {
    // A slash is followed by the digit 0: what lies between is below the folder.
    const [own, prefix] = [bytesOf(folder), bytesOf(`${folder}/`)];
    for (let at = placeFrom(lookup, paths, prefix); at < byPath.length; at += 1) {
      const place = byPath[at] ?? 0;
      if (!paths.startsWith(place, prefix)) break;
      take(place);
    }
    const place = byPath[placeFrom(lookup, paths, own)];
    if (place !== undefined && paths.compare(place, own) === 0) take(place);
  }
  return Uint32Array.from(found).sort();
}

function* scanBelow({ paths, places }: LineIndex, first: number, below: readonly string[]) {
  const isBelow = new Uint8Array(paths.size);
  if (below.includes('')) isBelow.fill(1);
  else
    for (const folder of below) {
      const [own, prefix] = [bytesOf(folder), bytesOf(`${folder}/`)];
      for (let place = 0; place < paths.size; place += 1)
        if (paths.startsWith(place, prefix) || paths.compare(place, own) === 0) isBelow[place] = 1;
    }
  for (let change = first; change < places.length; change += 1)
    if (isBelow[places[change] ?? 0] === 1) yield change;
}

/** Where the paths of an index are, and the changes of each. */
interface Lookup {
  /** Places, in the order of their paths. */
  readonly byPath: Uint32Array;
  /** Where the changes of each place begin among `changes`. */
  readonly starts: Uint32Array;
  readonly changes: Uint32Array;
}

/** An index that is asked for one scope after the other is worth one: a few are found as quickly without it. */
const LOOKUP_FROM = 4;
const lookups = new WeakMap<LineIndex, { asked: number; lookup: Lookup | null }>();

function lookupOf(index: LineIndex): Lookup | null {
  const known = lookups.get(index) ?? { asked: 0, lookup: null };
  lookups.set(index, known);
  known.asked += 1;
  if (known.asked >= LOOKUP_FROM) known.lookup ??= makeLookup(index);
  return known.lookup;
}

function makeLookup({ paths, places }: LineIndex): Lookup {
  // An array, which takes no time where they are in their order already, as those of a first import are.
  const inOrder = Array.from({ length: paths.size }, (_, place) => place);
  const byPath = Uint32Array.from(inOrder.sort((one, other) => paths.compareTwo(one, other)));
  const starts = new Uint32Array(paths.size + 1);
  for (const place of places) starts[place + 1] = (starts[place + 1] ?? 0) + 1;
  for (let place = 0; place < paths.size; place += 1)
    starts[place + 1] = (starts[place + 1] ?? 0) + (starts[place] ?? 0);
  const next = starts.slice();
  const changes = new Uint32Array(places.length);
  for (const [change, place] of places.entries()) {
    const at = next[place] ?? 0;
    changes[at] = change;
    next[place] = at + 1;
  }
  return { byPath, starts, changes };
}

/** Of the places in the order of their paths, the first whose path is not before this one. */
function placeFrom({ byPath }: Lookup, paths: PathTable, path: Uint8Array): number {
  let [low, high] = [0, byPath.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (paths.compare(byPath[middle] ?? 0, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
