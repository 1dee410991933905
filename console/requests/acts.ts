/** What can be done with a request, by whom, and how that is sent: as its page shows it, and not otherwise. */
import type { RequestPlan, RequestView } from '../contract.ts';
import type { Loaded } from '../data/resource.ts';
import { commandLine } from '../parts/shell-words.ts';

export type Act = keyof RequestPlan['may'];

export const NAMES: Readonly<Record<Act, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  retry: 'Retry',
  cancel: 'Cancel',
};

const IN: Readonly<Partial<Record<RequestView['status'], readonly Act[]>>> = {
  pending: ['approve', 'reject', 'cancel'],
  approved: ['retry', 'cancel'],
  failed: ['retry'],
};

/** A vote is always shown, with why it cannot be given; the others only where this person may, or where the server has to be asked. */
export const actsOf = (of: RequestView, { value }: Loaded<RequestPlan>): readonly Act[] =>
  possibleIn(of).filter((act) => isVote(act) || value === null || value.may[act].allowed);

/** What waits to be merged is executed already. */
const possibleIn = ({ status, proposed }: RequestView): readonly Act[] =>
  status === 'approved' && proposed !== null ? ['cancel'] : (IN[status] ?? []);

const isVote = (act: Act) => act === 'approve' || act === 'reject';

/** Where it cannot be planned, the server says it when it is asked to; a vote needs the plan. */
export function mayDo(act: Act, of: RequestView, { value, problem }: Loaded<RequestPlan>): boolean {
  if (value === null) return problem !== null && act !== 'approve';
  return value.may[act].allowed && (act !== 'approve' || isShown(of, value));
}

/** The page shows what reviewers are asked about, or what they would be asked next: where they are asked anew, the plan comes a little later. */
export const isShown = ({ digest, rendered }: RequestView, plan: RequestPlan): boolean =>
  plan.changed ||
  (plan.digest === digest && (plan.rendered === null || rendered === null || plan.rendered === rendered));

export interface Refusal {
  readonly act: Act;
  readonly message: string;
  readonly hint: string;
}

/** The same reason is said once. */
export function refusalsOf(of: RequestView, plan: RequestPlan | null): readonly Refusal[] {
  const refused = possibleIn(of).flatMap((act): readonly Refusal[] => {
    const permit = plan?.may[act] ?? { allowed: true };
    return permit.allowed ? [] : [{ act, message: permit.message, hint: permit.hint }];
  });
  return refused.filter(
    ({ act, message }, index) =>
      act === 'cancel' || refused.findIndex((other) => other.message === message) === index,
  );
}

/** What was looked at is approved, and nothing else. */
export function bodyOf(act: Act, plan: RequestPlan | null, comment: string): object {
  if (act === 'retry') return {};
  if (act === 'cancel') return comment === '' ? {} : { reason: comment };
  const seen = plan === null ? {} : { digest: plan.digest, rendered: plan.rendered };
  return { ...(act === 'approve' && seen), ...(comment !== '' && { comment }) };
}

interface Said {
  readonly id: string;
  readonly plan: RequestPlan | null;
  readonly comment: string;
}

export function lineOf(act: Act, { id, plan, comment }: Said): string {
  const said = comment === '' ? [] : [act === 'cancel' ? '--reason' : '--comment', comment];
  if (act === 'approve' && plan !== null) {
    const manifests = plan.rendered === null ? [] : ['--rendered', plan.rendered];
    return commandLine('request', 'approve', id, '--digest', plan.digest, ...manifests, ...said);
  }
  return commandLine('request', act, id, ...(act === 'retry' ? [] : said));
}
