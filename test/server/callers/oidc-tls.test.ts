/** An issuer with a certificate of its company's own authority: who is asked for keys, and who is not believed. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { startApi } from '../../helpers/servers/api.ts';
import { makeCertificate } from '../../helpers/servers/certificate.ts';
import { startIssuer, type TestIssuer } from '../../helpers/servers/issuer.ts';
import { isProof } from '../../helpers/run/proof.ts';

/** An authority, and a key with its certificate for a name. */
async function certified(name?: string) {
  const folder = await temporaryFolder();
  makeCertificate(folder, name);
  const [key, cert] = await Promise.all(
    ['server.key', 'server.crt'].map((file) => readFile(join(folder, file), 'utf8')),
  );
  return { ca: join(folder, 'ca.crt'), tls: { key: key ?? '', cert: cert ?? '' } };
}

let engine: Engine;
let own: Awaited<ReturnType<typeof certified>>;
let issuer: TestIssuer;
beforeAll(async () => {
  [engine, own] = await Promise.all([
    policedRepo(configOf()).then((repo) => engineOf(repo, { lives: 'file' })),
    certified(),
  ]);
  issuer = await startIssuer('backtrail', own.tls);
});

const configured = (of: Pick<TestIssuer, 'url'>, more: object = {}) =>
  parseServerConfiguration(
    JSON.stringify({ oidc: [{ issuer: of.url, audience: 'backtrail', ...more }] }),
    'server.yaml',
  );

async function answerOf(of: TestIssuer, more: object = {}) {
  const api = await startApi(engine, { settings: { configuration: configured(of, more) } });
  const { status, body } = await api.get('/api/v1/me', { token: await of.sign() });
  return status === 200 ? body.person.email : [status, body.code, body.detail.replace(of.url, 'ISSUER')];
}
const unavailable = (why: string) => [503, 'ISSUER_UNAVAILABLE', `ISSUER ${why}.`];
const UNTRUSTED = unavailable('shows a certificate that is not trusted here');

describe('an issuer that is known by an authority of its own', () => {
  it('is believed where its authority is named, by discovery and at an address of its keys', async () => {
    expect(await answerOf(issuer, { ca: own.ca })).toBe('jane@example.com');
    expect(await answerOf(issuer, { ca: own.ca, jwks: `${issuer.url}/keys` })).toBe('jane@example.com');
  });

  it('is asked nothing with a certificate of nobody, of another authority, or for another name', async () => {
    const [other, elsewhere] = [await certified(), await certified('DNS:login.example.com')];
    const misnamed = await startIssuer('backtrail', elsewhere.tls);
    const asked = issuer.asked.length;
    expect(await answerOf(issuer)).toEqual(UNTRUSTED);
    expect(await answerOf(issuer, { ca: other.ca })).toEqual(UNTRUSTED);
    expect(await answerOf(misnamed, { ca: elsewhere.ca })).toEqual(UNTRUSTED);
    expect([issuer.asked.length - asked, misnamed.asked]).toEqual([0, []]);
  });

  it('leads nowhere else: neither by a redirect, nor to keys in the clear', async () => {
    const other = await startIssuer('backtrail', own.tls);
    const plain = await startIssuer();
    const one = await startIssuer('backtrail', own.tls);
    const discovery = '/.well-known/openid-configuration';
    const described = (jwks: string) => JSON.stringify({ issuer: one.url, jwks_uri: jwks });
    one.instead.set('/keys', { status: 307, location: `${other.url}/keys`, body: '' });
    expect(await answerOf(one, { ca: own.ca })).toEqual(unavailable('answers with status 307'));
    one.instead.set(discovery, { status: 302, location: `${other.url}${discovery}`, body: '' });
    expect(await answerOf(one, { ca: own.ca })).toEqual(unavailable('answers with status 302'));
    one.instead.set(discovery, { status: 200, body: described(`${plain.url}/keys`) });
    expect(await answerOf(one, { ca: own.ca })).toEqual(
      unavailable('names an address of its keys that is not safe'),
    );
    expect([other.asked, plain.asked]).toEqual([[], []]);
  });

  it('is not configured in the clear, but on this machine', () => {
    for (const url of ['http://login.example.com', 'http://10.0.0.1', 'http://localhost.example.com'])
      expect(() => configured({ url })).toThrow('It is an https address');
    expect(() => configured(issuer, { jwks: 'http://login.example.com/keys' })).toThrow('https address');
    expect(configured({ url: 'http://localhost:1' }).oidc).toHaveLength(1);
  });

  it('needs a file that can be read, with a certificate in it', async () => {
    const file = join(await temporaryFolder(), 'ca.pem');
    const start = () => startApi(engine, { settings: { configuration: configured(issuer, { ca: file }) } });
    const refused = (why: string) => ({ code: 'INVALID_REQUEST', message: expect.stringContaining(why) });
    await expect(start()).rejects.toMatchObject(refused('cannot be read (ENOENT)'));
    await writeFile(file, own.tls.key);
    await expect(start()).rejects.toMatchObject(refused('holds no certificate'));
    await writeFile(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    await expect(start()).rejects.toMatchObject(refused('holds a certificate that cannot be read'));
  });

  it.runIf(isProof)(
    'is believed by a process that was started with NODE_EXTRA_CA_CERTS as well',
    async () => {
      const asking = `const { request } = await import('undici'); process.stdout.write(String((await request(${JSON.stringify(`${issuer.url}/keys`)})).statusCode))`;
      const ask = (env: Record<string, string>) =>
        promisify(execFile)(process.execPath, ['--input-type=module', '-e', asking], {
          env: { PATH: process.env['PATH'], ...env },
        });
      expect((await ask({ NODE_EXTRA_CA_CERTS: own.ca })).stdout).toBe('200');
      await expect(ask({})).rejects.toThrow(/certificate|CERT|VERIFY/);
    },
  );
});
