/**
 * One queued rollback at a time, through a real worker and a remote over file://: from enqueuing to "published", beside a bare `git push` of one
 * commit; and the same while a bot pushes to the branch every 300 ms.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine, type RequestId } from '../../engine/internal.ts';
import { enqueueRollback, followRollback, openQueue } from '../../workers/index.ts';
import { BUILT, NAMED } from './incident.ts';
import { git, median, PERSON, say, time } from './measure.ts';
import { changedScopes } from './repository.ts';
import type { Bench } from './rollback.ts';

const BOT_MS = 300;

export async function benchAlone({ folder, repo, size, env, rounds }: Bench, url: string): Promise<void> {
  const [copy, clone] = [join(folder, 'alone.git'), join(folder, 'alone-bot.git')];
  const cacheFolder = join(folder, 'alone-cache');
  for (const path of [copy, clone, cacheFolder]) rmSync(path, { recursive: true, force: true });
  for (const path of [copy, clone])
    git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', repo, path]);
  const location = `file://${copy}`;
  const clock = { now: () => Date.now(), sleep: (ms: number) => sleep(ms) };
  const engine = await openEngine({ repo: location, env, cacheFolder, committer: PERSON, clock });
  const run = { ...env, ...NAMED, REDIS_URL: url, XDG_CACHE_HOME: cacheFolder };
  const worker = spawn(process.execPath, [BUILT, 'worker'], { env: run, stdio: 'ignore' });
  const queue = await openQueue({ redisUrl: url });
  const scopes = changedScopes(size, 4 * rounds + 10).values();
  const open = async (): Promise<RequestId> => {
    const { value: scope } = scopes.next();
    if (scope === undefined) throw new Error('There are no more services.');
    const { target, digest, base, unchanged } = await engine.rollbacks.plan({ scope, author: PERSON });
    if (unchanged) return open();
    const ask = { scope, target, digest, base, author: PERSON, reason: 'Benchmark', ledger: true };
    return (await engine.rollbacks.request(ask)).requestId;
  };
  const publishOne = async () => {
    const requestId = await open();
    const start = performance.now();
    let took = 0;
    const { since } = await enqueueRollback(queue, { v: 2, requestId, repo: location });
    const { status } = await followRollback(queue, requestId, {
      since,
      onStep: ({ step }) => (took = step === 'published' ? performance.now() - start : took),
    });
    if (status !== 'completed') throw new Error(`A rollback is ${status}.`);
    return took;
  };
  const pushOne = () => {
    const place = { cwd: clone, env: { ...env, ...NAMED } };
    const tree = git(place, ['rev-parse', 'main^{tree}']).trim();
    const made = git(place, ['commit-tree', '-p', 'main', '-m', 'Push', tree]).trim();
    git(place, ['update-ref', 'refs/heads/main', made]);
    return time(() => git(place, ['push', '--quiet', location, 'main:refs/heads/bench-push']));
  };
  try {
    for (let warm = 0; warm < 3; warm += 1) await publishOne();
    const [ours, bare]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await publishOne());
      bare.push(pushOne());
    }
    say(`one queued rollback alone, enqueued to published, p50 of ${rounds}, a remote over file://:`);
    say(`  a bare git push of one commit   ${median(bare).toFixed(0)} ms   1.00 x`);
    say(
      `  the rollback                    ${median(ours).toFixed(0)} ms   ${(median(ours) / median(bare)).toFixed(2)} x`,
    );
    // It ends with this process, however that ends.
    const script = `while kill -0 ${process.pid}; do git fetch -q '${location}' main && c=$(git commit-tree -p FETCH_HEAD -m Bot "FETCH_HEAD^{tree}") && git push -q '${location}' "$c:refs/heads/main"; sleep ${BOT_MS / 1000}; done`;
    const bot = spawn('sh', ['-c', script], { cwd: clone, env: { ...env, ...NAMED }, stdio: 'ignore' });
    const beside: number[] = [];
    try {
      for (let round = 0; round < 2 * rounds; round += 1) beside.push(await publishOne());
    } finally {
      bot.kill();
      await once(bot, 'exit');
    }
    const sorted = beside.toSorted((one, other) => one - other);
    const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN;
    say(
      `  with a bot that pushes every ${BOT_MS} ms: p50 ${median(beside).toFixed(0)} ms, p99 of ${sorted.length} ${p99.toFixed(0)} ms`,
    );
  } finally {
    await queue.close();
    await engine.close();
    worker.kill();
    await once(worker, 'exit');
  }
}
