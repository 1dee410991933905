/** A planned rollback becomes a request in the ledger, and is executed where no one has to agree. */
import { createHash } from 'node:crypto';
import {
  BacktrailError,
  deriveRequestId,
  FAILURES,
  makeRequestId,
  type RequestId,
  type RequestView,
  resultOf,
  type RollbackAsk,
  type RollbackPlan,
  type RollbackResult,
} from '../engine/index.ts';
import type { Context } from './commands/command.ts';
import type { Output } from './terminal/output.ts';
import { resultText } from './print/plan.ts';
import type { Session } from './session.ts';

/** The id is chosen before execution, so that the result can be found afterwards. */
export type IdentifiedAsk = RollbackAsk & { readonly id: RequestId };

export function newId({ environment: { clock, random } }: Session): RequestId {
  return makeRequestId(clock.now(), random(10));
}

/** The same key always gives the same id. INVALID_REQUEST where it is empty, as an unset variable of a script leaves it. */
export function idOfKey(key: string): RequestId {
  if (key.trim() === '')
    throw new BacktrailError('INVALID_REQUEST', '--request-id is empty.', {
      hint: 'Give what stays the same when a job is tried again, for example the number of its run.',
    });
  return deriveRequestId(createHash('sha256').update(`request-id ${key}`).digest());
}

/** Asks `executeRequest` where the request is approved at once. */
export async function continueRequest(
  { style }: Pick<Context, 'style'>,
  { request, plan }: { readonly request: RequestView; readonly plan: RollbackPlan },
  executeRequest: () => Promise<RollbackResult>,
): Promise<Output> {
  const pending = request.status === 'pending';
  const result = pending
    ? { ...resultOf(request, 'pending'), findings: plan.findings }
    : await executeRequest();
  const { approval, breakGlass, supersedes } = request;
  const { destination, resumes } = plan;
  const more = {
    ...(destination && { destination }),
    ...(resumes && { resumes }),
    ...(pending && { approval }),
    ...(breakGlass !== null && { breakGlass }),
    ...(supersedes !== null && { supersedes }),
  };
  return {
    value: { ...result, ...more },
    text: () => resultText(style, result, plan.findings, more),
    ...((pending || result.status === 'proposed') && { exitCode: 5 }),
    // As where there is no queue to hand it to: it is not done.
    ...(isLeft(result) && { exitCode: FAILURES.QUEUE_UNAVAILABLE.exit }),
  };
}

/** Nobody has begun with it, and it is in nobody's queue. */
export const isLeft = ({ status }: RollbackResult): boolean => status === 'approved';

/** What came of a rollback that has no record but its commit. */
export function resultOutput(
  { style }: Context,
  { destination, findings, resumes }: RollbackPlan,
  result: RollbackResult,
): Output {
  const more = { ...(destination && { destination }), ...(resumes && { resumes }) };
  return { value: { ...result, ...more }, text: () => resultText(style, result, findings, more) };
}
