import { describe, expect, it } from 'vitest';
import { BacktrailError, type RequestId } from '../../engine/model/index.ts';
import { type BatchEngine, executeInBatches } from '../../workers/batches.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';

/** An engine that executes what it is told to, when it is told to. */
function engineThat(
  answer: (ids: readonly RequestId[]) => Promise<void> = () => Promise.resolve(),
  pushes = 1,
) {
  const batches: RequestId[][] = [];
  let [opened, closed] = [0, 0];
  const open = (): Promise<BatchEngine> => {
    opened += 1;
    return Promise.resolve({
      rollbacks: {
        executeMany: async (asks, { turn }) => {
          if (pushes > 1) await turn();
          const ids = asks.map(({ id }) => id);
          batches.push(ids);
          await answer(ids);
          return new Map(ids.map((id) => [id, { status: 'fulfilled', value: resultOf(id) }]));
        },
      },
      close: () => {
        closed += 1;
        return Promise.resolve();
      },
    });
  };
  return { open, batches, counts: () => ({ opened, closed }) };
}

const jobs = (count: number, signal = new AbortController().signal) =>
  Array.from({ length: count }, () => {
    const { requestId } = makeJob();
    return { requestId, repo: '/repo', last: false, onStep: () => Promise.resolve(), signal };
  });

const ids = (all: readonly { requestId: RequestId }[]) => all.map(({ requestId }) => requestId);

describe('rollbacks of one repository', () => {
  it('that come in a row are one batch, and those that come meanwhile the next', async () => {
    const [first, second] = [jobs(3), jobs(4)];
    const later: Promise<unknown>[] = [];
    const { open, batches, counts } = engineThat(() => {
      if (later.length === 0) later.push(...second.map((job) => execute(job)));
      return Promise.resolve();
    });
    const execute = executeInBatches(open);
    const results = await Promise.all(first.map((job) => execute(job)));
    expect(results.map(({ requestId }) => requestId)).toEqual(ids(first));
    await Promise.all(later);
    expect(batches).toEqual([ids(first), ids(second)]);
    expect(counts()).toEqual({ opened: 1, closed: 0 });
  });

  it('wait for those that the queue still holds, and no longer', async () => {
    const all = jobs(30);
    const { open, batches } = engineThat();
    const execute = executeInBatches(open);
    const results: Promise<unknown>[] = [];
    let given = 0;
    // The queue gives one job after the other.
    const more = () => {
      const next = all[given];
      given += 1;
      if (next) results.push(execute({ ...next, more }));
      return Promise.resolve(given < all.length);
    };
    await more();
    await Promise.all(results);
    expect(results).toHaveLength(all.length);
    expect(batches).toEqual([ids(all)]);
  });

  it('take a turn for each push of a batch', async () => {
    const turns: string[] = [];
    const turn = (repo: string) => Promise.resolve(void turns.push(repo));
    const { open } = engineThat(() => Promise.resolve(), 2);
    const execute = executeInBatches(open, turn);
    await Promise.all(jobs(2).map((job) => execute(job)));
    expect(turns).toEqual(['/repo', '/repo']);
  });

  it('that fail together are told so, and the next ones get an engine of their own', async () => {
    let isAway = true;
    const { open, batches, counts } = engineThat(() =>
      isAway ? Promise.reject(new BacktrailError('REMOTE_UNAVAILABLE', 'It is away.')) : Promise.resolve(),
    );
    const execute = executeInBatches(open);
    const failed = await Promise.allSettled(jobs(2).map((job) => execute(job)));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    const [job] = jobs(1);
    if (!job) throw new Error('one was made');
    expect(await execute(job)).toMatchObject({ requestId: job.requestId });
    expect(batches).toHaveLength(2);
    expect(counts()).toEqual({ opened: 2, closed: 1 });
  });

  it('are given back where the worker stops before their turn comes', async () => {
    const stop = new AbortController();
    const { open, batches } = engineThat();
    const execute = executeInBatches(open);
    const running = jobs(2, stop.signal).map((job) => execute(job));
    stop.abort(new Error('The worker stops.'));
    expect(await Promise.allSettled(running)).toEqual([
      { status: 'rejected', reason: stop.signal.reason as unknown },
      { status: 'rejected', reason: stop.signal.reason as unknown },
    ]);
    expect(batches).toEqual([]);
  });
});
