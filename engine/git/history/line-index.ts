/**
 * What the commits of a first-parent line changed, in columns: of 100,000 commits some 10 MB, where `git log --raw` prints 50. Newest first.
 */
import type { ObjectId } from '../../model/index.ts';
import type { PathTable } from './path-table.ts';

export interface LineIndex {
  /** Bytes of an object id: 20, or 32 of SHA-256. */
  readonly width: number;
  /** Of every commit. */
  readonly ids: Buffer;
  /** What else is told of each commit, separated by NUL, and where it ends. */
  readonly texts: Buffer;
  readonly textEnds: Uint32Array;
  /** Where the changes of each commit end. */
  readonly changeEnds: Uint32Array;
  /** Of each change: its path among `paths`, and both sides; mode 0 where there is none. */
  readonly places: Uint32Array;
  readonly modes: Uint16Array;
  readonly entries: Buffer;
  /** Shared with the index that this one goes on from: it only grows. */
  readonly paths: PathTable;
}

export const countOf = ({ ids, width }: LineIndex) => ids.length / width;

/** The commits of `newer`, and behind them those of `older` from the `from`th on. */
export function joined(newer: LineIndex, older: LineIndex, from: number): LineIndex {
  const { width } = older;
  const { paths } = older;
  const moved = Uint32Array.from({ length: newer.paths.size }, (_, place) =>
    paths.add(newer.paths.bytesAt(place)),
  );
  const [text, change] =
    from === 0 ? [0, 0] : [older.textEnds[from - 1] ?? 0, older.changeEnds[from - 1] ?? 0];
  return {
    width,
    ids: Buffer.concat([newer.ids, older.ids.subarray(from * width)]),
    texts: Buffer.concat([newer.texts, older.texts.subarray(text)]),
    textEnds: both(newer.textEnds, older.textEnds.subarray(from), newer.texts.length - text),
    changeEnds: both(newer.changeEnds, older.changeEnds.subarray(from), newer.places.length - change),
    places: both(
      newer.places.map((place) => moved[place] ?? 0),
      older.places.subarray(change),
      0,
    ),
    modes: bothModes(newer.modes, older.modes.subarray(2 * change)),
    entries: Buffer.concat([newer.entries, older.entries.subarray(2 * width * change)]),
    paths,
  };
}

function both(first: Uint32Array, second: Uint32Array, by: number): Uint32Array {
  const all = new Uint32Array(first.length + second.length);
  all.set(first);
  for (let at = 0; at < second.length; at += 1) all[first.length + at] = (second[at] ?? 0) + by;
  return all;
}

function bothModes(first: Uint16Array, second: Uint16Array): Uint16Array {
  const all = new Uint16Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

export function idAt({ ids, width }: LineIndex, at: number): ObjectId {
  return ids.toString('hex', at * width, (at + 1) * width);
}
