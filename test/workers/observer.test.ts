/** Clusters are looked at beside the jobs of a worker: by one worker of a queue, and by the next one when that is gone. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { BacktrailError } from '../../engine/model/index.ts';
import { enqueueRollback, followRollback, type Look, type Observing } from '../../workers/index.ts';
import { createObserverLease } from '../../workers/observing/observer-lease.ts';
import { startObserver } from '../../workers/observing/observer.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';
import { recordingLogger, useQueues } from '../helpers/queue/queue.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';

const REPO = '/srv/git/desired-state';
const NOTHING: Look = { changes: [], requests: [], notices: [], nextMs: null };
const TIMES = { elsewhere: 20, listen: 10, rarely: 600_000, failed: 1, discover: 600_000 };

const until = async (condition: () => boolean) => {
  for (const end = Date.now() + SOON; !condition(); await sleep(5))
    if (Date.now() > end) throw new Error('It did not come about.');
};

describe('an observer', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  async function start(look: Observing['look']) {
    const state = { looks: 0, forgotten: 0, closed: 0 };
    const client = new Redis(redis.url);
    client.on('error', () => undefined);
    await client.ping();
    const lease = createObserverLease({ redis: client, id: randomUUID(), times: { lease: 300, renew: 50 } });
    const log = recordingLogger();
    const observer = startObserver({
      repos: () => Promise.resolve([REPO]),
      look: (repo, signal) => {
        state.looks += 1;
        return look(repo, signal);
      },
      forget: () => Promise.resolve(void (state.forgotten += 1)),
      close: () => Promise.resolve(void (state.closed += 1)),
      lease,
      logger: log.logger,
      random: () => 0.5,
      times: TIMES,
    });
    ends.push(() => observer.close().finally(() => client.disconnect()));
    return { state, observer, client, ...log };
  }

  it('is one of several, and another one takes over when it is gone', async () => {
    const first = await start(() => Promise.resolve(NOTHING));
    await until(() => first.state.looks === 1);
    const second = await start(() => Promise.resolve(NOTHING));
    second.observer.published(REPO);
    await until(() => first.state.looks === 2);
    expect(second.state.looks).toBe(0);
    // As one that is killed: it gives nothing back.
    first.client.disconnect();
    await until(() => second.state.looks > 0);
  });

  it('looks again when its look says so, and at once after a publication of another worker', async () => {
    let nextMs: number | null = 1;
    const own = await start(() => Promise.resolve({ ...NOTHING, nextMs }));
    await until(() => own.state.looks > 3);
    nextMs = null;
    const other = await start(() => Promise.resolve(NOTHING));
    const before = own.state.looks;
    await until(() => {
      other.observer.published(REPO);
      return own.state.looks > before + 1;
    });
    expect(other.state.looks).toBe(0);
  });

  it('says once what it fails with, goes on, and says that it is over', async () => {
    let isAway = true;
    const own = await start(() =>
      isAway
        ? Promise.reject(new BacktrailError('REMOTE_UNAVAILABLE', 'It is away.'))
        : Promise.resolve(NOTHING),
    );
    await until(() => own.state.looks > 2);
    expect(own.find('clusters cannot be looked at')).toHaveLength(1);
    isAway = false;
    await until(() => own.find('clusters can be looked at again').length === 1);
  });

  it('tells what changed, and each notice once', async () => {
    const found: Look = {
      changes: [{ scope: 'prod/api', from: 'live', to: 'degraded', observations: [{ message: 'It fell.' }] }],
      requests: [{ scope: 'prod/api', id: 'rbk-1', status: 'approved' }],
      notices: [{ scope: 'prod/api', code: 'AUTO_LIMIT', message: 'It stops.' }],
      nextMs: 1,
    };
    const own = await start(() => Promise.resolve(found));
    await until(() => own.state.looks > 3);
    expect(own.find('"to":"degraded"').length).toBeGreaterThan(2);
    expect(own.find('rolled back by itself')[0]).toContain('rbk-1');
    expect(own.find('AUTO_LIMIT')).toHaveLength(1);
  });

  it('never holds up a job, and ends with its worker', async () => {
    const queue = await openQueue();
    const job = makeJob();
    const { requestId, repo } = job;
    const looked: string[] = [];
    let isStopped = false;
    const observing: Observing = {
      repos: () => Promise.resolve([]),
      look: (named, signal) => {
        looked.push(named);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            isStopped = true;
            reject(new BacktrailError('INTERRUPTED', 'It was stopped.'));
          });
        });
      },
      forget: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const execute = () => Promise.resolve(resultOf(requestId));
    const worker = startWorker({ execute, observing, concurrency: 1 });
    await enqueueRollback(queue, job);
    expect(await followRollback(queue, requestId)).toEqual(resultOf(requestId));
    await until(() => looked.includes(repo));
    await worker.close();
    expect(isStopped).toBe(true);
    expect(worker.find('clusters cannot be looked at')).toEqual([]);
  });
});
