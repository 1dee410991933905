/** Browsers that log in with a token: what their cookie is good for, how it ends, and what pages of others cannot do with it. */
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Permission } from '../../../engine/index.ts';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { createToken, revokeToken } from '../../../server/tokens/manage.ts';
import { configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { startIssuer, type TestIssuer } from '../../helpers/servers/issuer.ts';

const SESSION = '/api/v1/session';
const MINUTE = 60_000;
const PLAN = { environment: 'dev', service: 'api', targetSha: 'v1', justification: 'v2 is bad' };

let folder: string;
let folderOfRepo: string;
let issuer: TestIssuer;
let api: Api;
/** The same after a restart. */
let restarted: Api;
let ahead = 0;
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
const now = () => Date.now() + ahead;
beforeAll(async () => {
  const repo = await policedRepo(configOf());
  folderOfRepo = repo.folder;
  const engine = await engineOf(repo, { lives: 'file' });
  folder = join(await temporaryFolder(), 'state');
  issuer = await startIssuer();
  const configuration = parseServerConfiguration(
    JSON.stringify({
      tokens: true,
      hosts: ['backtrail.example.com'],
      limits: { refused: 10_000 },
      oidc: [{ issuer: issuer.url, audience: 'backtrail' }],
    }),
    'server.yaml',
  );
  const settings = { configuration, state: folder, now };
  api = await startApi(engine, { lives: 'file', settings });
  restarted = await startApi(engine, { lives: 'file', settings });
});

const tokenOf = (scope: readonly Permission[] = ['propose'], minutes = 60) =>
  createToken({ folder, now: now() }, { person: 'jane@example.com', scope, minutes }, random);
const logIn = (token: string, headers: Record<string, string> = {}) =>
  api.call('POST', SESSION, { token, headers });
const cookieIn = ({ headers }: Awaited<ReturnType<typeof logIn>>) => headers.get('set-cookie') ?? '';
const valueIn = (made: Awaited<ReturnType<typeof logIn>>) => /=([\w-]{43});/.exec(cookieIn(made))?.[1] ?? '?';
/** Of the cookie of that server. */
const nameOf = ({ url }: Api) => `backtrail-${new URL(url).port}`;
/** The header of a browser that logged in. */
async function browser(token: string) {
  return { cookie: cookieIn(await logIn(token)).split(';')[0] ?? '' };
}
async function whoIs(headers: Record<string, string>, of = api) {
  const { status, body } = await of.get('/api/v1/me', { token: null, headers });
  return status === 200 ? body.person.email : [status, body.code];
}
const OUT = [401, 'UNAUTHENTICATED'];

describe('a browser that shows an API token', () => {
  it('is given a cookie that no script reads, no other site sends, and that https keeps to itself', async () => {
    const { id, token, expiresAt } = await tokenOf();
    const made = await logIn(token);
    expect([
      made.status,
      made.body.how,
      made.body.expiresAt.slice(0, 16),
      made.headers.get('cache-control'),
    ]).toEqual([201, 'token', expiresAt.slice(0, 16), 'no-store']);
    expect(cookieIn(made)).toMatch(
      /^backtrail-\d+=[\w-]{43}; Max-Age=3\d{3}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const secure = await logIn(token, { origin: 'https://backtrail.example.com' });
    expect(cookieIn(secure)).toMatch(/; HttpOnly; Secure; SameSite=Strict$/);
    for (const secret of [id, token.slice(-43)]) expect(cookieIn(made)).not.toContain(secret);
    expect(api.log.join('')).not.toContain(valueIn(made));
    expect(await whoIs(await browser(token))).toBe('jane@example.com');
    // Whoever calls from elsewhere learns no path of this machine.
    const { body: repository } = await api.get('/api/v1/repository', { token });
    const { body: plan } = await api.post('/api/v1/plans', PLAN, { token });
    const told = [repository.location, repository.destination.address, plan.destination.address];
    expect(told).toEqual(Array(3).fill(basename(folderOfRepo)));
  });

  it('is out where the token is revoked or ends, where it logs out, and where the server is started anew', async () => {
    const [one, other] = [await tokenOf(), await tokenOf(['propose'], 30)];
    const [first, second, short] = [
      await browser(one.token),
      await browser(one.token),
      await browser(other.token),
    ];
    expect(await whoIs(first, restarted)).toEqual(OUT);
    const out = await api.call('DELETE', SESSION, { token: null, headers: first });
    expect([out.status, cookieIn(out)]).toEqual([200, expect.stringMatching(/^backtrail-\d+=; Max-Age=0;/)]);
    expect([await whoIs(first), await whoIs(second)]).toEqual([OUT, 'jane@example.com']);
    await revokeToken({ folder, now: now() }, one.id);
    expect(await whoIs(second)).toEqual(OUT);
    expect(await whoIs(short)).toBe('jane@example.com');
    ahead = 31 * MINUTE;
    expect(await whoIs(short)).toEqual(OUT);
    ahead = 0;
    // It is forgotten, and not only asleep.
    expect(await whoIs(short)).toEqual(OUT);
  });

  it('is in at two servers of one machine at once, and out of one without the other', async () => {
    const { token } = await tokenOf();
    const [here, there] = [await logIn(token), await restarted.call('POST', SESSION, { token })];
    // As a browser keeps them: by name and host, whatever the port.
    const kept = new Map(
      [here, there].map((made) => {
        const [name = '', value = ''] = (cookieIn(made).split(';')[0] ?? '').split('=');
        return [name, value] as const;
      }),
    );
    const headers = { cookie: [...kept].map((pair) => pair.join('=')).join('; ') };
    expect([await whoIs(headers), await whoIs(headers, restarted)]).toEqual(
      Array(2).fill('jane@example.com'),
    );
    const out = await api.call('DELETE', SESSION, { token: null, headers });
    expect(cookieIn(out)).toMatch(new RegExp(`^${nameOf(api)}=;`));
    expect([await whoIs(headers), await whoIs(headers, restarted)]).toEqual([OUT, 'jane@example.com']);
  });

  it('may do what the token may, and opens no other login by the cookie', async () => {
    const headers = await browser((await tokenOf(['read'])).token);
    const asked = await api.post('/api/v1/rollbacks', PLAN, { token: null, headers });
    expect([asked.status, asked.body.code]).toEqual([403, 'TOKEN_TOO_NARROW']);
    const again = await api.call('POST', SESSION, { token: null, headers });
    expect([again.status, again.body.code, cookieIn(again)]).toEqual([400, 'INVALID_REQUEST', '']);
  });

  it('is at most one of twenty of its token: the oldest gives way', async () => {
    const { token } = await tokenOf();
    const first = await browser(token);
    const rest = await Promise.all(Array.from({ length: 20 }, () => browser(token)));
    expect(await whoIs(first)).toEqual(OUT);
    for (const headers of rest) expect(await whoIs(headers)).toBe('jane@example.com');
  });

  it('is not taken for one by a token in the cookie, a guess, or a bad token beside a good cookie', async () => {
    const { token } = await tokenOf();
    const good = await browser(token);
    for (const value of [
      token,
      token.slice(-43),
      'x'.repeat(43),
      '',
      '__proto__',
      'a=b',
      '"'.repeat(9),
      '%00',
    ])
      expect(await whoIs({ cookie: `${nameOf(api)}=${value}` })).toEqual(OUT);
    expect(await whoIs({ ...good, authorization: 'Bearer nothing' })).toEqual(OUT);
    expect(await whoIs({ cookie: `a=b; ${good.cookie}; backtrail=x; ${nameOf(restarted)}=x` })).toBe(
      'jane@example.com',
    );
    const nobody = await api.call('POST', SESSION, { token: 'bt_0000000000000000_x' });
    expect([nobody.status, cookieIn(nobody)]).toEqual([401, '']);
  });

  it('cannot be used by a page of another origin, or by a form', async () => {
    const good = await browser((await tokenOf()).token);
    const own = { origin: api.url, 'sec-fetch-site': 'same-origin' };
    const foreign = [
      { origin: 'https://evil.example.com' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign)
      for (const [method, path] of [
        ['POST', '/api/v1/plans'],
        ['POST', SESSION],
        ['DELETE', SESSION],
        ['GET', '/api/v1/me'],
      ] as const) {
        const sent = { token: null, headers: { ...good, ...headers } };
        const { status, body } = await api.call(method, path, sent);
        expect([method, path, headers, status, body.code]).toEqual([
          method,
          path,
          headers,
          403,
          'ORIGIN_FOREIGN',
        ]);
      }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const headers = { ...good, ...own, 'content-type': type };
      expect((await api.post('/api/v1/plans', PLAN, { token: null, headers })).status).toBe(415);
    }
    const planned = await api.post('/api/v1/plans', PLAN, { token: null, headers: { ...good, ...own } });
    expect(planned.status).toBe(200);
  });
});

describe('a browser that shows a token of an issuer', () => {
  it('is in until that token ends, whatever the clocks may differ by', async () => {
    const exp = Math.floor(Date.now() / 1000) + 300;
    const made = await logIn(await issuer.sign({ exp }));
    expect([made.status, made.body.how, made.body.expiresAt]).toEqual([
      201,
      'oidc',
      new Date(exp * 1000).toISOString(),
    ]);
    const headers = { cookie: cookieIn(made).split(';')[0] ?? '' };
    expect(await whoIs(headers)).toBe('jane@example.com');
    ahead = 300_000;
    expect(await whoIs(headers)).toEqual(OUT);
    // Still good by itself, as clocks differ: it opens nothing that lasts longer.
    const late = await logIn(await issuer.sign({ exp }));
    expect(cookieIn(late)).toContain('Max-Age=0;');
    ahead = 0;
  });
});
