/** The plan of each rollback of a batch: kept on a newer tip where nothing that it rests on changed, made anew elsewhere. */
import type { ObjectId, RollbackResult } from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { outcomeOf, requireConfirmed } from '../execute.ts';
import { signOf } from '../stage.ts';
import { planRequested, requireOnLine } from '../plan.ts';
import type { Planned } from '../planning/planned.ts';
import { isDisjoint } from './disjoint.ts';
import { type Authorized, type BatchMember, Obstructed, type Round } from './round.ts';

/** The plan on this tip, confirmed and authorized; the result where there is nothing to do. */
export async function prepare(
  round: Round,
  snapshot: Snapshot,
  member: BatchMember,
): Promise<Authorized | RollbackResult> {
  const earlier = round.plans.get(member.asked.id);
  const kept = earlier && (await onTip(round, earlier.planned, snapshot));
  // A break-glass session may have ended since.
  if (kept) return withKey(round, { planned: kept, request: await member.authorize(kept) });
  // Read once: whether targets are on it is asked for each.
  if (round.members.length > 1) await snapshot.history.firstParents(snapshot.base);
  const { hasNothing, ...authorized } = await planAnew(round, snapshot, member);
  if (!hasNothing) return withKey(round, authorized);
  const { request, planned } = authorized;
  const findings = await round.git.followUp({ branch: snapshot.branch, next: snapshot.base });
  return outcomeOf(request, planned, 'unchanged', { findings });
}

/** @throws SIGNING_FAILED where its commits cannot be signed as they should be */
async function withKey({ git }: Round, authorized: Authorized): Promise<Authorized> {
  await git.requireKey(signOf(authorized.request, authorized.planned));
  return authorized;
}

async function planAnew(
  { programs, clock }: Round,
  snapshot: Snapshot,
  { asked, authorize, onStep }: BatchMember,
): Promise<Authorized & { readonly hasNothing: boolean }> {
  if (asked.base !== null) await requireOnLine(snapshot, asked.base, 'base');
  const planned = await planRequested(snapshot, asked, { programs, clock }, { asks: 'since' });
  const request = await authorize(planned);
  const hasNothing = requireConfirmed(request, planned);
  if (!hasNothing) await onStep?.({ step: 'planned', digest: planned.plan.digest });
  return { request, planned, hasNothing };
}

/**
 * On top of commits that may never land nothing is settled: null where it has nothing to do there, or may not go ahead. It is decided again when
 * they have landed, or have not.
 */
export async function planOnTop(
  round: Round,
  snapshot: Snapshot,
  member: BatchMember,
): Promise<Authorized | null> {
  try {
    const { hasNothing, ...authorized } = await planAnew(round, snapshot, member);
    return hasNothing ? null : authorized;
  } catch {
    return null;
  }
}

/**
 * The same where all of the commits land, or none: null where those before it leave it nothing to do, which is then its result.
 *
 * @throws Obstructed where it would not do there what was confirmed
 */
export async function planTogether(
  round: Round,
  snapshot: Snapshot,
  member: BatchMember,
): Promise<Authorized | null> {
  const { id } = member.asked;
  try {
    const { hasNothing, ...authorized } = await planAnew(round, snapshot, member);
    if (!hasNothing) return authorized;
    const { request, planned } = authorized;
    const value = outcomeOf(request, planned, 'unchanged', { findings: [] });
    round.results.set(id, { status: 'fulfilled', value });
    return null;
  } catch (error) {
    throw new Obstructed(new Map([[id, error]]));
  }
}

/** The same plan on a newer tip, where the configuration and all that it rests on are the same; else null. */
async function onTip(round: Round, planned: Planned, snapshot: Snapshot): Promise<Planned | null> {
  const { base } = planned.plan;
  if (base === snapshot.base) return planned;
  if (planned.snapshot.layout !== snapshot.layout) return null;
  const changed = await changedSince(round, base, snapshot);
  return changed !== null && isDisjoint(planned, changed) ? movedTo(planned, snapshot) : null;
}

export function changedSince(
  { git, moved }: Round,
  base: ObjectId,
  snapshot: Snapshot,
): Promise<readonly string[] | null> {
  if (base === snapshot.base) return Promise.resolve([]);
  const key = `${base} ${snapshot.base}`;
  const known = moved.get(key);
  if (known) return known;
  const looking = Promise.all([
    snapshot.history.isOnLine(snapshot.base, base),
    git.diffPaths(base, snapshot.base),
  ]).then(([isOnLine, changes]) => (isOnLine ? changes.map(({ path }) => path) : null));
  moved.set(key, looking);
  return looking;
}

const movedTo = (planned: Planned, snapshot: Snapshot): Planned => ({
  ...planned,
  snapshot,
  plan: { ...planned.plan, base: snapshot.base },
});
