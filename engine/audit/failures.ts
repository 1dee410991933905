/** What could not be made again, and whether that is somebody's doing. */
import { type FailureCode, FAILURES, isFailure } from '../model/index.ts';
import { type Problem, problem, type ProblemCode } from './problems.ts';

const CODES: Partial<Record<FailureCode, ProblemCode>> = {
  SHALLOW_TARGET: 'SHALLOW',
  OBJECT_MISSING: 'OBJECT_MISSING',
  PARTIAL_CLONE: 'OBJECT_MISSING',
  FILE_TOO_LARGE: 'TOO_LARGE',
  SCOPE_INVALID: 'SCOPE_UNKNOWN',
  FIELD_OUT_OF_SCOPE: 'SCOPE_UNKNOWN',
  SELECTOR_INVALID: 'SCOPE_UNKNOWN',
  FIELD_INVALID: 'SCOPE_UNKNOWN',
  REASON_REQUIRED: 'TRAILER_MISSING',
  HOLD_UNKNOWN: 'PLAN_BLOCKED',
  LEDGER_TAMPERED: 'LEDGER_TAMPERED',
  LEDGER_NEWER: 'LEDGER_NEWER',
};

/** What cannot be planned was not made by Backtrail. Throws what is no finding, such as a git that fails. */
export function failureOf(error: unknown): Problem {
  if (!isFailure(error)) throw error;
  const code = CODES[error.code];
  if (code !== undefined) return problem(code, error.message);
  if (FAILURES[error.code].status >= 500) throw error;
  return problem('PLAN_BLOCKED', `${error.message} (${error.code})`);
}
