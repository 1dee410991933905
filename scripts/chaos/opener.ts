/**
 * The people of a run, in a process of their own that is killed now and then: they open the requests, vote, and enqueue. Argument: an order.
 * Each batch that is done is a line on standard output. Whatever fails is done again: the same id is the same request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, isFailure, openEngine, type GatedPlan } from '../../engine/index.ts';
import { enqueueRollback, openQueue } from '../../workers/index.ts';
import { type Order, orderSchema } from './order.ts';
import { type Asked, askedFor, BATCH } from './plan.ts';

const order: Order = orderSchema.parse(JSON.parse(process.argv[2] ?? ''));
/** What says that it is done already. */
const DONE: ReadonlySet<string> = new Set([
  'REQUEST_EXISTS',
  'REQUEST_CLOSED',
  'REQUEST_NOT_PENDING',
  'REQUEST_NOT_FAILED',
  'ALREADY_REVIEWED',
]);
const [jane, bob] = [order.author, order.approver];

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function open(env: Record<string, string>): Promise<Engine> {
  const { repo, cacheFolder, allowedSigners } = order;
  for (;;) {
    const engine = await again('start', () => openEngine({ repo, env, cacheFolder, allowedSigners }));
    if (engine !== null) return engine;
  }
}

/** Until it works; what is done already is done. */
async function again<Value>(what: string, work: () => Promise<Value>): Promise<Value | null> {
  for (let tries = 0; ; tries += 1)
    try {
      return await work();
    } catch (error) {
      if (isFailure(error) && DONE.has(error.code)) return null;
      say({ trouble: what, code: isFailure(error) ? error.code : 'UNFORESEEN', message: String(error) });
      await sleep(Math.min(200 * 2 ** tries, 3000));
    }
}

function wishFor(
  { scope, id }: Asked,
  { target, digest, base }: Pick<GatedPlan, 'target' | 'digest' | 'base'>,
) {
  return {
    scope,
    target,
    digest,
    base,
    id,
    author: jane,
    reason: `${scope} answers 500`,
    ledger: true,
  } as const;
}

async function openBatch(engine: Engine, batch: readonly Asked[]): Promise<void> {
  let left = batch.filter(({ wish }) => wish !== 'direct');
  while (left.length > 0)
    await again('open', async () => {
      const asks = left.map(({ scope, to, id }) => ({ scope, to, id }));
      const planned = settled(left, await engine.rollbacks.planMany(asks, jane));
      const open = planned.done.flatMap(([asked, { plan }]) => (plan === null ? [] : [{ asked, plan }]));
      const wishes = open.map(({ asked, plan }) => wishFor(asked, plan));
      const opened = settled(
        open.map(({ asked }) => asked),
        await engine.rollbacks.requestMany(wishes),
      );
      const failed = [...planned.failed, ...opened.failed];
      left = failed.map(([asked]) => asked);
      for (const [, reason] of failed) throw reason;
    });
  for (const asked of batch)
    if (asked.wish === 'direct')
      await again('open', async () => {
        const { scope, to } = asked;
        const plan = await engine.rollbacks.plan({ scope, to, author: jane });
        await engine.rollbacks.request(wishFor(asked, plan));
      });
}

/** What became of each; one that is done already is neither. */
function settled<Value>(asked: readonly Asked[], results: readonly PromiseSettledResult<Value>[]) {
  const done: (readonly [Asked, Value])[] = [];
  const failed: (readonly [Asked, unknown])[] = [];
  for (const [index, each] of asked.entries()) {
    const result = results[index];
    if (result?.status === 'fulfilled') done.push([each, result.value]);
    else if (!(isFailure(result?.reason) && DONE.has(result.reason.code)))
      failed.push([each, result?.reason]);
  }
  return { done, failed };
}

async function vote(people: { jane: Engine; bob: Engine }, { id, wish }: Asked): Promise<void> {
  await again(wish, async () => {
    if (wish === 'approve') await people.bob.requests.approve({ id, actor: bob });
    if (wish === 'reject') await people.bob.requests.reject({ id, actor: bob });
    if (wish === 'cancel') await people.jane.requests.cancel({ id, actor: jane });
  });
}

async function enqueue(batch: readonly Asked[]): Promise<void> {
  // Where Redis is away, a worker finds them in the ledger.
  const queue = await openQueue({ redisUrl: order.redisUrl }).catch(() => null);
  if (queue === null) return;
  try {
    for (const { id, wish, unannounced } of batch)
      if (!unannounced && wish !== 'reject' && wish !== 'cancel')
        await enqueueRollback(queue, { v: 2, requestId: id, repo: order.repo });
  } catch (error) {
    say({ trouble: 'enqueue', code: isFailure(error) ? error.code : 'UNFORESEEN', message: String(error) });
  } finally {
    await queue.close();
  }
}

const people = { jane: await open(order.authorEnv), bob: await open(order.approverEnv) };
if (order.retry.length > 0) {
  for (const id of order.retry) await again('retry', () => people.jane.requests.retry({ id, actor: jane }));
  say({ retried: order.retry.length });
} else
  for (let number = order.from; number < order.to; number += BATCH) {
    const size = Math.min(BATCH, order.to - number);
    const batch = Array.from({ length: size }, (_, index) => askedFor(order.seed, number + index));
    await openBatch(people.jane, batch);
    for (const each of batch) if (each.wish !== 'many' && each.wish !== 'direct') await vote(people, each);
    await enqueue(batch);
    say({ opened: number + size });
  }
await people.jane.close();
await people.bob.close();
process.exit(0);
