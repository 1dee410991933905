/**
 * Many rollbacks at once, through the real queue: from the first job to the last result, beside a `git push` for each commit. The requests are
 * in the ledger before the clock starts; how long opening them took is printed by itself.
 */
import { join } from 'node:path';
import { type Engine, makeRequestId, openEngine, type RequestId } from '../../engine/internal.ts';
import {
  createLogger,
  enqueueRollback,
  executeInBatches,
  followRollback,
  openQueue,
  startWorker,
} from '../../workers/index.ts';
import { startRedis } from '../redis.ts';
import { git, PERSON, say, time } from './measure.ts';
import { serviceName, tenantName } from './repository.ts';
import type { Bench } from './rollback.ts';

export async function benchMany(bench: Bench, count: number): Promise<void> {
  const redis = await startRedis({ env: {}, only: ['redis-server', 'valkey-server', 'js-redis-server'] });
  try {
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
  git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', repo, copy]);
  git({ cwd: copy, env }, ['config', 'core.logAllRefUpdates', 'true']);
  const location = isRemote ? `file://${copy}` : copy;
  const open = () => openEngine({ ...engineOptions(folder, env, isRemote), repo: location });
  const asking = await open();
  const opening = performance.now();
  const ids = await openRequests(asking, { count, size });
  const opened = performance.now() - opening;
  const worker = startWorker({
    redisUrl,
    execute: executeInBatches(open),
    logger: createLogger({ name: 'bench', level: process.env['BENCH_LOG'] ?? 'silent' }),
  });
  const queue = await openQueue({ redisUrl });
  try {
    const before = git({ cwd: copy, env }, ['rev-parse', 'main']).trim();
    const start = performance.now();
    const since = await Promise.all(
      ids.map((requestId) => enqueueRollback(queue, { v: 2, requestId, repo: location })),
    );
    const results = await Promise.all(
      ids.map((id, index) => followRollback(queue, id, { since: since[index]?.since ?? '0' })),
    );
    const took = performance.now() - start;
    const moves = git({ cwd: copy, env }, ['reflog', 'show', '--format=%H', 'main'])
      .trim()
      .split('\n').length;
    const completed = results.filter(({ status }) => status === 'completed').length;
    const commits = Number(git({ cwd: copy, env }, ['rev-list', '--count', `${before}..main`]));
    const push = pushEach({ folder, env, copy, commits: 20 });
    say(`${count} service rollbacks, ${isRemote ? 'a remote over file://' : 'a local repository'}:`);
    say(`  one git push a commit (${commits} of them)    ${((push * commits) / 1000).toFixed(1)} s   1.00 x`);
    say(
      `  enqueued to all completed            ${(took / 1000).toFixed(1)} s   ${(took / (push * commits)).toFixed(2)} x`,
    );
    say(
      `  ${completed} completed, ${commits} commits, the branch moved ${moves} times; opening the requests took ${(opened / 1000).toFixed(1)} s before`,
    );
  } finally {
    await queue.close();
    await worker.close();
    await asking.close();
  }
}

const engineOptions = (folder: string, env: Record<string, string>, isRemote: boolean) => ({
  env,
  cacheFolder: join(folder, isRemote ? 'cache-remote' : 'cache-local'),
  committer: PERSON,
  clock: { now: () => Date.now(), sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) },
});

async function openRequests(
  engine: Engine,
  { count, size }: { readonly count: number; readonly size: Bench['size'] },
): Promise<RequestId[]> {
  const ids: RequestId[] = [];
  for (let number = 0; ids.length < count; number += 1) {
    const scope = `${tenantName(number % size.tenants)}/production/${serviceName(Math.floor(number / size.tenants) % size.services)}`;
    const planned = await engine.plan({ scope }).catch(() => null);
    // Not every service has an earlier revision.
    if (planned === null || planned.plan.files.length === 0) continue;
    const id = makeRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
    ids.push((await engine.requests.open({ planned, author: PERSON, id, reason: 'Benchmark' })).id);
  }
  return ids;
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
