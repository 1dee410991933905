/**
 * What the commits of a first-parent line changed, in columns: of 100,000 commits some 10 MB, where `git log --raw` prints 50. Newest first.
 */
import {
  decodePath,
  type Entry,
  type LogCommit,
  type ObjectId,
  type PathChange,
  type Person,
} from '../../model/index.ts';
import { unreadable } from '../process/raw-output.ts';
import { isoTime, revertsIn, FIELDS } from './log.ts';

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
  readonly paths: string[];
}

export const countOf = ({ ids, width }: LineIndex) => ids.length / width;

/** Bytes that grow. */
function bytes(): { add(more: Buffer): void; taken(): Buffer } {
  let buffer = Buffer.allocUnsafe(64 * 1024);
  let length = 0;
  return {
    add(more) {
      if (length + more.length > buffer.length) {
        const larger = Buffer.allocUnsafe(2 * (length + more.length));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      length += more.copy(buffer, length);
    },
    taken: () => Buffer.from(buffer.subarray(0, length)),
  };
}

export interface LineReader {
  /** Takes a piece of what `git log` prints. @throws GIT_FAILED for output that makes no sense */
  push(chunk: Buffer): void;
  /** Commits read so far. */
  count(): number;
  /** The first parent of the last one; null where it has none. */
  lastParent(): ObjectId | null;
  end(): LineIndex;
}

const COLON = 58;
const NEWLINE = 10;

/** Reads `LOG` with `CHANGES` as it comes, so that no more of it than a piece is held. */
export function lineReader(width: number): LineReader {
  const [ids, texts, entries] = [bytes(), bytes(), bytes()];
  const textEnds: number[] = [];
  const changeEnds: number[] = [];
  const places: number[] = [];
  const modes: number[] = [];
  const paths = new Map<string, number>();
  let textEnd = 0;
  let fields: string[] = [];
  let header: string | null = null;
  let lastParent: ObjectId | null = null;
  let rest = Buffer.alloc(0);

  const takeChange = (line: string, path: Buffer) => {
    const [before = '', after = '', old = '', now = '', status] = line.split(' ');
    if (status === undefined || old.length !== 2 * width || now.length !== 2 * width) throw unreadable(line);
    modes.push(Number.parseInt(before, 8), Number.parseInt(after, 8));
    entries.add(Buffer.from(old + now, 'hex'));
    const name = path.toString('latin1');
    const place = paths.get(name) ?? paths.size;
    paths.set(name, place);
    places.push(place);
    changeEnds.push((changeEnds.pop() ?? 0) + 1);
  };
  const takeField = (text: string) => {
    fields.push(text);
    if (fields.length < FIELDS.length) return;
    const [id = '', parents = '', name, email, seconds, subject, trailers, message = ''] = fields;
    if (id.length !== 2 * width) throw unreadable(id);
    ids.add(Buffer.from(id, 'hex'));
    // The first parent is the next commit.
    lastParent = parents.split(' ')[0] || null;
    const others = parents.split(' ').slice(1).join(' ');
    const reverts = revertsIn(message).join(' ');
    const line = Buffer.from([others, trailers, reverts, name, email, seconds, subject].join('\0'));
    texts.add(line);
    textEnds.push((textEnd += line.length));
    changeEnds.push(changeEnds.at(-1) ?? 0);
    fields = [];
  };
  const take = (token: Buffer) => {
    if (header !== null) {
      takeChange(header, token);
      header = null;
    } else if (fields.length === 0 && token[0] === COLON) header = token.toString('latin1', 1);
    else if (fields.length === 0 && token[0] === NEWLINE && token[1] === COLON)
      header = token.toString('latin1', 2);
    else takeField(token.toString('utf8'));
  };
  return {
    push(chunk) {
      const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (let end = all.indexOf(0, at); end >= 0; end = all.indexOf(0, at)) {
        take(all.subarray(at, end));
        at = end + 1;
      }
      rest = Buffer.from(all.subarray(at));
    },
    count: () => textEnds.length,
    lastParent: () => lastParent,
    end() {
      if (rest.length > 0 || fields.length > 0 || header !== null) throw unreadable('a log that is cut off');
      return {
        width,
        ids: ids.taken(),
        texts: texts.taken(),
        textEnds: Uint32Array.from(textEnds),
        changeEnds: Uint32Array.from(changeEnds),
        places: Uint32Array.from(places),
        modes: Uint16Array.from(modes),
        entries: entries.taken(),
        paths: [...paths.keys()].map((name) => decodePath(Buffer.from(name, 'latin1'))),
      };
    },
  };
}

/** The commits of `newer`, and behind them those of `older` from the `from`th on. */
export function joined(newer: LineIndex, older: LineIndex, from: number): LineIndex {
  const { width } = older;
  const { paths } = older;
  const known = placesOf(paths);
  const moved = newer.paths.map((path) => {
    const place = known.get(path) ?? paths.push(path) - 1;
    known.set(path, place);
    return place;
  });
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

/** A branch that goes on commit by commit has the same paths: they are looked up in one map. */
const knownPlaces = new WeakMap<readonly string[], Map<string, number>>();

function placesOf(paths: readonly string[]): Map<string, number> {
  const known = knownPlaces.get(paths) ?? new Map(paths.map((path, place) => [path, place]));
  knownPlaces.set(paths, known);
  return known;
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

/** The changes at or below one of the paths, from the `first` on, in their order. */
function changesBelow(index: LineIndex, first: number, below: readonly string[]): Iterable<number> {
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
    for (let at = placeFrom(lookup, paths, `${folder}/`); at < byPath.length; at += 1) {
      const place = byPath[at] ?? 0;
      if (!(paths[place] ?? '').startsWith(`${folder}/`)) break;
      take(place);
    }
    const own = byPath[placeFrom(lookup, paths, folder)] ?? -1;
    if (paths[own] === folder) take(own);
  }
  return Uint32Array.from(found).sort();
}

function* scanBelow({ paths, places }: LineIndex, first: number, below: readonly string[]) {
  const isBelow = new Uint8Array(paths.length);
  for (const [place, path] of paths.entries())
    for (const folder of below)
      if (folder === '' || path === folder || (path.startsWith(folder) && path[folder.length] === '/'))
        isBelow[place] = 1;
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
  const byPath = Uint32Array.from(paths.keys()).sort((one, other) => {
    const [a, b] = [paths[one] ?? '', paths[other] ?? ''];
    return a < b ? -1 : a > b ? 1 : 0;
  });
  const starts = new Uint32Array(paths.length + 1);
  for (const place of places) starts[place + 1] = (starts[place + 1] ?? 0) + 1;
  for (let place = 0; place < paths.length; place += 1)
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
function placeFrom({ byPath }: Lookup, paths: readonly string[], path: string): number {
  let [low, high] = [0, byPath.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((paths[byPath[middle] ?? 0] ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** From new to old: what a path was before a change is what it became by the change before it, and is held once. */
function changeReader({ places, modes, entries, paths, width }: LineIndex): (change: number) => PathChange {
  const older = new Map<number, { readonly side: number; readonly entry: Entry }>();
  const entryOf = (side: number): Entry | null => {
    const mode = modes[side] ?? 0;
    if (mode === 0) return null;
    const id = entries.toString('hex', side * width, (side + 1) * width);
    return { mode: mode.toString(8).padStart(6, '0'), id };
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
    return { path: paths[place] ?? '', before, after };
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
