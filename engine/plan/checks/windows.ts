import { formatCoordinates } from '../../model/index.ts';
import { endOf, freezesAt } from '../../policy/windows.ts';
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
    const { window } = freeze;
    const frozen = `Changes of ${formatCoordinates(owner)} are frozen, ${endOf(freeze)}`;
    if (window.rollbacks === 'bound')
      return [
        { code: 'WINDOW_CLOSED', message: `${frozen}, ${plan.resumes ? 'resumes' : 'rollbacks'} too.` },
      ];
    return [
      {
        code: 'WINDOW_CLOSED',
        atMost: 'info',
        message: plan.resumes
          ? `${frozen}; automation may move it in the meantime.`
          : `${frozen}; rollbacks are exempt.`,
        hint: 'Nothing: `policy.windows` lets rollbacks go ahead.',
      },
    ];
  });
}
