import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BacktrailError } from '../../engine/model/index.ts';
import { enqueueRollback, followRollback } from '../../workers/index.ts';
import type { ExecuteRollback, Reconciling } from '../../workers/index.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { startTestRedis, useRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';
import { isProof } from '../helpers/run/proof.ts';

const REPO = '/srv/git/desired-state';
type Repair = Awaited<ReturnType<Reconciling['reconcile']>>['repairs'][number];

/** A ledger in memory: what waits leaves it when it is executed. */
function ledger(...ids: string[]) {
  const waiting = new Set(ids);
  const repairs: Repair[] = [];
  const state = { looks: 0, atOnce: 0, most: 0, closed: 0, fails: null as Error | null };
  const execute: ExecuteRollback = ({ requestId }) => {
    waiting.delete(requestId);
    return Promise.resolve(resultOf(requestId));
  };
  const reconciling = {
    everyMs: 20,
    repos: () => Promise.resolve([REPO]),
    reconcile: async () => {
      state.looks += 1;
      state.atOnce += 1;
      state.most = Math.max(state.most, state.atOnce);
      await sleep(5);
      state.atOnce -= 1;
      if (state.fails) throw state.fails;
      return { repairs: repairs.splice(0), waiting: [...waiting] };
    },
    close: () => Promise.resolve(void (state.closed += 1)),
  } satisfies Reconciling;
  return { waiting, repairs, state, execute, reconciling };
}

const until = async (condition: () => boolean | Promise<boolean>) => {
  for (const end = Date.now() + SOON; !(await condition()); await sleep(5))
    if (Date.now() > end) throw new Error('It did not come about.');
};

describe('a worker that looks after a ledger', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it('enqueues what was approved and has no job, says so, and carries it out', async () => {
    const queue = await openQueue();
    const { requestId } = makeJob();
    const own = ledger(requestId);
    const worker = startWorker(own);
    await until(() => own.waiting.size === 0);
    expect(await followRollback(queue, requestId)).toEqual(resultOf(requestId));
    expect(worker.find('enqueued').filter((line) => line.includes(requestId))).toHaveLength(1);
  });

  it('enqueues it again when Redis was flushed, each time', async () => {
    const queue = await openQueue();
    const { requestId } = makeJob();
    const own = ledger(requestId);
    const hold: ExecuteRollback = ({ signal }) =>
      sleep(60_000, undefined, { signal }).then(() => resultOf(requestId));
    startWorker({ ...own, execute: hold, concurrency: 1 });
    await until(async () => (await queue.jobs.getActiveCount()) === 1);
    // Its only slot is taken: what comes next has to wait, and can be lost.
    const next = makeJob().requestId;
    own.waiting.add(next);
    for (let round = 0; round < 3; round += 1) {
      await until(async () => (await queue.jobs.getJobState(next)) === 'waiting');
      await redis.client.flushall();
    }
    await until(async () => (await queue.jobs.getJobState(next)) === 'waiting');
    // What this process has in hand is not given to anybody else.
    expect(await queue.jobs.getJobState(requestId)).toBe('unknown');
  });

  it('leaves alone what has a job, and for a while what failed without the ledger saying so', async () => {
    const queue = await openQueue();
    const job = makeJob();
    const own = ledger(job.requestId);
    let executions = 0;
    const worker = startWorker({
      ...own,
      execute: () => {
        executions += 1;
        return Promise.reject(new BacktrailError('REPOSITORY_UNKNOWN', 'It cannot be opened.'));
      },
    });
    await until(async () => (await queue.jobs.getFailedCount()) === 1);
    const { looks } = own.state;
    await until(() => own.state.looks > looks + 10);
    expect(executions).toBe(1);
    expect(worker.find('enqueued')).toHaveLength(1);
  });

  it('looks at one ledger once at a time, for every repository that a job names, and logs repairs', async () => {
    const queue = await openQueue();
    const own = ledger();
    const seen = new Set<string>();
    const reconcile = (repo: string) => {
      seen.add(repo);
      return own.reconciling.reconcile();
    };
    const repos = () => Promise.resolve([]);
    const worker = startWorker({ ...own, reconciling: { ...own.reconciling, repos, reconcile } });
    const job = makeJob();
    expect(seen).toEqual(new Set());
    await enqueueRollback(queue, job);
    await followRollback(queue, job.requestId);
    await enqueueRollback(queue, { ...makeJob(), repo: REPO });
    own.repairs.push({ requestId: job.requestId, action: 'completed', detail: 'The branch holds it.' });
    const { looks } = own.state;
    await until(() => own.state.looks > looks + 3);
    expect(seen).toEqual(new Set([REPO]));
    expect(own.state.most).toBe(1);
    expect(worker.find('"detail":"The branch holds it."')).toHaveLength(1);
  });

  it('of one repository looks at no other ledger', async () => {
    const own = ledger();
    const seen = new Set<string>();
    const reconcile = (repo: string) => {
      seen.add(repo);
      return own.reconciling.reconcile();
    };
    const worker = startWorker({
      ...own,
      allowedRepos: ['/srv/git/other'],
      reconciling: { ...own.reconciling, reconcile },
    });
    await until(() => own.state.looks > 3);
    expect([...seen]).toEqual(['/srv/git/other']);
    await worker.close();
    expect(own.state.closed).toBe(1);
  });

  it('logs a failure once until it changes, asks less often meanwhile, and goes on when it is over', async () => {
    const { requestId } = makeJob();
    const own = ledger(requestId);
    own.state.fails = new BacktrailError('REMOTE_UNAVAILABLE', 'The remote is away.');
    const worker = startWorker(own);
    await until(() => own.state.looks >= 4);
    own.state.fails = new BacktrailError('LEDGER_REWOUND', 'The ledger was forced back.');
    await until(() => worker.find('LEDGER_REWOUND').length === 1);
    own.state.fails = null;
    await until(() => own.waiting.size === 0);
    expect(worker.find('cannot be looked after')).toHaveLength(2);
    expect(worker.find('can be looked after again')).toHaveLength(1);
    expect(own.state.looks).toBeLessThan(12);
  });

  it('outlives a Redis that is away, and enqueues when there is a new one', async () => {
    const first = await startTestRedis();
    const port = Number(new URL(first.url).port);
    const own = ledger();
    const worker = startWorker({ ...own, redisUrl: first.url });
    await until(() => own.state.looks > 1);
    await first.stop();
    own.waiting.add(makeJob().requestId);
    await until(() => worker.find('QUEUE_UNAVAILABLE').length > 0);
    const second = await startTestRedis({ port });
    try {
      await until(() => own.waiting.size === 0);
      expect(worker.find('cannot be looked after')).toHaveLength(1);
      await worker.close();
    } finally {
      await second.stop();
    }
  });

  it.runIf(isProof)('stops with the worker, also in the middle of a look', async () => {
    const own = ledger();
    let stuck = false;
    const reconcile = () => {
      stuck = true;
      return sleep(10 * SOON, undefined, { ref: false }).then(() => ({ repairs: [], waiting: [] }));
    };
    const worker = startWorker({ ...own, reconciling: { ...own.reconciling, reconcile } });
    await until(() => stuck);
    const started = Date.now();
    await worker.close();
    expect(Date.now() - started).toBeLessThan(SOON);
    expect(own.state.closed).toBe(1);
  });
});
