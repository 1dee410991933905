/** Reads what `git log` prints of a line into columns. */
import type { ObjectId } from '../../model/index.ts';
import { unreadable } from '../process/raw-output.ts';
import type { LineIndex } from './line-index.ts';
import { FIELDS, revertsIn } from './log.ts';
import { PathTable } from './path-table.ts';

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
  const paths = new PathTable();
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
    places.push(paths.add(path));
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
        paths,
      };
    },
  };
}
