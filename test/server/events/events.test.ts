/** Streams of events: what they tell whom, what is replayed, and what becomes of readers who are slow or go away. */
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { request } from 'node:http';
import { fastifySSE } from '@fastify/sse';
import { fastify } from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { BacktrailError, type Engine, STEPS } from '../../../engine/internal.ts';
import {
  createLogger,
  enqueueRollback,
  executeInBatches,
  openQueue,
  startWorker,
} from '../../../workers/index.ts';
import { openStream, type Stream } from '../../../server/events/stream.ts';
import { ask, configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { closeAfterFile, closeAfterTest } from '../../helpers/run/lifetime.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { hasNativeRedis, useRedis } from '../../helpers/servers/redis.ts';

const redis = useRedis();

const RULES = configOf({
  environments: [],
  permissions: [
    { allow: ['propose', 'deploy'], users: [JANE.email], in: ['**'] },
    { allow: ['read'], users: ['dana@example.com'], in: ['dev'] },
  ],
});

let repo: Repo;
let engine: Engine;
let api: Api;
let proxied: Reading;
beforeAll(async () => {
  repo = await policedRepo(RULES);
  engine = await engineOf(repo, { lives: 'file' });
  api = await startApi(engine, {
    lives: 'file',
    settings: { redisUrl: redis.url, bounds: { heartbeatMs: 50 } },
  });
  proxied = await read('', { url: await cuttingProxy(5000), lives: 'file' });
});

interface Heard {
  readonly event?: string;
  readonly id?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it
  readonly data?: any;
}

interface Reading {
  readonly heard: readonly Heard[];
  readonly status: number;
  /** Comments. */
  readonly beats: () => number;
  readonly ended: Promise<unknown>;
  stop(): void;
}

/** Reads a stream until it is stopped. */
function read(
  path = '',
  {
    of = api,
    headers = {},
    url = of.url,
    lives = 'test',
  }: { of?: Api; headers?: Record<string, string>; url?: string; lives?: 'test' | 'file' } = {},
): Promise<Reading> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/api/v1/events${path}`, {
      headers: { host: new URL(of.url).host, authorization: `Bearer ${of.token}`, ...headers },
    });
    sent.on('error', reject).end();
    const stop = () => sent.destroy();
    (lives === 'file' ? closeAfterFile : closeAfterTest)(stop);
    sent.on('response', (response) => {
      const heard: Heard[] = [];
      let beats = 0;
      let rest = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        rest += part;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const lines = rest.slice(0, end).split('\n');
          rest = rest.slice(end + 2);
          if (lines.every((line) => line.startsWith(':'))) beats += 1;
          else heard.push(messageOf(lines));
        }
      });
      response.on('error', () => undefined);
      const ended = new Promise((end) => response.on('close', end));
      resolve({ heard, status: response.statusCode ?? 0, beats: () => beats, ended, stop });
    });
  });
}

function messageOf(lines: readonly string[]): Heard {
  const fields = lines.map((line) => /^(\w+): (.*)$/.exec(line) ?? []);
  const message = Object.fromEntries(fields.map(([, key = '', value = '']) => [key, value]));
  return { ...message, ...(message['data'] !== undefined && { data: JSON.parse(message['data']) }) };
}

/** Of the ledger, as they were heard. */
const told = ({ heard }: Reading) =>
  heard.filter(({ event }) => event === 'request').map(({ data }) => [data.event, data.requestId]);

describe('a stream of events', () => {
  it('tells what happens to requests, as the log of the ledger has it, and goes on from any event', async () => {
    const stream = await read();
    await expect.poll(() => stream.heard).toHaveLength(1);
    const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
    await engine.requests.note({ id, actor: JANE, text: 'Pods crash' });
    await engine.requests.cancel({ id, actor: JANE });
    const events = ['opened', 'noted', 'cancelled'].map((event) => [event, id]);
    await expect.poll(() => told(stream)).toEqual(events);
    const log = await engine.requests.audit({ limit: 3, reader: JANE });
    expect(stream.heard.slice(1).map(({ data }) => data)).toEqual(log.toReversed());
    expect(stream.heard.slice(1).map(({ id: at }) => at)).toEqual(
      log.toReversed().map(({ commit }) => `${commit}.1`),
    );
    const [ready, first, second] = stream.heard;
    for (const [after, rest] of [
      [ready?.id, events],
      [first?.id, events.slice(1)],
      [second?.id, events.slice(2)],
    ] as const) {
      const byHeader = await read('', { headers: { 'last-event-id': after ?? '' } });
      await expect.poll(() => told(byHeader)).toEqual(rest);
      const byQuery = await read(`?after=${after}`);
      await expect.poll(() => told(byQuery)).toEqual(rest);
    }
    const all = await read('?after=0', { of: await startApi(engine) });
    await expect.poll(() => told(all)).toEqual(events);
    const none = await read(`?after=0&request=${id}x`);
    const others = await read('?after=0&environment=dev');
    await expect.poll(none.beats).toBeGreaterThan(1);
    await expect.poll(others.beats).toBeGreaterThan(1);
    expect([told(none), told(others)]).toEqual([[], []]);
  });

  it('refuses what is no id, and says where it knows nothing of what came since', async () => {
    for (const after of ['x', '1', '0'.repeat(40)])
      expect((await api.get(`/api/v1/events?after=${after}`)).body.code).toBe('INVALID_REQUEST');
    const accept = await api.get('/api/v1/events', { headers: { accept: 'application/json' } });
    expect([accept.status, accept.body.code]).toEqual([406, 'NOT_ACCEPTABLE']);
    expect((await api.get('/api/v1/events', { token: null })).status).toBe(401);
    expect((await api.call('HEAD', '/api/v1/events')).status).toBe(405);
    const unknown = await read('', { headers: { 'last-event-id': `${'0'.repeat(40)}.1` } });
    await expect.poll(() => unknown.heard.map(({ event }) => event)).toEqual(['ready', 'reset']);
    const { id } = unknown.heard[1] ?? {};
    const again = await read('', { headers: { 'last-event-id': id ?? '' } });
    await expect.poll(() => again.heard.map(({ event }) => event)).toEqual(['ready']);
  });

  it('tells each reader only what they may read', async () => {
    const danas = await startApi(engine, { person: { name: 'Dana', email: 'dana@example.com' } });
    const [own, all] = [await read('', { of: danas }), await read()];
    await expect.poll(() => [own.heard.length, all.heard.length]).toEqual([1, 1]);
    const { id: hidden } = await ask(engine, JANE, 'prod/api', { propose: true });
    const { id: shown } = await ask(engine, JANE, 'dev/api', { propose: true });
    await expect.poll(() => told(own)).toEqual([['opened', shown]]);
    await expect.poll(() => told(all).length).toBe(2);
    for (const id of [hidden, shown]) await engine.requests.cancel({ id, actor: JANE });
    await expect.poll(() => told(own).length).toBe(2);
    const after = await read('?after=0', { of: danas });
    await expect.poll(() => told(after).length).toBe(2);
    expect(JSON.stringify([own.heard, after.heard])).not.toContain(hidden);
  });

  it.runIf(isProof)('looks at once after a call that writes, and not after one that only asks', async () => {
    const looks: number[] = [];
    let release: () => void = () => undefined;
    const events: Engine['requests']['events'] = async (asked) => {
      looks.push(performance.now());
      if (looks.length === 2) await new Promise<void>((resolve) => (release = resolve));
      return engine.requests.events(asked);
    };
    const slow = await startApi({ ...engine, requests: { ...engine.requests, events } });
    const stream = await read('', { of: slow });
    // A look is under way: what it is told meanwhile, it does next.
    await expect.poll(() => looks.length).toBe(2);
    const plan = { environment: 'dev', service: 'api', targetSha: 'v1', justification: 'v2 is bad' };
    expect((await slow.post('/api/v1/plans', plan)).status).toBe(200);
    const released = performance.now();
    release();
    await expect.poll(() => looks.length).toBe(3);
    expect((looks[2] ?? 0) - released).toBeGreaterThan(1000);
    const { body } = await slow.post('/api/v1/rollbacks', plan);
    await expect.poll(() => told(stream)).toEqual([['opened', body.requestId]]);
    await engine.requests.cancel({ id: body.requestId, actor: JANE });
  });

  it('tells steps of rollbacks, which have no id and are not told again', async () => {
    const stream = await read();
    const { id } = await ask(engine, JANE, 'dev/api');
    await expect.poll(() => told(stream).at(-1)).toEqual(['opened', id]);
    const following = async () => (hasNativeRedis ? String(await redis.client.client('LIST')) : 'cmd=xread');
    await expect.poll(following).toContain('cmd=xread');
    const worker = startWorker({
      redisUrl: redis.url,
      execute: executeInBatches(() => engineOf(repo)),
      logger: createLogger({ destination: { write: () => undefined } }),
    });
    closeAfterTest(() => worker.close());
    const queue = await openQueue({ redisUrl: redis.url });
    closeAfterTest(() => queue.close());
    await enqueueRollback(queue, { v: 2, requestId: id, repo: engine.location() });
    await expect.poll(() => told(stream).at(-1)).toEqual(['completed', id]);
    const stepsOf = ({ heard }: Reading) => heard.filter(({ event }) => event === 'step');
    await expect.poll(() => stepsOf(stream)).toHaveLength(STEPS.length);
    const steps = stepsOf(stream);
    expect(steps.map(({ data }) => data.step)).toEqual(STEPS);
    expect(steps.every(({ id: own, data }) => own === undefined && data.requestId === id)).toBe(true);
    expect(steps[0]?.data.scope).toBe('dev/api');
    const again = await read(`?after=${stream.heard[0]?.id}`);
    await expect.poll(() => told(again).length).toBeGreaterThan(1);
    expect(stepsOf(again)).toEqual([]);
  });
});

describe('readers', () => {
  it('share one look, leave nothing when they go, and end with the server', async () => {
    let looks = 0;
    const events: Engine['requests']['events'] = (input) => {
      looks += 1;
      return engine.requests.events(input);
    };
    const counted = { ...engine, requests: { ...engine.requests, events } };
    const own = await startApi(counted, { settings: { bounds: { heartbeatMs: 60_000 } } });
    const metric = async () =>
      /^backtrail_event_streams (\d+)$/m.exec((await own.get('/metrics')).body)?.[1] ?? '';
    const count = isProof ? 1000 : 60;
    const streams = await Promise.all(Array.from({ length: count }, () => read('', { of: own })));
    expect(looks).toBeLessThan(count / 4);
    await expect.poll(metric).toBe(String(count));
    const memory = process.memoryUsage().rss;
    const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
    await engine.requests.cancel({ id, actor: JANE });
    await expect.poll(() => streams.every((each) => told(each).length === 2), { interval: 250 }).toBe(true);
    expect(looks).toBeLessThan(count);
    const growth = process.memoryUsage().rss - memory;
    expect(isProof ? growth : 0).toBeLessThan(100 * 2 ** 20);
    for (const each of streams.slice(count / 2)) each.stop();
    await expect.poll(metric).toBe(String(count / 2));
    const closing = own.close();
    await Promise.all(streams.map(({ ended }) => ended));
    await closing;
  });

  it.runIf(isProof)(
    'are told where the ledger cannot be looked at, and go on where it can; of another ledger they are told to begin anew',
    async () => {
      let failure: BacktrailError | null = null;
      const events: Engine['requests']['events'] = async (input) => {
        if (failure !== null && input.after !== undefined) throw failure;
        return engine.requests.events(input);
      };
      const own = await startApi({ ...engine, requests: { ...engine.requests, events } });
      const stream = await read('', { of: own });
      const heard = () => stream.heard.map(({ event, data }) => data.code ?? data.event ?? event);
      await expect.poll(heard).toEqual(['ready']);
      failure = new BacktrailError('REMOTE_UNAVAILABLE', 'The remote did not answer.');
      await expect.poll(heard).toEqual(['ready', 'REMOTE_UNAVAILABLE']);
      const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
      failure = null;
      await expect.poll(heard).toEqual(['ready', 'REMOTE_UNAVAILABLE', 'opened']);
      failure = new BacktrailError('EVENT_UNKNOWN', 'The ledger is another one.');
      await expect.poll(() => heard().at(-1)).toBe('reset');
      failure = null;
      await engine.requests.cancel({ id, actor: JANE });
      await expect.poll(() => heard().at(-1)).toBe('cancelled');
    },
  );

  it('are cut where they are too slow, and others are not kept waiting', async () => {
    const cut: string[] = [];
    const streams: Stream[] = [];
    const app = fastify();
    await app.register(fastifySSE);
    app.get<{ Params: { name: string } }>('/:name', { sse: 'only' }, async ({ params }, reply) => {
      const stream = openStream(reply, { onSlow: () => cut.push(params.name), onClose: () => undefined });
      streams.push(stream);
      stream.send({ event: 'ready' });
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    closeAfterTest(() => app.close());
    const { port } = new URL(url);
    const slow = connect(Number(port), '127.0.0.1');
    slow.on('error', () => undefined);
    slow.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(slow, 'data');
    slow.pause();
    const quick = await fetch(`${url}/quick`);
    let got = 0;
    const reading = (async () => {
      for await (const part of quick.body ?? []) got += part.length;
    })();
    const data = 'x'.repeat(100_000);
    for (let sent = 0; cut.length === 0; sent += 1) {
      for (const each of streams) each.send({ event: 'large', data });
      await expect.poll(() => got).toBeGreaterThan(sent * data.length);
      expect(sent).toBeLessThan(1000);
    }
    expect(cut).toEqual(['slow']);
    slow.resume();
    await once(slow, 'close');
    for (const each of streams) each.end();
    await reading;
  });

  it('stay behind a proxy that cuts what is idle for five seconds', async () => {
    // For so long, as there are twenty a second: it was opened before the first test.
    await expect.poll(proxied.beats).toBeGreaterThan(120);
    const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
    await expect.poll(() => told(proxied).at(-1)).toEqual(['opened', id]);
    await engine.requests.cancel({ id, actor: JANE });
  });
});

/** Passes on what comes, and cuts a connection on which nothing came for so long. Gives its address. */
async function cuttingProxy(idleMs: number): Promise<string> {
  const { hostname, port } = new URL(api.url);
  const sockets = new Set<Socket>();
  const server = createServer((one) => {
    const other = connect(Number(port), hostname);
    for (const each of [one, other]) {
      sockets.add(each);
      each.setTimeout(idleMs, () => each.destroy()).on('error', () => undefined);
    }
    one.pipe(other).pipe(one);
    one.on('close', () => other.destroy());
    other.on('close', () => one.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfterFile(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
