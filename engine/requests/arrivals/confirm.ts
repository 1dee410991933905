/** Which claims of the ledger the branch bears out. */
import type { ArrivedChange, Arrivals, ObjectId, RequestId } from '../../model/index.ts';
import { NO_ARRIVALS } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { agrees, type Claim } from './claim.ts';
import { lookAt, type SeenCommit } from './seen-commit.ts';

type Git = Pick<GitRepository, 'history' | 'inspect' | 'hasher'>;

/** What is known of the commits that claims name; it grows. */
export interface Known {
  readonly seen: Map<ObjectId, SeenCommit>;
  /** By request and commit: whether it restores what was asked for. */
  readonly judged: Map<string, boolean>;
}

/** Plans on the commit's own parent, and runs no program. */
export type Judge = (claim: Claim, commit: ObjectId) => Promise<boolean>;

/** Commits that are planned on at one look: the others are left to the next one. */
const MOST_JUDGED = 20;

/**
 * A claim counts where its commit is on the first-parent line of `tip`, after what it was proposed on, and changes exactly what was proposed; or says by its
 * own message that it executes the request; or restores what was asked for, where others had changed the same files meanwhile.
 */
export async function confirmClaims(
  git: Git,
  tip: ObjectId,
  {
    claims,
    known,
    judge,
  }: { readonly claims: readonly Claim[]; readonly known: Known; readonly judge: Judge },
): Promise<Arrivals> {
  if (claims.length === 0) return NO_ARRIVALS;
  const { seen, judged } = known;
  const line = await git.history.firstParents(tip);
  const places = new Map(line.map((id, index) => [id, index]));
  const named = claims.flatMap(({ commit, deliveryCommit }) => [commit, deliveryCommit ?? commit]);
  await lookAt(
    git,
    [...new Set(named)].filter((id) => places.has(id)),
    seen,
  );
  const at = new Map<ObjectId, ArrivedChange[]>();
  const of = new Map<RequestId, ArrivedChange>();
  const isAfter = (commit: ObjectId, base: ObjectId) => {
    const [place, start] = [places.get(commit), places.get(base)];
    return place !== undefined && (start === undefined ? git.history.shallow : place < start);
  };
  let left = MOST_JUDGED;
  const restores = async (claim: Claim) => {
    const key = `${claim.requestId} ${claim.commit}`;
    const verdict = judged.get(key);
    if (verdict !== undefined || left === 0) return verdict ?? false;
    left -= 1;
    const found = await judge(claim, claim.commit);
    judged.set(key, found);
    return found;
  };
  for (const claim of claims.toSorted((one, other) => (one.requestId < other.requestId ? -1 : 1))) {
    const commit = places.has(claim.commit) ? seen.get(claim.commit) : undefined;
    const change = commit && (await confirmed(claim, commit, { seen, places, isAfter, restores }));
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
  restores(claim: Claim): Promise<boolean>;
}

async function confirmed(
  claim: Claim,
  { commit, digest }: SeenCommit,
  line: Line,
): Promise<ArrivedChange | null> {
  const { requestId, author, how, link, asks } = claim;
  const proposals = claim.proposals.filter(({ base }) => line.isAfter(commit.id, base));
  const [newest] = proposals;
  const exact = proposals.find(({ changes }) => changes.includes(digest));
  // A person may have changed more under its name; what it says is then as good as that of any commit.
  const isOwn = exact === undefined && agrees(requestId, asks, commit.trailers);
  const isMeant = exact !== undefined || isOwn || (newest !== undefined && (await line.restores(claim)));
  if (!isMeant) return null;
  const delivery = (exact ?? newest)?.delivery ?? null;
  return {
    requestId,
    commit,
    deliveryCommit: delivery === null ? null : deliveryOf(claim, delivery, line),
    trailers: isOwn ? commit.trailers : ((exact ?? newest)?.trailers ?? []),
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
