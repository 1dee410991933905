import { BacktrailError, type FailureCode, FAILURES, type Finding, type Plan } from '../model/index.ts';

const blocking = ({ findings }: Pick<Plan, 'findings'>): Finding[] =>
  findings.filter(({ severity }) => severity === 'block');

export const isBlocked = (plan: Pick<Plan, 'findings'>) => blocking(plan).length > 0;

/** The error for a blocked plan: the code of its first blocking finding, with all findings in the details. */
export function blockedError(plan: Pick<Plan, 'findings'>): BacktrailError {
  const [first] = blocking(plan);
  return new BacktrailError(
    first && isFailureCode(first.code) ? first.code : 'PLAN_BLOCKED',
    first?.message ?? 'The plan is blocked.',
    {
      ...(first?.hint !== undefined && { hint: first.hint }),
      details: { findings: plan.findings },
    },
  );
}

const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);
