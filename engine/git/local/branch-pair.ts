import type { ObjectId } from '../../model/index.ts';
import { hasObject } from './copy.ts';
import type { LocalRepository } from './local.ts';
import { readRef } from '../store/refs.ts';
import type { RemoteRepository } from '../remote/remote.ts';
import { trackedBy, upstreamOfAbsent } from './upstream.ts';
import type { Tracked, Upstream } from './upstream.ts';

/** One branch on its two sides. */
export interface Sides {
  /** The local branch; null where the clone has none. */
  readonly branch: string | null;
  readonly upstream: Upstream;
}

export interface Clone {
  readonly local: LocalRepository;
  readonly remote: RemoteRepository;
  readonly timeoutMs: number;
  sidesOf(branch: string): Promise<Sides>;
}

/** Configuration and branches are looked at anew each time: they are the user's to change. */
export async function findSides(local: LocalRepository, branch: string): Promise<Sides | null> {
  const { worktree, directory, commonDirectory } = local;
  const place = {
    entries: await local.config(),
    folder: worktree ?? directory,
    own: [directory, commonDirectory],
  };
  const head = await local.head().catch(() => null);
  if (head?.branch === branch || (await tipOf(local, branch)) !== null)
    return sides(branch, await trackedBy(place, branch));
  const standing = head?.branch ?? null;
  const beside = standing === null ? null : await trackedBy(place, standing);
  const found = sides(null, await upstreamOfAbsent(place, branch, beside?.remote));
  return beside?.branch === branch && found !== null ? { ...found, branch: standing } : found;
}

const sides = (branch: string | null, tracked: Tracked): Sides | null =>
  tracked === null || tracked.branch === null ? null : { branch, upstream: tracked };

export async function tipOf(local: LocalRepository, branch: string | null): Promise<ObjectId | null> {
  return branch === null ? null : readRef({ ...local, ref: `refs/heads/${branch}` });
}

/** Can the local commit be moved on to that one? Our mirror knows every commit of the remote. */
export async function isBehind({ remote }: Clone, here: ObjectId, next: ObjectId): Promise<boolean> {
  return here === next || ((await hasObject(remote.runner, here)) && remote.isAncestor(here, next));
}
