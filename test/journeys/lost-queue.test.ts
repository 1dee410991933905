import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openIn, reconcileIn } from '../../cli/commands/worker.ts';
import { shareEngines } from '../../cli/shared-engines.ts';
import { executeInBatches } from '../../workers/index.ts';
import { enqueueRollback } from '../../workers/index.ts';
import { SERVICE } from '../helpers/repositories/engine.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { isProof } from '../helpers/run/proof.ts';
import { startTestRedis, useRedis } from '../helpers/servers/redis.ts';
import { temporaryFolder } from '../helpers/repositories/repo.ts';
import { approve, LEDGER, request, revertsOf, type Scene, scene } from '../helpers/people/scene.ts';

const SCOPES = ['acme/production/api-gateway', 'acme/production/billing', 'globex/production/api-gateway'];

/** Whoever asks more often only keeps those from it who work: each question is a dozen processes of git, or a fetch. */
const ASK = { interval: 250 };

/** What a worker of this scene does, with a cache folder of its own. */
async function working({ repo, signers }: Scene, location = repo.folder) {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const clock = { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((r) => setTimeout(r, ms)) };
  const open = openIn({ env: repo.env, cacheFolder, committer: SERVICE, clock, allowedSigners: signers });
  const repos = () => Promise.resolve([location]);
  return {
    execute: executeInBatches(open),
    reconciling: { ...reconcileIn(shareEngines(open), { cacheFolder }), repos, everyMs: 400 },
  };
}

async function statusOf({ worker }: Scene, id: string): Promise<string> {
  return (await worker.requests.show({ id })).status;
}

const eventsOf = async ({ worker, jane }: Scene, event: string) =>
  (await worker.requests.audit({ limit: 100, reader: jane.person })).filter((each) => each.event === event)
    .length;

describe('an approved request', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it.runIf(isProof)('outlives FLUSHALL between its approval and its execution', async () => {
    const place = await scene();
    const { id } = await request(place.jane);
    await approve(place.bob, { id });
    const queue = await openQueue();
    await enqueueRollback(queue, { v: 2, requestId: id, repo: place.repo.folder });
    await redis.client.flushall();
    expect(await queue.jobs.count()).toBe(0);
    const worker = startWorker(await working(place));
    await expect.poll(() => statusOf(place, id), ASK).toBe('completed');
    expect(await revertsOf(place, id)).toHaveLength(1);
    expect(worker.find('approved and without a job: enqueued')).toHaveLength(1);
    expect(await place.repo.git('log', '-1', '--skip=1', '--format=%B', 'main')).toContain(
      'Approval: Approved by bob@example.com (quorum: 1/1)',
    );
  });

  it.runIf(isProof)('outlives its Redis: a new one is given what waits', async () => {
    const place = await scene();
    const first = await startTestRedis();
    const port = Number(new URL(first.url).port);
    const { id } = await request(place.jane);
    const worker = startWorker({ ...(await working(place)), redisUrl: first.url });
    const looked = () => worker.find('worker started').length;
    await expect.poll(looked).toBe(1);
    await first.stop();
    await approve(place.bob, { id });
    await expect.poll(() => worker.find('QUEUE_UNAVAILABLE').length).toBe(1);
    expect(await revertsOf(place, id)).toEqual([]);
    const second = await startTestRedis({ port });
    try {
      await expect.poll(() => statusOf(place, id), ASK).toBe('completed');
      expect(await revertsOf(place, id)).toHaveLength(1);
      await worker.close();
    } finally {
      await second.stop();
    }
  });

  it.runIf(isProof)('is not executed while it is pending, however often a worker looks', async () => {
    const place = await scene();
    const { id } = await request(place.jane);
    const { reconciling } = await working(place);
    const queue = await openQueue();
    for (let look = 0; look < 3; look += 1)
      expect(await reconciling.reconcile(place.repo.folder)).toEqual({ repairs: [], waiting: [] });
    // Whoever can write to the queue gets no further than that.
    startWorker(await working(place));
    await enqueueRollback(queue, { v: 2, requestId: id, repo: place.repo.folder });
    await expect.poll(() => queue.jobs.getFailedCount()).toBe(1);
    expect((await queue.jobs.getJob(id))?.failedReason).toContain('AWAITING_APPROVAL');
    expect(await revertsOf(place, id)).toEqual([]);
    await reconciling.close();
  });
});

describe('two workers that look after one ledger', () => {
  const redis = useRedis();
  const { startWorker } = useQueues(redis);

  it.runIf(isProof)('execute each request once, and record it once', async () => {
    const place = await scene({ mirrors: true });
    const requests = [];
    for (const scope of SCOPES) requests.push(await request(place.jane, { scope }));
    for (const { id } of requests) await approve(place.bob, { id });
    const url = `file://${place.repo.folder}`;
    for (let each = 0; each < 2; each += 1) startWorker(await working(place, url));
    for (const { id } of requests) await expect.poll(() => statusOf(place, id), ASK).toBe('completed');
    for (const { id } of requests) expect(await revertsOf(place, id)).toHaveLength(1);
    expect(await eventsOf(place, 'completed')).toBe(SCOPES.length);
  });

  it('repair what was published and not recorded, once', async () => {
    const place = await scene({ mirrors: true });
    const { id } = await request(place.jane);
    await approve(place.bob, { id });
    // Published by a person whose record of it was lost: the ledger goes back to where it was.
    const before = await place.repo.git('rev-parse', LEDGER);
    const other = await place.open();
    await other.requests.executeRequest(id);
    await place.repo.git('update-ref', LEDGER, before);
    const url = `file://${place.repo.folder}`;
    const both = await Promise.all([working(place, url), working(place, url)]);
    const looks = await Promise.all(both.map(({ reconciling }) => reconciling.reconcile(url)));
    expect(looks.flatMap(({ waiting }) => waiting)).toEqual([]);
    expect(await eventsOf(place, 'completed')).toBe(1);
    expect(looks.flatMap(({ repairs }) => repairs)).toEqual([
      expect.objectContaining({ requestId: id, action: 'completed' }),
    ]);
    expect(await Promise.all(both.map(({ reconciling }) => reconciling.reconcile(url)))).toEqual([
      { repairs: [], waiting: [] },
      { repairs: [], waiting: [] },
    ]);
    for (const { reconciling } of both) await reconciling.close();
  });
});
