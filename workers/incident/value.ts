/** What became of an incident, for scripts. */
import { FAILURES, type Finding } from '../../engine/index.ts';
import type { Item } from './plan.ts';
import { plannedOf } from './summary.ts';

interface Told {
  readonly findings: readonly Finding[];
  /** With what each plan comes to: for whoever is to decide on it. */
  readonly plans: boolean;
}

/** A row each. */
export function incidentValue(id: string, items: readonly Item[], { findings, plans }: Told) {
  return {
    id,
    ...(findings.length > 0 && { findings }),
    rollbacks: items.map((item) => {
      const { wish, plan, request, result, error, done } = item;
      const { scope, fields } = wish;
      return {
        scope,
        ...(fields.length > 0 && { fields }),
        target: plan?.target ?? request?.target ?? null,
        requestId: item.id,
        status: statusOf(item),
        commit: result?.commit ?? done ?? null,
        ...(plans && plan && { plan: plannedOf(plan) }),
        ...(result?.proposed && { proposed: result.proposed }),
        ...(result?.pullRequest && { pullRequest: result.pullRequest }),
        ...(request?.status === 'pending' && { approval: request.approval }),
        ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
      };
    }),
  };
}

export function statusOf({ error, done, result, request, plan }: Item): string {
  if (error) return 'failed';
  if (done !== undefined) return 'completed';
  if (result) return result.status;
  // What an earlier run found to be so already.
  if (request?.status === 'completed') return request.result?.status ?? 'completed';
  return request?.status === 'pending' ? 'pending' : plan?.unchanged ? 'unchanged' : 'not started';
}

/** 3 where one is blocked; else that of the first failure; 6 where no worker took one; 5 where one waits for approval, or to be merged; else 0. */
export function exitCodeOf(items: readonly Item[]): number {
  const [first, ...more] = items.flatMap(({ error }) => (error ? [FAILURES[error.code].exit] : []));
  const blocked = FAILURES.PLAN_BLOCKED.exit;
  if (first !== undefined) return more.includes(blocked) ? blocked : first;
  if (items.some(({ result }) => result?.status === 'approved')) return FAILURES.QUEUE_UNAVAILABLE.exit;
  const isWaiting = ({ request, result }: Item) =>
    result === undefined ? request?.status === 'pending' : result.status === 'proposed';
  return items.some(isWaiting) ? FAILURES.AWAITING_APPROVAL.exit : 0;
}
