import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Step } from '../../engine/model/index.ts';
import { enqueueRollback, followRollback } from '../../workers/index.ts';
import { compiled } from '../helpers/program/compiled.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { hasNativeRedis, useRedis } from '../helpers/servers/redis.ts';
import { needsServer, startCluster, useServers } from '../helpers/servers/redis-groups.ts';
import {
  cloneRepo,
  createRepo,
  type Files,
  type Repo,
  temporaryFolder,
} from '../helpers/repositories/repo.ts';
import { ask, configOf } from '../helpers/people/requests.ts';
import { isProof, runs } from '../helpers/run/proof.ts';

const ledgerFile = z.looseObject({ events: z.array(z.looseObject({ type: z.string() })) });
const LEDGER = 'refs/backtrail/ledger';
const redis = useRedis();
const { openQueue } = useQueues(redis);
const start = useServers();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** Services of an environment that needs no approval, each with a bad revision, and an open request for each. */
async function manyRequests(count: number): Promise<{ repo: Repo; ids: string[] }> {
  const source = await createRepo();
  const scopes = Array.from({ length: count }, (_, index) => `s${String(index).padStart(2, '0')}`);
  const at = (image: string): Files =>
    Object.fromEntries(scopes.map((name) => [`apps/dev/${name}/app.yaml`, `image: ${image}\n`]));
  await source.commit({ '.backtrail/config.yaml': configOf(), ...at('v1') });
  await source.commit(at('v2'));
  const repo = await cloneRepo(source, { bare: true });
  const engine = await engineOf(repo);
  const ids: string[] = [];
  for (const name of scopes) ids.push((await ask(engine, JANE, `dev/${name}`)).id);
  return { repo, ids };
}

interface Setup {
  readonly redisUrl: string;
  readonly cacheFolder: string;
  readonly dieAt?: Step;
}

async function startWorker(repo: Repo, setup: Setup): Promise<ChildProcess> {
  const allowedSigners = join(await temporaryFolder(), 'allowed_signers');
  await writeFile(allowedSigners, '');
  const argument = JSON.stringify({ ...setup, allowedSigners });
  const file = compiled('test/helpers/queue/rollback-worker.ts');
  const child = spawn(process.execPath, [file, argument], {
    env: repo.env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  await once(child, 'spawn');
  return child;
}

/** One commit on the branch and one event in the ledger for each, and nothing left behind. */
async function expectOnceEach(repo: Repo, ids: readonly string[]): Promise<void> {
  const trailer = '--format=%(trailers:key=Rollback-Request-ID,valueonly,separator=)';
  const log = await repo.git('log', trailer, '--grep=^Rollback-Request-ID: ', 'main');
  expect(log.split('\n').sort()).toEqual([...ids].sort());
  const files = (await repo.git('ls-tree', '-r', '--name-only', LEDGER, 'requests/')).split('\n');
  expect(files).toHaveLength(ids.length);
  for (const file of files) {
    const { events } = ledgerFile.parse(JSON.parse(await repo.git('show', `${LEDGER}:${file}`)));
    expect(events.map(({ type }) => type).filter((type) => type === 'completed')).toHaveLength(1);
  }
  expect(await repo.git('for-each-ref', '--format=%(refname)', 'refs/backtrail')).toBe(LEDGER);
  expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
}

describe('a worker that dies with many rollbacks in hand', () => {
  it.each((['published', 'planned', 'staged'] as const).slice(0, runs(3, 1)))(
    'after the first of them was %s: another one lands each of them once',
    async (dieAt) => {
      const { repo, ids } = await manyRequests(runs(12, 5));
      const [cacheFolder, queue] = [join(await temporaryFolder(), 'cache'), await openQueue()];
      const location = `file://${repo.folder}`;
      for (const requestId of ids) await enqueueRollback(queue, { v: 2, requestId, repo: location });
      const first = await startWorker(repo, { redisUrl: redis.url, cacheFolder, dieAt });
      await once(first, 'exit');
      expect(first.signalCode).toBe('SIGKILL');
      await startWorker(repo, { redisUrl: redis.url, cacheFolder });
      const results = await Promise.all(ids.map((id) => followRollback(queue, id)));
      expect(results.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
      await expectOnceEach(repo, ids);
    },
  );
});

describe.skipIf(!hasNativeRedis)(`two workers on a cluster${needsServer}`, () => {
  it.runIf(isProof)('land each rollback of a repository once', async () => {
    const { repo, ids } = await manyRequests(runs(12, 5));
    const { hosts } = await startCluster(start);
    const redisUrl = `redis-cluster://:hunter2@${hosts}`;
    const queue = await openQueue(redisUrl);
    const location = `file://${repo.folder}`;
    for (const name of ['one', 'two'])
      await startWorker(repo, { redisUrl, cacheFolder: join(await temporaryFolder(), name) });
    for (const requestId of ids) await enqueueRollback(queue, { v: 2, requestId, repo: location });
    const results = await Promise.all(ids.map((id) => followRollback(queue, id)));
    expect(results.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
    await expectOnceEach(repo, ids);
  });
});
