/** Plans and rollbacks, over HTTP. */
import {
  type Engine,
  type GatedPlan,
  isFailure,
  type PlanAsk,
  type Requested,
  type RollbackAsk,
  type RollbackResult,
} from '../../engine/index.ts';
import { commitOf, follow, type Waiting } from './following.ts';
import { elsewhere, type Http } from './http.ts';
import type { Locate } from './reading.ts';
import type { RequestCalls } from './requests.ts';

export interface ActingInput {
  readonly http: Http;
  readonly locate: Locate;
  readonly waiting: Waiting;
}

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

export function rollbacksOver({
  http,
  locate,
  waiting,
  calls: { show, list, replan },
}: ActingInput & { readonly calls: RequestCalls }): Engine['rollbacks'] {
  const askOf = async ({
    scope,
    fields,
    wholeFile,
    allowRemoval,
    override,
    hold,
    holdFor,
    resume,
    propose,
  }: Omit<PlanAsk, 'author'>) => ({
    ...(await locate(scope)),
    ...(fields && fields.length > 0 && { selectedFields: fields }),
    ...(wholeFile && { wholeFile }),
    ...(allowRemoval && { allowRemoval }),
    ...(override && override.length > 0 && { override }),
    ...(hold !== undefined && resume !== true && { hold }),
    ...(holdFor !== undefined && { holdFor }),
    ...(resume && { resume }),
    ...(propose && { propose }),
  });
  const plan = async (ask: PlanAsk) => {
    const target = ask.resume ? {} : { targetSha: ask.to ?? 'previous' };
    return (await http.send('POST', '/plans', { ...(await askOf(ask)), ...target })) as GatedPlan;
  };
  const request = async (ask: RollbackAsk): Promise<Requested> => {
    const { target, digest, reason, follows, id } = ask;
    const commit = typeof target === 'string' ? target : target.commit;
    const body = {
      ...(await askOf(ask)),
      ...(ask.resume ? {} : { targetSha: commit }),
      digest,
      justification: reason,
      ...(follows !== undefined && { follows }),
    };
    const key = id === undefined ? {} : { key: id };
    return (await http.send('POST', '/rollbacks', body, key)) as Requested;
  };
  return {
    plan,
    request,
    execute: (id, how) => follow({ show, ...waiting }, id, how?.signal),
    earlier: async ({ id }) => {
      const [found] = await list({ key: id, state: 'all' });
      return found === undefined ? null : { plan: (await replan(found.id)).plan, request: found };
    },
    planMany: async (asks) =>
      Promise.allSettled(
        asks.map(async ({ id, ...ask }) => {
          const known = await show(id).catch((error: unknown) => {
            if (isFailure(error) && error.code === 'REQUEST_UNKNOWN') return null;
            throw error;
          });
          if (known === null) return { done: null, request: null, plan: await plan(ask) };
          const done = known.status === 'completed' ? commitOf(known) : null;
          return { done, request: done === null ? known : null, plan: null };
        }),
      ),
    requestMany: () => Promise.reject(elsewhere('Asking for many at once')),
    executeMany: async (asks) => {
      const results = new Map<string, PromiseSettledResult<RollbackResult>>();
      const settled = await Promise.allSettled(asks.map(({ id }) => follow({ show, ...waiting }, id)));
      for (const [at, { id }] of asks.entries()) {
        const one = settled[at];
        if (one) results.set(id, one);
      }
      return results;
    },
  };
}
