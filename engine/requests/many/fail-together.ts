/** What becomes of requests that could not be executed: one commit of the ledger and one push for all of them. */
import { isFailure, type RequestId, type RollbackResult } from '../../model/index.ts';
import type { RequestContext, Rules } from '../context.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { appendIfWaiting, type Ending, failureOf, refusalOf, type Writing } from '../outcome.ts';
import type { ExecuteRequestOptions } from '../types.ts';
import { REFUSALS } from './member.ts';

export interface Failed {
  readonly found: EligibilityInput;
  readonly reason: unknown;
  readonly options: Pick<ExecuteRequestOptions, 'willRetry'>;
}

interface Place {
  readonly context: RequestContext;
  readonly rules: Rules;
  /** Awaited before the push, where there is one. */
  readonly turn: () => Promise<void>;
}

/** Why each was not executed. A refusal that could not be written is tried again; of a failure its own error is told. */
export async function failTogether(
  { context, rules, turn }: Place,
  failed: readonly Failed[],
): Promise<Map<RequestId, PromiseSettledResult<RollbackResult>>> {
  const endings = new Map<RequestId, Ending>();
  // One after the other: where a plan has changed, it is made again.
  for (const each of failed)
    endings.set(
      each.found.file.state.id,
      await endingOf(each).catch((error: unknown) => ({ event: null, error })),
    );
  const written = failed.flatMap(({ found: { file } }): Writing[] => {
    const { id } = file.state;
    const event = endings.get(id)?.event ?? null;
    return event === null ? [] : [{ id, event, seen: file.events.length }];
  });
  if (written.length > 0) await turn();
  const unwritten = written.length === 0 ? null : await problemOf(appendIfWaiting(context, rules, written));
  const reasonOf = (id: RequestId, reason: unknown) => {
    const { event, error } = endings.get(id) ?? { event: null, error: reason };
    return unwritten !== null && event !== null && isRefusal(reason) ? unwritten.error : error;
  };
  return new Map(
    failed.map(({ found, reason }) => {
      const { id } = found.file.state;
      return [id, { status: 'rejected', reason: reasonOf(id, reason) }] as const;
    }),
  );
}

const isRefusal = (reason: unknown) => isFailure(reason) && REFUSALS.has(reason.code);

function endingOf({ found, reason, options }: Failed): Promise<Ending> {
  if (isFailure(reason) && REFUSALS.has(reason.code)) return refusalOf(found, reason);
  return failureOf(found, reason, options);
}

const problemOf = (work: Promise<void>): Promise<{ readonly error: unknown } | null> =>
  work.then(
    () => null,
    (error: unknown) => ({ error }),
  );
