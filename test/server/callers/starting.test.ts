/** Where the server may be started, and what its configuration may say. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { parseServerConfiguration, readServerConfiguration } from '../../../server/settings/configuration.ts';
import { policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { startApi } from '../../helpers/servers/api.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await engineOf(await policedRepo(), { lives: 'file' });
});

const configured = (text: string) => parseServerConfiguration(text, 'server.yaml');

describe('without authentication', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'backtrail.example.com'])('nothing listens on %s', async (host) => {
    const settings = { listen: { host, port: 0 } };
    await expect(startApi(engine, { settings })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const limited = { ...settings, configuration: configured('limits: { caller: 5 }') };
    await expect(startApi(engine, { settings: limited })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  it('an address that is taken is a mistake in the call', async () => {
    const api = await startApi(engine);
    const port = Number(new URL(api.url).port);
    await expect(
      startApi(engine, { settings: { listen: { host: '127.0.0.1', port } } }),
    ).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: `127.0.0.1:${port} is in use already.`,
    });
  });

  it.runIf(process.getuid?.() === 0)('another account of the machine is nobody', async () => {
    const api = await startApi(engine);
    const script = `fetch('${api.url}/api/v1/environments').then(({ status }) => console.log(process.getuid(), status))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      env: {},
    });
    expect(stdout).toBe('65534 401\n');
  });
});

describe('with authentication', () => {
  it('the server listens everywhere, answers the names that it is given, and takes no token of single-user mode', async () => {
    const api = await startApi(engine, {
      settings: {
        listen: { host: '0.0.0.0', port: 0 },
        state: join(await temporaryFolder(), 'state'),
        configuration: configured('tokens: true\nhosts: [Backtrail.example.com, "other.example.com:8443"]'),
      },
    });
    expect(api.token).toBe('');
    const { port } = new URL(api.url);
    const { request } = await import('node:http');
    const statusFor = (host: string) =>
      new Promise((resolve, reject) => {
        request(`http://127.0.0.1:${port}/openapi.json`, { headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await statusFor('backtrail.example.com')).toBe(200);
    expect(await statusFor(`backtrail.example.com:${port}`)).toBe(200);
    expect(await statusFor('other.example.com:8443')).toBe(200);
    expect(await statusFor('other.example.com')).toBe(403);
    expect(await statusFor('evil.example.com')).toBe(403);
  });
});

describe('behind a proxy', () => {
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address }, token: null });
  const started = async (more: string) =>
    startApi(engine, {
      settings: {
        state: join(await temporaryFolder(), 'state'),
        configuration: configured(`tokens: true\nlimits: { address: 3 }\n${more}`),
      },
    });
  const addresses = ({ log }: Awaited<ReturnType<typeof started>>) =>
    log.flatMap((line) => JSON.parse(line).address ?? []);

  it('addresses are those that it names, and what is before those is not believed', async () => {
    const api = await started('trustProxy: ["127.0.0.0/8"]');
    const statusesOf = async (sent: readonly string[]) => {
      const statuses = [];
      for (const address of sent) statuses.push((await api.get('/api/v1/me', from(address))).status);
      return statuses;
    };
    // /openapi.json was asked for from the proxy's own.
    const each = ['192.0.2.1', '192.0.2.2', '203.0.113.9, 192.0.2.3'];
    expect(await statusesOf([...each, ...each, ...each])).toEqual(Array(9).fill(401));
    expect(await statusesOf(['198.51.100.7, 192.0.2.3', '192.0.2.4'])).toEqual([429, 401]);
    const odd = ['<script>', 'x'.repeat(3000), '192.0.2.8:443', '::ffff:'];
    expect(await statusesOf(odd)).toEqual([401, 401, 429, 429]);
    await expect
      .poll(() => new Set(addresses(api)))
      .toEqual(new Set(['127.0.0.1', '192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']));
  });

  it('that is not trusted, all calls come from one address', async () => {
    for (const more of ['', 'trustProxy: ["192.0.2.0/24"]']) {
      const api = await started(more);
      const statuses = [];
      for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
        statuses.push((await api.get('/api/v1/me', from(address))).status);
      expect(statuses).toEqual([401, 401, 429]);
      await expect.poll(() => new Set(addresses(api))).toEqual(new Set(['127.0.0.1']));
    }
  });
});

describe('the configuration', () => {
  const ISSUER = 'issuer: https://login.example.com\n    audience: backtrail';

  it('is read with its defaults', () => {
    expect(configured(`oidc:\n  - ${ISSUER}\n`)).toMatchObject({
      tokens: false,
      hosts: [],
      oidc: [{ audience: ['backtrail'], clockSkew: 30, trustEmail: false, jwks: null, groups: null }],
      limits: { caller: 1200, address: 6000, refused: 60 },
    });
    expect(configured('')).toMatchObject({ tokens: false, oidc: [], trustProxy: [] });
    expect(configured('trustProxy: ["::1", "10.0.0.0/8"]').trustProxy).toEqual(['::1', '10.0.0.0/8']);
  });

  it.each([
    ['tokens: yes please', '1:1: tokens:'],
    ['a: 1', '1:1: a:'],
    ['tokens: true\nhosts: ["https://x"]', '2:9: hosts.0:'],
    ['oidc: [{ issuer: "http://login.example.com", audience: a }]', '1:10: oidc.0.issuer:'],
    ['oidc: [{ issuer: "https://u:p@login.example.com", audience: a }]', '1:10: oidc.0.issuer:'],
    ['oidc: [{ issuer: "https://a", audience: a, jwks: "http://a/keys" }]', 'oidc.0.jwks:'],
    ['oidc: [{ issuer: "https://a", audience: a, algorithms: [HS256] }]', 'oidc.0.algorithms.0:'],
    ['oidc: [{ issuer: "https://a", audience: a, algorithms: [none] }]', 'oidc.0.algorithms.0:'],
    ['oidc: [{ issuer: "https://a", audience: [] }]', 'oidc.0.audience:'],
    [`oidc:\n  - ${ISSUER}\n  - ${ISSUER}`, '1:1: oidc:'],
    ['limits: { caller: 0 }', '1:11: limits.caller:'],
    ['trustProxy: ["0.0.0.0/0"]', 'trustProxy.0:'],
    ['trustProxy: ["10.0.0.0/33"]', 'trustProxy.0:'],
    ['trustProxy: [loopback]', 'trustProxy.0:'],
    ['tokens: [', 'not valid YAML'],
    ['a: *b', 'aliases'],
  ])('%j is refused with its position', (text, said) => {
    const refused = expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^server\.yaml:\d+:\d+: [^\n]+\.$/),
    });
    expect(() => configured(text)).toThrow(refused);
    expect(() => configured(text)).toThrow(said);
  });

  it('is a file of a size', async () => {
    const file = join(await temporaryFolder(), 'server.yaml');
    await expect(readServerConfiguration(file)).rejects.toThrow('cannot be read (ENOENT)');
    await writeFile(file, `# ${'x'.repeat(300 * 1024)}\n`);
    await expect(readServerConfiguration(file)).rejects.toThrow('larger than 256 KiB');
  });
});
