import {
  type Finding,
  formatCoordinates,
  type ObjectId,
  type RequestId,
  type Scope,
} from '../../model/index.ts';

/** A rollback that was made in a scope before. */
export interface FormerRollback {
  readonly requestId: RequestId;
  readonly target: ObjectId;
  /** ISO 8601. */
  readonly time: string;
}

/** This many rollbacks of a scope to one revision, within this many days, are worth a word. */
export interface RecurringLimit {
  readonly times: number;
  readonly days: number;
}

export const DEFAULT_RECURRING: RecurringLimit = { times: 3, days: 30 };

const DAY_MS = 86_400_000;
const MOST_NAMED = 5;

/** RECURRING: with this one, the scope goes back to the same revision for at least the third time in thirty days. */
export function checkRecurring(
  { scope, target }: { readonly scope: Scope; readonly target: ObjectId },
  former: readonly FormerRollback[],
  { now, limit = DEFAULT_RECURRING }: { readonly now: number; readonly limit?: RecurringLimit },
): Finding[] {
  const since = now - limit.days * DAY_MS;
  const same = former.filter((each) => each.target === target && Date.parse(each.time) >= since);
  if (same.length + 1 < limit.times) return [];
  const named = same.slice(0, MOST_NAMED).map(({ requestId }) => requestId);
  const more = same.length > named.length ? ` and ${same.length - named.length} more` : '';
  return [
    {
      code: 'RECURRING',
      severity: 'info',
      message: `${formatCoordinates(scope)} went back to this revision ${same.length} times in ${limit.days} days: ${named.join(', ')}${more}.`,
      hint: 'What brings the newer state back? `backtrail log --recurring` lists such scopes; --hold keeps automation from it.',
    },
  ];
}
