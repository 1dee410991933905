import type { ObjectId } from '../../model/index.ts';
import { hasObject } from './copy.ts';
import type { LocalRepository } from './local.ts';
import { readRef } from '../store/refs.ts';
import type { RemoteRepository } from '../remote/remote.ts';
import { trackedBy, upstreamOfAbsent } from './upstream.ts';
import type { Tracked, Upstream } from './upstream.ts';

/** A local branch and its upstream. */
export interface BranchPair {
  /** The local branch; null where the clone has none. */
  readonly branch: string | null;
  readonly upstream: Upstream;
}

export interface Clone {
  readonly local: LocalRepository;
  readonly remote: RemoteRepository;
  readonly timeoutMs: number;
  pairOf(branch: string): Promise<BranchPair>;
}

/** Reads configuration and branches anew each time: the user may change them. */
export async function findBranchPair(local: LocalRepository, branch: string): Promise<BranchPair | null> {
  const { worktree, directory, commonDirectory } = local;
  const context = {
    entries: await local.config(),
    folder: worktree ?? directory,
    own: [directory, commonDirectory],
  };
  const head = await local.head().catch(() => null);
  if (head?.branch === branch || (await tipOf(local, branch)) !== null)
    return pairOrNull(branch, await trackedBy(context, branch));
  const checkedOut = head?.branch ?? null;
  const checkedOutUpstream = checkedOut === null ? null : await trackedBy(context, checkedOut);
  const found = pairOrNull(null, await upstreamOfAbsent(context, branch, checkedOutUpstream?.remote));
  return checkedOutUpstream?.branch === branch && found !== null ? { ...found, branch: checkedOut } : found;
}

const pairOrNull = (branch: string | null, tracked: Tracked): BranchPair | null =>
  tracked === null || tracked.branch === null ? null : { branch, upstream: tracked };

export async function tipOf(local: LocalRepository, branch: string | null): Promise<ObjectId | null> {
  return branch === null ? null : readRef({ ...local, ref: `refs/heads/${branch}` });
}

/** Can the local branch be fast-forwarded from `here` to `next`? The mirror has every commit of the remote. */
export async function isBehind({ remote }: Clone, here: ObjectId, next: ObjectId): Promise<boolean> {
  return here === next || ((await hasObject(remote, here)) && remote.isAncestor(here, next));
}
