import { formatCoordinates } from '../../model/index.ts';
import type { CheckInput, RawFinding } from '../check-input.ts';

const DAY_MS = 86_400_000;
const MOST_NAMED = 5;

/** RECURRING: with this one, the scope goes back to the same revision at least as often as `checks.recurring` says. */
export function checkRecurring({
  plan,
  snapshot,
  former = [],
  now,
}: Pick<CheckInput, 'plan' | 'snapshot' | 'former' | 'now'>): RawFinding[] {
  const { times, days } = snapshot.layout.config.checks.recurring;
  const since = now - days * DAY_MS;
  const same = former.filter(
    ({ target, time }) => target === plan.target.commit && Date.parse(time) >= since,
  );
  if (same.length + 1 < times) return [];
  const named = same.slice(0, MOST_NAMED).map(({ requestId }) => requestId);
  const more = same.length > named.length ? ` and ${same.length - named.length} more` : '';
  const message = `${formatCoordinates(plan.scope)} went back to this revision ${same.length} times in ${days} days: ${named.join(', ')}${more}.`;
  return [{ code: 'RECURRING', message }];
}
