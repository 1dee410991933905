/** What people read of a pull request: its requests, planned on the branch as it is now. */
import { planValue } from '../../rollback/plan-value.ts';
import { withRevisions } from '../../rollback/plan.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { replan } from '../replan.ts';
import { viewOf } from '../view.ts';
import { subjectOf } from './arrival.ts';
import { pullRequestText } from './body.ts';
import type { Texts } from './host.ts';
import type { Following } from './looking.ts';

export async function textOf(
  { context, rules, ledgerSnapshot }: Following,
  group: readonly RequestFile[],
): Promise<Texts> {
  const rollbacks = [];
  for (const file of group) {
    const { state } = file;
    if (state.proposed === null) continue;
    const { commit, deliveryCommit } = state.proposed;
    const planned = await withRevisions(await replan(context, state, { asks: true }));
    const request = await viewOf(context, { ledgerSnapshot, rules, file }, planned.plan.owners);
    const plan = planValue(
      { ...planned, plan: { ...planned.plan, target: request.rollbackOf } },
      { revisions: true },
    );
    rollbacks.push({ plan, request, commit, deliveryCommit });
  }
  const [first] = group;
  const branch = first?.state.proposed?.branch ?? '';
  return pullRequestText({ subject: titleOf(group), branch, rollbacks });
}

/** Of one, the subject of its commit; of several, what they have in common. */
export function titleOf(group: readonly RequestFile[]): string {
  const [first] = group;
  const subject = subjectOf(first?.state.proposed?.messages.revert ?? '');
  if (group.length === 1) return subject;
  const incident = first?.state.incident;
  return `Rollback of ${group.length} scopes${incident === undefined ? '' : `: ${incident}`}`;
}
