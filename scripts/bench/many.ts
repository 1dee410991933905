/**
 * Many rollbacks at once: an incident by the command line, one rollback alone, and then the queue by itself: from the first job to the last result, beside a `git push` for each commit. The requests are
 * in the ledger before the clock starts; how long opening them took is printed by itself.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, openEngine, type RequestId, type RollbackAsk } from '../../engine/internal.ts';
import { createLogger, enqueueMany, executeInBatches, openQueue, startWorker } from '../../workers/index.ts';
import { startRedis } from '../redis.ts';
import { benchAlone } from './alone.ts';
import { benchIncident, BUILT } from './incident.ts';
import { git, PERSON, say, time } from './measure.ts';
import { serviceName, tenantName } from './repository.ts';
import type { Bench } from './rollback.ts';

export async function benchMany(bench: Bench, count: number): Promise<void> {
  if (!existsSync(BUILT))
    throw new Error('`npm run build` first: the command line is measured as it is installed.');
  const redis = await startRedis({ only: ['redis-server', 'valkey-server', 'js-redis-server'] });
  try {
    await benchIncident(bench, count, redis.url);
    await benchAlone(bench, redis.url);
    for (const isRemote of [false, true])
      await benchPlace({ ...bench, redisUrl: redis.url, isRemote }, count);
  } finally {
    await redis.stop();
  }
}

interface Place extends Bench {
  readonly redisUrl: string;
  readonly isRemote: boolean;
}

async function benchPlace(
  { folder, repo, size, env, redisUrl, isRemote }: Place,
  count: number,
): Promise<void> {
  const copy = join(folder, `many-${isRemote ? 'remote' : 'local'}.git`);
  for (const path of [copy, cacheOf(folder, isRemote)]) rmSync(path, { recursive: true, force: true });
  git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', repo, copy]);
  git({ cwd: copy, env }, ['config', 'core.logAllRefUpdates', 'true']);
  const location = isRemote ? `file://${copy}` : copy;
  const open = () => openEngine({ ...engineOptions(folder, env, isRemote), repo: location });
  const asking = await open();
  const planning = performance.now();
  const asks = await planScopes(asking, { count, size });
  const planned = performance.now() - planning;
  const opening = performance.now();
  const ids = await openRequests(asking, asks);
  const opened = performance.now() - opening;
  const worker = startWorker({
    redisUrl,
    execute: executeInBatches(open),
    logger: createLogger({ name: 'bench', level: process.env['BENCH_LOG'] ?? 'silent' }),
  });
  const queue = await openQueue({ redisUrl });
  // What was measured before has left its jobs.
  await queue.jobs.obliterate({ force: true });
  try {
    const before = git({ cwd: copy, env }, ['rev-parse', 'main']).trim();
    const start = performance.now();
    await enqueueMany(
      queue,
      ids.map((requestId) => ({ v: 2, requestId, repo: location })),
    );
    const ended = async () => {
      const { completed = 0, failed = 0 } = await queue.jobs.getJobCounts('completed', 'failed');
      return completed + failed;
    };
    while ((await ended()) < ids.length) await new Promise((done) => setTimeout(done, 50));
    const took = performance.now() - start;
    const moves = git({ cwd: copy, env }, ['reflog', 'show', '--format=%H', 'main'])
      .trim()
      .split('\n').length;
    const { completed = 0 } = await queue.jobs.getJobCounts('completed');
    await queue.jobs.obliterate({ force: true });
    const commits = Number(git({ cwd: copy, env }, ['rev-list', '--count', `${before}..main`]));
    const push = pushEach({ folder, env, copy, commits: 20 });
    say(`${ids.length} service rollbacks, ${isRemote ? 'a remote over file://' : 'a local repository'}:`);
    say(`  one git push a commit (${commits} of them)    ${((push * commits) / 1000).toFixed(1)} s   1.00 x`);
    say(
      `  enqueued to all completed            ${(took / 1000).toFixed(1)} s   ${(took / (push * commits)).toFixed(2)} x`,
    );
    say(
      `  ${completed} completed, ${commits} commits, the branch moved ${moves} times; planning took ${(planned / 1000).toFixed(1)} s and opening ${(opened / 1000).toFixed(1)} s before`,
    );
  } finally {
    await queue.close();
    await worker.close();
    await asking.close();
  }
}

const cacheOf = (folder: string, isRemote: boolean) =>
  join(folder, isRemote ? 'cache-remote' : 'cache-local');

export const engineOptions = (folder: string, env: Record<string, string>, isRemote: boolean) => ({
  env,
  cacheFolder: cacheOf(folder, isRemote),
  committer: PERSON,
  clock: { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) },
});

/** Plans are made before: what is measured is opening. */
export async function planScopes(
  engine: Engine,
  { count, size }: { readonly count: number; readonly size: Bench['size'] },
): Promise<RollbackAsk[]> {
  const asks: RollbackAsk[] = [];
  for (let number = 0; asks.length < count && number < size.tenants * size.services; number += 1) {
    const scope = `${tenantName(number % size.tenants)}/production/${serviceName(Math.floor(number / size.tenants))}`;
    const plan = await engine.rollbacks.plan({ scope, author: PERSON }).catch(() => null);
    // Not every service has an earlier revision.
    if (plan === null || plan.unchanged) continue;
    const { target, digest, base } = plan;
    asks.push({ scope, target, digest, base, author: PERSON, reason: 'Benchmark' });
  }
  return asks;
}

export async function openRequests(engine: Engine, asks: readonly RollbackAsk[]): Promise<RequestId[]> {
  const results = await engine.rollbacks.requestMany(asks);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.requestId;
  });
}

/** Milliseconds for one commit, made and pushed by itself, the mean of some. */
function pushEach({
  folder,
  env,
  copy,
  commits,
}: {
  folder: string;
  env: Record<string, string>;
  copy: string;
  commits: number;
}): number {
  const clone = join(folder, `pushes-${Math.random()}.git`);
  git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', copy, clone]);
  const tree = git({ cwd: clone, env }, ['rev-parse', 'main^{tree}']).trim();
  const named = {
    ...env,
    GIT_AUTHOR_NAME: 'B',
    GIT_AUTHOR_EMAIL: 'b@example.com',
    GIT_COMMITTER_NAME: 'B',
    GIT_COMMITTER_EMAIL: 'b@example.com',
  };
  return (
    time(() => {
      for (let number = 0; number < commits; number += 1) {
        const parent = git({ cwd: clone, env }, ['rev-parse', 'main']).trim();
        const made = git({ cwd: clone, env: named }, [
          'commit-tree',
          '-p',
          parent,
          '-m',
          `Commit ${number}`,
          tree,
        ]).trim();
        git({ cwd: clone, env }, ['update-ref', 'refs/heads/main', made]);
        git({ cwd: clone, env }, ['push', '--quiet', `file://${copy}`, 'main:refs/heads/bench-push']);
      }
    }) / commits
  );
}
