/** Requests and break-glass sessions, over HTTP. */
import { type Engine, isFailure, type RequestPlan, type RequestView } from '../../engine/index.ts';
import { elsewhere, failureAs, type Http, type Query, segment } from './http.ts';

// The server answers in the forms of its document, which its own tests hold it to.
/* oxlint-disable typescript/no-unsafe-type-assertion */

/** What rollbacks need of requests as well. */
export interface RequestCalls {
  readonly show: (id: string) => Promise<RequestView>;
  readonly list: (query: Query, most?: number) => Promise<RequestView[]>;
  readonly replan: (id: string) => Promise<RequestPlan>;
}

export function requestCalls(http: Http): RequestCalls {
  const show: RequestCalls['show'] = async (id) =>
    (await http.get(`/rollbacks/${segment(id)}`)) as RequestView;
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
      rendered,
      may,
      ...planned
    } = (await http.get(`/rollbacks/${segment(id)}/plan`)) as RequestPlan['plan'] &
      Pick<RequestPlan, 'changed' | 'rendered' | 'may'> & {
        readonly requestId: string;
        readonly status: string;
      };
    // What it says of the reviewers is said again by whoever prints it.
    const findings = planned.findings.filter(({ code }) => code !== 'PLAN_AGREED' && code !== 'PLAN_CHANGED');
    return { plan: { ...planned, findings }, changed, rendered, may, request: await show(id) };
  };
  return { show, list, replan };
}

export function requestsOver(http: Http, { show, list, replan }: RequestCalls): Engine['requests'] {
  const act = async (id: string, what: string, body: object) => {
    await http.send('POST', `/rollbacks/${segment(id)}/${what}`, body);
    return show(id);
  };
  return {
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
    approve: ({ id, comment, digest, rendered }) => act(id, 'approve', { comment, digest, rendered }),
    reject: ({ id, comment }) => act(id, 'reject', { comment }),
    reviewMany: (input) => reviewOver(http, { show, list, act }, input),
    cancel: ({ id, reason }) => act(id, 'cancel', { reason }),
    note: ({ id, text, kind }) => act(id, 'notes', { text, kind }),
    retry: ({ id }) => act(id, 'retry', {}),
    retryMany: ({ ids }) => retryOver(http, { show, list, act }, ids),
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
  };
}

type Votes = Parameters<Engine['requests']['reviewMany']>[0];
interface Acting extends Pick<RequestCalls, 'show' | 'list'> {
  readonly act: (id: string, what: string, body: object) => Promise<RequestView>;
}

/** Those of one incident are one call, and one commit there; others are a call each. */
async function reviewOver(http: Http, { show, list, act }: Acting, { votes, decision, comment }: Votes) {
  const what = decision === 'approved' ? 'approve' : 'reject';
  const [first] = votes;
  const incident = first && (await show(first.id)).incident;
  if (incident === undefined || votes.some(({ digest }) => digest === undefined)) {
    const results: PromiseSettledResult<RequestView>[] = [];
    for (const { id, digest } of votes) {
      const body = what === 'approve' ? { comment, digest } : { comment };
      results.push(...(await Promise.allSettled([act(id, what, body)])));
    }
    return results;
  }
  const path = `/incidents/${segment(incident)}/${what}`;
  const rows = await rowsOf(http.send('POST', path, { votes, ...(comment !== undefined && { comment }) }));
  const now = new Map((await list({ incident, state: 'all' })).map((request) => [request.id, request]));
  return votes.map(({ id }): PromiseSettledResult<RequestView> => {
    const { voted = false, error } = rows.find(({ requestId }) => requestId === id) ?? {};
    const request = now.get(id);
    if (voted && request) return { status: 'fulfilled', value: request };
    const why = error ?? { code: 'REQUEST_NOT_PENDING', message: `Request ${id} got no vote.` };
    return { status: 'rejected', reason: failureAs(why) };
  });
}

/** The same of those that failed. What fails again is rejected, too, as for a single one. */
async function retryOver(http: Http, { show, list, act }: Acting, ids: readonly string[]) {
  const [first] = ids;
  const incident = first === undefined ? undefined : (await show(first)).incident;
  const read = async () =>
    new Map((await list({ incident, state: 'all' })).map((request) => [request.id, request]));
  const known = incident === undefined ? null : await read();
  if (incident === undefined || ids.some((id) => known?.has(id) !== true)) {
    const results: PromiseSettledResult<RequestView>[] = [];
    for (const id of ids) results.push(...(await Promise.allSettled([act(id, 'retry', {})])));
    return results;
  }
  const rows = await rowsOf(http.send('POST', `/incidents/${segment(incident)}/retry`, { ids }));
  const errors = new Map(rows.map(({ requestId, error }) => [requestId, error]));
  const now = await read();
  return ids.map((id): PromiseSettledResult<RequestView> => {
    const [request, error] = [now.get(id), errors.get(id)];
    if (request && errors.has(id) && !error) return { status: 'fulfilled', value: request };
    const why = error ?? { code: 'REQUEST_NOT_FAILED', message: `Request ${id} was not retried.` };
    return { status: 'rejected', reason: failureAs(why) };
  });
}

interface ReviewedRow {
  readonly requestId: string;
  readonly voted: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

/** Also where not one vote was written. */
async function rowsOf(sent: Promise<unknown>): Promise<readonly ReviewedRow[]> {
  const value = await sent.catch((error: unknown) => {
    if (isFailure(error) && Array.isArray(error.details['rollbacks'])) return error.details;
    throw error;
  });
  return (value as { readonly rollbacks: readonly ReviewedRow[] }).rollbacks;
}

type Session = Awaited<ReturnType<Engine['requests']['openSession']>>;
