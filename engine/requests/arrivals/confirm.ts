/** Which claims of the ledger the branch bears out. */
import type { ArrivedChange, Arrivals, LogCommit, ObjectId, RequestId } from '../../model/index.ts';
import { NO_ARRIVALS } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { changeDigest } from '../../record/change-digest.ts';
import { agrees, type Claim } from './claim.ts';

/** A commit, without its changes, and their digest. Commits never change. */
export interface SeenCommit {
  readonly commit: LogCommit;
  readonly digest: string;
}

type Git = Pick<GitRepository, 'history' | 'inspect' | 'hasher'>;

/**
 * A claim counts where its commit is on the first-parent line of `tip`, after what it was proposed on, and changes exactly what was proposed, or says by its
 * own message that it executes the request. `seen`: what is known of commits by now; it grows.
 */
export async function confirmClaims(
  git: Git,
  tip: ObjectId,
  claims: readonly Claim[],
  seen: Map<ObjectId, SeenCommit>,
): Promise<Arrivals> {
  if (claims.length === 0) return NO_ARRIVALS;
  const line = await git.history.firstParents(tip);
  const places = new Map(line.map((id, index) => [id, index]));
  const named = claims.flatMap(({ commit, deliveryCommit }) => [commit, deliveryCommit ?? commit]);
  await lookAt(
    git,
    [...new Set(named)].filter((id) => places.has(id) && !seen.has(id)),
    seen,
  );
  const at = new Map<ObjectId, ArrivedChange[]>();
  const of = new Map<RequestId, ArrivedChange>();
  const isAfter = (commit: ObjectId, base: ObjectId) => {
    const [place, start] = [places.get(commit), places.get(base)];
    return place !== undefined && (start === undefined ? git.history.shallow : place < start);
  };
  for (const claim of claims.toSorted((one, other) => (one.requestId < other.requestId ? -1 : 1))) {
    const commit = places.has(claim.commit) ? seen.get(claim.commit) : undefined;
    const change = commit && confirmed(claim, commit, { seen, places, isAfter });
    if (change === undefined || change === null) continue;
    of.set(change.requestId, change);
    at.set(change.commit.id, [...(at.get(change.commit.id) ?? []), change]);
  }
  return { at, of };
}

interface Line {
  readonly seen: ReadonlyMap<ObjectId, SeenCommit>;
  readonly places: ReadonlyMap<ObjectId, number>;
  isAfter(commit: ObjectId, base: ObjectId): boolean;
}

function confirmed(claim: Claim, { commit, digest }: SeenCommit, line: Line): ArrivedChange | null {
  const { requestId, author, how, link, asks } = claim;
  const proposals = claim.proposals.filter(({ base }) => line.isAfter(commit.id, base));
  const proposal = proposals.find(({ changes }) => changes.includes(digest));
  // A person may have changed more under its name; what it says is then as good as that of any commit.
  const isOwn = proposal === undefined && agrees(requestId, asks, commit.trailers);
  if (proposal === undefined && !isOwn) return null;
  const delivery = (proposal ?? proposals[0])?.delivery ?? null;
  return {
    requestId,
    commit,
    deliveryCommit: delivery === null ? null : deliveryOf(claim, delivery, line),
    trailers: proposal?.trailers ?? commit.trailers,
    author,
    how,
    link,
  };
}

/** The commit of its own that the ledger names, where it delivers what was proposed; otherwise it came along. */
function deliveryOf(
  { commit, deliveryCommit }: Claim,
  delivery: string,
  { seen, places }: Line,
): ObjectId | null {
  if (deliveryCommit === null || deliveryCommit === commit) return commit;
  return places.has(deliveryCommit) && seen.get(deliveryCommit)?.digest === delivery ? deliveryCommit : null;
}

/** Commits that are read at a time. */
const TOGETHER = 500;

async function lookAt(
  { inspect, hasher }: Git,
  ids: readonly ObjectId[],
  seen: Map<ObjectId, SeenCommit>,
): Promise<void> {
  for (let at = 0; at < ids.length; at += TOGETHER)
    for (const { changes, ...commit } of await inspect(ids.slice(at, at + TOGETHER)))
      seen.set(commit.id, { commit: { ...commit, changes: [] }, digest: changeDigest(hasher, changes) });
}
