/** How the server answers with the page; what the page shows is tested in test/console. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { urlToHttpOptions } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { policedRepo } from '../helpers/people/requests.ts';
import { builtConsole } from '../helpers/program/browser.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

let api: Api;
let index: string;
beforeAll(async () => {
  const page = await builtConsole();
  index = await readFile(join(page, 'index.html'), 'utf8');
  const engine = await engineOf(await policedRepo(), { lives: 'file' });
  api = await startApi(engine, { lives: 'file', settings: { page } });
});

const PAGES = [
  '/',
  '/e/-/prod',
  '/e/acme/production/history',
  '/e/acme/production/api',
  '/e/acme/production/api/rollback',
  '/e/acme/production/a%20b%2Fc/drift?x=1',
  '/requests',
  '/requests/rbk-01JD2M',
  '/holds',
  '/audit',
  '/incident',
];

/** No UTF-8, and half an escape. */
const UNREADABLE = '/e/%E0%A4%A';

/** As a browser sends it that follows a link. */
const follow = (path: string, headers: Record<string, string>) =>
  new Promise<{ readonly status: number; readonly type: string }>((resolve, reject) => {
    const sent = request({ ...urlToHttpOptions(new URL(api.url)), path, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '' });
    });
    sent.on('error', reject).end();
  });

describe('the page', () => {
  it('is at each of its addresses, for whoever asks, under a policy that allows nothing but its own files', async () => {
    for (const path of PAGES) {
      const { status, headers, body } = await api.get(path, { token: null });
      expect([path, status, body]).toEqual([path, 200, index]);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-cache');
      expect(headers.get('set-cookie')).toBeNull();
    }
  });

  it('is nowhere else', async () => {
    for (const path of [
      '/e',
      '/e/acme',
      '/e/a/b/c/d',
      '/nothing',
      '/api/v1/requests',
      '/assets/none.js',
      '/requests/',
    ])
      expect([path, (await api.get(path)).body.code]).toEqual([path, 'INVALID_REQUEST']);
    const { status, headers } = await api.post('/requests');
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('says itself, to who follows a link that leads nowhere, that there is no page', async () => {
    const headers = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    for (const path of ['/nothing', '/e/acme', '/requests/', '//other.example/', UNREADABLE]) {
      const answer = await follow(path, headers);
      expect([path, answer]).toEqual([path, { status: 404, type: 'text/html; charset=utf-8' }]);
    }
    // Browsers that say no more of themselves.
    expect(await follow(UNREADABLE, { accept: 'text/html,*/*;q=0.8' })).toMatchObject({ status: 404 });
    for (const accept of ['application/json', '*/*'])
      expect((await follow(UNREADABLE, { accept })).status).toBe(400);
    for (const path of ['/api/v1/nothing', '/assets/none.js']) {
      const answer = await follow(path, { ...headers, 'sec-fetch-site': 'none' });
      expect([path, answer]).toEqual([
        path,
        { status: 404, type: 'application/problem+json; charset=utf-8' },
      ]);
    }
  });

  it('gives its files for a year, and says where one is known already', async () => {
    const [, name = ''] = /src="(\/assets\/[^"]+)"/.exec(index) ?? [];
    const { status, headers } = await api.get(name, { token: null });
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect([headers.get('content-encoding'), headers.get('vary')]).toEqual(['gzip', 'accept-encoding']);
    const plain = await api.get(name, { token: null, headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const known = { 'if-none-match': headers.get('etag') ?? '' };
    expect((await api.get(name, { token: null, headers: known })).status).toBe(304);
  });

  it('can be reached by a link of another site, which the API cannot', async () => {
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await follow('/requests/rbk-01JD2M', link)).status).toBe(200);
    expect((await follow('/requests/rbk-01JD2M', { ...link, 'sec-fetch-mode': 'no-cors' })).status).toBe(403);
    expect((await follow('/requests/rbk-01JD2M', { ...link, host: 'rebound.example.com' })).status).toBe(403);
    expect((await follow('/api/v1/environments', link)).status).toBe(403);
  });

  it('is not there where nobody built it', async () => {
    const engine = await engineOf(await policedRepo());
    const other = await startApi(engine, { settings: { page: '/nowhere' } });
    expect((await other.get('/', { token: null })).status).toBe(404);
  });
});
