import { type EnvironmentName, type Finding, formatCoordinates, type Policy } from '../../model/index.ts';
import { freezesAt, type Freeze } from '../../policy/windows.ts';

/** WINDOW_CLOSED: a freeze of an environment that the rollback changes covers `now`; it blocks where the window binds rollbacks. */
export function checkWindows(policy: Policy, owners: readonly EnvironmentName[], now: number): Finding[] {
  return owners.flatMap((owner) => {
    const [freeze] = freezesAt(policy, owner, now);
    return freeze ? [findingOf(owner, freeze)] : [];
  });
}

function findingOf(owner: EnvironmentName, { window, until }: Freeze): Finding {
  const end = until === null ? 'no end is known' : `until ${new Date(until).toISOString().slice(0, 16)}Z`;
  const frozen = `Changes of ${formatCoordinates(owner)} are frozen, ${end}`;
  if (window.rollbacks === 'exempt')
    return { code: 'WINDOW_CLOSED', severity: 'info', message: `${frozen}; rollbacks are exempt.` };
  return {
    code: 'WINDOW_CLOSED',
    severity: 'block',
    message: `${frozen}, rollbacks too.`,
    hint: 'Wait for the end, or go ahead with --override WINDOW_CLOSED and the reason, which are recorded.',
  };
}
