/** What whoever runs the server asks it, and what it says of its calls. */
import { request } from 'node:http';
import { rename } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/internal.ts';
import { NO_CONFIGURATION } from '../../server/settings/configuration.ts';
import { ask, configOf, policedRepo } from '../helpers/people/requests.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';
import { useRedis } from '../helpers/servers/redis.ts';

const redis = useRedis();
const FREE = configOf({ environments: [] });

let engine: Engine;
let api: Api;
let time = Date.now();
beforeAll(async () => {
  engine = await engineOf(await policedRepo(FREE), { lives: 'file' });
  api = await startApi(engine, {
    lives: 'file',
    settings: { redisUrl: redis.url, now: () => time },
  });
});

/** Lets the server look again. */
const later = () => (time += 60_000);
const lines = (of: Api) => of.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'call');

/** One metric by name and labels; null: it is not there. */
async function metric(name: string, of: Api = api): Promise<number | null> {
  const { body } = await of.get('/metrics', { token: null });
  const line = String(body)
    .split('\n')
    .find((each) => each.startsWith(`${name} `));
  return line === undefined ? null : Number(line.split(' ').at(-1));
}

function statusFor(path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${api.url}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

describe('a probe', () => {
  it('is answered without a token, by whatever name it calls; metrics are not read through a rebound name', async () => {
    const health = await api.get('/healthz', { token: null });
    expect([health.status, health.body]).toEqual([200, { status: 'ok' }]);
    const ready = await api.get('/readyz', { token: null });
    expect([ready.status, ready.body]).toEqual([
      200,
      { status: 'ready', checks: ['git', 'ledger', 'queue'].map((name) => ({ name, ok: true })) },
    ]);
    for (const path of ['/healthz', '/readyz']) expect(await statusFor(path, '10.0.0.7:4180')).toBe(200);
    expect(await statusFor('/metrics', 'rebound.example.com')).toBe(403);
    expect((await api.get('/healthz', { headers: { origin: 'https://evil.example.com' } })).status).toBe(403);
  });

  it('is told what is missing, and nobody waits for a queue that is gone', async () => {
    const other = await startApi(engine, { settings: { redisUrl: 'redis://127.0.0.1:1' } });
    const { status, body } = await other.get('/readyz', { token: null });
    expect([status, body.status]).toEqual([503, 'not ready']);
    expect(body.checks[2]).toMatchObject({ name: 'queue', ok: false, code: 'QUEUE_UNAVAILABLE' });
    expect((await other.get('/healthz', { token: null })).status).toBe(200);
  });

  it('finds a repository that is gone, and back, with looks of which many share one', async () => {
    const remote = await policedRepo(FREE);
    const cloned = await engineOf(remote, { location: `file://${remote.folder}`, offline: true });
    let now = 0;
    const far = await startApi(cloned, { settings: { now: () => now } });
    const checks = async () => (await far.get('/readyz', { token: null })).body.checks;
    expect(await checks()).toEqual(['git', 'ledger'].map((name) => ({ name, ok: true })));
    await rename(remote.folder, `${remote.folder}-gone`);
    // Of a moment ago: that nothing is asked again shows in that it is still well.
    expect((await checks())[0]).toEqual({ name: 'git', ok: true });
    now += 60_000;
    expect((await checks())[0]).toMatchObject({ name: 'git', ok: false, code: 'REMOTE_UNAVAILABLE' });
    expect(far.log.join('')).toContain(`${remote.folder} did not answer`);
    expect(await metric('backtrail_ledger_readable', far)).toBe(0);
    await rename(`${remote.folder}-gone`, remote.folder);
    now += 60_000;
    expect((await checks())[0]).toEqual({ name: 'git', ok: true });
  });
});

describe('metrics', () => {
  it('say what waits, and since when', async () => {
    later();
    expect(await metric('backtrail_requests_pending')).toBe(0);
    const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
    const { id: free } = await ask(engine, JANE, 'dev/api');
    expect(await metric('backtrail_requests_pending')).toBe(0);
    later();
    expect(await metric('backtrail_requests_pending')).toBe(1);
    expect(await metric('backtrail_requests_waiting')).toBe(1);
    expect(await metric('backtrail_reconcile_lag_seconds')).toBeGreaterThan(0);
    await engine.rollbacks.execute(free);
    await engine.requests.cancel({ id, actor: JANE });
    later();
    expect(await metric('backtrail_requests_waiting')).toBe(0);
    expect(await metric('backtrail_reconcile_lag_seconds')).toBe(0);
    expect(await metric('backtrail_pushes_total')).toBe(1);
    expect(await metric('backtrail_batch_size_sum')).toBe(1);
    expect(
      await metric('backtrail_rollback_duration_seconds_count{mode="service",outcome="completed"}'),
    ).toBe(1);
  });

  it('count calls by the pattern of their route, whatever is asked for', async () => {
    const count = (route: string, status: number) =>
      metric(
        `backtrail_http_request_duration_seconds_count{method="GET",route="${route}",status="${status}"}`,
      );
    const before = (await count('none', 404)) ?? 0;
    await Promise.all(['a', 'b', 'c'].map((name) => api.get(`/api/v1/nothing/${name}-secret`)));
    await Promise.all(['a', 'b'].map((name) => api.get(`/api/v1/environments/-/${name}-secret/history`)));
    await expect.poll(() => count('none', 404)).toBe(before + 3);
    await expect.poll(() => count('/api/v1/environments/:tenant/:environment/history', 404)).toBe(2);
    const { body } = await api.get('/metrics');
    expect(body).not.toMatch(/secret|jane|prod/);
    expect(body).toMatch(/^process_cpu_seconds_total /m);
  });

  it('are for those alone who may call, where that is asked for', async () => {
    const kept = await startApi(engine, {
      settings: { configuration: { ...NO_CONFIGURATION, metrics: 'token' } },
    });
    expect((await kept.get('/metrics', { token: null })).status).toBe(401);
    expect((await kept.get('/metrics')).status).toBe(200);
    expect((await kept.get('/readyz', { token: null })).status).toBe(200);
  });
});

describe('the log', () => {
  it('has one line a call: its route, what became of it and who it was, and nothing that was sent', async () => {
    const own = await startApi(engine);
    await own.get('/api/v1/environments/-/dev/history?field=hunter2');
    await own.get('/api/v1/environments', { token: 'hunter2-token' });
    await own.get('/hunter2');
    await own.get('/api/v1/%zz');
    await own.get('/healthz');
    await expect.poll(() => lines(own)).toHaveLength(5);
    expect(lines(own).map(({ method, route, status, caller }) => [method, route, status, caller])).toEqual([
      ['GET', '/openapi.json', 200, null],
      ['GET', '/api/v1/environments/:tenant/:environment/history', expect.any(Number), JANE.email],
      ['GET', '/api/v1/environments', 401, null],
      ['GET', 'none', 404, null],
      ['GET', 'none', 400, null],
    ]);
    expect(own.log.join('')).not.toMatch(/hunter2|zz/);
    expect(own.log.join('')).not.toContain(own.token);
  });
});
