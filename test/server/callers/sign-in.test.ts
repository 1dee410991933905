/** Browsers that sign in by an issuer: the whole way, and each way to come back from somewhere else. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { policedRepo } from '../../helpers/people/requests.ts';
import {
  builtConsole,
  hasChromium,
  needsChromium,
  openBrowser,
  openPage,
} from '../../helpers/program/browser.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { startIssuer, type TestIssuer } from '../../helpers/servers/issuer.ts';
import { freePort } from '../../helpers/servers/server.ts';

let issuer: TestIssuer;
let api: Api;
/** What the server's clock is ahead of ours. */
let ahead = 0;
beforeAll(async () => {
  issuer = await startIssuer();
  const port = await freePort();
  const client = { id: 'backtrail-page', redirect: `http://127.0.0.1:${port}/sign-in/callback`, hours: 8 };
  const oidc = [{ issuer: issuer.url, audience: 'backtrail', client }];
  api = await startApi(await engineOf(await policedRepo(), { lives: 'file' }), {
    lives: 'file',
    settings: {
      page: await builtConsole(),
      listen: { host: '127.0.0.1', port },
      configuration: parseServerConfiguration(JSON.stringify({ oidc }), 'server.yaml'),
      now: () => Date.now() + ahead,
    },
  });
});

const cookieOf = (headers: Headers) => headers.get('set-cookie')?.split(';')[0] ?? '';
const get = (path: string, cookie = '') =>
  api.get(path.replace(api.url, ''), { token: null, headers: cookie === '' ? {} : { cookie } });

/** As a browser does it, up to where the issuer sends it back. */
async function begin(to = '/requests') {
  const first = await get(`/sign-in?issuer=0&to=${encodeURIComponent(to)}`);
  expect(first.status).toBe(303);
  const there = await fetch(first.headers.get('location') ?? '', { redirect: 'manual' });
  return {
    cookie: cookieOf(first.headers),
    set: first.headers.get('set-cookie'),
    back: there.headers.get('location') ?? '',
  };
}

const meOf = async (cookie: string) => (await get('/api/v1/me', cookie)).body;
const EXPIRED = '/#sign-in=expired';
const FAILED = '/#sign-in=failed';

describe('signing in by an issuer', () => {
  it('leads back to where somebody was, with a session and no token', async () => {
    const { cookie, set, back } = await begin('/requests?state=all');
    expect(set).toMatch(/; Path=\/sign-in; HttpOnly; SameSite=Lax$/);
    const { status, headers } = await get(back, cookie);
    expect([status, headers.get('location')]).toEqual([303, '/requests?state=all']);
    expect(headers.get('set-cookie')).toMatch(
      /^backtrail-\d+=[^;]+; Max-Age=28[78]\d\d; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(await meOf(cookieOf(headers))).toEqual({
      person: { name: 'Jane Doe', email: 'jane@example.com' },
      how: 'oidc',
    });
    expect(api.log.join('')).not.toMatch(/code-\d|state=/);
  });

  it('lasts for the hours that are configured, not for those of the token', async () => {
    const { cookie, back } = await begin();
    const session = cookieOf((await get(back, cookie)).headers);
    ahead = 7 * 3_600_000;
    expect((await meOf(session)).how).toBe('oidc');
    ahead = 9 * 3_600_000;
    expect((await meOf(session)).code).toBe('UNAUTHENTICATED');
    ahead = 0;
  });

  it('takes nobody back twice, late, in another browser, or without having begun', async () => {
    const { cookie, back } = await begin();
    const other = await begin();
    for (const path of [back, other.back.replace(/state=[^&]+/, 'state=x'), '/sign-in/callback'])
      expect((await get(path, path === back ? other.cookie : cookie)).headers.get('location')).toBe(EXPIRED);
    expect((await get(back)).headers.get('location')).toBe(EXPIRED);
    expect((await get(back, cookie)).headers.get('location')).toBe('/requests');
    expect((await get(back, cookie)).headers.get('location')).toBe(EXPIRED);
    ahead = 11 * 60_000;
    expect((await get(other.back, other.cookie)).headers.get('location')).toBe(EXPIRED);
    ahead = 0;
  });

  it.each([
    ['another nonce', { nonce: 'x' }],
    ['another audience', { aud: 'backtrail' }],
    ['another issuer', { iss: 'https://evil.example.com' }],
    ['an email that nobody verified', { email_verified: false }],
    ['an end that has passed', { exp: 1 }],
  ])('takes no token with %s', async (_what, claims) => {
    issuer.person = claims;
    const { cookie, back } = await begin();
    const { headers } = await get(back, cookie);
    expect([headers.get('location'), headers.get('set-cookie')]).toEqual([FAILED, null]);
    issuer.person = {};
  });

  it('takes no code that another browser was given', async () => {
    const [mine, others] = [await begin(), await begin()];
    const code = /code=[^&]+/.exec(others.back)?.[0] ?? '';
    const { headers } = await get(mine.back.replace(/code=[^&]+/, code), mine.cookie);
    expect(headers.get('location')).toBe(FAILED);
  });

  it.each([
    '//evil.example.com',
    '/\\evil.example.com',
    'https://evil.example.com',
    '/\t/evil.example.com',
    '',
  ])('leads to no other place than this server: %j', async (to) => {
    const { cookie, back } = await begin(to);
    expect((await get(back, cookie)).headers.get('location')).toBe('/');
  });

  it('says that the issuer is away', async () => {
    const gone = await startIssuer();
    gone.instead.set('/.well-known/openid-configuration', { status: 500, body: '' });
    const oidc = [
      { issuer: gone.url, audience: 'x', client: { id: 'x', redirect: 'https://x/sign-in/callback' } },
    ];
    const other = await startApi(await engineOf(await policedRepo()), {
      settings: { configuration: parseServerConfiguration(JSON.stringify({ oidc }), 'server.yaml') },
    });
    const { headers } = await other.get('/sign-in?issuer=0', { token: null });
    expect(headers.get('location')).toBe('/#sign-in=away');
  });
});

describe.skipIf(!hasChromium)(`a browser that signs in${needsChromium}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });

  it('comes back to the page that it was at, and can sign out', async () => {
    const { page } = await openPage(browser, api, { isStranger: true, at: '/requests' });
    await page.getByRole('link', { name: /^Sign in with 127\.0\.0\.1/ }).click();
    await page.getByRole('heading', { name: 'Requests' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/requests');
    expect(await page.getByText('Single user').count()).toBe(0);
    await page.evaluate(`sessionStorage.setItem('backtrail-draft', '{}')`);
    await page.evaluate(`localStorage.setItem('backtrail-seen', '{}')`);
    await page.getByRole('button', { name: 'Sign out Jane Doe' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    // Whoever comes next sees nothing of what was read or written, also by going back.
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
    await page.goBack();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await page.getByRole('heading', { name: 'Requests' }).count()).toBe(0);
    issuer.person = null;
    await page.getByRole('link', { name: /^Sign in with/ }).click();
    await page.getByText('The issuer did not sign you in').waitFor();
    issuer.person = {};
  });
});
