import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPrivateAddress } from '../../../engine/images/connection.ts';
import { openRegistries } from '../../../engine/images/open.ts';
import {
  hasRegistry,
  type ImageRegistry,
  needsRegistry,
  pushImage,
  startRegistry,
} from '../../helpers/servers/image-registry.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';

let time = 0;
const clock = { now: () => time };

const stops: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

async function ask(env: Record<string, string>, ...images: string[]) {
  const answers = await openRegistries(
    { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
    clock,
  ).ask(images);
  return images.map((image) => answers.get(image));
}

const LOGIN = { htpasswd: 'ci:$2b$04$mooIW1gk4Etdy/.eywy85.97tdPIhngU4IrDmaOL3ZsPFIf/l3CPi' };
const basic = `Basic ${Buffer.from('ci:s3cret').toString('base64')}`;
const [present, missing] = [{ state: 'present' }, { state: 'missing' }];
const unchecked = (reason: RegExp) => ({ state: 'unchecked', reason: expect.stringMatching(reason) });

describe.skipIf(!hasRegistry)(`a real registry${needsRegistry}`, () => {
  let open: ImageRegistry;
  let closed: ImageRegistry;
  let digest: string;
  beforeAll(async () => {
    [open, closed] = await Promise.all([startRegistry(), startRegistry(LOGIN)]);
    stops.push(
      () => open.close(),
      () => closed.close(),
    );
    digest = await pushImage(open.host, 'acme/api', 'v1');
    await pushImage(closed.host, 'acme/api', 'v1', { authorization: basic });
  });

  it('says what it has, by tag, by digest, as an image and as an index, and what it has not', async () => {
    const name = `${open.host}/acme/api`;
    const other = `sha256:${'0'.repeat(64)}`;
    expect(
      await ask(
        { BACKTRAIL_REGISTRIES: open.host },
        ...[':v1', ':v1-index', `@${digest}`, `:v0@${digest}`, ':v9', `@${other}`, `:v1@${other}`].map(
          (end) => name + end,
        ),
        `${open.host}/acme/web:v1`,
      ),
    ).toEqual([present, present, present, present, missing, missing, missing, missing]);
  });

  it('is not asked where it is not listed', async () => {
    expect(await ask({ BACKTRAIL_REGISTRIES: closed.host }, `${open.host}/acme/api:v1`)).toEqual([
      unchecked(/is not listed in BACKTRAIL_REGISTRIES/),
    ]);
    expect(await ask({}, `${open.host}/acme/api:v1`)).toEqual([unchecked(/lists no registry/)]);
  });

  it('wants the credentials of the Docker configuration, and says nothing without them', async () => {
    const images = [`${closed.host}/acme/api:v1`, `${closed.host}/acme/api:v9`];
    const listed = { BACKTRAIL_REGISTRIES: closed.host };
    expect(await ask(listed, ...images)).toEqual([
      unchecked(/wants credentials/),
      unchecked(/wants credentials/),
    ]);
    const auth = Buffer.from('ci:s3cret').toString('base64');
    expect(
      await ask({ ...listed, ...(await docker({ auths: { [closed.host]: { auth } } })) }, ...images),
    ).toEqual([present, missing]);
    const wrong = Buffer.from('ci:wrong').toString('base64');
    expect(
      await ask(
        { ...listed, ...(await docker({ auths: { [`https://${closed.host}`]: { auth: wrong } } })) },
        ...images,
      ),
    ).toEqual([unchecked(/wants credentials/), unchecked(/wants credentials/)]);
  });

  it('takes credentials from a helper', async () => {
    const folder = await temporaryFolder();
    const helper = join(folder, 'docker-credential-test');
    await writeFile(
      helper,
      `#!/bin/sh\nread host\n[ "$host" = ${closed.host} ] && echo '{"Username":"ci","Secret":"s3cret"}'\n`,
    );
    await chmod(helper, 0o755);
    const env = await docker({ credHelpers: { [closed.host]: 'test' } });
    const PATH = `${folder}:${process.env['PATH']}`;
    expect(
      await ask({ BACKTRAIL_REGISTRIES: closed.host, ...env, PATH }, `${closed.host}/acme/api:v1`),
    ).toEqual([present]);
    const evil = await docker({ credHelpers: { [closed.host]: '../evil' } });
    expect(await ask({ BACKTRAIL_REGISTRIES: closed.host, ...evil }, `${closed.host}/acme/api:v1`)).toEqual([
      unchecked(/names a helper that is none/),
    ]);
  });

  it('with a private authority is trusted where Docker would trust it', async () => {
    const secured = await startRegistry({ tls: true });
    stops.push(() => secured.close());
    const image = `${secured.host}/acme/api:v1`;
    const listed = { BACKTRAIL_REGISTRIES: `https://${secured.host}` };
    expect(await ask(listed, image)).toEqual([unchecked(/certificate of the registry is not trusted/)]);
    const home = await temporaryFolder();
    const folder = join(home, '.config/docker/certs.d', secured.host);
    await mkdir(folder, { recursive: true });
    await copyFile(secured.authority, join(folder, 'ca.crt'));
    expect(await ask({ ...listed, HOME: home }, image)).toEqual([missing]);
    expect(await ask({ BACKTRAIL_REGISTRIES: secured.host, HOME: home }, image)).toEqual([missing]);
  });

  it('is asked again only after a minute', async () => {
    const registries = openRegistries({ BACKTRAIL_REGISTRIES: open.host, HOME: '/nonexistent' }, clock);
    const image = `${open.host}/acme/late:v1`;
    const look = async () => (await registries.ask([image])).get(image);
    expect(await look()).toEqual(missing);
    await pushImage(open.host, 'acme/late', 'v1');
    time += 59_000;
    expect(await look()).toEqual(missing);
    time += 2000;
    expect(await look()).toEqual(present);
  });
});

describe('a registry with a token service', () => {
  it('gives a token for the name alone, and believes it', async () => {
    const seen: string[] = [];
    const host = await serve((request, response, self) => {
      const { url = '', headers } = request;
      seen.push(`${request.method} ${url} ${headers.authorization ?? '-'}`);
      if (url.startsWith('/token')) return json(response, { token: 'T0KEN' });
      if (headers.authorization === 'Bearer T0KEN') return end(response, url.includes('v1') ? 200 : 404);
      response.setHeader(
        'www-authenticate',
        `Bearer realm="http://${self}/token",service="reg.test",scope="repository:other:push"`,
      );
      end(response, 401);
    });
    const env = await docker({ auths: { [host]: { auth: Buffer.from('ci:s3cret').toString('base64') } } });
    expect(
      await ask({ BACKTRAIL_REGISTRIES: host, ...env }, `${host}/acme/api:v1`, `${host}/acme/api:v9`),
    ).toEqual([present, missing]);
    expect(seen).toContain(`GET /token?service=reg.test&scope=repository%3Aacme%2Fapi%3Apull ${basic}`);
    // To whoever has no credentials, it may say of any private image that there is none.
    expect(await ask({ BACKTRAIL_REGISTRIES: host }, `${host}/acme/api:v1`, `${host}/acme/api:v9`)).toEqual([
      present,
      unchecked(/wants credentials/),
    ]);
  });

  it('sends an identity token where Docker keeps one', async () => {
    const seen: string[] = [];
    const host = await serve((request, response, self) => {
      if (request.url === '/token') {
        request.setEncoding('utf8').on('data', (text: string) => seen.push(text));
        return void request.on('end', () => json(response, { access_token: 'T0KEN' }));
      }
      if (request.headers.authorization === 'Bearer T0KEN') return end(response, 200);
      response.setHeader('www-authenticate', `Bearer realm="http://${self}/token"`);
      end(response, 401);
    });
    const env = await docker({ auths: { [host]: { identitytoken: 'refresh-me' } } });
    expect(await ask({ BACKTRAIL_REGISTRIES: host, ...env }, `${host}/acme/api:v1`)).toEqual([present]);
    expect(new URLSearchParams(seen.join('')).get('refresh_token')).toBe('refresh-me');
  });

  it('gets no credentials after a redirect to another host', async () => {
    const seen: string[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization ?? '-');
      end(response, 200);
    });
    const host = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        response.setHeader('www-authenticate', 'Basic realm="x"');
      else response.setHeader('location', `http://${other}/elsewhere`);
      end(response, request.headers.authorization === undefined ? 401 : 307);
    });
    const env = await docker({ auths: { [host]: { auth: Buffer.from('ci:s3cret').toString('base64') } } });
    expect(await ask({ BACKTRAIL_REGISTRIES: `${host},${other}`, ...env }, `${host}/acme/api:v1`)).toEqual([
      present,
    ]);
    expect(seen).toEqual(['-']);
  });
});

describe('a registry that means harm', () => {
  it('finds no private address behind another way of writing it', () => {
    const within = ['::ffff:10.0.0.1', '::169.254.169.254', '::1', '64:ff9b:1::a00:1', '2002:a9fe:a9fe::1'];
    const further = [
      '64:ff9b::a00:1',
      '2001:0:a00:1::',
      'fec0::1',
      'fd00:ec2::254',
      'fe80::1',
      '100.100.100.200',
    ];
    expect([...within, ...further].filter((address) => !isPrivateAddress(address))).toEqual([]);
    const open = ['140.82.121.34', '2606:50c0:8000::154', '2001:4860:4860::8888', '::ffff:140.82.121.34'];
    expect(open.filter(isPrivateAddress)).toEqual([]);
  });

  it.each<[string, (response: ServerResponse, self: string) => void, RegExp]>([
    [
      'leads to a private network by its token service',
      (response) => challenge(response, 'http://127.0.0.1:1/token'),
      /is in a private network/,
    ],
    [
      'leads there by a name',
      (response) => challenge(response, 'http://localhost:1/token'),
      /is in a private network/,
    ],
    [
      'leads there by a redirect',
      (response) => redirect(response, 'http://[::ffff:127.0.0.1]:1/'),
      /is in a private network/,
    ],
    [
      'redirects without end',
      (response, self) => redirect(response, `http://${self}/again`),
      /redirects without end/,
    ],
    ['names an address of another kind', (response) => challenge(response, 'file:///etc/passwd'), /not safe/],
    [
      'names an address with a login in it',
      (response) => challenge(response, 'https://a:b@example.com/'),
      /not safe/,
    ],
    [
      'answers with a challenge that is none',
      (response) => {
        response.setHeader('www-authenticate', 'Negotiate');
        end(response, 401);
      },
      /not known here/,
    ],
    ['ends the connection', (response) => response.destroy(), /cannot be reached|gave no answer/],
    ['fails', (response) => end(response, 500), /status 500/],
    ['has had enough', (response) => end(response, 429), /no more questions/],
  ])('that %s is unchecked', async (_, act, reason) => {
    const host = await serve((_request, response, self) => act(response, self));
    expect(await ask({ BACKTRAIL_REGISTRIES: `http://${host}` }, `${host}/acme/api:v1`)).toEqual([
      unchecked(reason),
    ]);
  });

  it.each(['{', '[]', '{"token":"a\\nb"}', '{"token":5}', `{"token":"${'x'.repeat(300_000)}"}`])(
    'and whose token service answers nonsense is unchecked (%#)',
    async (text) => {
      const host = await serve((request, response, self) => {
        if (request.url?.startsWith('/token') === true) response.end(text);
        else challenge(response, `http://${self}/token`);
      });
      expect(await ask({ BACKTRAIL_REGISTRIES: `http://${host}` }, `${host}/acme/api:v1`)).toEqual([
        unchecked(/gives no token/),
      ]);
    },
  );

  it('that never answers is given up with the question', async () => {
    const host = await serve(() => undefined);
    const registries = openRegistries(
      { BACKTRAIL_REGISTRIES: `http://${host}`, HOME: '/nonexistent' },
      clock,
    );
    const reason = new Error('enough');
    await expect(registries.ask([`${host}/acme/api:v1`], AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

function challenge(response: ServerResponse, realm: string): void {
  response.setHeader('www-authenticate', `Bearer realm="${realm}",service="x"`);
  end(response, 401);
}

function redirect(response: ServerResponse, location: string): void {
  response.setHeader('location', location);
  end(response, 302);
}

function end(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}

const json = (response: ServerResponse, value: unknown) => void response.end(JSON.stringify(value));

/** Gives `127.0.0.1:PORT`. */
async function serve(
  act: (request: IncomingMessage, response: ServerResponse, self: string) => void,
): Promise<string> {
  let self = '';
  const server = createServer((request, response) => act(request, response, self)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  self = `127.0.0.1:${address.port}`;
  stops.push(async () => server.closeAllConnections());
  stops.push(async () => server.close());
  return self;
}

/** An environment with this configuration of Docker. */
async function docker(config: unknown): Promise<{ DOCKER_CONFIG: string }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return { DOCKER_CONFIG: folder };
}
