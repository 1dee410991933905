/** The way to a host, against small servers of this file. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Connecting, connect } from '../../../engine/hosts/http.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterTest } from '../../helpers/run/lifetime.ts';
import { makeCertificate } from '../../helpers/servers/certificate.ts';

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return { server, origin: `http://127.0.0.1:${address.port}` };
}

function open(api: string, of: Partial<Connecting> = {}) {
  let time = 0;
  const slept: number[] = [];
  const connection = connect({
    name: 'git.example.com',
    api,
    env: {},
    authorization: async () => 'Bearer secret-token',
    answerMs: 600_000,
    clock: {
      now: () => time,
      async sleep(milliseconds) {
        slept.push(milliseconds);
        time += milliseconds;
      },
    },
    ...of,
  });
  closeAfterTest(() => connection.close());
  return { ...connection, slept };
}

describe('a connection to a host', () => {
  it('sends what it is told, with the token, and gives the answer', async () => {
    const { origin } = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (body: string) => {
        const { method, url, headers } = request;
        response.writeHead(201, { 'x-one': 'a', link: '<b>; rel="next"' });
        response.end(JSON.stringify([method, url, headers.authorization, headers['content-type'], body]));
      });
    });
    const { fetch } = open(`${origin}/api`);
    const answer = await fetch(`${origin}/api/x?y=1`, {
      method: 'post',
      headers: { 'content-type': 'application/json', authorization: 'another' },
      body: '{}',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('link')).toBe('<b>; rel="next"');
    expect(await answer.json()).toEqual(['POST', '/api/x?y=1', 'Bearer ***', 'application/json', '{}']);
  });

  it('sends nothing to another origin', async () => {
    const calls: string[] = [];
    const { origin } = await serve((request, response) => {
      calls.push(request.url ?? '');
      response.end();
    });
    const { fetch } = open('https://git.example.com/api');
    for (const address of [origin, 'https://git.example.com.evil.example', 'https://me@git.example.com/'])
      await expect(fetch(address)).rejects.toMatchObject({ code: 'HOST_REFUSED' });
    expect(calls).toEqual([]);
  });

  it('takes what it sent out of what a host repeats, in whatever form it was sent', async () => {
    const { origin } = await serve((_, response) => {
      response.end(
        `secret-token secret%2Dtoken ${Buffer.from('secret-token').toString('base64')} secret/t+k=n`,
      );
    });
    const { fetch, scrub } = open(origin);
    expect(await (await fetch(origin)).text()).toBe('*** secret%2Dtoken *** secret/t+k=n');
    expect(scrub('a secret-token b')).toBe('a *** b');
    const other = open(origin, { authorization: async () => 'token secret/t+k=n' });
    expect(await (await other.fetch(origin)).text()).toMatch(/ \*\*\*$/);
    expect(other.scrub(encodeURIComponent('secret/t+k=n'))).toBe('***');
  });

  it('ends with an answer that is too large', async () => {
    const { origin } = await serve((_, response) => {
      const part = Buffer.alloc(1024 * 1024, 32);
      const more = () => void (response.destroyed || response.write(part, more));
      more();
    });
    const { fetch, slept } = open(origin);
    await expect(fetch(origin)).rejects.toMatchObject({
      code: 'HOST_UNAVAILABLE',
      message: 'git.example.com gave an answer of more than 32 MiB.',
    });
    expect(slept).toEqual([]);
  });

  it('ends where the body takes too long, and where a host refuses for ever', async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === '/slow') response.write('{');
      else response.writeHead(429, { 'retry-after': '0' }).end();
    });
    await expect(open(origin, { answerMs: 100 }).fetch(`${origin}/slow`)).rejects.toMatchObject({
      code: 'HOST_UNAVAILABLE',
    });
    const { fetch, slept } = open(origin);
    await expect(fetch(origin)).rejects.toMatchObject({
      code: 'HOST_UNAVAILABLE',
      details: { retryAfterMs: 1000 },
    });
    expect(slept).toHaveLength(60);
  });

  it('waits before the next call where an answer says that it was the last one allowed', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' }).end();
    });
    const { fetch, slept } = open(origin);
    await fetch(origin);
    expect(slept).toEqual([]);
    await fetch(origin, { method: 'POST' });
    expect(slept).toEqual([30_000]);
  });

  it('says why a host cannot be reached, after it tried again', async () => {
    const { server, origin } = await serve(() => undefined);
    server.close();
    const { fetch, slept } = open(origin);
    await expect(fetch(origin)).rejects.toMatchObject({
      code: 'HOST_UNAVAILABLE',
      message: 'git.example.com cannot be reached (ECONNREFUSED).',
    });
    expect(slept).toEqual([1000, 4000]);
    await expect(fetch(origin, { method: 'PUT' })).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE' });
    expect(slept).toHaveLength(2);
  });

  it('goes through the proxy of the environment, except where the environment says otherwise', async () => {
    const { origin } = await serve((_, response) => void response.end('here'));
    const through: string[] = [];
    const proxy = await serve(() => undefined);
    proxy.server.on(
      'connect',
      (request: IncomingMessage, socket: NodeJS.WritableStream & NodeJS.ReadableStream) => {
        through.push(request.url ?? '');
        const [host = '', port = ''] = (request.url ?? '').split(':');
        const target = connectSocket(Number(port), host, () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          target.pipe(socket).pipe(target);
        });
      },
    );
    const env = { HTTP_PROXY: proxy.origin };
    expect(await (await open(origin, { env }).fetch(origin)).text()).toBe('here');
    expect(through).toEqual([new URL(origin).host]);
    const direct = open(origin, { env: { ...env, NO_PROXY: '127.0.0.1' } });
    expect(await (await direct.fetch(origin)).text()).toBe('here');
    expect(through).toHaveLength(1);
  });

  it('trusts the authorities of Node, and those of NODE_EXTRA_CA_CERTS', async () => {
    const folder = await temporaryFolder();
    makeCertificate(folder);
    const [key, cert] = await Promise.all(
      ['server.key', 'server.crt'].map((name) => readFile(join(folder, name))),
    );
    const server = createHttps({ key, cert }, (_, response) => void response.end('here'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeAfterTest(() => server.close());
    const address = server.address();
    const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { fetch, slept } = open(origin);
    await expect(fetch(origin)).rejects.toMatchObject({
      code: 'HOST_UNAVAILABLE',
      message: expect.stringMatching(
        /^git\.example\.com has a certificate that is not trusted \([A-Z_]+\)\.$/,
      ),
    });
    expect(slept).toEqual([]);
    // Node reads it when it starts.
    const module = new URL('../../../engine/hosts/http.ts', import.meta.url).href;
    const script = `
      const { connect } = await import(${JSON.stringify(module)});
      const clock = { now: Date.now, sleep: async () => undefined };
      const connection = connect({ name: 'a', api: '${origin}', env: {}, clock, authorization: null, answerMs: 600000 });
      console.log(await (await connection.fetch('${origin}')).text());
      await connection.close();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') } },
    );
    expect(stdout).toBe('here\n');
  });

  it('gives headers that nobody can read to nobody', async () => {
    const { origin } = await serve((request, response) => {
      request.socket.end(
        'HTTP/1.1 200 OK\r\nx-b: \xe9\xff\r\nContent-Length: 2\r\nset-cookie: a=b\r\n\r\n{}',
      );
      void response;
    });
    const answer = await open(origin).fetch(origin);
    expect(await answer.json()).toEqual({});
    expect(answer.headers.has('set-cookie')).toBe(false);
  });
});
