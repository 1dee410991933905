/** The commits of a line that changed something at or below some paths. */
import type { Entry, LogCommit, ObjectId, PathChange, Person } from '../../model/index.ts';
import { countOf, idAt, type LineIndex } from './line-index.ts';
import { changesBelow } from './line-lookup.ts';
import { isoTime } from './log.ts';

/** The commits from the `from`th on that changed something at or below one of the paths, with those changes. */
export function changedBelow(index: LineIndex, from: number, below: readonly string[]): LogCommit[] {
  const { changeEnds } = index;
  const first = from === 0 ? 0 : (changeEnds[from - 1] ?? 0);
  const changeAt = changeReader(index);
  const found: LogCommit[] = [];
  let [at, end] = [from, changeEnds[from] ?? 0];
  let changes: PathChange[] = [];
  const finish = () => {
    // A copy has no room to grow, which most of them would never use.
    if (changes.length > 0) found.push(new IndexedCommit(index, at, changes.slice()));
    changes = [];
  };
  for (const change of changesBelow(index, first, below)) {
    if (change >= end) {
      finish();
      at = commitOf(changeEnds, change, at);
      end = changeEnds[at] ?? 0;
    }
    changes.push(changeAt(change));
  }
  finish();
  return found;
}

/** The commit that a change is one of, `from` or a later one. */
function commitOf(changeEnds: Uint32Array, change: number, from: number): number {
  let [low, high] = [from, changeEnds.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((changeEnds[middle] ?? 0) > change) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * From new to old: what a path was before a change is what it became by the change before it, and is held once, as each path and each mode
 * is: of a long line there are a few of them, and hundreds of thousands of changes.
 */
function changeReader({ places, modes, entries, paths, width }: LineIndex): (change: number) => PathChange {
  const older = new Map<number, { readonly side: number; readonly entry: Entry }>();
  const texts: { readonly paths: string[]; readonly modes: string[] } = { paths: [], modes: [] };
  const entryOf = (side: number): Entry | null => {
    const mode = modes[side] ?? 0;
    if (mode === 0) return null;
    const id = entries.toString('hex', side * width, (side + 1) * width);
    return { mode: (texts.modes[mode] ??= mode.toString(8).padStart(6, '0')), id };
  };
  const isSame = (one: number, other: number) =>
    modes[one] === modes[other] &&
    entries.compare(entries, one * width, (one + 1) * width, other * width, (other + 1) * width) === 0;
  return (change) => {
    const place = places[change] ?? 0;
    const [own, next] = [2 * change, 2 * change + 1];
    const known = older.get(place);
    const after = known !== undefined && isSame(known.side, next) ? known.entry : entryOf(next);
    const before = entryOf(own);
    if (before === null) older.delete(place);
    else older.set(place, { side: own, entry: before });
    return { path: (texts.paths[place] ??= paths.at(place)), before, after };
  };
}

/** Reads what is asked for only when it is: of most commits of a long line, little is. */
class IndexedCommit implements LogCommit {
  readonly id: ObjectId;
  readonly changes: readonly PathChange[];
  readonly #index: LineIndex;
  readonly #at: number;
  constructor(index: LineIndex, at: number, changes: readonly PathChange[]) {
    this.id = idAt(index, at);
    this.changes = changes;
    this.#index = index;
    this.#at = at;
  }
  get parents(): readonly ObjectId[] {
    const first = this.#at + 1 < countOf(this.#index) ? [idAt(this.#index, this.#at + 1)] : [];
    return [...first, ...this.#list(TEXTS.parents, ' ')];
  }
  get author(): Person {
    return { name: this.#text(TEXTS.name), email: this.#text(TEXTS.email) };
  }
  get time(): string {
    return isoTime(this.#text(TEXTS.seconds));
  }
  get subject(): string {
    return this.#text(TEXTS.subject);
  }
  get trailers(): readonly string[] {
    return this.#list(TEXTS.trailers, '\n');
  }
  get reverts(): readonly ObjectId[] {
    return this.#list(TEXTS.reverts, ' ');
  }
  #text(field: number): string {
    const { texts, textEnds } = this.#index;
    let start = this.#at === 0 ? 0 : (textEnds[this.#at - 1] ?? 0);
    for (let left = field; left > 0; left -= 1) start = texts.indexOf(0, start) + 1;
    const end = textEnds[this.#at] ?? 0;
    const next = texts.indexOf(0, start);
    return texts.toString('utf8', start, next < 0 || next > end ? end : next);
  }
  #list(field: number, separator: string): readonly string[] {
    const text = this.#text(field);
    return text === '' ? NONE : text.split(separator).filter(Boolean);
  }
}

const NONE: readonly string[] = [];

/** The places of what is told of a commit: first what most commits do not have. */
const TEXTS = { parents: 0, trailers: 1, reverts: 2, name: 3, email: 4, seconds: 5, subject: 6 } as const;
