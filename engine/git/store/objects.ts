import { BacktrailError, decodePath, MODE } from '../../model/index.ts';
import type { CommitObject, ObjectId, ObjectReader, Progress, TreeEntry } from '../../model/index.ts';
import { createCache } from './cache.ts';
import { createPassing } from './passing.ts';
import { createCatFile } from '../process/catfile.ts';
import type { CatFile } from '../process/catfile.ts';
import type { Runner } from '../process/runner.ts';
import { signatureKind } from '../signing/signing.ts';
import type { SignatureKind } from '../signing/signing.ts';

/** Bytes of one file; more is FILE_TOO_LARGE. */
export const BLOB_LIMIT = 8 * 1024 * 1024;
/** Of a folder of 2,000, as tenants are, some 25 versions: more is hardly ever asked for again. */
const TREE_CACHE = 12 * 1024 * 1024;
const BLOB_CACHE = 16 * 1024 * 1024;
const COMMIT_CACHE = 4 * 1024 * 1024;

export interface NativeObjects extends ObjectReader {
  /** What a full ref name points at now; null where there is no such ref. The name must be valid. */
  ref(name: string): Promise<ObjectId | null>;
  /** `commit`, `tree`, `blob` or `tag`; null where there is no such object. */
  type(id: ObjectId): Promise<string | null>;
  /** A commit as it was written. */
  commitBytes(id: ObjectId): Promise<Uint8Array>;
  /** How a commit is signed, if it is. */
  signature(id: ObjectId): Promise<SignatureKind>;
  close(): void;
}

/**
 * Reads objects through one persistent child. `shallow`: the history is cut off, so that a missing commit may simply not
 * have been fetched (SHALLOW_TARGET).
 */
export function createObjects(options: {
  readonly runner: Runner;
  readonly shallow: boolean;
  readonly blobLimit?: number;
  /** Where it is remembered which blobs have passed a test. */
  readonly passed: (rules: string) => string;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}): NativeObjects {
  const { runner, shallow, blobLimit = BLOB_LIMIT } = options;
  const child = createCatFile(runner);
  const commits = createCache<CommitObject>(COMMIT_CACHE);
  const trees = createCache<readonly TreeEntry[]>(TREE_CACHE);
  const blobs = createCache<Uint8Array>(BLOB_CACHE);
  return {
    commit: (id) =>
      commits.get(id, async () => {
        const bytes = await read({ child, id, type: 'commit', shallow });
        return { value: parseCommit(id, bytes), size: 200 };
      }),
    tree: (id) =>
      trees.get(id, async () => {
        const bytes = await read({ child, id, type: 'tree', shallow });
        const value = parseTree(bytes, id.length / 2);
        return { value, size: bytes.length + 150 * value.length };
      }),
    blob: (id) =>
      blobs.get(id, async () => {
        const bytes = await readBlob({ child, id, type: 'blob', shallow }, blobLimit);
        return { value: bytes, size: bytes.length + 200 };
      }),
    passing: createPassing({ child, limit: blobLimit, file: options.passed, onProgress: options.onProgress }),
    ref: (name) => child.ref(name),
    commitBytes: (id) => read({ child, id, type: 'commit', shallow }),
    signature: async (id) => signatureKind(id, await read({ child, id, type: 'commit', shallow })),
    type: async (id) => (await child.info(id))?.type ?? null,
    close: () => child.close(),
  };
}

interface Wanted {
  readonly child: CatFile;
  readonly id: ObjectId;
  readonly type: 'commit' | 'tree' | 'blob';
  readonly shallow: boolean;
}

async function read(wanted: Wanted): Promise<Buffer> {
  const contents = await wanted.child.contents(wanted.id);
  if (contents === null) throw missingObject(wanted);
  if (contents.type !== wanted.type) throw otherType(wanted, contents.type);
  return contents.bytes;
}

/** Asks for the size first: the bytes of a huge file are never sent. */
async function readBlob(wanted: Wanted, limit: number): Promise<Buffer> {
  const { child, id } = wanted;
  const header = await child.info(id);
  if (header !== null && header.size > limit) throw fileTooLarge(id, header.size, limit);
  return read(wanted);
}

export function fileTooLarge(id: ObjectId, size: number, limit: number): BacktrailError {
  return new BacktrailError('FILE_TOO_LARGE', `The file ${id} has ${size} bytes; the limit is ${limit}.`, {
    details: { id, size, limit },
  });
}

type Asked = { readonly type: string; readonly id: ObjectId };

/** SHALLOW_TARGET for a commit of a shallow clone: it may never have been fetched. */
export function missingObject({ type, id, shallow }: Asked & { readonly shallow: boolean }): BacktrailError {
  if (type === 'commit' && shallow)
    return new BacktrailError('SHALLOW_TARGET', `The commit ${id} is not in this shallow clone.`, {
      details: { id },
    });
  return new BacktrailError('OBJECT_MISSING', `The ${type} ${id} is not in the repository.`, {
    details: { id },
  });
}

export function otherType({ type, id }: Asked, found: string): BacktrailError {
  return new BacktrailError('OBJECT_MISSING', `The object ${id} is a ${found}, not a ${type}.`, {
    details: { id },
  });
}

/** The header lines of a commit object: `tree`, then any number of `parent`. */
export function parseCommit(id: ObjectId, bytes: Buffer): CommitObject {
  const end = bytes.indexOf('\n\n');
  const header = bytes.subarray(0, end < 0 ? bytes.length : end).toString('latin1');
  const [first = '', ...lines] = header.split('\n');
  const tree = /^tree ([0-9a-f]+)$/.exec(first)?.[1];
  if (tree === undefined) throw new BacktrailError('GIT_FAILED', `The commit ${id} has no tree.`);
  const parents: ObjectId[] = [];
  for (const line of lines) {
    const parent = /^parent ([0-9a-f]+)$/.exec(line)?.[1];
    if (parent === undefined) break;
    parents.push(parent);
  }
  return { id, tree, parents };
}

/** @throws GIT_FAILED for a tree object that is cut off. */
export function parseTree(bytes: Buffer, width: number): TreeEntry[] {
  return [...treeEntries(bytes, width)].map(({ mode, name, id }) => ({ mode, name: decodePath(name), id }));
}

const MODES: ReadonlyMap<string, string> = new Map(Object.values(MODE).map((mode) => [mode, mode]));

/** A tree object: `<mode> <name>\0` and the bytes of the id (`width`: 20, or 32 of SHA-256), repeated. Names are bytes. */
export function* treeEntries(
  bytes: Buffer,
  width: number,
): Generator<{ readonly mode: string; readonly name: Buffer; readonly id: ObjectId }> {
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const end = bytes.indexOf(0, space);
    if (space < 0 || end < 0 || end + 1 + width > bytes.length)
      throw new BacktrailError('GIT_FAILED', 'A tree object is cut off.');
    const mode = bytes.toString('latin1', at, space).padStart(6, '0');
    yield {
      // One text for all entries: a parsed tree is mostly its texts.
      mode: MODES.get(mode) ?? mode,
      name: bytes.subarray(space + 1, end),
      id: bytes.toString('hex', end + 1, end + 1 + width),
    };
    at = end + 1 + width;
  }
}
