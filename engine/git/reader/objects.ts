import { createHash } from 'node:crypto';
import { BacktrailError, isFailure, isObjectId } from '../../model/index.ts';
import type { CommitObject, ObjectId, ObjectReader } from '../../model/index.ts';
import { createCache } from '../store/cache.ts';
import { neverFetched } from '../process/failure.ts';
import {
  BLOB_LIMIT,
  fileTooLarge,
  missingObject,
  otherType,
  parseCommit,
  parseTree,
} from '../store/objects.ts';
import type { GitFiles } from './files.ts';
import { createPackGuard } from './packs.ts';

const CACHE = 32 * 1024 * 1024;

/** Bytes of objects after which isomorphic-git is given a new cache, and so reads the indexes of the packs anew. */
const RENEWED = 32 * 1024 * 1024;

type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface IsomorphicObjects extends ObjectReader {
  /** The bytes of an object. OBJECT_MISSING, in a partial clone PARTIAL_CLONE, and for a commit of a shallow one SHALLOW_TARGET. */
  bytes(id: ObjectId, type: ObjectType): Promise<Buffer>;
  /** `commit`, `tree`, `blob` or `tag`; null where there is no such object. */
  type(id: ObjectId): Promise<string | null>;
  /** Ids of the objects that begin so, with four digits or more. */
  beginning(prefix: string): Promise<readonly ObjectId[]>;
}

interface RawObject {
  readonly type: string;
  readonly bytes: Buffer;
}

/**
 * Reads objects with isomorphic-git, within limits, and holds each against its own id.
 * The library is loaded with the first repository that needs it.
 */
export async function createIsomorphicObjects(options: {
  readonly files: GitFiles;
  readonly shallow: boolean;
  readonly partial: boolean;
}): Promise<IsomorphicObjects> {
  const { files, shallow, partial } = options;
  const { Errors, expandOid, readObject } = await import('isomorphic-git');
  const guard = createPackGuard(files);
  let repository = { fs: files.client, gitdir: files.directory, cache: {} };
  let held = 0;
  const cache = createCache<RawObject | null>(CACHE);

  const load = async (id: ObjectId): Promise<RawObject | null> => {
    // Of another kind of repository.
    if (id.length !== 40) return null;
    await guard.check(id);
    const { type, object } = await readObject({ ...repository, oid: id, format: 'content' });
    if (!(object instanceof Uint8Array) || type === undefined) throw damaged(id);
    // Not a view: what is kept of a small one would keep the whole slab that Node cuts small buffers from.
    const bytes = Buffer.from(new Uint8Array(object).buffer);
    held += bytes.length;
    // Its own cache keeps every object that was read, for good.
    if (held > RENEWED) {
      repository = { ...repository, cache: {} };
      held = 0;
    }
    const own = createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
    if (own !== id) throw damaged(id);
    return { type, bytes };
  };
  const find = (id: ObjectId) =>
    cache.get(id, async () => {
      const value = await load(id).catch((error: unknown) => {
        if (error instanceof Errors.NotFoundError) return null;
        throw isFailure(error) ? error : damaged(id, error);
      });
      // What is missing now may be written later.
      return { value, size: value === null ? Infinity : value.bytes.length + 200 };
    });
  const bytes = async (id: ObjectId, type: ObjectType) => {
    if (!isObjectId(id))
      throw new BacktrailError('OBJECT_MISSING', `'${String(id).slice(0, 80)}' is not a valid object id.`);
    const found = await find(id);
    if (found?.type === type) return found.bytes;
    if (found !== null) throw otherType({ type, id }, found.type);
    if (partial && !(shallow && type === 'commit')) throw neverFetched(id);
    throw missingObject({ type, id, shallow });
  };
  return {
    bytes,
    commit: async (id): Promise<CommitObject> => parseCommit(id, await bytes(id, 'commit')),
    tree: async (id) => parseTree(await bytes(id, 'tree'), 20),
    blob: async (id) => {
      const blob = await bytes(id, 'blob');
      if (blob.length > BLOB_LIMIT) throw fileTooLarge(id, blob.length, BLOB_LIMIT);
      return blob;
    },
    type: async (id) => (await find(id))?.type ?? null,
    beginning: async (prefix) => {
      await files.listPacks();
      try {
        return [await expandOid({ ...repository, oid: prefix })].filter(isObjectId);
      } catch (error) {
        if (error instanceof Errors.NotFoundError) return [];
        if (error instanceof Errors.AmbiguousError) return error.data.matches.filter(isObjectId);
        throw error;
      }
    },
  };
}

function damaged(id: ObjectId, cause?: unknown): BacktrailError {
  return new BacktrailError('GIT_FAILED', `The object ${id} is damaged.`, { cause, details: { id } });
}
