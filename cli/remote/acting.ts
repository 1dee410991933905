/** What people do with rollbacks, requests, records and sessions, over HTTP. */
import {
  BacktrailError,
  type Engine,
  type Finding,
  type GatedPlan,
  isFailure,
  type PlanAsk,
  type Requested,
  type RequestPlan,
  type RequestView,
  resultOf,
  type RollbackAsk,
  type RollbackResult,
} from '../../engine/index.ts';
import { failureAs, type Http, type Query, segment } from './http.ts';
import type { Locate } from './reading.ts';

export type Acting = Pick<
  Engine,
  | 'deployments'
  | 'destination'
  | 'findRequest'
  | 'findRequests'
  | 'holds'
  | 'recorded'
  | 'recurring'
  | 'requests'
  | 'rollbacks'
>;

export interface ActingInput {
  readonly http: Http;
  readonly locate: Locate;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Milliseconds after which what nobody executes is left to a worker that is started later. */
export const LEFT_MS = 30_000;
const LEFT: Finding = {
  code: 'QUEUE_UNAVAILABLE',
  severity: 'warn',
  message: 'It is approved, and no worker has begun with it: one that is started later finds it.',
  hint: 'Ask whoever runs the server whether a worker and Redis run.',
};
/** Milliseconds between two looks at what a server executes. */
const FIRST_LOOK = 200;
const LAST_LOOK = 2000;

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

export function actingOver({ http, locate, sleep }: ActingInput): Acting {
  const show = async (id: string) => (await http.get(`/rollbacks/${segment(id)}`)) as RequestView;
  const act = async (id: string, what: string, body: object) => {
    await http.send('POST', `/rollbacks/${segment(id)}/${what}`, body);
    return show(id);
  };
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
  /** Until it is over: the server executes it, also where nobody waits any more. */
  const follow = async (id: string, signal?: AbortSignal): Promise<RollbackResult> => {
    const aborted = new Promise<void>((resolve) =>
      signal?.addEventListener('abort', () => resolve(), { once: true }),
    );
    let waited = 0;
    for (let wait = FIRST_LOOK; ; wait = Math.min(2 * wait, LAST_LOOK)) {
      const found = await show(id);
      const result = outcomeOf(found);
      if (result !== null) return result;
      waited = found.status === 'approved' ? waited + wait : 0;
      if (waited > LEFT_MS) return resultOf(found, 'approved', { findings: [LEFT] });
      signal?.throwIfAborted();
      await Promise.race([sleep(wait), aborted]);
      signal?.throwIfAborted();
    }
  };
  const list = async (query: Query, most = Number.POSITIVE_INFINITY) => {
    const found: RequestView[] = [];
    for (let cursor = query['cursor']; ; ) {
      const limit = Math.min(most - found.length, 1000);
      const page = (await http.get('/rollbacks', { ...query, limit, cursor })) as {
        readonly requests: readonly RequestView[];
        readonly next: string | null;
      };
      found.push(...page.requests);
      if (page.next === null || found.length >= most) return found;
      cursor = page.next;
    }
  };
  const replan = async (id: string) => {
    const {
      requestId: _,
      status: __,
      changed,
      may,
      ...planned
    } = (await http.get(`/rollbacks/${segment(id)}/plan`)) as RequestPlan['plan'] &
      Pick<RequestPlan, 'changed' | 'may'> & { readonly requestId: string; readonly status: string };
    // What it says of the reviewers is said again by whoever prints it.
    const findings = planned.findings.filter(({ code }) => code !== 'PLAN_AGREED' && code !== 'PLAN_CHANGED');
    return { plan: { ...planned, findings }, changed, may, request: await show(id) };
  };
  return {
    destination: async () =>
      (
        (await http.get('/repository')) as {
          readonly destination: Awaited<ReturnType<Engine['destination']>>;
        }
      ).destination,
    findRequest: async (id) => commitOf(await show(id)),
    findRequests: async (ids) => {
      const found = new Map<string, string>();
      for (const id of ids) {
        const commit = commitOf(await show(id));
        if (commit !== null) found.set(id, commit);
      }
      return found;
    },
    holds: async ({ scope }) => {
      const found = (await http.get('/holds', { scope, limit: 1000 })) as Partial<
        Awaited<ReturnType<Engine['holds']>>
      >;
      return { holds: [], findings: [], ...found };
    },
    recorded: async ({ scope, limit, after }) => {
      const found = (await http.get('/log', { scope, limit, cursor: after })) as Partial<
        Awaited<ReturnType<Engine['recorded']>>
      >;
      return { rollbacks: [], resumes: [], unlisted: [], next: null, ...found };
    },
    recurring: async ({ scope, limit }) => {
      const found = (await http.get('/log', { scope, limit, recurring: 'true' })) as {
        readonly recurring: Awaited<ReturnType<Engine['recurring']>>;
      };
      return found.recurring;
    },
    rollbacks: {
      plan,
      request,
      execute: (id, how) => follow(id, how?.signal),
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
        const settled = await Promise.allSettled(asks.map(({ id }) => follow(id)));
        for (const [at, { id }] of asks.entries()) {
          const one = settled[at];
          if (one) results.set(id, one);
        }
        return results;
      },
    },
    requests: {
      list: ({ scope, statuses, incident, limit, after }) =>
        list({ scope, state: statuses?.join(','), incident, cursor: after }, limit),
      ids: async () => (await list({ state: 'all' })).map(({ id }) => id),
      show: ({ id }) => show(id),
      plan: ({ id }) => replan(id),
      planIncident: async ({ incident }) => {
        const open = await list({ incident, state: 'open' });
        const planned = await Promise.allSettled(open.map(({ id }) => replan(id)));
        return open.flatMap((found, at) => {
          const one = planned[at];
          return one === undefined ? [] : [{ request: found, planned: one }];
        });
      },
      approve: ({ id, comment, digest }) => act(id, 'approve', { comment, digest }),
      reject: ({ id, comment }) => act(id, 'reject', { comment }),
      reviewMany: async ({ votes, decision, comment }) => {
        const what = decision === 'approved' ? 'approve' : 'reject';
        const results: PromiseSettledResult<RequestView>[] = [];
        for (const { id, digest } of votes) {
          const body = what === 'approve' ? { comment, digest } : { comment };
          results.push(...(await Promise.allSettled([act(id, what, body)])));
        }
        return results;
      },
      cancel: ({ id, reason }) => act(id, 'cancel', { reason }),
      note: ({ id, text, kind }) => act(id, 'notes', { text, kind }),
      retry: ({ id }) => act(id, 'retry', {}),
      reconcile: () => Promise.reject(elsewhere('`reconcile`')),
      openSession: async ({ scope, reason, ticket, minutes }) =>
        (await http.send('POST', '/break-glass', {
          scope,
          justification: reason,
          ticket,
          minutes,
        })) as Session,
      closeSession: async ({ id }) => (await http.send('DELETE', `/break-glass/${segment(id)}`)) as Session,
      sessions: async () =>
        (await http.get('/break-glass', { limit: 1000 })) as Awaited<
          ReturnType<Engine['requests']['sessions']>
        >,
      inspect: async ({ id, comment }) =>
        (await http.send('POST', `/break-glass/${segment(id)}/review`, { comment })) as RequestView,
      session: async ({ id }) => (await http.get(`/break-glass/${segment(id)}`)) as Session,
      ofEvent: () => Promise.reject(elsewhere('Which request an event is of')),
      personId: () => Promise.reject(elsewhere('Who has several addresses')),
      audit: () => Promise.reject(elsewhere('`audit`')),
      events: () => Promise.reject(elsewhere('What the ledger gained')),
      overview: () => Promise.reject(elsewhere('How the ledger stands')),
    },
    deployments: {
      record: async ({ scope, status, commit, images, note, migration, id, source = 'pipeline' }) =>
        (await http.send('POST', '/deployments', {
          scope,
          source,
          status,
          commit,
          images,
          note,
          migration,
          id,
        })) as Deployment,
      list: async ({ scope, statuses, limit, after }) => {
        const found: Deployment[] = [];
        const findings = [];
        for (let cursor = after; ; ) {
          const query = {
            scope,
            status: statuses,
            limit: Math.min((limit ?? 1000) - found.length, 1000),
            cursor,
          };
          const page = (await http.get('/deployments', query)) as Partial<Page> & {
            readonly next: string | null;
          };
          found.push(...(page.deployments ?? []));
          findings.push(...(page.findings ?? []));
          if (page.next === null || found.length >= (limit ?? Number.POSITIVE_INFINITY))
            return { deployments: found, findings };
          cursor = page.next;
        }
      },
      show: async ({ id }) => (await http.get(`/deployments/${segment(id)}`)) as Deployment,
      restorable: () => Promise.reject(elsewhere('What can be restored')),
      exists: async ({ image }) => {
        const found = (await http.get('/deployments/exists', { image })) as Awaited<
          ReturnType<Engine['deployments']['exists']>
        >;
        return { ...found, findings: found.findings ?? [] };
      },
    },
  };
}

type Session = Awaited<ReturnType<Engine['requests']['openSession']>>;
type Deployment = Awaited<ReturnType<Engine['deployments']['show']>>;
type Page = Awaited<ReturnType<Engine['deployments']['list']>>;

/** What cannot be asked of a server. */
export const elsewhere = (what: string): BacktrailError =>
  new BacktrailError('INVALID_REQUEST', `${what} cannot be asked of a server.`, {
    hint: 'Run it without --server, where the repository is.',
  });

const commitOf = ({ result }: RequestView): string | null =>
  result !== null && 'commit' in result ? result.commit : null;

/** null while it is under way. @throws what it failed with, AWAITING_APPROVAL, REQUEST_CLOSED */
function outcomeOf(request: RequestView): RollbackResult | null {
  const { id, status, result, proposed, pullRequest } = request;
  if (result !== null && result.status !== 'failed') return resultOf(request, result.status, result);
  if (result?.status === 'failed' && status === 'failed') throw failureAs(result);
  if (status === 'pending')
    throw new BacktrailError('AWAITING_APPROVAL', `Request ${id} waits for approval.`);
  if (status !== 'approved' && status !== 'executing')
    throw new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${status}.`);
  if (proposed === null) return null;
  const { via, branch, commit, deliveryCommit } = proposed;
  return resultOf(request, 'proposed', {
    commit,
    deliveryCommit,
    proposed: { via, branch, into: request.place?.branch ?? '' },
    ...(pullRequest && { pullRequest }),
  });
}
