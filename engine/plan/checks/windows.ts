import { formatCoordinates } from '../../model/index.ts';
import { freezesAt } from '../../policy/windows.ts';
import type { CheckInput, RawFinding } from '../check-input.ts';

/** WINDOW_CLOSED: a freeze of an environment that the rollback changes covers now; it blocks where the window binds rollbacks. */
export function checkWindows({
  plan,
  snapshot,
  now,
}: Pick<CheckInput, 'plan' | 'snapshot' | 'now'>): RawFinding[] {
  return plan.owners.flatMap((owner): RawFinding[] => {
    const [freeze] = freezesAt(snapshot.layout.config.policy, owner, now);
    if (!freeze) return [];
    const { window, until } = freeze;
    const end = until === null ? 'no end is known' : `until ${new Date(until).toISOString().slice(0, 16)}Z`;
    const frozen = `Changes of ${formatCoordinates(owner)} are frozen, ${end}`;
    if (window.rollbacks === 'bound')
      return [{ code: 'WINDOW_CLOSED', message: `${frozen}, rollbacks too.` }];
    return [
      {
        code: 'WINDOW_CLOSED',
        atMost: 'info',
        message: `${frozen}; rollbacks are exempt.`,
        hint: 'Nothing: `policy.windows` lets rollbacks go ahead.',
      },
    ];
  });
}
