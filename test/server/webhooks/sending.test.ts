/** What is sent to webhooks, and what becomes of it where a receiver does not take it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { confirmPlan, type Engine } from '../../../engine/internal.ts';
import { readServerConfiguration } from '../../../server/settings/configuration.ts';
import { guardedLookup, type Resolve } from '../../../server/webhooks/addresses.ts';
import { ask, configOf, newId, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { startApi } from '../../helpers/servers/api.ts';
import { idsOf, isSending, POLICY, receive, SECRET, send, sinkOf, three, THREE, typesOf } from './scene.ts';

const OLD_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

let engine: Engine;
beforeAll(async () => {
  engine = await engineOf(await policedRepo(configOf(POLICY)), { lives: 'file' });
});

describe('a webhook', () => {
  it('is told what happens, in order, signed with each of its secrets, with a link to the request', async () => {
    const receiver = await receive();
    const running = await send([sinkOf(receiver, { secrets: [OLD_SECRET, SECRET] })], { of: engine });
    await expect.poll(() => isSending(running)).toBe(true);
    const id = await three(engine);
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
    const running = await send(
      [
        sinkOf(usual, { name: 'usual', events: ['break_glass.*', 'rollback.failed'] }),
        sinkOf(dev, { name: 'dev', environments: ['d*'] }),
      ],
      { of: engine },
    );
    await expect.poll(() => isSending(running)).toBe(true);
    await three(engine);
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
    const running = await send([sinkOf(receiver)], { of: engine });
    await expect.poll(() => isSending(running)).toBe(true);
    let first: string | undefined;
    let isOpen = false;
    receiver.answer = ({ id, body }, response) => {
      first ??= body.data.request.id;
      if (isOpen || body.data.request.id !== first) return false;
      response.writeHead(id ? 500 : 204).end();
      return true;
    };
    const one = await three(engine);
    const other = await three(engine);
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
    const running = await send(all, { of: engine });
    await expect.poll(() => isSending(running)).toBe(true);
    await three(engine);
    running.look();
    await expect.poll(() => typesOf(well.taken)).toEqual(THREE);
    await expect.poll(() => redirecting.heard.length).toBeGreaterThan(3);
    await expect.poll(() => running.metrics()).toContain('backtrail_webhook_gone{sink="gone"} 1');
    await running.close();
    expect([target.heard.length, gone.heard.length, hanging.taken.length]).toEqual([0, 1, 0]);
    hanging.answer = redirecting.answer = gone.answer = () => false;
    await send(all, { of: engine, folder: running.folder });
    for (const each of [hanging, redirecting, gone])
      await expect.poll(() => typesOf(each.taken)).toEqual(THREE);
    expect(well.taken).toHaveLength(3);
  });
});

describe('a server', () => {
  it('sends, and is ready whatever its webhooks answer', async () => {
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
    const id = await three(engine);
    await expect.poll(() => receiver.taken.filter(({ body }) => body.data.request?.id === id).length).toBe(3);
    await expect
      .poll(async () => (await api.get('/metrics', { token: null })).body)
      .toMatch(/backtrail_webhook_attempts_total\{sink="dead",outcome="failed"\} [1-9]/);
    expect((await api.get('/readyz', { token: null })).body.status).toBe('ready');
    expect(api.log.join('')).not.toContain(receiver.url);
  });
});

describe('an address', () => {
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
        of: engine,
        resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      },
    );
    await expect.poll(() => isSending(running)).toBe(true);
    await three(engine);
    running.look();
    await expect.poll(() => receiver.taken.length).toBe(3);
    await expect.poll(() => running.log.join('')).toContain('a network that nothing is sent to');
    expect(receiver.heard).toHaveLength(3);
    expect(running.log.join('')).not.toContain('127.0.0.1');
  });
});
