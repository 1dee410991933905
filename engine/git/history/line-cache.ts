/**
 * The index of a line, in memory for as long as this process lives, and in a file for the next one. It is a cache: what cannot be read, is of
 * another version, of another line or another person's, is made anew; flushed, nothing is lost. Only the history of scopes reads it: what a
 * rollback restores, and the audit, come from objects alone.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { LogCommit, ObjectId, Progress } from '../../model/index.ts';
import { counting } from '../process/progress.ts';
import type { Runner } from '../process/runner.ts';
import { SMALL_WINDOWS } from '../process/small-windows.ts';
import { changedBelow } from './changed-below.ts';
import { readLine, writeLine } from './line-file.ts';
import { countOf, idAt, joined, type LineIndex } from './line-index.ts';
import { type LineReader, lineReader } from './line-reader.ts';
import { CHANGES, LOG } from './log.ts';

/** The indexes that a process has read, by file. Engines that live one after the other in it share them. */
export type KnownLines = Map<string, { readonly index: LineIndex; readonly unsaved: number }>;

/** Indexes that a process remembers: each may have 50 MB. */
const REMEMBERED = 2;
/**
 * The newest commits are read from git even where a file has them: by these `previous` and most decisions go, and no file, whoever wrote it,
 * has a say in them.
 */
const READ_AGAIN = 200;
/** So many commits are read with little memory; more are read faster with more. */
const FEW = 1_000;
/** A file is written anew once so many commits have come since. */
const WRITE_AFTER = 500;

export interface LineCache {
  /** What the commits of the line of `tip` changed at or below the paths, newest first. */
  changed(tip: ObjectId, paths: readonly string[]): Promise<readonly LogCommit[]>;
  /** This process has the index, or finds it in a file. */
  readonly isKnown: () => boolean;
  /** All ids of the line, where that is known without asking git. */
  line(tip: ObjectId): readonly ObjectId[] | null;
}

export interface IndexPlace {
  readonly file: string;
  /** Where it is remembered which blobs have passed a test. */
  readonly passed: (rules: string) => string;
  readonly known: KnownLines;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** Of the repository whose objects are there. */
export function indexPlace(
  directory: string,
  {
    cacheFolder,
    lines,
    onProgress,
  }: { readonly cacheFolder: string; readonly lines: KnownLines } & Pick<IndexPlace, 'onProgress'>,
): IndexPlace {
  const file = (what: string, ending: string) =>
    join(cacheFolder, 'lines', `${createHash('sha256').update(what).digest('hex')}${ending}`);
  const passed = (rules: string) => file(`${directory}\0${rules}`, '.passed');
  return { file: file(directory, '.line'), passed, known: lines, onProgress };
}

export function createLineCache(
  context: IndexPlace & {
    readonly runner: Runner;
    readonly width: number;
    readonly firstParents: (tip: ObjectId) => Promise<readonly ObjectId[]>;
  },
): LineCache {
  const { runner, width, file, known, firstParents, onProgress } = context;
  let busy: Promise<unknown> = Promise.resolve();

  const remember = async (index: LineIndex, unsaved: number) => {
    const isDue = unsaved >= WRITE_AFTER;
    if (isDue) await writeLine(file, index).catch(() => undefined);
    known.delete(file);
    known.set(file, { index, unsaved: isDue ? 0 : unsaved });
    for (const oldest of [...known.keys()].slice(0, -REMEMBERED)) known.delete(oldest);
  };
  const read = async (args: readonly string[], expected: number, input = ''): Promise<LineReader> => {
    const reader = lineReader(width);
    const tell = counting(onProgress, expected);
    const memory = expected <= FEW ? SMALL_WINDOWS : [];
    await runner.run([...memory, ...LOG, ...CHANGES, ...args], {
      input,
      maxBytes: Number.MAX_SAFE_INTEGER,
      timeoutMs: 30 * runner.timeoutMs,
      onStdout: (chunk) => {
        reader.push(chunk);
        tell(reader.count());
      },
    });
    onProgress?.(null);
    return reader;
  };
  /** Exactly these commits, in their order. */
  const readThese = async (ids: readonly ObjectId[]) =>
    (await read(['--no-walk=unsorted', '--stdin'], ids.length, `${ids.join('\n')}\n`)).end();
  /** The commits of the line of `tip` before `start`; null where `start` is not on it. */
  const readSince = async (tip: ObjectId, start: ObjectId): Promise<LineIndex | null> => {
    const reader = await read([tip, `^${start}`], WRITE_AFTER);
    return reader.lastParent() === start ? reader.end() : null;
  };
  /** The index of the line of `tip`, or of one that goes on from there: `from` is the place of `tip` in it. */
  const upToDate = async (tip: ObjectId): Promise<{ index: LineIndex; from: number }> => {
    const own = known.get(file);
    const place = own === undefined ? -1 : placeOf(own.index, tip);
    if (own !== undefined && place >= 0) return { index: own.index, from: place };
    const more = own === undefined ? null : await readSince(tip, idAt(own.index, 0));
    if (own !== undefined && more !== null) {
      const index = joined(more, own.index, 0);
      await remember(index, own.unsaved + countOf(more));
      return { index, from: 0 };
    }
    const line = await firstParents(tip);
    const former = own?.index ?? (await readLine(file, width));
    const shared = former === null ? 0 : sharedEnd(former, line);
    // What is in memory was read by this process.
    const believed = own === undefined ? Math.max(0, shared - READ_AGAIN) : shared;
    const fresh = line.slice(0, line.length - believed);
    if (former !== null && fresh.length === 0) return { index: former, from: countOf(former) - shared };
    const newer = await readThese(fresh);
    const index =
      former === null || believed === 0 ? newer : joined(newer, former, countOf(former) - believed);
    await remember(index, line.length - shared);
    return { index, from: 0 };
  };
  return {
    isKnown: () => known.has(file),
    async changed(tip, paths) {
      // One after the other: the second finds what the first has read.
      const turn = busy.catch(() => undefined).then(() => upToDate(tip));
      busy = turn;
      const { index, from } = await turn;
      return changedBelow(index, from, paths);
    },
    line(tip) {
      const own = known.get(file)?.index;
      const place = own === undefined ? -1 : placeOf(own, tip);
      if (own === undefined || place < 0) return null;
      return Array.from({ length: countOf(own) - place }, (_, at) => idAt(own, place + at));
    },
  };
}

function placeOf({ ids, width }: LineIndex, id: ObjectId): number {
  const wanted = Buffer.from(id, 'hex');
  for (let at = ids.indexOf(wanted); at >= 0; at = ids.indexOf(wanted, at + 1))
    if (at % width === 0) return at / width;
  return -1;
}

/** How many commits at the end of the index are those at the end of the line, which git itself has named: only these are believed. */
function sharedEnd({ ids, width }: LineIndex, line: readonly ObjectId[]): number {
  const own = Buffer.from(line.join(''), 'hex');
  const isShared = (count: number) =>
    ids.subarray(ids.length - count * width).equals(own.subarray(own.length - count * width));
  let [shared, differing] = [0, Math.min(ids.length, own.length) / width + 1];
  while (differing - shared > 1) {
    const middle = Math.floor((shared + differing) / 2);
    if (isShared(middle)) shared = middle;
    else differing = middle;
  }
  return shared;
}
