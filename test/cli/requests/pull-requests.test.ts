/** A rollback of a protected branch on the command line, against a code host of our own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, start } from '../../helpers/program/cli.ts';
import { diagnose } from '../../helpers/program/doctor.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { startTestRedis } from '../../helpers/servers/redis.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { type Host, startHost } from '../../helpers/servers/host/host.ts';
import { opensAs } from '../../helpers/servers/host/opens-as.ts';

const asResult = z.looseObject({ requestId: z.string(), status: z.string(), pullRequest: z.unknown() });

/** A repository whose server refuses pushes to main, and a file of hosts that lists the server. `isNear`: git opens its folder. */
async function protectedRepo(publish: object[], { isNear = false } = {}) {
  const bare = await createRepo({ bare: true });
  const files = (image: string) =>
    Object.fromEntries(
      ['api', 'web', 'jobs'].map((name) => [`apps/prod/${name}/app.yaml`, `image: ${image}\n`]),
    );
  const config = configOf({}, { publish });
  await bare.replay([
    { files: { '.backtrail/config.yaml': config, ...files('v1') }, message: 'One' },
    { files: files('v2'), message: 'Two' },
  ]);
  const host = await startHost({ kind: 'github', bare: bare.folder });
  closeAfterFile(() => host.close());
  const folder = await temporaryFolder();
  const list = join(folder, 'hosts.yaml');
  await writeFile(join(folder, 'token'), host.token);
  await writeFile(list, `"${host.name}": { kind: github, api: "${host.api}", token: token }\n`);
  const args = ['--repo', host.authenticated];
  const near = isNear ? await opensAs(host.url, bare.folder) : {};
  const env = { BACKTRAIL_HOSTS: list, ...near };
  const run = (line: readonly string[], how: { redisUrl?: string } = {}) =>
    backtrail(bare, [...args, ...line], { env, ...how });
  return {
    host,
    bare,
    env,
    unlisted: { ...near, BACKTRAIL_HOSTS: '' },
    run,
    diagnose: (how = { env }) => diagnose(bare, { args, ...how }),
  };
}

/** Each look is a whole command. */
const SELDOM = { interval: 400 };
const ASK = ['rollback', 'prod/api', '--reason', 'It fails. Closes #1, says @bob', '--yes'];

describe('a branch that takes no push', () => {
  it('is said to need pull requests where a push is refused', async () => {
    const { run, bare } = await protectedRepo([]);
    const base = await bare.git('rev-parse', 'main');
    const { code, stderr } = await run(ASK);
    expect(code).toBe(3);
    expect(stderr).toContain('via: pull-request');
    expect(await bare.git('rev-parse', 'main')).toBe(base);
  });

  describe('with pull requests', () => {
    let host: Host;
    let place: Awaited<ReturnType<typeof protectedRepo>>;
    let result: z.infer<typeof asResult>;
    let exit: number | null;
    beforeAll(async () => {
      place = await protectedRepo([{ match: 'prod', via: 'pull-request', merge: 'auto' }], { isNear: true });
      ({ host } = place);
      const { code, stdout } = await place.run([...ASK, '-o', 'json']);
      result = asResult.parse(JSON.parse(stdout));
      exit = code;
    });

    it('is rolled back by one, whose address is given', async () => {
      expect(exit).toBe(5);
      expect(result).toMatchObject({
        status: 'proposed',
        proposed: { via: 'pull-request', branch: `backtrail/${result.requestId}`, into: 'main' },
        pullRequest: {
          number: 1,
          url: expect.stringContaining('/acme/config/pull/1') as unknown,
          state: 'open',
        },
      });
      const { body } = await host.pull(1);
      expect(body).toContain(`backtrail request show ${result.requestId}`);
      expect(body).toContain('- /image: v2\n+ /image: v1');
    });

    it.runIf(isProof)('shows it with its checks, and to people', async () => {
      await host.setChecks(1, { unit: 'green', lint: 'pending' });
      const { requestId } = result;
      const shown = await place.run(['request', 'show', requestId, '-o', 'json']);
      expect(JSON.parse(shown.stdout)).toMatchObject({
        status: 'approved',
        pullRequest: { state: 'open', statusChecks: { total: 2, passed: 1, failed: 0, pending: 1 } },
      });
      const { stdout } = await place.run(['request', 'show', requestId]);
      expect(stdout).toMatch(/pull request http\S+\/pull\/1 \(#1 open, checks: 1 of 2 passed, 1 pending\)/);
      const list = await place.run(['request', 'list']);
      expect(list.stdout).toContain('approved (#1 open)');
    });

    it('is looked at by doctor: token, methods, queue, and what may get past rules', async () => {
      const found = async () => {
        const diagnosis = await place.diagnose();
        return diagnosis.of('pull requests').map(({ status, message }) => `${status} ${message}`);
      };
      expect(await found()).toEqual([
        expect.stringMatching(
          /^ok acme\/config at 127\S+ \(github\) takes the token, and allows merge, rebase, squash/,
        ),
      ]);
      await host.change({ protectedBy: 'ruleset', queue: 'squash', mayAdminister: true, mayBypass: true });
      expect(await found()).toEqual([
        expect.stringMatching(/^warn A merge queue merges into main/),
        expect.stringMatching(/^warn The token may merge into main past its rules/),
      ]);
      await host.change({ queue: null, mayRead: false });
      expect(await found()).toEqual([expect.stringMatching(/^fail /)]);
    });

    it('is looked at where no host is listed', async () => {
      const diagnosis = await place.diagnose({ env: place.unlisted });
      expect(diagnosis.one('pull requests')).toMatchObject({
        status: 'warn',
        details: { code: 'HOST_NOT_ALLOWED' },
      });
    });

    it('is said by reconcile not to be followed where no host is listed', async () => {
      const args = ['--repo', host.authenticated, 'reconcile'];
      const { code, stdout } = await backtrail(place.bare, args, { env: place.unlisted });
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringMatching(/rbk-\w+ +not followed +.*HOST_NOT_ALLOWED/s),
      });
    });
  });

  describe('with a worker', () => {
    let place: Awaited<ReturnType<typeof protectedRepo>>;
    let redisUrl: string;
    let stop = (): Promise<unknown> => Promise.resolve();
    beforeAll(async () => {
      place = await protectedRepo([{ match: 'prod', via: 'pull-request' }]);
      const { bare, host, env } = place;
      // What a worker is given holds no credentials: its own git has them.
      const login = `!f() { echo username=bot; echo password=${host.token}; }; f`;
      await bare.git('config', '--file', bare.globalConfig, `credential.http://${host.name}.helper`, login);
      const redis = await startTestRedis();
      redisUrl = redis.url;
      const worker = start({ folder: '/', env: bare.env }, ['worker', '--name', 'tested'], { redisUrl, env });
      stop = async () => {
        worker.child.kill('SIGTERM');
        await worker.ended;
        await redis.stop();
      };
    });
    afterAll(() => stop());

    it('is rolled back by it', async () => {
      const { run } = place;
      const asked = await run(['rollback', 'prod/api', '--reason', 'r', '--yes', '--queue', '-o', 'json'], {
        redisUrl,
      });
      expect(asked.code).toBe(5);
      const { requestId, status } = JSON.parse(asked.stdout);
      expect(status).toBe('proposed');
      // Which one it is, the worker may write into the ledger a moment later.
      await expect
        .poll(
          async () => JSON.parse((await run(['request', 'show', requestId, '-o', 'json'])).stdout) as unknown,
          SELDOM,
        )
        .toMatchObject({ pullRequest: { number: expect.any(Number) } });
    });

    it.runIf(isProof)('is rolled back by it for an incident', async () => {
      const { run, host } = place;
      const file = join(await temporaryFolder(), 'incident.yaml');
      await writeFile(file, 'id: inc-1\nreason: r\nrollbacks: [{ scope: prod/web }, { scope: prod/jobs }]\n');
      const incident = await run(['incident', file, '--yes', '-o', 'json'], { redisUrl });
      expect(incident.code).toBe(5);
      const proposed = { status: 'proposed' };
      expect(JSON.parse(incident.stdout)).toMatchObject({ rollbacks: [proposed, proposed] });
      // Which pull request it is, the worker writes into the ledger when all are opened.
      const waits = { status: 'proposed', pullRequest: { state: 'open' } };
      await expect
        .poll(async () => {
          const { stdout } = await run(['incident', file, '--yes', '-o', 'json'], { redisUrl });
          return JSON.parse(stdout) as unknown;
        }, SELDOM)
        .toMatchObject({ rollbacks: [waits, waits] });
      const opened = await host.pulls();
      const again = await run(['incident', file, '--yes'], { redisUrl });
      expect(again.code).toBe(5);
      expect(again.stdout).toMatch(/prod\/web +proposed +\w{7} +rbk-\w+ \(http\S+\/pull\/\d\)/);
      expect(await host.pulls()).toHaveLength(opened.length);
    });
  });
});
