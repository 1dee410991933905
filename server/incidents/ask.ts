/** Many rollbacks at once, from what a file of the command line holds. The same again goes on with what is left. */
import { BacktrailError, type Engine, FAILURES, type Person } from '../../engine/index.ts';
import {
  type Incident,
  incidentValue,
  isOpen,
  isUnderWay,
  type Item,
  prepareIncident,
  runIncident,
  statusOf,
  withHolds,
} from '../../workers/incident/index.ts';
import { answers, callerOf, type RouteInput, type Routes, WAIT_MS } from '../routes/route.ts';
import { idsOf, type Key, keyReused } from '../idempotency.ts';
import { incident, incidentAsk, incidentQuery } from './schemas.ts';

export const incidentRoutes: Routes = (app, input) => {
  app.post(
    '/incidents',
    {
      schema: {
        summary: 'Restore several scopes to earlier revisions',
        description:
          '200: nothing of it is left to be done. 201: some of it waits for approval. 202: some of it is under way, or waits for its turn: the same body again goes on with it. Where a plan fails and nothing was started, the problem has `details.rollbacks`.',
        tags: ['rollbacks'],
        querystring: incidentQuery,
        body: incidentAsk,
        response: answers({ 200: incident, 201: incident, 202: incident }),
      },
    },
    async (request, reply) => {
      const { person } = callerOf(request);
      const { dryRun = false } = request.query;
      const asked = withHolds(request.body);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const { items, value } = await input.keys.once(request, reply, (key) =>
        recover(input, asked, { author: person, dryRun, key, signal: gone.signal }),
      );
      return reply.code(dryRun ? 200 : codeOf(items)).send(value);
    },
  );
};

interface How {
  readonly author: Person;
  readonly dryRun: boolean;
  readonly key: Key | null;
  readonly signal: AbortSignal;
}

/** @throws KEY_REUSED, and the failure of a plan where nothing was started */
async function recover({ engine, execution }: RouteInput, asked: Incident, how: How) {
  const { author, dryRun, key, signal } = how;
  const planning = { reader: author, isRead: true, print: () => undefined };
  const { items, findings, stoppedBy } = await prepareIncident(engine, asked, planning);
  if (key !== null) await requireSame(engine, asked, { items, author, key });
  const todo = stoppedBy === null && !dryRun ? items.filter(isOpen) : [];
  if (key !== null) await bind(engine, asked, { todo, author, key });
  const until = performance.now() + WAIT_MS;
  if (todo.length > 0)
    await runIncident(todo, {
      engine,
      incident: asked,
      author,
      follow: (requests) => {
        const waitMs = Math.max(1, Math.round(until - performance.now()));
        return execution.runMany(requests, { waitMs, signal });
      },
    });
  const value = incidentValue(asked.id, items, { findings, plans: dryRun });
  const failed = firstFailure(items);
  const isNothing = todo.length === 0 && items.every(({ request, done }) => !request && done === undefined);
  if (failed !== null && isNothing && !dryRun)
    throw new BacktrailError(failed.code, failed.message, {
      hint: failed.hint,
      details: { ...failed.details, ...value },
      cause: failed,
    });
  return { items, value };
}

/** What is blocked first, as in the exit code of the command line. */
function firstFailure(items: readonly Item[]): BacktrailError | null {
  const failures = items.flatMap(({ error }) => (error ? [error] : []));
  const blocked = failures.find(({ code }) => FAILURES[code].exit === FAILURES.PLAN_BLOCKED.exit);
  return blocked ?? failures[0] ?? null;
}

function codeOf(items: readonly Item[]): 200 | 201 | 202 {
  const hasFailed = items.some(({ error }) => error);
  const isLeft = (item: Item) =>
    isUnderWay(item) ||
    item.result?.status === 'proposed' ||
    (!hasFailed && statusOf(item) === 'not started');
  if (items.some(isLeft)) return 202;
  return items.some((item) => statusOf(item) === 'pending') ? 201 : 200;
}

/** The first request that is opened has an event by which the key is found again. @throws KEY_REUSED where it is of another incident */
async function bind(
  engine: Engine,
  { id }: Incident,
  { todo, author, key }: Pick<How, 'author'> & { readonly todo: readonly Item[]; readonly key: Key },
): Promise<void> {
  const { event } = idsOf(key);
  const known = await engine.requests.ofEvent(event);
  if (known === null) {
    const first = todo.find(({ request }) => request === undefined);
    if (first !== undefined) first.event = event;
  } else {
    const { incident: other } = await engine.requests.show({ id: known, reader: author });
    if (other !== id) throw keyReused();
  }
}

/**
 * The incident's own id says which it is; what its requests hold has to be what the body asks for. What an earlier call did not come to ask for is
 * not on record.
 *
 * @throws KEY_REUSED
 */
async function requireSame(
  engine: Engine,
  { id, reason }: Incident,
  { items, author, key }: Pick<How, 'author'> & { readonly items: readonly Item[]; readonly key: Key },
): Promise<void> {
  const known = await engine.requests.list({ incident: id, reader: author, author: author.email });
  if (known.length === 0) return;
  const own = new Map(items.map((item) => [item.id, item]));
  const isSame = known.every((request) => {
    const item = own.get(request.id);
    return item?.error?.code !== 'REQUEST_EXISTS' && item !== undefined && request.justification === reason;
  });
  if (!isSame) throw keyReused();
  key.replayed();
}
