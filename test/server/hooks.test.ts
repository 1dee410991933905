/** What a delivery of a code host has to prove, and what it causes. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/internal.ts';
import { HOST_KINDS, type HostKind } from '../../engine/model/index.ts';
import { createHookLooks } from '../../server/hooks/looks.ts';
import { isProven } from '../../server/hooks/proof.ts';
import { parseServerConfiguration } from '../../server/settings/configuration.ts';
import { readHooks } from '../../server/settings/hooks.ts';
import { createLogger } from '../../workers/index.ts';
import { createScene, proposeFor, type Scene, stateOf } from '../engine/requests/pull-requests/scene.ts';
import { temporaryFolder } from '../helpers/repositories/repo.ts';
import { type Delivery, deliveryOf } from '../helpers/servers/host/dialects/webhook.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

const SECRET = randomBytes(20).toString('hex');
const SIGNING = `whsec_${randomBytes(32).toString('base64')}`;

let scene: Scene;
let api: Api;
let path: string;
let looks = 0;
beforeAll(async () => {
  scene = await createScene({ lives: 'file' });
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'secret'), `another\n${SECRET}\n`);
  const text = `hooks: { "${scene.host.name}": { kind: github, secret: secret } }`;
  const configuration = parseServerConfiguration(text, join(folder, 'server.yaml'));
  const reconcile: Engine['requests']['reconcile'] = (options) => {
    looks += 1;
    return scene.worker.requests.reconcile(options);
  };
  const engine = { ...scene.worker, requests: { ...scene.worker.requests, reconcile } };
  api = await startApi(engine, { lives: 'file', settings: { configuration } });
  path = `/hooks/${scene.host.name}`;
});

/** Without a token: the host has none. */
const deliver = ({ headers, body }: Delivery, to = path) =>
  api.call('POST', to, { headers, text: body, token: null });

const about = (kind: HostKind, secret: string) =>
  deliveryOf(kind, { number: 7, branch: 'backtrail/x', into: 'main', state: 'open' }, secret, 'acme/config');

describe('a delivery', () => {
  it('lets what was merged be found at once, and carries no facts', async () => {
    const { id, number } = await proposeFor(scene);
    const early = await deliver(await scene.host.delivery(number, SECRET));
    expect([early.status, early.body]).toEqual([202, { status: 'accepted' }]);
    await scene.host.merge(number, { by: 'ada', method: 'squash' });
    const { headers, body } = await scene.host.delivery(number, SECRET);
    // Of another pull request, so that it is looked at without a wait.
    await deliver(about('github', SECRET));
    await expect.poll(async () => (await stateOf(scene, id)).status).toBe('completed');
    const before = looks;
    const answers = await Promise.all(Array.from({ length: 30 }, () => deliver({ headers, body })));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    expect(looks - before).toBeLessThan(10);
    expect((await stateOf(scene, id)).status).toBe('completed');
  });

  it('without the proof of its host causes nothing', async () => {
    const before = looks;
    const { headers, body } = about('github', SECRET);
    const { 'x-hub-signature-256': signature = '', ...unsigned } = headers;
    const forged: readonly Delivery[] = [
      about('github', 'x'),
      about('gitlab', SECRET),
      { headers, body: `${body} ` },
      { headers, body: '' },
      { headers: unsigned, body },
      { headers: { ...unsigned, 'x-hub-signature-256': '' }, body },
      { headers: { ...unsigned, 'x-hub-signature-256': signature.slice(0, -1) }, body },
      { headers: { ...unsigned, 'x-hub-signature': signature.replace('256', '1') }, body },
      { headers: { ...unsigned, 'x-gitea-signature': signature.replace('sha256=', '') }, body },
    ];
    for (const each of forged) {
      const { status, body: problem } = await deliver(each);
      expect([status, problem.code]).toEqual([403, 'HOOK_UNPROVEN']);
    }
    const unknown = await deliver({ headers, body }, '/hooks/github.com');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'HOOK_UNKNOWN']);
    const form = await deliver({ headers: { ...headers, 'content-type': 'text/plain' }, body });
    expect(form.status).toBe(415);
    expect((await deliver({ headers, body: 'x'.repeat(2_000_000) })).status).toBe(413);
    expect(looks).toBe(before);
    expect(api.log.join('')).not.toContain(SECRET);
    expect((await api.get('/metrics')).body).toMatch(
      /backtrail_hooks_total\{kind="github",result="refused"\} 9/,
    );
  });

  it('is proven in the way of its host', () => {
    const proves = (kind: HostKind, secret: string, { headers, body }: Delivery, now = Date.now()) =>
      isProven({ kind, secrets: ['other', secret] }, { headers, body: Buffer.from(body), now });
    for (const kind of HOST_KINDS) {
      expect([kind, proves(kind, SECRET, about(kind, SECRET))]).toEqual([kind, true]);
      expect([kind, proves(kind, SECRET, about(kind, `${SECRET}x`))]).toEqual([kind, false]);
    }
    const { headers, body } = about('gitea', SECRET);
    const { 'x-gitea-signature': signature = '', 'x-hub-signature-256': hub = '', ...rest } = headers;
    for (const each of [
      { 'x-gitea-signature': signature },
      { 'x-forgejo-signature': signature },
      { 'x-hub-signature-256': hub },
    ])
      expect(proves('gitea', SECRET, { headers: { ...rest, ...each }, body })).toBe(true);

    const signed = about('gitlab', SIGNING);
    expect(proves('gitlab', SIGNING, signed)).toBe(true);
    const two = `v1,AAAA ${signed.headers['webhook-signature']}`;
    expect(
      proves('gitlab', SIGNING, { ...signed, headers: { ...signed.headers, 'webhook-signature': two } }),
    ).toBe(true);
    // The secret of a signature is not taken as a token, and an old delivery not at all.
    expect(proves('gitlab', SIGNING, { body: signed.body, headers: { 'x-gitlab-token': SIGNING } })).toBe(
      false,
    );
    expect(proves('gitlab', SIGNING, signed, Date.now() + 600_000)).toBe(false);
    const later = { ...signed.headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 1) };
    expect(proves('gitlab', SIGNING, { ...signed, headers: later })).toBe(false);
  });
});

describe('looks', () => {
  it('are not more than one in a while for each pull request, and what came meanwhile has its own', async () => {
    const begun: number[] = [];
    const asked = createHookLooks({
      look: async () => void begun.push(performance.now()),
      logger: createLogger({ destination: { write: () => undefined } }),
      betweenMs: 300,
    });
    expect([asked.ask('1'), asked.ask('1')]).toEqual([true, false]);
    await expect.poll(() => begun.length).toBe(1);
    expect([asked.ask('1'), asked.ask('1'), asked.ask('1')]).toEqual([true, false, false]);
    await expect.poll(() => begun.length).toBe(2);
    const [first = 0, second = 0] = begun;
    expect(second - first).toBeGreaterThan(295);
    asked.ask('1');
    await asked.close();
    expect(begun.length).toBe(2);
  });
});

describe('the configuration', () => {
  it('names secrets by their files', async () => {
    const folder = await mkdtemp(join(await temporaryFolder(), 'hooks-'));
    await writeFile(join(folder, 'empty'), '\n');
    for (const secret of ['missing', 'empty']) {
      const { hooks } = parseServerConfiguration(
        `hooks: { GitHub.com: { kind: github, secret: ${secret} } }`,
        join(folder, 'server.yaml'),
      );
      await expect(readHooks(hooks, folder)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
    for (const wrong of [
      'hooks: [x]',
      'hooks: { x: { kind: svn, secret: a } }',
      'hooks: { "a/b": { kind: github, secret: a } }',
    ])
      expect(() => parseServerConfiguration(wrong, 'server.yaml')).toThrow(/^server\.yaml:1:/);
  });
});
