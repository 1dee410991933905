import { inflateSync } from 'node:zlib';
import { BacktrailError } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { needsGit, SIZE_LIMIT, tooLarge } from './files.ts';
import type { GitFiles } from './files.ts';

/**
 * Checks each pack entry before isomorphic-git inflates it: the library has no limits, and follows a cycle of deltas for ever.
 * Formats: gitformat-pack(5).
 */
export interface PackGuard {
  /**
   * FILE_TOO_LARGE where the object, or anything it is made from, is over the limit in size; GIT_FAILED where it is damaged;
   * GIT_MISSING where too much is to be done, as isomorphic-git makes all of a chain of deltas anew for each object.
   */
  check(id: ObjectId): Promise<void>;
}

interface Pack {
  readonly name: string;
  readonly index: Buffer;
  readonly count: number;
  readonly bytes: Buffer;
  /** By offset, for what was looked at already: the bytes that are made for it, with everything below it. */
  readonly checked: Map<number, number>;
}

const FOLDER = 'objects/pack';
const HEADER = 8;
const IDS = HEADER + 4 * 256;
/** git makes no deeper chains of deltas: at most 4095 (git-pack-objects(1), --depth). */
const DEPTH_LIMIT = 4096;
/** Bytes made for one object, and for all together: about a third of a second, and half a minute. */
const CHAIN_LIMIT = 512 * 1024 * 1024;
const WORK_LIMIT = 64 * CHAIN_LIMIT;

export function createPackGuard(files: GitFiles): PackGuard {
  const packs = new Map<string, Promise<Pack>>();
  let listed: readonly string[] = [];

  const openPack = (name: string) => {
    const pack = packs.get(name) ?? load(files, name);
    packs.set(name, pack);
    pack.catch(() => packs.delete(name));
    return pack;
  };
  const locate = async (id: ObjectId) => {
    const opened = await Promise.all(listed.map(openPack));
    return opened.flatMap((pack) => {
      const offset = find(pack, id);
      return offset === null ? [] : [{ pack, offset }];
    });
  };
  const checkId = async (id: ObjectId, depth: number): Promise<number> => {
    let found = await locate(id);
    if (found.length === 0) {
      const names = await files.listPacks();
      listed = names.filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length));
      found = await locate(id);
    }
    // isomorphic-git reads one of them, and does not say which: the largest counts.
    let most = 0;
    for (const entry of found) most = Math.max(most, await checkEntry(entry, depth));
    return most;
  };
  const checkEntry = async ({ pack, offset }: { pack: Pack; offset: number }, depth: number) => {
    const before = pack.checked.get(offset);
    if (before !== undefined) return before;
    if (depth > DEPTH_LIMIT) throw damaged(pack, 'holds deltas without an end');
    const { base, size } = readEntry(pack, offset);
    let cost = size;
    if (typeof base === 'number') cost += await checkEntry({ pack, offset: base }, depth + 1);
    if (typeof base === 'string') cost += await checkId(base, depth + 1);
    pack.checked.set(offset, cost);
    return cost;
  };
  let total = 0;
  return {
    check: async (id) => {
      const cost = await checkId(id, 0);
      total += cost;
      if (cost > CHAIN_LIMIT || total > WORK_LIMIT)
        throw needsGit(`The packs of ${files.directory} hold deltas that take too long without git.`);
    },
  };
}

async function load(files: GitFiles, name: string): Promise<Pack> {
  const [index, bytes] = await Promise.all(
    ['idx', 'pack'].map((kind) => files.read(`${FOLDER}/${name}.${kind}`)),
  );
  if (!index || !bytes) throw new BacktrailError('GIT_FAILED', `The pack ${name} is not there.`);
  if (index.length < IDS || index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2)
    throw needsGit(`The index of the pack ${name} has a format that only git reads.`);
  const count = index.readUInt32BE(IDS - 4);
  const pack = { name, index, count, bytes, checked: new Map<number, number>() };
  if (index.length < IDS + 28 * count + 40) throw damaged(pack, 'has an index that is cut off');
  for (let i = 1; i < count; i += 1)
    if (index.compare(index, idAt(i), idAt(i) + 20, idAt(i - 1), idAt(i - 1) + 20) >= 0)
      throw damaged(pack, 'has an index without order');
  return pack;
}

const idAt = (position: number) => IDS + 20 * position;

function find({ index, count }: Pack, id: ObjectId): number | null {
  const wanted = Buffer.from(id, 'hex');
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = wanted.compare(index, idAt(middle), idAt(middle) + 20);
    if (order === 0) return index.readUInt32BE(IDS + 24 * count + 4 * middle);
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return null;
}

/** Inflates one entry within the limits, and says what it is a delta of (an offset, an id, or nothing) and how many bytes it makes. */
function readEntry(pack: Pack, offset: number): { base: number | ObjectId | null; size: number } {
  const { bytes } = pack;
  if (offset < 12 || offset > bytes.length - 20) throw damaged(pack, 'has an index that points out of it');
  const type = ((bytes[offset] ?? 0) >> 4) & 7;
  let at = offset;
  while (((bytes[at++] ?? 0) & 0x80) !== 0);
  let base: number | ObjectId | null = null;
  if (type === 6) {
    let distance = (bytes[at] ?? 0) & 0x7f;
    while (((bytes[at++] ?? 0) & 0x80) !== 0) distance = (distance + 1) * 128 + ((bytes[at] ?? 0) & 0x7f);
    if (distance === 0 || distance > offset) throw damaged(pack, 'holds a delta of nothing');
    base = offset - distance;
  } else if (type === 7) {
    base = bytes.toString('hex', at, at + 20);
    at += 20;
  }
  const content = inflate(pack, at);
  if (base === null) return { base, size: content.length };
  const size = deltaSize(content);
  if (size > SIZE_LIMIT) throw tooLarge();
  return { base, size: content.length + size };
}

function inflate(pack: Pack, at: number): Buffer {
  try {
    return inflateSync(pack.bytes.subarray(at), { maxOutputLength: SIZE_LIMIT });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw damaged(pack, 'cannot be inflated');
  }
}

/** How many bytes the copies and insertions of a delta make, whatever its header says. */
function deltaSize(delta: Buffer): number {
  let at = 0;
  for (let header = 0; header < 2; header += 1) while (((delta[at++] ?? 0) & 0x80) !== 0);
  let size = 0;
  while (at < delta.length && size <= SIZE_LIMIT) {
    const code = delta[at++] ?? 0;
    if ((code & 0x80) === 0) {
      size += code;
      at += code;
      continue;
    }
    for (let bit = 0; bit < 4; bit += 1) at += (code >> bit) & 1;
    let length = 0;
    for (let bit = 0; bit < 3; bit += 1)
      if ((code >> (4 + bit)) & 1) length |= (delta[at++] ?? 0) << (8 * bit);
    size += length || 0x10000;
  }
  return size;
}

function damaged({ name }: Pick<Pack, 'name'>, how: string): BacktrailError {
  return new BacktrailError('GIT_FAILED', `The pack ${name} is damaged: it ${how}.`);
}
