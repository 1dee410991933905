/** The end of the server, as a process of its own: calls under way are answered, streams end, and it exits with 0. */
import { request } from 'node:http';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policedRepo } from '../helpers/people/requests.ts';
import { start } from '../helpers/program/cli.ts';
import { createRepo } from '../helpers/repositories/repo.ts';
import { closeAfterTest } from '../helpers/run/lifetime.ts';
import { serveGit } from '../helpers/servers/git-http.ts';
import { useRedis } from '../helpers/servers/redis.ts';

const redis = useRedis();

describe('serve', () => {
  it('answers what is under way after SIGTERM, takes nothing else, ends its streams, and exits with 0', async () => {
    const repo = await policedRepo();
    let [isHeld, release] = [false, () => undefined as unknown];
    let hold: Promise<unknown> | null = null;
    const git = await serveGit({
      root: dirname(repo.folder),
      env: repo.env,
      fate: async () => {
        isHeld = hold !== null;
        await hold;
        return 'serve' as const;
      },
    });
    closeAfterTest(() => git.close());
    const address = `${git.url}/${repo.folder.slice(dirname(repo.folder).length + 1)}`;
    const args = ['--repo', address, 'serve', '--listen', '127.0.0.1:0'];
    const { child, taken, ended } = start(await createRepo(), args, { redisUrl: redis.url });
    await expect.poll(() => taken.stdout).toMatch(/token=/);
    const [, url = ''] = /listening on (\S+)/.exec(taken.stdout) ?? [];
    const [, token = ''] = /token=(\S+)/.exec(taken.stdout) ?? [];
    const headers = { authorization: `Bearer ${token}` };

    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ready' }]);
    const stream = await new Promise<{ text: string; isOver: boolean }>((resolve) => {
      const seen = { text: '', isOver: false };
      request(`${url}/api/v1/events`, { headers }, (response) => {
        response.on('data', (part) => (seen.text += String(part))).on('end', () => (seen.isOver = true));
        resolve(seen);
      }).end();
    });
    await expect.poll(() => stream.text).toContain('event: ready');

    hold = new Promise((resolve) => (release = () => resolve(null)));
    const call = fetch(`${url}/api/v1/environments`, { headers });
    await expect.poll(() => isHeld).toBe(true);
    child.kill('SIGTERM');
    await expect.poll(() => stream.isOver).toBe(true);
    await expect.poll(() => fetch(`${url}/healthz`).catch(() => 'refused')).toBe('refused');
    expect(child.exitCode).toBe(null);
    release();
    const answer = await call;
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect(await answer.json()).toHaveProperty('environments');
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain(token);
    const calls = stderr.split('\n').filter((line) => line.includes('"msg":"call"'));
    expect(calls.map((line): string => JSON.parse(line).route).toSorted()).toEqual([
      '/api/v1/environments',
      '/api/v1/events',
    ]);
  });
});
