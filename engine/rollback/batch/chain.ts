/** The commits of a batch, one on top of the other. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CommitChain, ObjectId, RepositoryPublisher, RollbackRequest } from '../../model/index.ts';
import { makeSnapshot, type Snapshot } from '../../snapshot/snapshot.ts';
import { deliver, type Delivered } from '../deliver.ts';
import type { Planned } from '../planning/planned.ts';
import { stage } from '../stage.ts';
import { isDisjoint } from './disjoint.ts';
import { planOnTop, planTogether } from './plans.ts';
import {
  type Authorized,
  type BatchInput,
  type BatchMember,
  beginRound,
  type Ready,
  type Round,
  type Staged,
} from './round.ts';

/**
 * The commits of all, one on top of the other. One that an earlier one touches is planned again on top of it. `chains`: each that is begun is added;
 * one that is there already, on the tip, is used. `written`: their ids are known before git has them.
 */
export async function stageAll(
  round: Round,
  {
    snapshot,
    ready,
    chains,
    isTrial = false,
  }: {
    snapshot: Snapshot;
    ready: readonly Ready[];
    chains: CommitChain[];
    /** They are dropped: nothing is signed. */
    isTrial?: boolean;
  },
): Promise<{ readonly staged: readonly Staged[]; readonly written: Promise<void> }> {
  const { git, committer } = round;
  const staged: Staged[] = [];
  const changed = new Set<string>();
  let base = snapshot.base;
  let chain: CommitChain | null = chains[0] ?? null;
  for (const each of ready) {
    await nextTurn();
    const { member } = each;
    round.signal?.throwIfAborted();
    let own: Authorized | null = each;
    if (!isDisjoint(each.planned, changed)) {
      await chain?.end();
      chain = null;
      const onTop = makeSnapshot({ ...snapshot, base });
      own = await (round.together ? planTogether : planOnTop)(round, onTop, member);
      if (own === null) continue;
    }
    if (chain === null) {
      chain = git.beginChain({ parent: base, requestId: member.asked.id });
      chains.push(chain);
    }
    const { request, planned } = own;
    const into = { git: { writeCommits: writeInto(chain, isTrial) }, request, committer };
    const delivered = await deliver(into, await stage(into, { ...planned, plan: { ...planned.plan, base } }));
    staged.push({ member, request, delivered });
    base = tipOf(delivered);
    for (const path of writtenBy(planned)) changed.add(path);
  }
  const written = chain?.end() ?? Promise.resolve();
  // Whoever needs the commits waits for it.
  written.catch(() => undefined);
  return { staged, written };
}

/** `isTrial`: nothing is signed. */
export const writeInto = (chain: CommitChain, isTrial = false): RepositoryPublisher['writeCommits'] => {
  return async ({ commits }) => {
    const ids: ObjectId[] = [];
    for (const commit of commits) ids.push(await chain.add(isTrial ? { ...commit, sign: false } : commit));
    return ids;
  };
};

export const tipOf = ({ commit, deliveryCommit }: Delivered): ObjectId => deliveryCommit ?? commit;

/**
 * Whether all of these could be published in one push, as they are confirmed: their commits are made, and dropped. `planned`: of each, on the
 * tip. Where none of them touches another, nothing needs to be made.
 *
 * @throws Obstructed
 */
export async function tryChain(
  input: Omit<BatchInput, 'members'>,
  members: readonly (BatchMember & { readonly planned: Planned; readonly request: RollbackRequest })[],
): Promise<void> {
  const changed = new Set<string>();
  const isApart = members.every(({ planned }) => {
    const isFree = isDisjoint(planned, changed);
    for (const path of writtenBy(planned)) changed.add(path);
    return isFree;
  });
  if (isApart) return;
  const { snapshot } = input;
  const round = beginRound({ ...input, members }, { together: true });
  const ready = members.map(({ planned, request, ...member }): Ready => ({ member, planned, request }));
  const chains: CommitChain[] = [];
  try {
    await (await stageAll(round, { snapshot, ready, chains, isTrial: true })).written;
  } finally {
    await Promise.all(chains.map((chain) => chain.drop()));
  }
}

const writtenBy = ({ plan, delivery }: Planned) =>
  [...plan.files, ...delivery.outputs].map(({ path }) => path);
