import type {
  LogCommit,
  ObjectFormat,
  ObjectId,
  RepositoryPublisher,
  RepositoryReader,
  RequestId,
} from '../model/index.ts';
import { hasherOf } from './store/hash.ts';
import { createHistory } from './history/history.ts';
import type { IndexPlace } from './history/line-cache.ts';
import { writeCommits } from './store/import.ts';
import { expectImports } from './store/import-process.ts';
import { findRequest, messages, requestsSince } from './store/messages.ts';
import { createObjects } from './store/objects.ts';
import type { NativeObjects } from './store/objects.ts';
import { descends, updateRefs } from './store/refs.ts';
import type { RefEdit } from './store/refs.ts';
import type { Runner } from './process/runner.ts';
import { deleteStaging, listStaging } from './store/staging.ts';
import { createSigner, requireKey } from './signing/sign.ts';
import { beginSignedChain, type CommitSigning, isSigned, writeSigned } from './signing/signed-chain.ts';
import type { Signing } from './signing/signing.ts';

/**
 * A repository of this machine, our mirror of a remote, or a clone: read and published through our mirror of its upstream. Another way to publish
 * than a push replaces the publisher's half: `{ ...git, ...publisher }`.
 */
export type GitRepository = RepositoryReader & RepositoryPublisher;

/** What a local repository and a mirror have in common. */
export type Common = Pick<
  GitRepository,
  | 'directory'
  | 'shallow'
  | 'history'
  | 'hasher'
  | 'writeCommits'
  | 'beginChain'
  | 'requireKey'
  | 'expectWrites'
  | 'messages'
  | 'findRequest'
  | 'requestsSince'
  | 'isAncestor'
  | 'deleteStaging'
  | 'diffPaths'
  | 'inspect'
  | 'commitBytes'
> & {
  /** The paths that differ. Of commits that were read back just now, git need not be asked again. */
  changedPaths(from: ObjectId, to: ObjectId): Promise<readonly string[]>;
  readonly objects: NativeObjects;
  /** The edits that delete what is staged for a request: by this process, and by earlier ones that were killed. */
  staged(requestId: RequestId | undefined): readonly RefEdit[];
};

export function common(
  runner: Runner,
  {
    shallow,
    format,
    branches = 'refs/heads',
    index,
    signing,
    sign = false,
  }: {
    readonly shallow: boolean;
    readonly format: ObjectFormat;
    readonly branches?: string;
    readonly index: IndexPlace;
    /** Of the repository that the user named. */
    readonly signing: Signing;
    /** Commits are signed, whatever the configuration says. */
    readonly sign?: boolean | undefined;
  },
): Common {
  const objects = createObjects({ runner, shallow, ...index });
  const history = createHistory({ runner, objects, shallow, format, branches, index });
  const signer = signing.key === null ? null : createSigner(runner, signing.key);
  const signed: CommitSigning = { runner, format, signer, always: sign };
  const staged = new Map<RequestId, readonly RefEdit[]>();
  let inspected: readonly LogCommit[] = [];
  return {
    directory: runner.directory,
    shallow,
    objects,
    history,
    hasher: hasherOf(format),
    writeCommits: async (input) => {
      const { requestId } = input;
      const before = staged.get(requestId);
      const [{ ids, refs }, left] = await Promise.all([
        input.commits.some((commit) => isSigned(signed, commit))
          ? writeSigned(signed, input)
          : writeCommits(runner, input),
        before ?? listStaging(runner, [requestId]),
      ]);
      const edits = refs.map(({ ref, id }) => ({ ref, expected: id, next: null }));
      const others = left.filter(({ ref }) => !edits.some((edit) => edit.ref === ref));
      staged.set(requestId, [...others, ...edits]);
      return ids;
    },
    beginChain: (start) => beginSignedChain(signed, start),
    requireKey: async (wanted) => {
      if (isSigned(signed, { sign: wanted })) await requireKey(runner, signing.key);
    },
    expectWrites: (count) => expectImports(runner, count),
    staged: (requestId) => (requestId === undefined ? [] : (staged.get(requestId) ?? [])),
    messages: (ids) => messages(runner, ids),
    findRequest: (search) => findRequest(runner, search),
    requestsSince: (range) => requestsSince(runner, range),
    isAncestor: (ancestor, of) => descends({ runner, objects }, ancestor, of),
    deleteStaging: async (...requestIds) => {
      const known = requestIds.map((id) => staged.get(id));
      for (const id of requestIds) staged.delete(id);
      // What was listed before is all there is, unless another person deletes it at this moment.
      const edits = known.every((each) => each !== undefined) ? known.flat() : null;
      const deleted = edits && (await updateRefs(runner, edits).catch(() => false)) !== false;
      if (!deleted) await deleteStaging(runner, requestIds);
    },
    diffPaths: (from, to) => history.diffPaths(from, to),
    commitBytes: (id) => objects.commitBytes(id),
    changedPaths: async (from, to) =>
      pathsBetween(inspected, from, to) ?? (await history.diffPaths(from, to)).map(({ path }) => path),
    inspect: async (ids) => (inspected = await history.inspect(ids)),
  };
}

/** What commits change on the first-parent way from one to the other; null where one of them is not among these. */
function pathsBetween(commits: readonly LogCommit[], from: ObjectId, to: ObjectId): readonly string[] | null {
  const paths = new Set<string>();
  for (let at: ObjectId | undefined = to; at !== from; ) {
    const commit = commits.find(({ id }) => id === at);
    if (commit === undefined) return null;
    for (const { path } of commit.changes) paths.add(path);
    at = commit.parents[0];
  }
  return [...paths];
}
