import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type RollbackRequest, STEPS } from '../../engine/index.ts';
import { enqueueRollback, followRollback, openQueue } from '../../workers/index.ts';
import { confirmation, engineOf } from '../helpers/engine.ts';
import { fixturesRepo } from '../helpers/fixtures.ts';
import { createRepo, type Repo, temporaryFolder } from '../helpers/repo.ts';
import { useRedis } from '../helpers/redis.ts';

const redis = useRedis();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startWorker(repo: Repo, redisUrl: string, dieAt?: string): Promise<ChildProcess> {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const script = resolve(import.meta.dirname, '../helpers/rollback-worker.ts');
  const argument = JSON.stringify({ redisUrl, cacheFolder, dieAt });
  const child = spawn(process.execPath, ['--import', 'tsx', script, argument], {
    env: repo.env,
    stdio: 'ignore',
  });
  children.push(child);
  return child;
}

/** A bare copy of the example repository. */
async function exampleRepo(): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.git('fetch', '--quiet', await fixturesRepo(), '+refs/heads/*:refs/heads/*');
  return repo;
}

const SCOPE = 'acme/production/api-gateway';

async function requestFor(repo: Repo): Promise<RollbackRequest> {
  const engine = await engineOf(repo);
  return confirmation(await engine.plan({ scope: SCOPE }));
}

const revertsOf = async (repo: Repo, id: string) =>
  (await repo.git('log', '--format=%H', `--grep=^Rollback-Request-ID: ${id}$`, 'main'))
    .split('\n')
    .filter((line) => line !== '');

describe('a worker that is killed', () => {
  it('leaves exactly one revert commit, whatever step it died after, and nothing behind', {
    timeout: 120_000,
  }, async () => {
    await Promise.all(
      STEPS.map(async (dieAt, index) => {
        const repo = await exampleRepo();
        const redisUrl = `${redis.url}/${index + 1}`;
        const request = await requestFor(repo);
        const queue = await openQueue({ redisUrl });
        const { since } = await enqueueRollback(queue, { v: 1, request, repo: repo.folder });
        const first = await startWorker(repo, redisUrl, dieAt);
        await once(first, 'exit');
        expect(first.signalCode).toBe('SIGKILL');
        const killedAt = Date.now();
        const second = await startWorker(repo, redisUrl);
        const result = await followRollback(queue, request.id, { since, timeoutMs: 60_000 });
        expect({ dieAt, status: result.status, reverts: await revertsOf(repo, request.id) }).toEqual({
          dieAt,
          status: 'completed',
          reverts: [result.commit],
        });
        expect(Date.now() - killedAt).toBeLessThan(30_000);
        expect(await repo.git('rev-parse', 'main^{tree}', `${result.deliveryCommit}^{tree}`)).toMatch(
          /^(\w+)\n\1$/,
        );
        expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
        expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
        second.kill('SIGTERM');
        await once(second, 'exit');
        await queue.close();
      }),
    );
  });
});

describe('the same request', () => {
  it('gives one commit when it is carried out twice', async () => {
    const repo = await exampleRepo();
    const engine = await engineOf(repo);
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    const [once, again] = [await engine.execute(request), await engine.execute(request)];
    expect(again).toEqual({ ...once, findings: [] });
    expect(await revertsOf(repo, request.id)).toEqual([once.commit]);
  });

  it('gives one commit when two workers have it in hand at the same time', async () => {
    const repo = await exampleRepo();
    const [one, two] = [await engineOf(repo), await engineOf(repo)];
    const request = confirmation(await one.plan({ scope: SCOPE }));
    const results = await Promise.all([one.execute(request), two.execute(request)]);
    expect(results.map(({ commit }) => commit)).toEqual([results[0]?.commit, results[0]?.commit]);
    expect(await revertsOf(repo, request.id)).toHaveLength(1);
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });
});

describe('two rollbacks at once', () => {
  it('both land where their environments differ', async () => {
    const repo = await exampleRepo();
    const [one, two] = [await engineOf(repo), await engineOf(repo)];
    const requests = [
      confirmation(await one.plan({ scope: SCOPE })),
      confirmation(await two.plan({ scope: 'globex/production/api-gateway' })),
    ];
    const results = await Promise.all(
      [one, two].map((engine, index) => engine.execute(requests[index] ?? never())),
    );
    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed']);
    for (const { id } of requests) expect(await revertsOf(repo, id)).toHaveLength(1);
  });

  it('give one commit and one "unchanged" where they ask for the same', async () => {
    const repo = await exampleRepo();
    const engine = await engineOf(repo);
    const [one, two] = [
      confirmation(await engine.plan({ scope: SCOPE })),
      confirmation(await engine.plan({ scope: SCOPE })),
    ];
    expect((await engine.execute(one)).status).toBe('completed');
    expect(await engine.execute(two)).toMatchObject({ status: 'unchanged', commit: null });
    expect(await revertsOf(repo, two.id)).toEqual([]);
  });

  it('give one commit and PLAN_CHANGED where they ask for different things in one scope', async () => {
    const repo = await exampleRepo();
    const engine = await engineOf(repo);
    const [one, two] = [
      confirmation(await engine.plan({ scope: SCOPE })),
      confirmation(await engine.plan({ scope: SCOPE, to: 'v2' })),
    ];
    await engine.execute(one);
    const tip = await repo.git('rev-parse', 'main');
    await expect(engine.execute(two)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });
});

function never(): never {
  throw new Error('A request is missing.');
}
