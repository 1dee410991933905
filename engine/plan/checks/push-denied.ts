import type { Plan } from '../../model/index.ts';
import type { Observations, RawFinding } from '../check-input.ts';

const LOGIN =
  'Use credentials that may write, or --queue where a worker has them. A dry run sees logins; rules of the branch and hooks are seen by a real push only.';

/** PUSH_DENIED: a dry run of a push was refused. Where another process publishes, its own login counts. */
export function checkPush(_plan: Plan, { push }: Observations): RawFinding[] {
  if (push === undefined || push.denied === null) return [];
  const message = push.here
    ? `This identity may not push here: ${push.denied}`
    : `This identity may not push here; a worker publishes with its own: ${push.denied}`;
  return [
    {
      code: 'PUSH_DENIED',
      message,
      hint: push.hint ?? LOGIN,
      ...(!push.here && { atMost: 'info' }),
    },
  ];
}
