/** What the server refuses before anybody's question is answered, and how it says so. */
import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { engineOf } from '../helpers/repositories/engine.ts';
import { policedRepo } from '../helpers/people/requests.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi(await engineOf(await policedRepo(), { lives: 'file' }), { lives: 'file' });
});

/** As a browser or a proxy may send it, with a `Host` of its own. */
function raw(path: string, options: { method?: string; headers?: Record<string, string>; body?: string }) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request(`${api.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('the server', () => {
  it('answers whoever shows the token, and nobody else', async () => {
    expect((await api.get('/api/v1/environments')).body).toEqual({
      environments: [
        { environment: 'dev', services: ['api'] },
        { environment: 'prod', services: ['api'] },
      ],
      tenants: false,
    });
    for (const token of [null, 'x', `${api.token}x`]) {
      const { status, body } = await api.get('/api/v1/environments', { token });
      expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });

  it('gives a cookie for the token, which a page of another site cannot send', async () => {
    const { status, headers } = await api.post('/api/v1/session');
    expect(status).toBe(201);
    const cookie = headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    const options = { token: null, headers: { cookie: cookie.split(';')[0] ?? '' } };
    expect((await api.get('/api/v1/environments', options)).status).toBe(200);
    // What stands in an address is in logs: a token there is none.
    expect((await api.get(`/?token=${api.token}`, { token: null })).headers.get('set-cookie')).toBeNull();
    expect((await api.post('/api/v1/session', undefined, { token: 'another' })).status).toBe(401);
  });

  it('answers no name but its own, and no page of another origin', async () => {
    const authorization = `Bearer ${api.token}`;
    const foreign = [
      { host: 'rebound.example.com:80' },
      { host: '127.0.0.1:1' },
      { origin: 'https://evil.example.com' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      const { status, body } = await raw('/api/v1/environments', { headers: { authorization, ...headers } });
      expect([headers, status, JSON.parse(body).code]).toEqual([headers, 403, 'ORIGIN_FOREIGN']);
    }
    const own = { authorization, origin: api.url, 'sec-fetch-site': 'same-origin' };
    expect((await raw('/api/v1/environments', { headers: own })).status).toBe(200);
  });

  it('takes no body but JSON', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data', '']) {
      const headers = { ...(type !== '' && { 'content-type': type }), 'content-length': '3' };
      const { status, body } = await raw('/api/v1/environments', { method: 'POST', headers, body: 'a=b' });
      expect([type, status, JSON.parse(body).code]).toEqual([type, 415, 'BODY_UNSUPPORTED']);
    }
  });

  it('takes a call without a body that names a type for it', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${api.token}` };
    const { status, body } = await raw('/api/v1/rollbacks/rbk-nothing/approve', { method: 'POST', headers });
    expect([status, JSON.parse(body).code]).toEqual([404, 'REQUEST_UNKNOWN']);
  });

  it('says what it refuses in a problem document', async () => {
    const { status, headers, body } = await api.get('/api/v1/nothing');
    expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
    expect(Object.keys(body)).toEqual(['type', 'title', 'status', 'detail', 'code', 'hint']);
    expect((await api.get('/api/v1/%zz')).status).toBe(400);
    expect(api.log.join('')).not.toContain(api.token);
  });
});
