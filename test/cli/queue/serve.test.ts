import { expect, it } from 'vitest';
import { policedRepo } from '../../helpers/people/requests.ts';
import { start } from '../../helpers/program/cli.ts';
import { cloneRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { useRedis } from '../../helpers/servers/redis.ts';

const redis = useRedis();

/** `backtrail serve` in a process of its own, and calls of it. */
async function serve(repo: Repo, ...more: string[]) {
  const args = ['serve', '--listen', '127.0.0.1:0', ...more];
  const { child, taken, ended } = start(repo, args, { redisUrl: redis.url });
  await expect.poll(() => taken.stdout, { timeout: 60_000 }).toMatch(/^single user: .*\n/m);
  const [, url = '', token = ''] = /^single user: (.*)\/#token=(.*)$/m.exec(taken.stdout) ?? [];
  const call = async (method: string, path: string, body?: object, key?: string) => {
    const answer = await fetch(`${url}/api/v1/rollbacks${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { status, requestId }: { status: string; requestId: string } = JSON.parse(await answer.text());
    return { code: answer.status, status, requestId };
  };
  const stop = async () => {
    child.kill('SIGTERM');
    return (await ended).code;
  };
  return { call, stop };
}

it('serve --worker executes what another server left, and both stop when they are told to', async () => {
  const repo = await cloneRepo(await policedRepo(), { bare: true });
  const first = await serve(repo);
  const ask = { environment: 'dev', service: 'api', targetSha: 'v1', justification: 'v2 answers 500' };
  const { code, requestId } = await first.call('POST', '', ask);
  expect(code).toBe(202);
  // Nobody executes it: the answer is waited for until the server stops.
  const waiting = first.call('POST', `/${requestId}/retry`);
  const shown = await first.call('GET', `/${requestId}`);
  expect(shown.status).toBe('approved');
  expect(await first.stop()).toBe(0);
  expect(await waiting).toMatchObject({ code: 202, status: 'executing' });
  const second = await serve(repo, '--worker');
  const statusOf = async () => (await second.call('GET', `/${requestId}`)).status;
  await expect.poll(statusOf, { timeout: 60_000 }).toBe('completed');
  expect(await repo.git('show', 'main:apps/dev/api/app.yaml')).toBe('image: v1');
  // What nobody has to agree to is published by its own process, before it answers, and the same key says so again.
  const again = { ...ask, targetSha: 'v2' };
  const published = await second.call('POST', '', again, 'k1');
  expect(published).toMatchObject({ code: 202, status: 'completed' });
  expect(await repo.git('show', 'main:apps/dev/api/app.yaml')).toBe('image: v2');
  expect(await second.call('POST', '', again, 'k1')).toEqual({ ...published, code: 200 });
  expect(await second.stop()).toBe(0);
});
