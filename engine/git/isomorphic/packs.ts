import { inflateSync } from 'node:zlib';
import { BacktrailError } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { needsGit, SIZE_LIMIT, tooLarge } from './files.ts';
import type { GitFiles } from './files.ts';

/**
 * Looks at what isomorphic-git is about to inflate: it has no limits of its own, and follows deltas in a circle for ever.
 * Formats: git help format-pack.
 */
export interface PackGuard {
  /** FILE_TOO_LARGE where the object, or anything it is made from, is over the limit in size; GIT_FAILED where it is damaged. */
  check(id: ObjectId): Promise<void>;
}

interface Pack {
  readonly name: string;
  readonly index: Buffer;
  readonly count: number;
  readonly bytes: Buffer;
  /** Offsets of what was looked at already, with everything below it. */
  readonly checked: Set<number>;
}

const FOLDER = 'objects/pack';
const HEADER = 8;
const IDS = HEADER + 4 * 256;
/** As deep as git itself makes a chain of deltas. */
const DEPTH_LIMIT = 4096;

export function createPackGuard(files: GitFiles): PackGuard {
  const packs = new Map<string, Promise<Pack>>();
  let known: readonly string[] = [];

  const openPack = (name: string) => {
    const pack = packs.get(name) ?? load(files, name);
    packs.set(name, pack);
    pack.catch(() => packs.delete(name));
    return pack;
  };
  const places = async (id: ObjectId) => {
    const opened = await Promise.all(known.map(openPack));
    return opened.flatMap((pack) => {
      const offset = find(pack, id);
      return offset === null ? [] : [{ pack, offset }];
    });
  };
  const checkId = async (id: ObjectId, depth: number) => {
    let found = await places(id);
    if (found.length === 0) {
      const names = await files.listPacks();
      known = names.filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length));
      found = await places(id);
    }
    for (const place of found) await checkEntry(place, depth);
  };
  const checkEntry = async ({ pack, offset }: { pack: Pack; offset: number }, depth: number) => {
    if (pack.checked.has(offset)) return;
    if (depth > DEPTH_LIMIT) throw damaged(pack, 'holds deltas without an end');
    const { base } = readEntry(pack, offset);
    if (typeof base === 'number') await checkEntry({ pack, offset: base }, depth + 1);
    if (typeof base === 'string') await checkId(base, depth + 1);
    pack.checked.add(offset);
  };
  return { check: (id) => checkId(id, 0) };
}

async function load(files: GitFiles, name: string): Promise<Pack> {
  const [index, bytes] = await Promise.all(
    ['idx', 'pack'].map((kind) => files.read(`${FOLDER}/${name}.${kind}`)),
  );
  if (!index || !bytes) throw new BacktrailError('GIT_FAILED', `The pack ${name} is not there.`);
  if (index.length < IDS || index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2)
    throw needsGit(`The index of the pack ${name} has a format that only git reads.`);
  const count = index.readUInt32BE(IDS - 4);
  const pack = { name, index, count, bytes, checked: new Set<number>() };
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

/** Inflates one entry within the limits, and says what it is a delta of: an offset, an id, or nothing. */
function readEntry(pack: Pack, offset: number): { base: number | ObjectId | null } {
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
  if (base !== null && deltaSize(content) > SIZE_LIMIT) throw tooLarge();
  return { base };
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
