/** The index of a line in a file: its columns, one after the other. */
import { readChecked, writeChecked } from '../store/checked-file.ts';
import type { LineIndex } from './line-index.ts';
import { PathTable } from './path-table.ts';

/** Changes with the form of the columns. */
const FORM = 'line 2';
/** Numbers at the beginning, which say how long the columns are. */
const NUMBERS = 6;

/** null for a file that is not there, or that `writeLine` did not write. What is read is held once: of a long line it is 50 MB. */
export async function readLine(file: string, width: number): Promise<LineIndex | null> {
  const content = await readChecked(file, FORM);
  if (content === null) return null;
  try {
    const index = parse(content);
    return index.width === width && isWhole(index) ? index : null;
  } catch {
    return null;
  }
}

export async function writeLine(file: string, index: LineIndex): Promise<void> {
  const { width, ids, texts, textEnds, changeEnds, places, modes, entries } = index;
  const paths = index.paths.columns();
  const numbers = [
    width,
    textEnds.length,
    places.length,
    texts.length,
    paths.ends.length,
    paths.bytes.length,
  ];
  const columns = [Uint32Array.from(numbers), textEnds, changeEnds, places, paths.ends, modes];
  await writeChecked(file, FORM, ...columns.map(asBytes), ids, texts, entries, paths.bytes);
}

const asBytes = ({ buffer, byteOffset, byteLength }: Uint32Array | Uint16Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

function parse(content: Buffer): LineIndex {
  let at = 0;
  const take = (length: number) => {
    if (at + length > content.length) throw new RangeError('It is cut off.');
    at += length;
    return content.subarray(at - length, at);
  };
  /** A copy, which begins where numbers may. */
  const copied = (length: number) => Uint8Array.from(take(length)).buffer;
  const numbers = (count: number) => new Uint32Array(copied(4 * count));
  const [width = 0, commits = 0, changes = 0, textLength = 0, paths = 0, pathLength = 0] = numbers(NUMBERS);
  const [textEnds, changeEnds, places, pathEnds] = [commits, commits, changes, paths].map(numbers);
  const modes = new Uint16Array(copied(4 * changes));
  const [ids, texts, entries] = [width * commits, textLength, 2 * width * changes].map(take);
  // It stays where the other columns go, as a line that goes on has the same paths.
  const pathBytes = Buffer.from(copied(pathLength));
  const isOrdered = pathEnds?.every((end, place) => end >= (pathEnds[place - 1] ?? 0)) === true;
  if (!textEnds || !changeEnds || !places || !pathEnds || !ids || !texts || !entries || !isOrdered)
    throw new RangeError('Its columns do not fit together.');
  if (at !== content.length || (pathEnds.at(-1) ?? 0) !== pathLength)
    throw new RangeError('Its columns do not fit together.');
  return {
    width,
    ids,
    texts,
    textEnds,
    changeEnds,
    places,
    modes,
    entries,
    paths: new PathTable(pathBytes, pathEnds),
  };
}

/** Columns that fit together: nothing is read beyond their ends. */
function isWhole({ texts, textEnds, changeEnds, places, paths }: LineIndex): boolean {
  return (
    (textEnds.at(-1) ?? 0) === texts.length &&
    (changeEnds.at(-1) ?? 0) === places.length &&
    places.every((place) => place < paths.size)
  );
}
