/** What people read of a pull request: its requests, planned on the branch as it is now. */
import type { Proposed } from '../../model/index.ts';
import { planValue } from '../../rollback/plan-value.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { withDetails, withRevisions } from '../../rollback/plan.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { replan } from '../replan.ts';
import { viewOf } from '../view.ts';
import { subjectOf } from './arrival.ts';
import { type ProposedRollback, pullRequestText } from './body.ts';
import type { Texts } from './host.ts';
import type { Following } from './looking.ts';

/** One rollback, and what its commits were made by. */
export interface PlannedProposal extends Pick<EligibilityInput, 'ledgerSnapshot' | 'file'> {
  readonly proposed: Proposed;
  readonly planned: Planned;
}

export async function textOf(
  { context, rules, ledgerSnapshot }: Following,
  group: readonly RequestFile[],
): Promise<Texts> {
  const rollbacks = [];
  for (const file of group) {
    const { state } = file;
    const { proposed } = state;
    if (proposed === null) continue;
    const planned = await withRevisions(await replan(context, state, { asks: true }));
    rollbacks.push(await rollbackOf({ context, rules }, { ledgerSnapshot, file, proposed, planned }));
  }
  const [first] = group;
  const branch = first?.state.proposed?.branch ?? '';
  return pullRequestText({ subject: titleOf(group), branch, rollbacks });
}

/** The same of what was made just now, by the plans of its commits. `tip`: the branch as it was then. */
export async function textOfPlanned(
  { context, rules, tip }: Pick<Following, 'context' | 'rules'> & { readonly tip: Snapshot },
  group: readonly PlannedProposal[],
): Promise<Texts> {
  const rollbacks = [];
  for (const each of group) {
    const planned = await withDetails(each.planned, each.file.state, { ...context, tip });
    rollbacks.push(await rollbackOf({ context, rules }, { ...each, planned }));
  }
  const states = group.map(({ file, proposed }) => ({ state: { ...file.state, proposed } }));
  const branch = group[0]?.proposed.branch ?? '';
  return pullRequestText({ subject: titleOf(states), branch, rollbacks });
}

async function rollbackOf(
  { context, rules }: Pick<Following, 'context' | 'rules'>,
  { ledgerSnapshot, file, proposed: { commit, deliveryCommit }, planned }: PlannedProposal,
): Promise<ProposedRollback> {
  const request = await viewOf(context, { ledgerSnapshot, rules, file }, planned.plan.owners);
  const plan = planValue(
    { ...planned, plan: { ...planned.plan, target: request.rollbackOf } },
    { revisions: true },
  );
  return { plan, request, commit, deliveryCommit };
}

/** Of one, the subject of its commit; of several, what they have in common. */
export function titleOf(group: readonly Pick<RequestFile, 'state'>[]): string {
  const [first] = group;
  const subject = subjectOf(first?.state.proposed?.messages.revert ?? '');
  if (group.length === 1) return subject;
  const incident = first?.state.incident;
  return `Rollback of ${group.length} scopes${incident === undefined ? '' : `: ${incident}`}`;
}
