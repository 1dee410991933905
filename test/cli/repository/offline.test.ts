import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { parseBytes } from '../../../cli/environment.ts';
import { openIn } from '../../../cli/commands/worker.ts';
import { executeInBatches } from '../../../workers/index.ts';
import {
  backtrail,
  completedOf,
  exampleRepo,
  jsonOf,
  refusalOf,
  runProcess,
  type Transcript,
} from '../../helpers/program/cli.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { type Fate, serveGit } from '../../helpers/servers/git-http.ts';
import { pendingOf, setPolicy } from '../../helpers/people/approvals.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { cloneRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';

const GATEWAY = 'acme/production/api-gateway';

/** A remote whose server can go away, and a way to run a command on it. */
async function remote() {
  const repo = await exampleRepo({ bare: true });
  await repo.git('config', 'http.receivepack', 'true');
  const state: { fate: Fate } = { fate: 'serve' };
  const server = await serveGit({ root: dirname(repo.folder), env: repo.env, fate: () => state.fate });
  onTestFinished(() => server.close());
  const url = `${server.url}/repo`;
  const run = (args: readonly string[], options: Parameters<typeof backtrail>[2] = {}) =>
    backtrail(repo, ['--repo', url, ...args], options);
  return { repo, url, state, run, requests: server.requests };
}

const QUESTIONS: readonly string[][] = [
  ['environments'],
  ['history', GATEWAY],
  ['show', GATEWAY, 'v1'],
  ['compare', GATEWAY, 'v1'],
  ['log'],
];
const stale = z.looseObject({ offline: z.object({ asOf: z.iso.datetime(), message: z.string() }) });

it('a question fetches once', async () => {
  const { run, requests } = await remote();
  await run(['environments']);
  const before = requests.length;
  expect(await run(['history', GATEWAY])).toMatchObject({ code: 0 });
  const fetches = requests.slice(before).filter((line) => line.startsWith('POST'));
  // Branches are listed by one, the branch that HEAD names by another; nothing is new that a third would bring.
  expect(fetches).toHaveLength(2);
});

describe('while the remote is away', () => {
  it.each(someOf(QUESTIONS, 2))('%s answers from the mirror, and says since when', async (...question) => {
    const { run, state } = await remote();
    const words = question.filter((word) => word !== undefined);
    const before = jsonOf(await run([...words, '-o', 'json']), z.looseObject({}));
    expect(before).not.toHaveProperty('offline');
    const text = await run(words);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    state.fate = 'drop';
    const { offline, ...after } = jsonOf(await run([...words, '-o', 'json']), stale);
    expect(after).toEqual(before);
    expect(Date.now() - Date.parse(offline.asOf)).toBeLessThan(60_000);
    const later = await run(words, { now: Date.now() + 2.5 * 3_600_000 });
    expect({ ...later, stderr: '' }).toEqual(text);
    expect(later.stderr).toMatch(
      /^offline: http:\/\/127\.0\.0\.1:\d+\/repo did not answer: .* 2 h ago, at 20[^\n]* UTC\.\n$/,
    );
  });

  it.runIf(isProof)(
    'requests and their events are told as they were fetched last, and that they are',
    async () => {
      const { run, state, repo } = await remote();
      const clone = await cloneRepo(repo);
      await setPolicy(clone, 'quorum: 1, unsignedRequests: true');
      await clone.git('push', '-q', 'origin', 'HEAD');
      const back = ['rollback', GATEWAY, '--yes', '--reason', 'It answers 500', '-o', 'json'];
      const { requestId } = pendingOf(await run(back));
      const questions = [
        ['request', 'list'],
        ['request', 'show', requestId],
        ['audit', 'log'],
        ['break-glass', 'list'],
      ];
      const answers: Transcript[] = [];
      for (const words of questions) answers.push(await run(words));
      state.fate = 'drop';
      for (const [at, words] of questions.entries()) {
        const later = await run(words, { now: Date.now() + 2.5 * 3_600_000 });
        expect({ ...later, stderr: '' }).toEqual(answers[at]);
        expect(later.stderr).toMatch(/^offline: .* did not answer: .* 2 h ago, at 20[^\n]* UTC\.\n$/);
        const { offline } = jsonOf(await run([...words, '-o', 'json']), stale);
        expect(Date.now() - Date.parse(offline.asOf)).toBeLessThan(600_000);
      }
      expect(refusalOf(await run(['request', 'cancel', requestId]))).toMatchObject({
        code: 'REMOTE_UNAVAILABLE',
      });
    },
  );

  it.runIf(isProof)('plan has that among its findings', async () => {
    const { run, state } = await remote();
    const shape = z.looseObject({
      digest: z.string(),
      findings: z.array(z.looseObject({ code: z.string() })),
    });
    const before = jsonOf(await run(['plan', GATEWAY, '-o', 'json']), shape);
    state.fate = 503;
    for (const words of [
      ['plan', GATEWAY],
      ['rollback', GATEWAY, '--dry-run'],
    ]) {
      const plan = jsonOf(await run([...words, '-o', 'json']), shape);
      expect(plan.digest).toBe(before.digest);
      expect(plan.findings.map(({ code }) => code)).toContain('REMOTE_OFFLINE');
    }
    expect((await run(['plan', GATEWAY])).stdout).toContain('! REMOTE_OFFLINE');
  });

  it('asks it once a command', async () => {
    const { run, state, requests } = await remote();
    await run(['environments']);
    state.fate = 503;
    const before = requests.length;
    await run(['history', GATEWAY]);
    expect(requests.length - before).toBe(1);
  });

  it('a rollback refuses', async () => {
    const { run, state, repo } = await remote();
    await run(['environments']);
    const tip = await repo.git('rev-parse', 'main');
    state.fate = 'drop';
    const refusal = refusalOf(await run(['rollback', GATEWAY, '--yes', '--reason', 'It answers 500']));
    expect(refusal).toMatchObject({ exit: 6, code: 'REMOTE_UNAVAILABLE' });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it('a remote that was never fetched gives no answer', async () => {
    const { run, state } = await remote();
    state.fate = 'drop';
    expect(refusalOf(await run(['history', GATEWAY]))).toMatchObject({ exit: 6, code: 'REMOTE_UNAVAILABLE' });
  });

  it.runIf(isProof)('a clone answers from the mirror of its upstream', async () => {
    const { repo, url, state } = await remote();
    const clone = await cloneRepo({ ...repo, folder: url });
    const before = jsonOf(await backtrail(clone, ['history', GATEWAY, '-o', 'json']), z.looseObject({}));
    state.fate = 'drop';
    const { offline, ...after } = jsonOf(await backtrail(clone, ['history', GATEWAY, '-o', 'json']), stale);
    expect(after).toEqual(before);
    expect(offline.message).toContain('did not answer');
  });
});

describe('a remote that does answer is not away', () => {
  it.each(
    someOf<[number, string]>(
      [
        [401, 'REMOTE_DENIED'],
        [403, 'REMOTE_DENIED'],
        [404, 'REMOTE_UNAVAILABLE'],
      ],
      1,
    ),
  )('with %i nothing is answered from the mirror', async (fate, code) => {
    const { run, state } = await remote();
    await run(['environments']);
    state.fate = fate;
    expect(refusalOf(await run(['history', GATEWAY]))).toMatchObject({ exit: 6, code });
  });
});

describe('rollback --queue and a remote that is away', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);
  const back = ['rollback', GATEWAY, '--yes', '--reason', 'It answers 500', '--queue'];

  /** `meanwhile` is done when the first attempt has failed. */
  async function worker({ env }: Repo, state: { fate: unknown }, meanwhile: () => Promise<unknown>) {
    const committer = { name: 'Backtrail', email: 'backtrail@localhost' };
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    const execute = executeInBatches(openIn({ env, cacheFolder: await temporaryFolder(), committer, clock }));
    const told = { attempts: 0 };
    startWorker({
      execute: async (input) => {
        told.attempts += 1;
        if (told.attempts > 1) return execute(input);
        state.fate = 'drop';
        try {
          return await execute(input);
        } finally {
          state.fate = 'serve';
          await meanwhile();
        }
      },
    });
    return told;
  }

  it.runIf(isProof)('waits until it is back to ask at all: the ledger lives there', async () => {
    const { run, state, repo } = await remote();
    await run(['environments']);
    const told = await worker(repo, state, () => Promise.resolve());
    // It is back some seconds after the first that asked for it.
    let [fate, timer]: [typeof state.fate, NodeJS.Timeout | undefined] = ['drop', undefined];
    Object.defineProperty(state, 'fate', {
      get: () => {
        timer ??= setTimeout(() => (fate = 'serve'), 4000);
        return fate;
      },
      set: (next: typeof fate) => (fate = next),
    });
    const { code, stdout, stderr } = await run(back, { redisUrl: redis.url });
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^completed rollback/) });
    expect(stderr).toContain('Waiting until it is back; Ctrl-C gives up');
    expect(told.attempts).toBeGreaterThan(0);
    expect(await repo.git('log', '-2', '--format=%s')).toMatch(/^Deliver: .*\nRollback: /);
  });

  it('asks for nothing that the ledger could not keep, where nobody waits', async () => {
    const { run, state } = await remote();
    await run(['environments']);
    state.fate = 'drop';
    const refusal = refusalOf(await run([...back, '--no-wait'], { redisUrl: redis.url }));
    expect(refusal).toMatchObject({ exit: 6, code: 'REMOTE_UNAVAILABLE' });
    expect(await (await openQueue()).jobs.count()).toBe(0);
  });

  it.runIf(isProof)('waits until it is back, then lands once', async () => {
    const { run, state, repo } = await remote();
    const before = Number(await repo.git('rev-list', '--count', 'main'));
    const told = await worker(repo, state, () => Promise.resolve());
    completedOf(await run([...back, '-o', 'json'], { redisUrl: redis.url }));
    expect(told.attempts).toBe(2);
    expect(Number(await repo.git('rev-list', '--count', 'main'))).toBe(before + 2);
  });

  it.runIf(isProof)('is refused when it comes back with another state of the scope', async () => {
    const { run, state, repo } = await remote();
    const path = 'tenants/acme/production/services/api-gateway/service.yaml';
    const text = await repo.git('show', `main:${path}`);
    await worker(repo, state, () =>
      repo.replay([{ files: { [path]: `${text.replace(/replicas: .*/, 'replicas: 9')}\n` } }]),
    );
    const refusal = refusalOf(await run(back, { redisUrl: redis.url }), { afterPlan: true });
    expect(refusal).toMatchObject({ exit: 4, code: 'PLAN_CHANGED' });
    expect(await repo.git('log', '--format=%H', '--grep=^Rollback-Request-ID: ', '-1', 'main')).toBe('');
  });
});

describe('BACKTRAIL_CACHE_LIMIT', () => {
  it('that is not a valid size fails in the format asked for, and leaves help alone', async () => {
    const repo = await exampleRepo();
    const env = { BACKTRAIL_CACHE_LIMIT: 'lots' };
    const json = await runProcess(repo, ['-o', 'json', 'environments'], { env });
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    expect(await runProcess(repo, ['--help'], { env })).toMatchObject({ code: 0 });
  });

  it('is a number of bytes, with a unit', () => {
    expect(['0', '1000', '2k', '500M', '10G', '1T'].map((text) => parseBytes('X', text))).toEqual([
      0,
      1000,
      2048,
      500 * 2 ** 20,
      10 * 2 ** 30,
      2 ** 40,
    ]);
  });

  it.each(['ten', '10GB', '-1', '1.5G', ''])('refuses %j', (text) => {
    expect(() => parseBytes('X', text)).toThrowError(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('ends the program where it is wrong, with a hint', async () => {
    const repo = await exampleRepo();
    const transcript = await runProcess(repo, ['environments'], { env: { BACKTRAIL_CACHE_LIMIT: 'lots' } });
    expect(refusalOf(transcript)).toMatchObject({
      exit: 2,
      code: 'INVALID_REQUEST',
      hint: 'Write it as 500M or 10G.',
    });
  });
});
