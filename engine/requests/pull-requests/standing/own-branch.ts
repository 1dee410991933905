/** `via: branch`: what becomes of a branch that no host is asked about. */
import { BacktrailError } from '../../../model/index.ts';
import type { RequestFile } from '../../../record/ledger-file.ts';
import type { RequestContext } from '../../context.ts';
import { type HostStep, isRested, SETTLING } from '../at-host.ts';
import type { Following, Looking } from '../looking.ts';

/** Milliseconds. */
const EVERY = 60_000;

/** @throws PULL_REQUEST_CLOSED while it is gone, and whoever removed it may be about to write down why */
export async function lookAtBranch(
  { context, snapshot, isAsked }: Following,
  look: Looking,
  group: readonly RequestFile[],
): Promise<HostStep> {
  const [first] = group;
  const { id, proposed } = first?.state ?? { id: '', proposed: null };
  if (first === undefined || proposed === null) return { kind: 'waits' };
  const now = context.clock.now();
  const seen = look.branches.get(id);
  if (!isAsked && seen !== undefined && seen.goneSince === null && now - seen.at < EVERY)
    return { kind: 'waits' };
  const { branch, tip, base } = proposed;
  const at = await context.git.proposedAt(branch);
  const goneSince = at === null ? (seen?.goneSince ?? now) : null;
  look.branches.set(id, { at: now, goneSince });
  if (goneSince !== null && now - goneSince < SETTLING) throw gone(branch);
  if (at === null) return { kind: 'failed', error: gone(branch) };
  if (at !== tip) return { kind: 'failed', error: changed(branch) };
  if (base === snapshot.base || !isRested({ context }, first)) return { kind: 'waits' };
  return (await isInTheWay(context, group, { base, tip: snapshot.base }))
    ? { kind: 'anew', why: 'Its branch was made anew, as the files that it changes have changed.' }
    : { kind: 'waits' };
}

/** Whether the branch that it is for has changed a file of it since: git may not be able to merge it. */
async function isInTheWay(
  { git }: RequestContext,
  group: readonly RequestFile[],
  { base, tip }: { readonly base: string; readonly tip: string },
): Promise<boolean> {
  const ids = group.flatMap(({ state: { proposed } }) =>
    proposed === null ? [] : [proposed.commit, proposed.deliveryCommit ?? proposed.commit],
  );
  const commits = await git.inspect([...new Set(ids)]);
  const own = new Set(commits.flatMap(({ changes }) => changes.map(({ path }) => path)));
  return (await git.diffPaths(base, tip)).some(({ path }) => own.has(path));
}

const gone = (branch: string) =>
  new BacktrailError('PULL_REQUEST_CLOSED', `The branch ${branch} was removed, and not merged.`);

const changed = (branch: string) =>
  new BacktrailError(
    'PULL_REQUEST_CHANGED',
    `The branch ${branch} holds something else than what was approved; it is left for a person to look at.`,
  );
