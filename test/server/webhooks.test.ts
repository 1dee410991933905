/** What is sent to webhooks: to real receivers, which verify it with the library of Standard Webhooks. */
import { once } from 'node:events';
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { confirmPlan, type Engine } from '../../engine/internal.ts';
import { TRANSITIONS } from '../../engine/index.ts';
import { createWatcher } from '../../server/events/watcher.ts';
import { createMetrics } from '../../server/operation/metrics.ts';
import { parseServerConfiguration, readServerConfiguration } from '../../server/settings/configuration.ts';
import { readSinks } from '../../server/settings/webhooks.ts';
import { guardedLookup, isAllowedAddress, type Resolve } from '../../server/webhooks/addresses.ts';
import { backOff, retryAfter } from '../../server/webhooks/back-off.ts';
import { EVENT_TYPES } from '../../server/webhooks/event-types.ts';
import { messageId } from '../../server/webhooks/happening.ts';
import type { Sink } from '../../server/webhooks/sink.ts';
import { slackBody } from '../../server/webhooks/slack.ts';
import { createWebhooks, type WebhookSettings } from '../../server/webhooks/webhooks.ts';
import { createLogger, takeTurns } from '../../workers/index.ts';
import { ask, configOf, newId, policedRepo } from '../helpers/people/requests.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { temporaryFolder } from '../helpers/repositories/repo.ts';
import { closeAfterTest } from '../helpers/run/lifetime.ts';
import { startApi } from '../helpers/servers/api.ts';
import { useRedis } from '../helpers/servers/redis.ts';

const redis = useRedis();
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const POLICY = {
  environments: [
    { match: 'prod', quorum: 1, unsignedApprovals: true, breakGlass: { allowed: true, longest: '1h' } },
  ],
};

let engine: Engine;
beforeAll(async () => {
  engine = await engineOf(await policedRepo(configOf(POLICY)), { lives: 'file' });
});

interface Received {
  readonly id: string;
  readonly signature: string;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it, and its signature was verified
  readonly body: any;
}

interface Receiver {
  readonly url: string;
  /** What was taken. */
  readonly taken: Received[];
  /** All attempts. */
  readonly heard: Received[];
  /** Instead of taking it; true: it was answered. */
  answer: (received: Received, response: ServerResponse) => boolean;
}

async function receive(): Promise<Receiver> {
  const receiver: Receiver = { url: '', taken: [], heard: [], answer: () => false };
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const signature = String(request.headers['webhook-signature'] ?? '');
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = signature === '' ? JSON.parse(text) : new Webhook(SECRET).verify(text, headers);
      const received = { id: headers['webhook-id'] ?? '', signature, text, body };
      receiver.heard.push(received);
      if (receiver.answer(received, response)) return;
      receiver.taken.push(received);
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}/in` });
}

const sinkOf = ({ url }: { readonly url: string }, more: Partial<Sink> = {}): Sink => ({
  name: 'team',
  url,
  secrets: [SECRET],
  format: 'standard',
  environments: ['**'],
  events: ['*'],
  console: 'https://backtrail.example.com',
  allowPrivate: true,
  from: null,
  ...more,
});

interface Running {
  readonly log: readonly string[];
  readonly folder: string;
  readonly metrics: () => Promise<string>;
  look(): void;
  close(): Promise<void>;
}

/** A folder that holds that nothing was sent yet, so that sinks begin now. */
async function freshState(): Promise<string> {
  const folder = await temporaryFolder();
  await chmod(folder, 0o700);
  await writeFile(join(folder, 'webhooks.json'), '{"version":1,"sinks":{}}', { mode: 0o600 });
  return folder;
}

async function send(
  sinks: readonly Sink[],
  { folder, of = engine, ...settings }: Partial<WebhookSettings> & { of?: Engine } = {},
): Promise<Running> {
  const log: string[] = [];
  const logger = createLogger({
    name: 'server',
    level: 'debug',
    destination: { write: (line) => void log.push(line) },
  });
  const watcher = createWatcher({ engine: of, logger });
  const metrics = createMetrics({ version: '0', now: Date.now });
  const state = folder ?? (await freshState());
  const webhooks = createWebhooks({
    sinks,
    folder: state,
    turn: null,
    engine: of,
    watcher,
    metrics,
    logger,
    version: '0',
    now: Date.now,
    backOff: () => 5,
    ...settings,
  });
  webhooks.start();
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await webhooks.close();
    watcher.close();
  };
  closeAfterTest(close);
  return { log, folder: state, metrics: () => metrics.text(), look: () => watcher.look(), close };
}

const isSending = ({ log }: Running) => log.some((line) => line.includes('sent by this server'));
const typesOf = (all: readonly Received[]) => all.map(({ body }) => body.type);
const idsOf = (all: readonly Received[]) => all.map(({ id }) => id);

/** `opened`, `noted` and `cancelled` of one request. */
async function three(): Promise<string> {
  const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
  await engine.requests.note({ id, actor: JANE, text: 'Pods crash' });
  await engine.requests.cancel({ id, actor: JANE });
  return id;
}
const THREE = ['rollback.opened', 'rollback.noted', 'rollback.cancelled'];

describe('a webhook', () => {
  it('is told what happens, in order, signed with each of its secrets, with a link to the request', async () => {
    const receiver = await receive();
    const running = await send([sinkOf(receiver, { secrets: [OLD_SECRET, SECRET] })]);
    await expect.poll(() => isSending(running)).toBe(true);
    const id = await three();
    running.look();
    await expect.poll(() => typesOf(receiver.taken)).toEqual(THREE);
    const [opened, noted, cancelled] = receiver.taken;
    expect(opened?.signature.split(' ')).toHaveLength(2);
    const { events } = await engine.requests.events({ after: '0', limit: 1000 });
    const own = events.filter(({ requestId }) => requestId === id);
    const told = receiver.taken.map(({ body }, index) => ({
      position: own[index]?.position,
      ...body.data.event,
    }));
    expect(told).toEqual(own);
    expect(receiver.taken.map(({ body }) => body.data.request.status)).toEqual([
      'pending',
      'pending',
      'cancelled',
    ]);
    const shown = await engine.requests.show({ id });
    expect(shown).toMatchObject(JSON.parse(JSON.stringify(cancelled?.body.data.request)));
    expect(noted?.body).toMatchObject({
      timestamp: own[1]?.at,
      data: { url: `https://backtrail.example.com/requests/${id}`, event: { comment: 'note: Pods crash' } },
    });
    expect(new Set(idsOf(receiver.taken)).size).toBe(3);
    expect(await running.metrics()).toContain(
      'backtrail_webhook_attempts_total{sink="team",outcome="taken"} 3',
    );
    await running.close();
    const written = running.log.join('') + (await readFile(join(running.folder, 'webhooks.json'), 'utf8'));
    for (const secret of [SECRET.slice(6), OLD_SECRET.slice(6), receiver.url])
      expect(written).not.toContain(secret);
  });

  it('is told of break-glass and failures where it asks for nothing, and of its environments alone', async () => {
    const [usual, dev] = [await receive(), await receive()];
    const running = await send([
      sinkOf(usual, { name: 'usual', events: ['break_glass.*', 'rollback.failed'] }),
      sinkOf(dev, { name: 'dev', environments: ['d*'] }),
    ]);
    await expect.poll(() => isSending(running)).toBe(true);
    await three();
    const { id: inDev } = await ask(engine, JANE, 'dev/api', { propose: true });
    await engine.requests.cancel({ id: inDev, actor: JANE });
    const session = await engine.requests.openSession({
      scope: 'prod',
      holder: JANE,
      reason: 'Checkout is down',
    });
    const used = await ask(engine, JANE, 'prod/api');
    await engine.requests.closeSession({ id: session.id, actor: JANE });
    await engine.requests.cancel({ id: used.id, actor: JANE });
    running.look();
    await expect
      .poll(() => new Set(typesOf(usual.taken)))
      .toEqual(new Set(['break_glass.closed', 'break_glass.opened', 'break_glass.used']));
    await expect.poll(() => typesOf(dev.taken)).toEqual(['rollback.opened', 'rollback.cancelled']);
    const opened = usual.taken.find(({ body }) => body.type === 'break_glass.opened');
    expect(opened?.body.data.session).toMatchObject({ id: session.id, justification: 'Checkout is down' });
  });

  it('is told of rollbacks without a request from the branch, with ids of their commits', async () => {
    const repo = await policedRepo(configOf({ environments: [] }));
    const own = await engineOf(repo);
    const [receiver, again] = [await receive(), await receive()];
    const running = await send([sinkOf(receiver)], { of: own });
    await expect.poll(() => isSending(running)).toBe(true);
    const planned = await own.plan({ scope: 'dev/api', hold: false });
    const now = Date.now();
    const confirmed = { id: newId(), reason: 'v2 answers 500', author: JANE, now, allowRemoval: false };
    const { commit } = await own.execute(confirmPlan(planned, confirmed));
    const { id: ledgered } = await ask(own, JANE, 'prod/api', { propose: true });
    await own.requests.cancel({ id: ledgered, actor: JANE });
    running.look();
    await expect.poll(() => receiver.taken.length).toBe(3);
    const [told] = receiver.taken.filter(({ body }) => body.type === 'rollback.completed');
    expect(told?.body.data).toMatchObject({ rollback: { commit, scope: 'dev/api' } });
    await running.close();
    await rm(join(running.folder, 'webhooks.json'));
    await send([sinkOf(again)], { of: own, folder: running.folder });
    await expect.poll(() => idsOf(again.taken).toSorted()).toEqual(idsOf(receiver.taken).toSorted());
  });
});

describe('a receiver that does not take a message', () => {
  it('gets it again, the same with the same id, before what came after it for that request; other requests go on', async () => {
    const receiver = await receive();
    const running = await send([sinkOf(receiver)]);
    await expect.poll(() => isSending(running)).toBe(true);
    let first: string | undefined;
    let isOpen = false;
    receiver.answer = ({ id, body }, response) => {
      first ??= body.data.request.id;
      if (isOpen || body.data.request.id !== first) return false;
      response.writeHead(id ? 500 : 204).end();
      return true;
    };
    const one = await three();
    const other = await three();
    running.look();
    await expect.poll(() => typesOf(receiver.taken)).toEqual(THREE);
    expect(receiver.taken.every(({ body }) => body.data.request.id === other)).toBe(true);
    await expect
      .poll(() => receiver.heard.filter(({ body }) => body.data.request.id === one).length > 2)
      .toBe(true);
    isOpen = true;
    await expect.poll(() => typesOf(receiver.taken)).toEqual([...THREE, ...THREE]);
    const attempts = receiver.heard.filter(
      ({ body }) => body.type === 'rollback.opened' && body.data.request.id === one,
    );
    expect(new Set(attempts.map(({ id, text }) => `${id} ${text}`)).size).toBe(1);
  });

  it('costs the others nothing: one that hangs, one that redirects, one that is gone', async () => {
    const [hanging, redirecting, gone, well, target] = await Promise.all(Array.from({ length: 5 }, receive));
    if (!hanging || !redirecting || !gone || !well || !target) throw new Error('five were made');
    hanging.answer = () => true;
    redirecting.answer = (_, response) => {
      response.writeHead(307, { location: target.url }).end();
      return true;
    };
    gone.answer = (_, response) => {
      response.writeHead(410).end();
      return true;
    };
    const all = [hanging, redirecting, gone, well].map((each, index) =>
      sinkOf(each, { name: ['hanging', 'redirecting', 'gone', 'well'][index] ?? '' }),
    );
    const running = await send(all);
    await expect.poll(() => isSending(running)).toBe(true);
    await three();
    running.look();
    await expect.poll(() => typesOf(well.taken)).toEqual(THREE);
    await expect.poll(() => redirecting.heard.length).toBeGreaterThan(3);
    await expect.poll(() => running.metrics()).toContain('backtrail_webhook_gone{sink="gone"} 1');
    await running.close();
    expect([target.heard.length, gone.heard.length, hanging.taken.length]).toEqual([0, 1, 0]);
    hanging.answer = redirecting.answer = gone.answer = () => false;
    await send(all, { folder: running.folder });
    for (const each of [hanging, redirecting, gone])
      await expect.poll(() => typesOf(each.taken)).toEqual(THREE);
    expect(well.taken).toHaveLength(3);
  });
});

describe('a state folder', () => {
  it('that is older than what was sent, or gone, has it sent again with the same ids; a new sink begins now', async () => {
    const receiver = await receive();
    const first = await send([sinkOf(receiver)]);
    await expect.poll(() => isSending(first)).toBe(true);
    const file = join(first.folder, 'webhooks.json');
    await expect.poll(() => readFile(file, 'utf8')).toContain('team');
    await first.close();
    await copyFile(file, `${file}.before`);
    await three();
    const second = await send([sinkOf(receiver)], { folder: first.folder });
    await expect.poll(() => receiver.taken.length).toBe(3);
    await second.close();
    // As after a crash before it was written down.
    await copyFile(`${file}.before`, file);
    const third = await send([sinkOf(receiver)], { folder: first.folder });
    await expect.poll(() => receiver.taken.length).toBe(6);
    await third.close();
    expect(idsOf(receiver.taken.slice(3))).toEqual(idsOf(receiver.taken.slice(0, 3)));
    expect(receiver.taken.slice(3).map(({ text }) => text)).toEqual(
      receiver.taken.slice(0, 3).map(({ text }) => text),
    );
    await rm(file);
    const [all, fresh] = [await receive(), await receive()];
    const fourth = await send([sinkOf(all)], { folder: first.folder });
    const { events } = await engine.requests.events({ after: '0', limit: 1000 });
    await expect.poll(() => all.taken.length).toBe(events.length);
    expect(idsOf(all.taken)).toEqual(expect.arrayContaining(idsOf(receiver.taken)));
    await fourth.close();
    const fifth = await send([sinkOf(all), sinkOf(fresh, { name: 'fresh' })], { folder: first.folder });
    await expect.poll(() => isSending(fifth)).toBe(true);
    const id = await three();
    fifth.look();
    await expect.poll(() => fresh.taken.map(({ body }) => body.data.request.id)).toEqual([id, id, id]);
    await expect.poll(() => all.taken.length).toBe(events.length + 3);
    expect(idsOf(fresh.taken)).not.toEqual(idsOf(all.taken.slice(-3)));
    await fifth.close();
    // As little as is asked for.
    await rm(file);
    const late = await receive();
    await send([sinkOf(late, { from: Date.parse('2100-01-01') }), sinkOf(fresh, { name: 'fresh' })], {
      folder: first.folder,
    });
    await expect.poll(() => fresh.taken.length).toBe(events.length + 6);
    expect(late.heard).toEqual([]);
  });

  it('that names places of a ledger that was written anew loses nothing of what waits', async () => {
    const { id } = await ask(engine, JANE, 'prod/api', { propose: true });
    for (const text of 'abcde') await engine.requests.note({ id, actor: JANE, text });
    await engine.requests.cancel({ id, actor: JANE });
    const { events } = await engine.requests.events({ after: '0', limit: 1000 });
    const own = events.filter(({ requestId }) => requestId === id);
    const after = `${'0'.repeat(40)}.1`;
    const waiting = own.map(({ eventId, at }) => ({
      id: messageId('team', { id: `${id} ${eventId}` }),
      of: id,
      at,
      place: { after },
    }));
    const cursor = { position: after, branch: { commit: null, time: Date.now() }, waiting };
    const folder = await freshState();
    await writeFile(join(folder, 'webhooks.json'), JSON.stringify({ version: 1, sinks: { team: cursor } }));
    const receiver = await receive();
    await send([sinkOf(receiver)], { folder });
    const told = () => receiver.taken.filter(({ body }) => body.data.event.requestId === id);
    await expect.poll(() => idsOf(told()).toSorted()).toEqual(waiting.map((each) => each.id).toSorted());
  });

  it('and Redis are shared by servers, of which one sends, and another one when it ends', async () => {
    const receiver = await receive();
    const folder = await freshState();
    const turn = () => takeTurns({ redisUrl: redis.url, name: 'webhooks of a test' });
    const one = await send([sinkOf(receiver)], { folder, turn: turn() });
    await expect.poll(() => isSending(one)).toBe(true);
    const other = await send([sinkOf(receiver)], { folder, turn: turn() });
    await three();
    one.look();
    await expect.poll(() => receiver.taken.length).toBe(3);
    expect(isSending(other)).toBe(false);
    await one.close();
    await expect.poll(() => isSending(other)).toBe(true);
    await three();
    other.look();
    await expect.poll(() => receiver.taken.length).toBe(6);
    expect(new Set(idsOf(receiver.taken)).size).toBe(6);
  });
});

describe('an address', () => {
  it.each([
    ['8.8.8.8', true, true],
    ['2606:4700::1111', true, true],
    ['64:ff9b::808:808', true, true],
    ['127.0.0.1', false, true],
    ['10.1.2.3', false, true],
    ['172.31.0.1', false, true],
    ['192.168.1.1', false, true],
    ['100.64.0.1', false, true],
    ['::1', false, true],
    ['fd12::1', false, true],
    ['::ffff:10.0.0.1', false, true],
    ['::ffff:127.0.0.1', false, true],
    ['64:ff9b::a00:1', false, true],
    ['169.254.169.254', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['fd00:ec2::254', false, false],
    ['fd20:ce::254', false, false],
    ['168.63.129.16', false, false],
    ['64:ff9b::a83f:8110', false, false],
    ['0.0.0.0', false, false],
    ['224.0.0.1', false, false],
    ['255.255.255.255', false, false],
    ['fe80::1', false, false],
    ['fe80::1%eth0', false, false],
    ['::', false, false],
    ['::7f00:1', false, false],
    ['2002:7f00:1::', false, false],
    ['2001:db8::1', false, false],
    ['example.com', false, false],
  ])('%s is sent to: %s, within a private network: %s', (address, isPublic, isPrivate) => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([
      isPublic,
      isPrivate,
    ]);
  });

  it('is looked at as it is connected to: a name that leads into the network is refused, however it was answered before', async () => {
    const receiver = await receive();
    const { port } = new URL(receiver.url);
    const answers = ['8.8.8.8', '127.0.0.1'];
    const resolve: Resolve = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
    const lookup = guardedLookup(resolve, false);
    const ask = () =>
      new Promise((done) =>
        lookup('rebinding.example', { all: true }, (error, found) => done(error?.message ?? found)),
      );
    expect(await ask()).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await ask()).toBe('ADDRESS_REFUSED');
    const mixed = guardedLookup(
      async () => [
        { address: '8.8.8.8', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ],
      false,
    );
    expect(await new Promise((done) => mixed('x', {}, (error) => done(error?.message)))).toBe(
      'ADDRESS_REFUSED',
    );
    const url = `http://rebinding.example:${port}/`;
    const running = await send(
      [sinkOf({ url }, { name: 'tricked', allowPrivate: false }), sinkOf({ url }, { name: 'own' })],
      {
        resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      },
    );
    await expect.poll(() => isSending(running)).toBe(true);
    await three();
    running.look();
    await expect.poll(() => receiver.taken.length).toBe(3);
    await expect.poll(() => running.log.join('')).toContain('a network that nothing is sent to');
    expect(receiver.heard).toHaveLength(3);
    expect(running.log.join('')).not.toContain('127.0.0.1');
  });
});

describe('the configuration', () => {
  const sink = (more: string) => `webhooks:\n  - { name: team, ${more} }\n`;
  const read = async (more: string, files: Record<string, string> = { secret: SECRET }, mode = 0o600) => {
    const folder = await temporaryFolder();
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), `${text}\n`, { mode });
    const { webhooks } = parseServerConfiguration(sink(more), join(folder, 'server.yaml'));
    return readSinks(webhooks, folder);
  };

  it('is what docs/webhooks.md shows', async () => {
    const page = await readFile(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
    const { webhooks } = parseServerConfiguration(example, 'server.yaml');
    expect(webhooks.map(({ name, from }) => [name, from])).toEqual([
      ['incidents', '2026-11-29T09:00:00Z'],
      ['on-call', undefined],
    ]);
    const described = [
      ...page.matchAll(/`((?:rollback|break_glass)\.[a-z]+|live|degraded|auto-rollback)`/g),
    ].map(([, type = '']) => type);
    expect(EVENT_TYPES.filter((type) => !described.includes(type))).toEqual([]);
  });

  it('has defaults, and takes an address that is a secret from a file', async () => {
    const [team] = await read('url: "https://hooks.example.com/x", secret: secret');
    expect(team).toMatchObject({
      secrets: [SECRET],
      format: 'standard',
      environments: ['**'],
      events: ['break_glass.*', 'rollback.failed', 'auto-rollback'],
      console: null,
      allowPrivate: false,
    });
    const files = { address: 'https://hooks.slack.example/T0/B0/xyz' };
    const [chat] = await read('url: { file: address }, format: slack, console: "https://b.example/"', files);
    expect(chat).toMatchObject({ url: files.address, secrets: [], console: 'https://b.example' });
  });

  it.each([
    'url: "https://a.example/"',
    'url: "https://a.example/", secret: secret, events: [rollback.finished]',
    'url: "https://a.example/", secret: secret, name2: x',
    'url: "https://a.example/", secret: secret, console: "https://a.example/?x=1"',
    'url: "https://a.example/", secret: secret, from: yesterday',
  ])('refuses %s', (text) => {
    expect(() => parseServerConfiguration(sink(text), 'server.yaml')).toThrow(/^server\.yaml:\d+:\d+: /);
  });

  it.each([
    'http://hooks.example.com/T0/B0/xyz',
    'http://127.0.0.1/T0/B0/xyz',
    'https://10.0.0.1/T0/B0/xyz',
    'https://0x7f.1/T0/B0/xyz',
    'https://[::ffff:169.254.169.254]/T0/B0/xyz',
    'https://jane:T0-B0-xyz@hooks.example.com/',
    'T0/B0/xyz',
  ])('refuses the address %s, without repeating it', async (url) => {
    const refused = read(`url: "${url}", secret: secret`).catch((error: unknown) => String(error));
    expect(await refused).toMatch(/The webhook team has an address/);
    expect(await refused).not.toContain('xyz');
  });

  it('refuses secrets that others may read, and those that are none, without repeating them', async () => {
    const text = 'url: "https://a.example/", secret: secret';
    await expect(read(text, { secret: SECRET }, 0o644)).rejects.toThrow(
      /may be read or written by other users/,
    );
    for (const bad of ['hunter2hunter2', 'whsec_c2hvcnQ=', `whsec_${'!'.repeat(40)}`]) {
      const refused = await read(text, { secret: bad }).catch((error: unknown) => String(error));
      expect(refused).toMatch(/has a secret that is not/);
      expect(refused).not.toContain(bad);
    }
  });

  it('makes a server send, which is ready whatever its webhooks answer', async () => {
    const receiver = await receive();
    const folder = await temporaryFolder();
    const dead = 'http://127.0.0.1:1/';
    await writeFile(join(folder, 'secret'), SECRET, { mode: 0o600 });
    await writeFile(
      join(folder, 'server.yaml'),
      `tokens: true
webhooks:
  - { name: team, url: "${receiver.url}", secret: secret, allowPrivate: true, events: ["*"], from: "${new Date().toISOString()}" }
  - { name: dead, url: "${dead}", secret: secret, allowPrivate: true, events: ["*"] }
`,
    );
    const configuration = await readServerConfiguration(join(folder, 'server.yaml'));
    const api = await startApi(engine, { settings: { configuration, state: join(folder, 'state') } });
    const id = await three();
    await expect.poll(() => receiver.taken.filter(({ body }) => body.data.request?.id === id).length).toBe(3);
    await expect
      .poll(async () => (await api.get('/metrics', { token: null })).body)
      .toMatch(/backtrail_webhook_attempts_total\{sink="dead",outcome="failed"\} [1-9]/);
    expect((await api.get('/readyz', { token: null })).body.status).toBe('ready');
    expect(api.log.join('')).not.toContain(receiver.url);
  });
});

it('every event of a request has a type, and what is waited for grows up to a quarter of an hour', () => {
  const own = ['started', 'inspected'];
  const events = ['opened', ...Object.keys(TRANSITIONS)].filter((event) => !own.includes(event));
  const types = EVENT_TYPES.filter((type) => type.startsWith('rollback.'));
  expect(new Set(types)).toEqual(new Set(events.map((event) => `rollback.${event}`)));
  const waits = [1, 2, 3, 9, 10, 5000].map((failures) => backOff(failures, () => 0) / 1000);
  expect(waits).toEqual([2, 4, 8, 512, 900, 900]);
  expect(backOff(1, () => 0.999)).toBeGreaterThan(1000);
  const now = Date.parse('2026-11-29T10:00:00Z');
  const asked = ['120', '0', undefined, 'soon', '999999', 'Sun, 29 Nov 2026 10:01:00 GMT'];
  expect(asked.map((header) => retryAfter(header, now))).toEqual([
    120_000,
    null,
    null,
    null,
    3_600_000,
    60_000,
  ]);
});

it('a chat shows what people wrote as plain text, cut, and calls nobody', () => {
  const evil = `<!channel> <https://evil.example|ok> *bold* @here \u202Etxt\n${'x'.repeat(2000)}`;
  const bodyOf = (justification: string) =>
    slackBody(
      {
        type: 'break_glass.opened',
        id: 'x',
        of: 'x',
        at: '2026-11-29T10:00:00Z',
        environment: { environment: '<!here>' },
        scope: '<!here>',
        data: {
          session: {
            id: 'bgs-01KAAAAAAAAAAAAAAAAAAAAAAA',
            scope: '<!here>',
            holder: { name: evil, email: 'x' },
            justification,
            ticket: null,
            openedAt: '2026-11-29T10:00:00Z',
            expiresAt: '2026-11-29T11:00:00Z',
            closed: null,
          },
        },
      },
      'https://backtrail.example.com/requests/x?a=1&b=2',
    );
  const body = bodyOf(evil);
  expect(body.text).toBe('Break-glass session opened: &lt;!here&gt;');
  const text = JSON.stringify(body.blocks);
  expect(text).not.toMatch(/@here|\u202E|<!|<https:..evil/);
  expect(text.length).toBeLessThan(2000);
  const formatted = body.blocks.filter((block) => JSON.stringify(block).includes('mrkdwn'));
  expect(formatted).toEqual([
    {
      type: 'section',
      text: {
        type: 'mrkdwn',
        text: '<https://backtrail.example.com/requests/x?a=1&amp;b=2|Open the request>',
      },
    },
  ]);
  // Slack refuses a section of more than 3,000 characters, of which an ampersand takes five.
  const [, details] = bodyOf('&'.repeat(4000)).blocks;
  expect(JSON.stringify(details).length).toBeLessThan(1000);
});
