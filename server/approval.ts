/** A vote for a request, and its execution where that was the last one that it needed. */
import { awaitedBy, type Person, recordable, type RequestId, type RequestView } from '../engine/index.ts';
import { executionFailed } from '../workers/index.ts';
import { type RouteInput, WAIT_MS } from './routes/route.ts';

export interface Vote {
  readonly id: RequestId;
  readonly actor: Person;
  readonly comment?: string | null | undefined;
  /** Of the plan that was looked at. */
  readonly digest?: string | null | undefined;
  /** Of its manifests, where approvals bind to them. */
  readonly rendered?: string | null | undefined;
}

/** 200: it is over, or awaits others; 202: it is executed later than an answer waits. */
export interface Answered {
  readonly code: 200 | 202;
  readonly request: RequestView;
}

/**
 * `gone`: aborted when nobody waits for the answer any more.
 *
 * @throws EXECUTION_FAILED where the vote is kept and the execution failed, and what approving fails with
 */
export async function approve(
  input: RouteInput,
  { id, actor, comment, digest, rendered }: Vote,
  gone: AbortSignal,
): Promise<Answered> {
  const { engine } = input;
  const voted = await engine.requests.approve({
    id,
    actor,
    ...(comment && { comment: recordable(comment) }),
    ...(digest && { digest }),
    ...(rendered && { rendered }),
  });
  const isWaiting = voted.status === 'pending';
  if (isWaiting || (await awaitedBy(engine, actor, voted)) > 0)
    return { code: isWaiting ? 200 : 202, request: voted };
  return awaitExecution(input, voted, gone).catch((error: unknown) => {
    throw executionFailed(voted, error);
  });
}

/** Hands it over and waits for its execution, not for long. @throws what the rollback failed with */
export async function awaitExecution(
  { engine, execution }: RouteInput,
  request: RequestView,
  gone: AbortSignal,
): Promise<Answered> {
  const result = await execution.run(request, { waitMs: WAIT_MS, signal: gone });
  const after = await engine.requests.show({ id: request.id });
  const isUnderWay = result.status === 'executing' && after.status === 'approved';
  const told = {
    ...after,
    ...(isUnderWay && { status: 'executing' as const }),
    findings: result.findings,
    destination: await engine.destination(),
  };
  return { code: after.status === 'completed' ? 200 : 202, request: told };
}
