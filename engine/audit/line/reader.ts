/** What an audit reads with: objects alone, and none of the engine's caches. */
import { BacktrailError, isFailure, type ObjectId, type ObjectReader } from '../../model/index.ts';
import { type GitRepository, openSecondReader } from '../../git/open.ts';
import { parseCommit } from '../../git/store/objects.ts';
import type { ReaderName } from '../types.ts';

export interface AuditReader extends Pick<GitRepository, 'objects' | 'history' | 'hasher' | 'shallow'> {
  readonly name: ReaderName;
  /** For whatever takes a repository: it is read in the same way, and neither reads nor writes a cache. */
  readonly git: GitRepository;
  /** A commit as it was written. */
  commitBytes(id: ObjectId): Promise<Buffer>;
  /** The first-parent line of a commit, newest first, some at a time. */
  walk(tip: ObjectId): AsyncGenerator<readonly RawCommit[]>;
  close(): Promise<void>;
}

interface RawCommit {
  readonly id: ObjectId;
  readonly bytes: Buffer;
}

/** Commits that are read at a time. */
const TOGETHER = 1000;

/**
 * `wanted` null: isomorphic-git where the repository is small enough.
 *
 * @throws GIT_MISSING, SHA256_UNSUPPORTED where the reader that is wanted cannot read it
 */
export async function openAuditReader(
  git: GitRepository,
  wanted: ReaderName | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AuditReader> {
  if (wanted === 'git') return nativeReader(git);
  try {
    const own = await openSecondReader(git.directory, env, wanted === null ? SMALL : Infinity);
    return own === null ? nativeReader(git) : secondReader(git, own);
  } catch (error) {
    if (wanted === null && isFailure(error)) return nativeReader(git);
    throw error;
  }
}

/** Bytes of packs and their indexes: as much as isomorphic-git reads in a few seconds. */
const SMALL = 4 * 1024 * 1024;

const NO_TEXT = { read: () => Promise.resolve(null), write: () => Promise.resolve() };

function nativeReader(git: GitRepository): AuditReader {
  // What passed a test before may come from a file.
  const objects: ObjectReader = {
    commit: (id) => git.objects.commit(id),
    tree: (id) => git.objects.tree(id),
    blob: (id) => git.objects.blob(id),
  };
  const plain: GitRepository = {
    ...git,
    objects,
    ledger: { ...git.ledger, index: NO_TEXT, arrivals: NO_TEXT },
  };
  return {
    name: 'git',
    git: plain,
    objects,
    history: git.history,
    hasher: git.hasher,
    shallow: git.shallow,
    commitBytes: async (id) => bufferOf(await git.commitBytes(id)),
    async *walk(tip) {
      const ids = await git.history.firstParents(tip);
      for (let from = 0; from < ids.length; from += TOGETHER) {
        const some = ids.slice(from, from + TOGETHER);
        const all = await Promise.all(some.map((id) => git.commitBytes(id)));
        const commits = some.map((id, at) => ({ id, bytes: bufferOf(all[at] ?? new Uint8Array()) }));
        // A commit-graph may name other parents than the commits themselves.
        for (const [at, { id, bytes }] of commits.entries()) {
          const next = ids[from + at + 1];
          if (next !== undefined && parseCommit(id, bytes).parents[0] !== next) throw otherLine(id);
        }
        yield commits;
      }
    },
    close: () => Promise.resolve(),
  };
}

function secondReader(git: GitRepository, own: GitRepository): AuditReader {
  const commitBytes = async (id: ObjectId) => bufferOf(await own.commitBytes(id));
  const { objects, hasher, shallow } = own;
  const history = { ...own.history, named: (name: string) => git.history.named(name) };
  const { kind, location } = git;
  return {
    name: 'isomorphic',
    git: { ...own, kind, location, history, ledger: { ...git.ledger, index: NO_TEXT, arrivals: NO_TEXT } },
    objects,
    history,
    hasher,
    shallow,
    commitBytes,
    async *walk(tip) {
      let some: RawCommit[] = [];
      for (let id: ObjectId | undefined = tip; id !== undefined; ) {
        const bytes: Buffer | null = await commitBytes(id).catch((error: unknown) => {
          // What comes before the cut of a shallow clone was never fetched.
          if (shallow && isFailure(error) && error.code === 'SHALLOW_TARGET') return null;
          throw error;
        });
        if (bytes === null) break;
        some.push({ id, bytes });
        if (some.length === TOGETHER) {
          yield some;
          some = [];
        }
        const [parent]: readonly ObjectId[] = parseCommit(id, bytes).parents;
        id = parent;
      }
      yield some;
    },
    close: () => own.close(),
  };
}

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const otherLine = (id: ObjectId) =>
  new BacktrailError('GIT_FAILED', `The commit ${id} has another first parent than git says that it has.`, {
    hint: 'The commit-graph is wrong: `git commit-graph verify` says where.',
  });
