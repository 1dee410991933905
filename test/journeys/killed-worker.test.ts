import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { STEPS } from '../../engine/internal.ts';
import { enqueueRollback, followRollback, openQueue } from '../../workers/index.ts';
import { exampleRepo } from '../helpers/program/cli.ts';
import { compiled } from '../helpers/program/compiled.ts';
import { confirmation, engineOf } from '../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { approve, request, revertsOf as revertsIn, type Scene, scene } from '../helpers/people/scene.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';
import { SOON } from '../helpers/run/soon.ts';

const redis = useRedis();
// Compiling blocks this process: a question to Redis that waits meanwhile would be given up.
beforeAll(() => void compiled('test/helpers/queue/rollback-worker.ts'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startProcess(
  env: Readonly<Record<string, string>>,
  script: string,
  argument: Readonly<Record<string, unknown>>,
): Promise<ChildProcess> {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const file = compiled(`test/helpers/${script}.ts`);
  const json = JSON.stringify({ cacheFolder, ...argument });
  const child = spawn(process.execPath, [file, json], { env, stdio: 'ignore' });
  children.push(child);
  return child;
}

const startWorker = (
  { repo, signers: allowedSigners }: Scene,
  redisUrl: string,
  how: { dieAt?: string; reconciles?: string } = {},
) => startProcess(repo.env, 'queue/rollback-worker', { redisUrl, allowedSigners, ...how });

const SCOPE = 'acme/production/api-gateway';

const revertsOf = (repo: Repo, id: string) => revertsIn({ repo }, id);

/** What the record of a request says happened, oldest first. */
async function eventsOf({ repo }: Scene, id: string): Promise<string[]> {
  const format = '--format=%(trailers:key=Event,valueonly,separator=)';
  const log = await repo.git(
    'log',
    '--reverse',
    format,
    `--grep=^Event-Request: ${id}$`,
    'refs/backtrail/ledger',
  );
  return log.split('\n');
}

/** Executed once, recorded as such, and nothing left behind. */
async function expectDone(place: Scene, id: string): Promise<void> {
  const { repo, worker } = place;
  const view = await worker.requests.show({ id });
  expect(view).toMatchObject({ status: 'completed', result: { commit: expect.any(String) } });
  const commit = view.result !== null && 'commit' in view.result ? view.result.commit : null;
  expect(await revertsOf(repo, id)).toEqual([commit]);
  expect(await eventsOf(place, id)).toEqual(['opened', 'approved', 'completed']);
  expect(await repo.git('for-each-ref', '--format=%(refname)', 'refs/backtrail')).toBe(
    'refs/backtrail/ledger',
  );
  expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
}

const isCompleted = async ({ worker }: Scene, id: string) =>
  (await worker.requests.show({ id })).status === 'completed';

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

describe('a worker that is killed', () => {
  it('leaves exactly one revert commit and a completed request, whatever step it died after, and nothing behind', async () => {
    await Promise.all(
      // After the last two something is there to be repeated; another test has a worker die after the very last.
      (isProof ? STEPS : STEPS.slice(-2, -1)).map(async (dieAt, index) => {
        const place = await scene();
        const redisUrl = `${redis.url}/${index + 1}`;
        const { id } = await request(place.jane);
        await approve(place.bob, { id });
        const queue = await openQueue({ redisUrl });
        const { since } = await enqueueRollback(queue, { v: 2, requestId: id, repo: place.repo.folder });
        const first = await startWorker(place, redisUrl, { dieAt });
        await once(first, 'exit');
        expect(first.signalCode).toBe('SIGKILL');
        const killedAt = Date.now();
        const second = await startWorker(place, redisUrl);
        const result = await followRollback(queue, id, { since, timeoutMs: SOON });
        expect({ dieAt, status: result.status }).toEqual({ dieAt, status: 'completed' });
        expect(Date.now() - killedAt).toBeLessThan(SOON);
        expect(await place.repo.git('rev-parse', 'main^{tree}', `${result.deliveryCommit}^{tree}`)).toMatch(
          /^(\w+)\n\1$/,
        );
        await expectDone(place, id);
        await stop(second);
        await queue.close();
      }),
    );
  });

  it.each(
    someOf(
      [
        ['while it carried it out', 'staged'],
        ['after it had published, together with the record of that', 'verified'],
      ],
      1,
    ),
  )(
    'has its rollback finished from the ledger alone where Redis was flushed besides: %s',
    async (_when, dieAt) => {
      const place = await scene();
      const redisUrl = redis.url;
      const { id } = await request(place.jane);
      await approve(place.bob, { id });
      const reconciles = place.repo.folder;
      const first = await startWorker(place, redisUrl, { dieAt, reconciles });
      await once(first, 'exit');
      expect(first.signalCode).toBe('SIGKILL');
      expect(await isCompleted(place, id)).toBe(dieAt === 'verified');
      expect(await revertsOf(place.repo, id)).toHaveLength(dieAt === 'verified' ? 1 : 0);
      await redis.client.flushall();
      const second = await startWorker(place, redisUrl, { reconciles });
      await expect.poll(() => isCompleted(place, id), { interval: 250 }).toBe(true);
      await expectDone(place, id);
      await stop(second);
    },
  );
});

describe('whoever approves', () => {
  it.runIf(isProof)(
    'may be killed before the queue knows of it: a worker finds it in the ledger',
    async () => {
      const place = await scene();
      const { id } = await request(place.jane);
      const { person: actor, identity } = place.bob;
      const approving = await startProcess({ ...place.repo.env, ...identity.env }, 'people/approve-and-die', {
        repo: place.repo.folder,
        id,
        actor,
      });
      await once(approving, 'exit');
      expect(approving.signalCode).toBe('SIGKILL');
      expect(await eventsOf(place, id)).toEqual(['opened', 'approved']);
      const worker = await startWorker(place, redis.url, { reconciles: place.repo.folder });
      await expect.poll(() => isCompleted(place, id), { interval: 250 }).toBe(true);
      await expectDone(place, id);
      await stop(worker);
    },
  );
});

describe('the same request', () => {
  it('gives one commit when it is executed twice', async () => {
    const repo = await exampleRepo({ bare: true });
    const engine = await engineOf(repo);
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    const [once, again] = [await engine.execute(request), await engine.execute(request)];
    expect(again).toEqual({ ...once, findings: [] });
    expect(await revertsOf(repo, request.id)).toEqual([once.commit]);
  });

  it('gives one commit when two workers have it in hand at the same time', async () => {
    const repo = await exampleRepo({ bare: true });
    const [one, two] = [await engineOf(repo), await engineOf(repo)];
    const request = confirmation(await one.plan({ scope: SCOPE }));
    const results = await Promise.all([one.execute(request), two.execute(request)]);
    expect(results.map(({ commit }) => commit)).toEqual([results[0]?.commit, results[0]?.commit]);
    expect(await revertsOf(repo, request.id)).toHaveLength(1);
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });
});

describe('two rollbacks at once', () => {
  it.runIf(isProof)('both land where their environments differ', async () => {
    const repo = await exampleRepo({ bare: true });
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

  it.runIf(isProof)('give one commit and one "unchanged" where they ask for the same', async () => {
    const repo = await exampleRepo({ bare: true });
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
    const repo = await exampleRepo({ bare: true });
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
