import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { backtrail, type CliOptions, jsonOf, start } from '../../helpers/program/cli.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { serveGit } from '../../helpers/servers/git-http.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { approve, LEDGER, request, revertsOf, type Scene, scene } from '../../helpers/people/scene.ts';
import { dirname } from 'node:path';

const shape = z.strictObject({
  repairs: z.array(z.strictObject({ requestId: z.string(), action: z.string(), detail: z.string() })),
  waiting: z.array(z.string()),
  enqueued: z.array(z.string()),
  queueError: z.strictObject({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});

/** With the list of keys that a worker has. */
const trusting = ({ signers }: Scene, options: CliOptions = {}): CliOptions => ({
  ...options,
  env: { BACKTRAIL_ALLOWED_SIGNERS: signers },
});

const statusOf = async ({ worker }: Scene, id: string) => (await worker.requests.show({ id })).status;

describe('reconcile', () => {
  const redis = useRedis();
  const { openQueue } = useQueues(redis);

  it('enqueues what was approved and has no job, once', async () => {
    const place = await scene();
    const { id } = await request(place.jane);
    await approve(place.bob, { id });
    const run = () =>
      backtrail(place.repo, ['reconcile', '-o', 'json'], trusting(place, { redisUrl: redis.url }));
    expect(jsonOf(await run(), shape)).toEqual({
      repairs: [],
      waiting: [id],
      enqueued: [id],
      queueError: null,
    });
    expect(jsonOf(await run(), shape)).toMatchObject({ waiting: [id], enqueued: [] });
    const queue = await openQueue();
    expect((await queue.jobs.getJob(id))?.data).toEqual({ v: 2, requestId: id, repo: place.repo.folder });
    expect(await queue.jobs.count()).toBe(1);
    const text = await backtrail(place.repo, ['reconcile'], trusting(place, { redisUrl: redis.url }));
    expect(text).toMatchObject({ code: 0, stderr: '', stdout: `${id}  waits  It has a job.\n` });
  });

  it.runIf(isProof)(
    'records what stands on the branch and says so; then there is nothing to do, and no queue is needed',
    async () => {
      const place = await scene();
      const { id } = await request(place.jane);
      await approve(place.bob, { id });
      const before = await place.repo.git('rev-parse', LEDGER);
      const other = await place.open();
      const { commit } = await other.requests.executeRequest(id);
      await place.repo.git('update-ref', LEDGER, before);
      const { repairs, ...rest } = jsonOf(await backtrail(place.repo, ['reconcile', '-o', 'json']), shape);
      expect(repairs).toEqual([
        { requestId: id, action: 'completed', detail: expect.stringContaining(commit?.slice(0, 10) ?? '-') },
      ]);
      expect(rest).toEqual({ waiting: [], enqueued: [], queueError: null });
      expect(await backtrail(place.repo, ['reconcile'])).toEqual({
        code: 0,
        stderr: '',
        stdout: 'The ledger is as it should be; nothing waits.\n',
      });
    },
  );

  it.runIf(isProof)('says where the queue cannot be used, and is none the worse for it', async () => {
    const place = await scene();
    const { id } = await request(place.jane);
    await approve(place.bob, { id });
    const json = jsonOf(await backtrail(place.repo, ['reconcile', '-o', 'json'], trusting(place)), shape);
    expect(json).toMatchObject({
      waiting: [id],
      enqueued: [],
      queueError: { code: 'QUEUE_UNAVAILABLE', hint: expect.stringContaining('REDIS_URL') },
    });
    const { code, stdout } = await backtrail(place.repo, ['reconcile'], trusting(place));
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^rbk-\w{26} {2}waits {2}[^\n]+\nRedis at 127\.0\.0\.1:1 cannot be used/),
    });
    expect(await statusOf(place, id)).toBe('approved');
  });
});

describe('the command `worker`', () => {
  const redis = useRedis();

  async function until(done: () => Promise<unknown>, wanted: unknown) {
    await expect.poll(done, { interval: 250 }).toEqual(wanted);
  }

  it.runIf(isProof)(
    'looks after ledgers that this machine has seen before, with no job to name them',
    async () => {
      const place = await scene();
      const { id } = await request(place.jane);
      const { env } = await isolatedEnv();
      const work = () => start({ folder: '/', env }, ['worker'], trusting(place, { redisUrl: redis.url }));
      // Somebody looks at it as the user of the worker: from then on it is known there.
      expect((await backtrail({ ...place.repo, env }, ['log'])).code).toBe(0);
      expect((await backtrail({ ...place.repo, env }, ['reconcile'])).code).toBe(0);
      await approve(place.bob, { id });
      const worker = work();
      await until(() => statusOf(place, id), 'completed');
      expect(await revertsOf(place, id)).toHaveLength(1);
      worker.child.kill('SIGTERM');
      expect(await worker.ended).toMatchObject({ code: 0 });
    },
  );

  it('of one repository looks after its ledger, with a login of its own that nobody else is told', async () => {
    const place = await scene();
    const { id } = await request(place.jane);
    await approve(place.bob, { id });
    await place.repo.git('config', 'http.receivepack', 'true');
    const login = { user: 'service', password: 'hunter2' };
    const server = await serveGit({ root: dirname(place.repo.folder), env: place.repo.env, login });
    onTestFinished(() => server.close());
    const url = `${server.url.replace('//', '//service:hunter2@')}/repo`;
    const { env } = await isolatedEnv();
    const folder = await temporaryFolder();
    const options = trusting(place, { redisUrl: redis.url });
    const worker = start({ folder, env }, ['--repo', url, 'worker'], options);
    await until(() => statusOf(place, id), 'completed');
    // What is asked for at the same address goes to it, whoever's login is in it.
    const rest = [
      'rollback',
      'acme/staging/billing',
      '--to',
      'v1',
      '--yes',
      '--reason',
      'x',
      '--queue',
      '-o',
      'json',
    ];
    const done = await backtrail({ folder, env }, ['--repo', url, ...rest], options);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ status: expect.stringMatching(/completed|unchanged/) });
    worker.child.kill('SIGTERM');
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('approved and without a job: enqueued');
    expect(stdout + done.stdout + done.stderr).not.toContain('hunter2');
    expect(JSON.stringify(await redis.client.keys('*'))).not.toContain('hunter2');
  });
});
