/** What credentials and the policy keep from a caller, where an answer or a vote could give it away. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { createToken } from '../../../server/tokens/manage.ts';
import { configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const POLICY = {
  environments: ['prod', 'dev'].map((match) => ({
    match,
    quorum: 1,
    unsignedApprovals: true,
    breakGlass: { allowed: true, longest: '1h' },
  })),
  permissions: [
    { users: ['ann@example.com', 'bob@example.com'], allow: ['admin'], in: ['**'] },
    { users: ['eve@example.com'], allow: ['admin'], in: ['test'] },
  ],
};
/** A file of dev that is prod's as well. */
const LAYOUT = { service: ['apps/{environment}/{service}/**', 'apps/*/{service}/for-{environment}.yaml'] };
const SHARED = 'apps/dev/api/for-prod.yaml';

let repo: Repo;
let api: Api;
let state: string;
const tokens = new Map<string, string>();
const by = (who: string) => ({ token: tokens.get(who) ?? null });
beforeAll(async () => {
  repo = await policedRepo(configOf(POLICY, { layout: LAYOUT }));
  await repo.commit({ [SHARED]: 'limit: 1\n' });
  await repo.commit({ [SHARED]: 'limit: 2\n' });
  state = join(await temporaryFolder(), 'state');
  api = await startApi(await engineOf(repo, { lives: 'file' }), {
    lives: 'file',
    settings: { configuration: parseServerConfiguration('tokens: true', 'server.yaml'), state },
  });
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const of = async (who: string, name: string, places: readonly string[]) => {
    const ask = { person: `${who}@example.com`, minutes: 60, scope: ['admin'], in: places };
    tokens.set(name, (await createToken({ folder: state, now: Date.now() }, ask, random)).token);
  };
  for (const who of ['ann', 'bob', 'eve']) await of(who, who, ['**']);
  await of('bob', 'bob in dev', ['dev']);
});

const ROLLBACK = {
  environment: 'dev',
  service: 'api',
  targetSha: 'previous',
  justification: 'The limit is too high',
};

describe('what is kept from a caller', () => {
  it('is a vote that would count where their token does not reach', async () => {
    const asked = await api.post('/api/v1/rollbacks', ROLLBACK, by('ann'));
    expect(asked.body.approval.rules).toMatchObject([{ environment: 'dev' }, { environment: 'prod' }]);
    const path = `/api/v1/rollbacks/${asked.body.requestId}`;
    for (const vote of ['approve', 'reject'])
      expect((await api.post(`${path}/${vote}`, undefined, by('bob in dev'))).body).toMatchObject({
        status: 403,
        code: 'TOKEN_TOO_NARROW',
        details: { scope: 'prod' },
      });
    const voted = await api.post(`${path}/reject`, undefined, by('bob'));
    expect(voted.body.status).toBe('rejected');
    // Nor does it tell what became of it.
    expect((await api.post(`${path}/approve`, undefined, by('eve'))).body.code).toBe('PERMISSION_DENIED');
  });

  it('is a session that has ended', async () => {
    const ask = { environment: 'prod', justification: 'It burns' };
    const opened = await api.post('/api/v1/break-glass', ask, by('ann'));
    const end = (who: string) => api.call('DELETE', `/api/v1/break-glass/${opened.body.id}`, by(who));
    expect((await end('eve')).body.code).toBe('PERMISSION_DENIED');
    expect((await end('ann')).body.active).toBe(false);
    expect((await end('eve')).body.code).toBe('PERMISSION_DENIED');
    expect((await end('ann')).body.active).toBe(false);
  });

  it('is where the tokens lie, and that others could read them', async () => {
    const file = join(state, 'tokens.json');
    await chmod(file, 0o644);
    const { status, body } = await api.get('/api/v1/me', by('ann'));
    await chmod(file, 0o600);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain(state);
    expect(api.log.join('')).toContain('tokens.json may be read or written by other users');
    expect((await api.get('/api/v1/me', by('ann'))).status).toBe(200);
  });
});

describe('what clusters say', () => {
  it('is told to whoever may read the environment', async () => {
    const codeOf = async (path: string, who: string) => (await api.get(`/api/v1/${path}`, by(who))).body.code;
    const prod = 'environments/-/prod';
    for (const path of [
      `${prod}/live`,
      `${prod}/drift`,
      `${prod}/services/api/live`,
      `${prod}/services/api/drift`,
    ]) {
      expect([path, await codeOf(path, 'eve')]).toEqual([path, 'PERMISSION_DENIED']);
      expect([path, await codeOf(path, 'bob in dev')]).toEqual([path, 'TOKEN_TOO_NARROW']);
      // Nobody can be asked here.
      expect([path, await codeOf(path, 'ann')]).toEqual([path, 'LIVE_NOT_CONFIGURED']);
    }
  });
});

describe('break-glass', () => {
  it('takes no text that nobody can read, as on the command line', async () => {
    const ask = { environment: 'prod', justification: 'It burns' };
    const codeOf = async (body: object) =>
      (await api.post('/api/v1/break-glass', { ...ask, ...body }, by('ann'))).body.code;
    expect(await codeOf({ justification: '\u{0}\u{7}' })).toBe('REASON_REQUIRED');
    expect(await codeOf({ ticket: '\u{7}' })).toBe('INVALID_REQUEST');
    const id = `rbk-${'0'.repeat(26)}`;
    const review = await api.post(`/api/v1/break-glass/${id}/review`, { comment: '\u{0}' }, by('bob'));
    expect(review.body.detail).toBe('The comment is empty.');
  });
});

describe('a branch whose configuration is gone', () => {
  it('does not say who may read, so that nobody is shown its ledger', async () => {
    const streamed = async () => {
      const headers = { authorization: `Bearer ${tokens.get('eve')}` };
      const ending = AbortSignal.timeout(1500);
      const { body } = await fetch(`${api.url}/api/v1/events?after=0`, { headers, signal: ending });
      let text = '';
      const parts = body?.pipeThrough(new TextDecoderStream()) ?? [];
      await (async () => {
        for await (const part of parts) text += part;
      })().catch(() => undefined);
      return text;
    };
    await repo.commit({ '.backtrail/config.yaml': null });
    for (const path of ['audit', 'rollbacks?state=all', 'break-glass'])
      expect((await api.get(`/api/v1/${path}`, by('eve'))).body.code).toBe('CONFIG_MISSING');
    const told = await streamed();
    expect(told).toContain('event: ready');
    expect(told).not.toContain('event: request');
    expect(told).not.toContain('event: session');
  });
});
