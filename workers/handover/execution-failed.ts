import { BacktrailError, isFailure, type RequestId } from '../../engine/model/index.ts';

/** After these the request is approved as before, or waits for its reviewers again, or is over: it did not fail. */
const NO_FAILURE: ReadonlySet<string> = new Set([
  'PLAN_CHANGED',
  'AWAITING_APPROVAL',
  'REQUEST_CLOSED',
  // Of a worker that trusts no key: another one executes it.
  'IDENTITY_UNVERIFIED',
  'INTERRUPTED',
]);

/** What an execution that failed after an approval means to the one who approved. */
export function executionFailed({ id }: { readonly id: RequestId }, error: unknown): unknown {
  if (!isFailure(error) || NO_FAILURE.has(error.code)) return error;
  const { code, message, hint, details } = error;
  return new BacktrailError('EXECUTION_FAILED', 'approval saved but rollback execution failed', {
    hint: `${code}: ${message} ${hint} Then: backtrail request retry ${id}`,
    details: { requestId: id, cause: { code, message, hint, details } },
    cause: error,
  });
}
