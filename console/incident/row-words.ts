/** What rows of an incident say, and in which order they come. */
import type { IncidentPlans } from '../contract.ts';
import { type ScopeNames, scopePath } from '../data/paths.ts';
import type { IncidentRow } from './asking.ts';

export type ReviewRow = IncidentPlans['rollbacks'][number];
type Summary = NonNullable<ReviewRow['plan']> | NonNullable<IncidentRow['plan']>;

/** Nothing stands in its way, and there is something to do. */
export const isTakeable = ({ error, status, plan }: IncidentRow): boolean =>
  error === undefined && status === 'not started' && plan?.unchanged === false;

/** What cannot be planned now can be rejected all the same. */
export const isVotable = ({ status, may }: ReviewRow): boolean =>
  status === 'pending' && (may === undefined || may.reject.allowed || may.approve.allowed);

/** What was shown of it is what is voted on. */
export const voteOn = ({ requestId: id, digest, plan }: ReviewRow, act: 'approve' | 'reject') =>
  act === 'reject' || plan === undefined
    ? { id, digest }
    : { id, digest: plan.digest, rendered: plan.rendered };

export const versionName = (version: number | null, commit: string | null): string =>
  version === null ? (commit?.slice(0, 10) ?? 'nothing') : `v${version}`;

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `2 files, 3 fields in api, web` */
export function impactOf({
  unchanged,
  impact: { files, fields, services },
}: Pick<Summary, 'unchanged' | 'impact'>): string {
  if (unchanged) return 'nothing to do';
  const more = services.length > MOST_NAMES ? ` and ${services.length - MOST_NAMES} more` : '';
  const names = services.length === 0 ? '' : ` in ${services.slice(0, MOST_NAMES).join(', ')}${more}`;
  return `${counted(files, 'file')}, ${counted(fields, 'field')}${names}`;
}

/** `1 approval, by bob@example.com` */
export function approvalOf({
  needsApproval,
  quorum,
  approvers,
  session,
}: NonNullable<IncidentRow['plan']>['gate']): string {
  if (session !== null && !needsApproval) return 'none: break-glass session';
  if (!needsApproval) return 'none';
  const more = approvers.length > MOST_NAMES ? ` and ${approvers.length - MOST_NAMES} more` : '';
  const who =
    approvers.length === 0 ? 'anybody but you' : `${approvers.slice(0, MOST_NAMES).join(', ')}${more}`;
  return `${counted(quorum, 'approval')}, by ${who}`;
}

/** Where the difference of one of them is. */
export function differencePath(scope: string, mode: string, target: string | null): string {
  return scopePath(namesOf(scope, mode), 'rollback', { step: 'preview', mode, to: target });
}

function namesOf(scope: string, mode: string): ScopeNames {
  const parts = scope.split('/');
  const service = mode === 'full' ? null : (parts.pop() ?? null);
  const environment = parts.pop() ?? '';
  return { tenant: parts.pop() ?? null, environment, service };
}

const MOST_NAMES = 3;
