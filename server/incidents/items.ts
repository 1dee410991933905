/** Requests of an incident that a call names: which they are, their execution, and the answer about each of them. */
import type { FastifyReply } from 'fastify';
import { BacktrailError, isFailure, type Person, type RequestId } from '../../engine/index.ts';
import { type ReviewItem, reviewValue } from '../../workers/incident/index.ts';
import { type RouteInput, WAIT_MS } from '../routes/route.ts';

export interface On {
  readonly incident: string;
  readonly actor: Person;
}

interface Named extends On {
  readonly ids: readonly RequestId[];
  /** Of one that is not among the open ones. */
  readonly unfit: 'REQUEST_NOT_PENDING' | 'REQUEST_NOT_FAILED';
}

/** Those that are named; one that is not open any more says so. @throws INVALID_REQUEST for one that is named twice, REQUEST_UNKNOWN for one that is not of this incident, PERMISSION_DENIED */
export async function namedOf(
  { engine }: RouteInput,
  { incident, actor: reader, ids, unfit }: Named,
  open: readonly ReviewItem[],
): Promise<readonly ReviewItem[]> {
  if (new Set(ids).size < ids.length)
    throw new BacktrailError('INVALID_REQUEST', 'A request is named twice.');
  const known = new Map(open.map((item) => [item.request.id, item]));
  if (ids.some((id) => !known.has(id)))
    for (const request of await engine.requests.list({ incident, reader })) {
      if (known.has(request.id)) continue;
      const error = new BacktrailError(unfit, `Request ${request.id} is ${request.status}.`);
      known.set(request.id, { request, voted: false, error });
    }
  const items: ReviewItem[] = [];
  for (const id of ids) {
    const item = known.get(id);
    if (item === undefined) throw await strange(engine, { id, reader });
    items.push(item);
  }
  return items;
}

/** Why one is not among what they may read of the incident: nobody else is told that it is. */
async function strange(
  engine: RouteInput['engine'],
  asked: { readonly id: RequestId; readonly reader: Person },
): Promise<BacktrailError> {
  await engine.requests.show(asked);
  return new BacktrailError('REQUEST_UNKNOWN', `Request ${asked.id} is not one of this incident.`);
}

/** Hands them to the workers together, and says of each what it failed with. */
export async function executeAll(
  { execution }: RouteInput,
  items: readonly ReviewItem[],
  signal: AbortSignal,
  failureOf: (request: ReviewItem['request'], reason: unknown) => unknown,
): Promise<void> {
  if (items.length === 0) return;
  const requests = items.map(({ request }) => request);
  const results = await execution.runMany(requests, { waitMs: WAIT_MS, signal });
  for (const item of items) {
    const result = results.get(item.request.id);
    if (result?.status === 'fulfilled') item.executing = result.value.status === 'executing';
    if (result?.status !== 'rejected') continue;
    const failed = failureOf(item.request, result.reason);
    if (!isFailure(failed)) throw failed;
    item.failed = failed;
  }
}

/** @throws the first refusal where nothing was written */
export function answerItems(reply: FastifyReply, incident: string, items: readonly ReviewItem[]) {
  const value = reviewValue(incident, items);
  const [first] = items.flatMap(({ error }) => (error ? [error] : []));
  if (first !== undefined && items.every(({ error }) => error))
    throw new BacktrailError(first.code, first.message, {
      hint: first.hint,
      details: { ...first.details, ...value },
      cause: first,
    });
  const isLeft = items.some(({ request: { status } }) => status === 'approved' || status === 'executing');
  return reply.code(isLeft ? 202 : 200).send(value);
}

/** Aborted when the connection is. */
export function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
