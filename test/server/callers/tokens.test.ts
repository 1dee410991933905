/** API tokens: made and revoked by command line, shown to a running server, never more than their person has. */
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { backtrail } from '../../helpers/program/cli.ts';
import { configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const POLICY = {
  environments: [
    { match: 'prod', quorum: 1, unsignedRequests: true, approvers: { users: ['carol@example.com'] } },
  ],
  permissions: [
    { users: ['jane@example.com'], allow: ['propose'], in: ['**'] },
    { users: ['bob@example.com'], allow: ['admin'], in: ['dev'] },
    { users: ['dave@example.com'], allow: ['deploy'], in: ['prod'] },
    { users: ['carol@example.com'], allow: ['deploy'], in: ['prod'] },
  ],
};
const PLAN = { environment: 'prod', service: 'api', targetSha: 'previous' };

let repo: Repo;
let state: string;
let api: Api;
beforeAll(async () => {
  repo = await policedRepo(configOf(POLICY));
  state = join(await temporaryFolder(), 'state');
  api = await startApi(await engineOf(repo, { lives: 'file' }), {
    lives: 'file',
    settings: {
      configuration: parseServerConfiguration(
        'tokens: true\nlimits: { caller: 40, refused: 20 }',
        'server.yaml',
      ),
      state,
    },
  });
});

async function token(args: readonly string[], now?: number) {
  const options = now === undefined ? {} : { now };
  const { code, stdout } = await backtrail(repo, ['-o', 'json', 'token', ...args, '--state', state], options);
  return { code, ...JSON.parse(stdout) };
}

const create = async (more: readonly string[], now?: number) =>
  token(['create', '--person', 'jane@example.com', '--expires', '30d', ...more], now);
const statusOf = async (sent: string | null) => {
  const { status, body } = await api.get('/api/v1/environments', { token: sent });
  return [status, body.code];
};

describe('a token', () => {
  it('lets its person in from the moment it is made until it is revoked', async () => {
    const made = await create(['--scope', 'propose', '--name', 'ci']);
    expect(made).toMatchObject({
      code: 0,
      state: 'active',
      name: 'ci',
      person: { name: 'jane@example.com', email: 'jane@example.com' },
      scope: { allow: ['propose'], in: ['**'] },
    });
    expect(made.token).toMatch(new RegExp(`^bt_${made.id}_[\\w-]{43}$`));
    expect(await statusOf(made.token)).toEqual([200, undefined]);
    const planned = await api.post('/api/v1/plans', PLAN, { token: made.token });
    expect(planned.body.gate).toMatchObject({
      person: { email: 'jane@example.com' },
      may: { request: { allowed: true } },
    });
    const revoked = await token(['revoke', made.id]);
    expect([revoked.code, revoked.state]).toEqual([0, 'revoked']);
    expect(await statusOf(made.token)).toEqual([401, 'UNAUTHENTICATED']);
    expect(api.log.join('')).not.toContain(made.token.slice(20));
  });

  it('is kept as a digest alone, in files that nobody else may read', async () => {
    const made = await create(['--scope', 'read']);
    const text = await readFile(join(state, 'tokens.json'), 'utf8');
    expect(text).not.toContain(made.token.split('_').slice(2).join('_'));
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await stat(join(state, 'tokens.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(state)).toEqual(['tokens.json']);
    const { tokens } = await token(['list']);
    expect(tokens[0].id).toBe(made.id);
    expect(JSON.stringify(tokens)).not.toMatch(/digest|bt_/);
  });

  it('ends by itself', async () => {
    const made = await create(['--scope', 'read'], Date.now() - 31 * 24 * 3_600_000);
    expect(await statusOf(made.token)).toEqual([401, 'UNAUTHENTICATED']);
    const { tokens } = await token(['list']);
    expect(tokens.find(({ id }: { id: string }) => id === made.id).state).toBe('expired');
  });

  it('is nobody with another secret, another id, or half of it', async () => {
    const made = await create(['--scope', 'read']);
    const other = await create(['--scope', 'read']);
    const secret = made.token.slice(20);
    const wrong = [
      `bt_${other.id}_${secret}`,
      `bt_${made.id}_${secret.slice(1)}A`,
      `bt_${made.id}_`,
      'x',
      'a.b.c',
    ];
    for (const sent of [null, ...wrong])
      expect([sent, ...(await statusOf(sent))]).toEqual([sent, 401, 'UNAUTHENTICATED']);
    const { headers } = await api.get('/api/v1/environments', { token: null });
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });

  it('narrows what its person may do, and says that it does', async () => {
    const mayRequest = async (args: readonly string[]) => {
      const made = await create(args);
      const { body } = await api.post('/api/v1/plans', PLAN, { token: made.token });
      return body.gate?.may.request.code ?? body.code ?? 'allowed';
    };
    expect(await mayRequest(['--scope', 'propose', '--in', 'prod'])).toBe('allowed');
    expect(await mayRequest(['--scope', 'propose', '--in', 'dev'])).toBe('TOKEN_TOO_NARROW');
    expect(await mayRequest(['--scope', 'read'])).toBe('TOKEN_TOO_NARROW');
    expect(await mayRequest(['--scope', 'record', '--scope', 'break-glass'])).toBe('TOKEN_TOO_NARROW');
  });

  it('never gives more than the policy gives its person', async () => {
    const made = await token([
      'create',
      '--person',
      'bob@example.com',
      '--expires',
      '1h',
      '--scope',
      'admin',
    ]);
    const { body } = await api.post('/api/v1/plans', PLAN, { token: made.token });
    expect(body.gate?.may.request.code ?? body.code).toBe('PERMISSION_DENIED');
  });

  it('is not what keeps whoever is no approver from approving', async () => {
    const tokenOf = async (person: string) =>
      (await token(['create', '--person', person, '--expires', '1h', '--scope', 'admin'])).token;
    const asked = await api.post(
      '/api/v1/rollbacks',
      { ...PLAN, justification: 'bad' },
      { token: await tokenOf('jane@example.com') },
    );
    expect(asked.status).toBe(201);
    const approve = `/api/v1/rollbacks/${asked.body.requestId}/approve`;
    const { status, body } = await api.post(approve, {}, { token: await tokenOf('dave@example.com') });
    expect([status, body.code]).toEqual([403, 'PERMISSION_DENIED']);
  });

  it('survives two who make one at the same moment', async () => {
    const { createToken, listTokens } = await import('../../../server/tokens/manage.ts');
    const folder = join(await temporaryFolder(), 'both');
    const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
    const ask = { person: 'jane@example.com', scope: ['read'], minutes: 5 };
    const place = { folder, now: Date.now() };
    const made = await Promise.all(Array.from({ length: 6 }, () => createToken(place, ask, random)));
    const listed = await listTokens(place);
    expect(listed.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort());
  });

  it.each([
    [['--person', 'jane', '--scope', 'read', '--expires', '1h']],
    [['--person', 'jane@example.com\n', '--scope', 'read', '--expires', 'never']],
    [['--person', 'jane@example.com', '--scope', 'write', '--expires', '1h']],
    [['--person', 'jane@example.com', '--scope', 'read', '--expires', '400d']],
    [['--person', 'jane@example.com', '--scope', 'read', '--in', 'a/b/c', '--expires', '1h']],
    [['--person', 'jane@example.com', '--scope', 'read', '--name', 'a\u202eb', '--expires', '1h']],
  ])('is not made of %j', async (args) => {
    const made = await token(['create', ...args]);
    expect([made.code, made.error.code]).toEqual([2, 'INVALID_REQUEST']);
  });

  it('cannot be revoked where there is none', async () => {
    const revoked = await token(['revoke', '0000000000000000']);
    expect([revoked.code, revoked.error.code]).toEqual([2, 'TOKEN_UNKNOWN']);
  });
});

describe('the state folder', () => {
  it.each([
    ['read by others', (path: string) => chmod(path, 0o750)],
    ['a link', null],
  ])('is refused where it is %s', async (_, change) => {
    const folder = join(await temporaryFolder(), 'state');
    await mkdir(folder, { mode: 0o700 });
    const named = change === null ? `${folder}-link` : folder;
    if (change === null) await symlink(folder, named);
    else await change(folder);
    const { code, stdout } = await backtrail(repo, ['-o', 'json', 'token', 'list', '--state', named]);
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, 'INVALID_REQUEST']);
  });

  it('lets nobody in by a file that others may write', async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o700);
    await writeFile(join(folder, 'tokens.json'), '{"version":1,"tokens":[]}', { mode: 0o600 });
    await chmod(join(folder, 'tokens.json'), 0o622);
    const { code, stdout } = await backtrail(repo, ['-o', 'json', 'token', 'list', '--state', folder]);
    expect([code, JSON.parse(stdout).error.message]).toEqual([2, expect.stringContaining('other users')]);
  });
});

describe('too many calls', () => {
  it('are refused until the minute is over, for one caller and no other', async () => {
    const [first, second] = [await create(['--scope', 'read']), await create(['--scope', 'read'])];
    const answers = [];
    for (let calls = 0; calls < 41; calls += 1)
      answers.push(await api.get('/api/v1/environments/-/nowhere', { token: first.token }));
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 40 }, () => 404), 429]);
    const last = answers.at(-1);
    expect(last?.body).toMatchObject({ status: 429, code: 'TOO_MANY_CALLS' });
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await statusOf(second.token)).toEqual([200, undefined]);
    expect((await api.get('/openapi.json')).status).toBe(200);
  });

  it('with credentials that are no good end earlier, and keep nobody else out', async () => {
    const good = await create(['--scope', 'read']);
    const statuses = [];
    for (let calls = 0; calls < 21; calls += 1) statuses.push((await statusOf('x'))[0]);
    expect(statuses.at(-1)).toBe(429);
    expect(await statusOf(good.token)).toEqual([200, undefined]);
  });
});
