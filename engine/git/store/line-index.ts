/**
 * What the commits of a first-parent line changed, in columns: of 100,000 commits some 10 MB, where `git log --raw` prints 50. Newest first.
 */
import { decodePath, type Entry, type LogCommit, type ObjectId, type PathChange } from '../../model/index.ts';
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
  readonly paths: readonly string[];
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
    const [id = '', parents = '', ...told] = fields;
    if (id.length !== 2 * width) throw unreadable(id);
    ids.add(Buffer.from(id, 'hex'));
    // The first parent is the next commit.
    const others = parents.split(' ').slice(1).join(' ');
    const message = told.pop() ?? '';
    const line = Buffer.from([others, ...told, revertsIn(message).join(' ')].join('\0'));
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
  const paths = [...older.paths];
  const known = new Map(paths.map((path, place) => [path, place]));
  const moved = newer.paths.map((path) => known.get(path) ?? paths.push(path) - 1);
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

/** The commits from the `from`th on that changed something at or below one of the paths, with those changes. */
export function changedBelow(index: LineIndex, from: number, below: readonly string[]): LogCommit[] {
  const isBelow = Uint8Array.from(index.paths, (path) =>
    below.some((folder) => folder === '' || path === folder || path.startsWith(`${folder}/`)) ? 1 : 0,
  );
  const found: LogCommit[] = [];
  const { changeEnds, places } = index;
  for (
    let at = from, change = from === 0 ? 0 : (changeEnds[from - 1] ?? 0);
    at < changeEnds.length;
    at += 1
  ) {
    const changes: PathChange[] = [];
    for (const end = changeEnds[at] ?? 0; change < end; change += 1)
      if (isBelow[places[change] ?? 0] === 1) changes.push(changeAt(index, change));
    if (changes.length > 0) found.push(commitAt(index, at, changes));
  }
  return found;
}

function changeAt({ places, modes, entries, paths, width }: LineIndex, change: number): PathChange {
  const side = (which: 0 | 1): Entry | null => {
    const mode = modes[2 * change + which] ?? 0;
    const start = (2 * change + which) * width;
    if (mode === 0) return null;
    return { mode: mode.toString(8).padStart(6, '0'), id: entries.toString('hex', start, start + width) };
  };
  return { path: paths[places[change] ?? 0] ?? '', before: side(0), after: side(1) };
}

function commitAt(index: LineIndex, at: number, changes: readonly PathChange[]): LogCommit {
  const { texts, textEnds } = index;
  const text = texts.toString('utf8', at === 0 ? 0 : textEnds[at - 1], textEnds[at]);
  const [others = '', name = '', email = '', seconds = '', subject = '', trailers = '', reverts = ''] =
    text.split('\0');
  const first = at + 1 < textEnds.length ? [idAt(index, at + 1)] : [];
  return {
    id: idAt(index, at),
    parents: [...first, ...others.split(' ').filter(Boolean)],
    author: { name, email },
    time: isoTime(seconds),
    subject,
    trailers: trailers.split('\n').filter(Boolean),
    reverts: reverts.split(' ').filter(Boolean),
    changes,
  };
}
