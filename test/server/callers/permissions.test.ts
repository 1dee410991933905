/** Who may do what, and where, through HTTP: each cell of the table, on one scene. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Permission } from '../../../engine/index.ts';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { createToken } from '../../../server/tokens/manage.ts';
import { configOf, policedRepo } from '../../helpers/people/requests.ts';
import { someOf } from '../../helpers/run/proof.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const PLACES = ['prod', 'dev'] as const;
type Place = (typeof PLACES)[number];

interface Who {
  readonly email: string;
  /** Of their token; all where absent. */
  readonly token?: { readonly scope: readonly Permission[]; readonly in?: readonly string[] };
  /** What they may do, written down and not computed. */
  readonly may: Readonly<Record<Place, readonly Permission[]>>;
}

const ALL = ['read', 'propose', 'record', 'deploy', 'break-glass', 'admin'] as const;
const PEOPLE: Readonly<Record<string, Who>> = {
  stranger: { email: 'stranger@example.com', may: { prod: [], dev: [] } },
  reader: { email: 'reader@example.com', may: { prod: ['read'], dev: [] } },
  proposer: { email: 'proposer@example.com', may: { prod: ['read', 'propose'], dev: [] } },
  recorder: {
    email: 'recorder@example.com',
    may: { prod: ['read', 'break-glass'], dev: ['read', 'record'] },
  },
  deployer: {
    email: 'deployer@example.com',
    may: { prod: ['read', 'record', 'deploy'], dev: ['read', 'record', 'deploy'] },
  },
  admin: { email: 'admin@example.com', may: { prod: [], dev: ALL } },
  'admin by a token that reads': {
    email: 'admin@example.com',
    token: { scope: ['read'] },
    may: { prod: [], dev: ['read'] },
  },
  'admin by a token for elsewhere': {
    email: 'admin@example.com',
    token: { scope: ['admin'], in: ['prod'] },
    may: { prod: [], dev: [] },
  },
  'deployer by a token for prod': {
    email: 'deployer@example.com',
    token: { scope: ['deploy'], in: ['prod'] },
    may: { prod: ['read', 'record', 'deploy'], dev: [] },
  },
};

const POLICY = {
  environments: PLACES.map((match) => ({
    match,
    quorum: 1,
    unsignedRequests: true,
    unsignedApprovals: true,
    breakGlass: { allowed: true, longest: '1h' },
  })),
  permissions: [
    { users: ['reader@example.com'], allow: ['read'], in: ['prod'] },
    { users: ['proposer@example.com'], allow: ['propose'], in: ['prod'] },
    { users: ['asker@example.com'], allow: ['propose'], in: ['prod', 'dev'] },
    { users: ['recorder@example.com'], allow: ['record'], in: ['dev'] },
    { users: ['recorder@example.com'], allow: ['break-glass'], in: ['prod'] },
    { users: ['deployer@example.com'], allow: ['deploy'], in: ['**'] },
    { users: ['admin@example.com'], allow: ['admin'], in: ['dev'] },
  ],
};

/** Requests that are there, by place. */
const requests = new Map<Place, string>();
const ROLLBACK = { service: 'api', targetSha: 'v1', justification: 'v2 answers 500' };

/** Calls for a place, and the permissions of which each needs one. */
const CALLS: Readonly<
  Record<string, readonly [Permission | readonly Permission[], string, (place: Place) => [string, object?]]>
> = {
  'look at an environment': ['read', 'GET', (place) => [`/environments/-/${place}`]],
  'see its history': ['read', 'GET', (place) => [`/environments/-/${place}/services/api/history`]],
  'see what is held': ['read', 'GET', (place) => [`/holds?environment=${place}`]],
  'see its events': ['read', 'GET', (place) => [`/audit?environment=${place}&service=api`]],
  'see its deployments': ['read', 'GET', (place) => [`/deployments?environment=${place}&service=dns`]],
  plan: ['read', 'POST', (place) => ['/plans', { environment: place, service: 'api', targetSha: 'v1' }]],
  'see the log': ['read', 'GET', (place) => [`/log?environment=${place}&service=api`]],
  'see a request': ['read', 'GET', (place) => [`/rollbacks/${requests.get(place)}`]],
  'add a note': [
    ['propose', 'deploy'],
    'POST',
    (place) => [`/rollbacks/${requests.get(place)}/notes`, { text: 'Looked at it' }],
  ],
  'ask for a rollback': ['propose', 'POST', (place) => ['/rollbacks', { environment: place, ...ROLLBACK }]],
  'decide on it': ['deploy', 'POST', (place) => [`/rollbacks/${requests.get(place)}/reject`]],
  'record a deployment': [
    'record',
    'POST',
    (place) => ['/deployments', { environment: place, service: 'api', status: 'pending', commit: 'v2' }],
  ],
  'ask for an incident': [
    'propose',
    'POST',
    (place) => [
      '/incidents',
      {
        id: crypto.randomUUID(),
        reason: 'v2 answers 500',
        // Of another scope than the request that is decided on, which it would take the place of.
        rollbacks: [{ scope: `${place}/api`, fields: [`apps/${place}/api/app.yaml#/image`] }],
      },
    ],
  ],
  'break the glass': [
    'break-glass',
    'POST',
    (place) => ['/break-glass', { environment: place, justification: 'It burns' }],
  ],
};

let api: Api;
const tokens = new Map<string, string>();
beforeAll(async () => {
  const state = join(await temporaryFolder(), 'state');
  api = await startApi(await engineOf(await policedRepo(configOf(POLICY)), { lives: 'file' }), {
    lives: 'file',
    settings: { configuration: parseServerConfiguration('tokens: true', 'server.yaml'), state },
  });
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const all = { ...PEOPLE, asker: { email: 'asker@example.com', token: { scope: ['propose' as const] } } };
  for (const [name, { email: person, token = { scope: ['admin' as const] } }] of Object.entries(all)) {
    const ask = { person, minutes: 60, ...token };
    tokens.set(name, (await createToken({ folder: state, now: Date.now() }, ask, random)).token);
  }
  await askAnew('prod');
  await askAnew('dev');
});

/** Asks for one that supersedes what is there. */
async function askAnew(place: Place): Promise<void> {
  const { body } = await api.post('/api/v1/rollbacks', { environment: place, ...ROLLBACK }, sent('asker'));
  requests.set(place, body.requestId);
}

const sent = (who: string) => ({ token: tokens.get(who) ?? null });
/** Others say that something else is wrong, to somebody who may. */
const DENIED = ['PERMISSION_DENIED', 'TOKEN_TOO_NARROW', 'OWN_REQUEST'];

/** What leaves no request that another person could decide on. */
const REPLACES = ['ask for a rollback', 'decide on it'];

const CELLS = Object.entries(PEOPLE).flatMap(([who, { may }]) =>
  Object.entries(CALLS).flatMap(([what, [needs]]) =>
    PLACES.map(
      (place) =>
        [
          [needs].flat().some((one) => may[place].includes(one)) ? 'may' : 'may not',
          who,
          what,
          place,
        ] as const,
    ),
  ),
);

describe('permissions', () => {
  it.each(someOf(CELLS, 90))('%s: %s, %s in %s', async (verdict, who, what, place) => {
    const [, method, callOf] = CALLS[what] ?? [];
    if (method === undefined || callOf === undefined) throw new Error('it is in the table');
    const [path, body] = callOf(place);
    const answer = await api.call(method, `/api/v1${path}`, { ...sent(who), ...(body && { body }) });
    const code = answer.status < 400 ? 'done' : answer.body.code;
    // The next one finds one that is open again.
    if (REPLACES.includes(what) && code === 'done') await askAnew(place);
    const isDenied = answer.status === 403 && DENIED.includes(code);
    expect([isDenied ? 'may not' : 'may', code]).toEqual([verdict, code]);
    expect(['INTERNAL', 'UNAUTHENTICATED']).not.toContain(code);
  });

  it.each(Object.entries(PEOPLE))('show %s only what they may read in lists', async (who, { may }) => {
    const { body } = await api.get('/api/v1/environments', sent(who));
    const names = body.environments.map(({ environment }: { environment: string }) => environment);
    expect(names).toEqual(
      ['dev', 'prod'].filter((place) => may[place === 'dev' ? 'dev' : 'prod'].length > 0),
    );
    const { body: records } = await api.get('/api/v1/deployments', sent(who));
    const seen = new Set(records.deployments.map(({ environment }: { environment: string }) => environment));
    expect([...seen].filter((place) => !names.includes(place))).toEqual([]);
    const verified = await api.post('/api/v1/audit/verify', {}, sent(who));
    expect(verified.status).toBe(names.length === 2 ? 200 : 403);
  });

  it('keep the plans of an incident from whoever may not read them', async () => {
    const body = { id: 'INC-1', reason: 'v2 answers 500', rollbacks: [{ scope: 'dev/api', to: 'v1' }] };
    const planned = await api.post('/api/v1/incidents?dryRun=true', body, sent('reader'));
    expect(JSON.stringify(planned.body)).toContain('PERMISSION_DENIED');
    expect(JSON.stringify(planned.body)).not.toContain('sha256:');
  });

  it('are recorded with how the server knew who acted', async () => {
    const { body } = await api.get('/api/v1/audit?environment=prod', sent('deployer'));
    const [id] = (tokens.get('asker') ?? '').split('_').slice(1);
    expect(body.events.at(-1)).toMatchObject({
      event: 'opened',
      actor: { email: 'asker@example.com' },
      authenticated: { how: 'token', by: id },
    });
  });

  it('say which of the two is in the way: the policy, or the token', async () => {
    const codeFor = async (who: string, place: Place) =>
      (await api.get(`/api/v1/environments/-/${place}/history`, sent(who))).body.code;
    expect(await codeFor('admin by a token for elsewhere', 'dev')).toBe('TOKEN_TOO_NARROW');
    expect(await codeFor('admin by a token for elsewhere', 'prod')).toBe('PERMISSION_DENIED');
    expect(await codeFor('stranger', 'prod')).toBe('PERMISSION_DENIED');
  });
});
