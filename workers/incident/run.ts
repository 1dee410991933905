/** Asks for the rollbacks of an incident in the ledger, hands those that are approved to the workers, and follows them. */
import {
  BacktrailError,
  type Engine,
  isFailure,
  type Person,
  type Requested,
  type RequestView,
  toRequest,
} from '../../engine/index.ts';
import type { Followed } from '../follow.ts';
import type { Incident } from './ask.ts';
import type { Item } from './plan.ts';

interface Setup {
  readonly engine: Engine;
  readonly incident: Incident;
  readonly author: Person;
  /** Hands them to the workers, and waits for what comes of them: `executing` or `approved` where that takes longer than is waited. */
  readonly follow: (requests: readonly RequestView[]) => Promise<Followed>;
}

/**
 * `stop`: one after the other, as far as is waited for. `continue`: all at once, limited by the workers. A failure is stored in its item. Run again,
 * it goes on with what is left.
 */
export async function runIncident(items: readonly Item[], setup: Setup): Promise<void> {
  if (setup.incident.onFailure === 'continue' || setup.incident.atomic) {
    await requestAll(items, setup);
    if (setup.incident.atomic && (await awaitsOthers(items, setup))) return;
    await followAll(items, setup);
    return;
  }
  for (const item of items) {
    await attempt(item, () => request(item, setup));
    await followAll([item], setup);
    if (item.error || isUnderWay(item)) return;
  }
}

/** It was handed over, and has not ended yet. */
export const isUnderWay = ({ result }: Item): boolean =>
  result?.status === 'executing' || result?.status === 'approved';

async function attempt(item: Item, work: () => Promise<void>): Promise<void> {
  if (item.error) return;
  try {
    await work();
  } catch (error) {
    // An unexpected error of one item must not lose the results of the others.
    item.error = isFailure(error) ? error : unforeseen(error);
  }
}

/** All in one commit of the ledger and one push. */
async function requestAll(items: readonly Item[], setup: Setup): Promise<void> {
  const isNew = ({ error, request, plan }: Item) => !error && !request && plan !== undefined;
  const fresh = items.filter(isNew);
  const results = await setup.engine.rollbacks.requestMany(
    fresh.flatMap((item) => wishOf(item, setup) ?? []),
    { atomic: setup.incident.atomic },
  );
  for (const [index, item] of fresh.entries())
    await attempt(item, async () => {
      const result = results[index];
      if (result?.status === 'rejected') throw result.reason;
      if (result) recordRequested(item, result.value);
    });
  await retryAll(items, setup);
}

/** What an earlier run left as failed, the same way. */
async function retryAll(items: readonly Item[], { engine, author: actor }: Setup): Promise<void> {
  const failed = items.filter(({ error, request }) => !error && request?.status === 'failed');
  if (failed.length === 0) return;
  try {
    const results = await engine.requests.retryMany({ ids: failed.map(({ id }) => id), actor });
    for (const [index, item] of failed.entries())
      await attempt(item, async () => {
        const result = results[index];
        if (result?.status !== 'fulfilled') throw result?.reason;
        item.request = result.value;
      });
  } catch (error) {
    for (const item of failed) await attempt(item, () => Promise.reject(error));
  }
}

function wishOf({ id, plan, wish, event }: Item, { incident: { id: incident, reason }, author }: Setup) {
  const { allowRemoval, override } = wish;
  const asked = { id, author, reason, allowRemoval, override, ledger: true, incident };
  return plan && { ...toRequest(plan, asked), ...(event !== undefined && { event }) };
}

function recordRequested(item: Item, { request: opened, ...result }: Requested): void {
  if (opened === null) item.result = result;
  else item.request = opened;
}

/** Idempotent by id: returns the existing request; a failed one is retried. */
async function request(item: Item, setup: Setup): Promise<void> {
  const { id, request } = item;
  const { engine, author } = setup;
  if (request?.status === 'failed') item.request = await engine.requests.retry({ id, actor: author });
  const wish = item.request ? undefined : wishOf(item, setup);
  if (wish) recordRequested(item, await engine.rollbacks.request(wish));
}

/** Nothing of it is published before all are approved; also where this person sees only some of them. */
async function awaitsOthers(
  items: readonly Item[],
  { engine, author, incident: { id } }: Setup,
): Promise<boolean> {
  if (items.some(({ error, request }) => error !== undefined || request?.status === 'pending')) return true;
  const pending = await engine.requests.list({ incident: id, reader: author, statuses: ['pending'] });
  const groups = new Set(items.map(({ request }) => request?.atomic?.first));
  return pending.some(({ atomic }) => atomic !== undefined && groups.has(atomic.first));
}

const isApproved = ({ status }: RequestView) => status === 'approved' || status === 'executing';

/** Hands all that are approved to the workers, and looks at the branch once for what came of them. */
async function followAll(items: readonly Item[], { follow }: Setup): Promise<void> {
  const open: { readonly item: Item; readonly request: RequestView }[] = [];
  for (const item of items) {
    const { error, request } = item;
    if (!error && request && isApproved(request)) open.push({ item, request });
  }
  if (open.length === 0) return;
  try {
    const requests = open.map(({ request }) => request);
    const results = await follow(requests);
    for (const { item } of open)
      await attempt(item, async () => {
        const settled = results.get(item.id);
        if (settled?.status !== 'fulfilled') throw settled?.reason;
        item.result = settled.value;
      });
  } catch (error) {
    for (const { item } of open) await attempt(item, () => Promise.reject(error));
  }
}

function unforeseen(cause: unknown): BacktrailError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new BacktrailError('INTERNAL', message.replace(/\.?$/, '.'), { cause });
}
