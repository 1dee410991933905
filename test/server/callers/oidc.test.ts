/** Tokens of an issuer: a real one of our own signs them, and each way to forge or misuse one is tried. */
import { createHmac } from 'node:crypto';
import { exportSPKI, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { configOf, policedRepo } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { makeKey, startIssuer, type TestIssuer } from '../../helpers/servers/issuer.ts';

const POLICY = {
  environments: [{ match: 'prod', quorum: 1, unsignedRequests: true }],
  groups: { sre: ['jane@example.com'], leads: ['carol@example.com'] },
  permissions: [
    { groups: ['sre', 'leads'], allow: ['deploy'], in: ['**'] },
    { groups: ['sre'], allow: ['propose'], in: ['**'] },
    { users: ['carol@example.com', 'kate@example.com'], allow: ['propose'], in: ['**'] },
  ],
};
const ENVIRONMENTS = '/api/v1/environments';

let issuer: TestIssuer;
let trusting: TestIssuer;
let api: Api;
let engine: Engine;
/** What the server's clock is ahead of ours. */
let ahead = 0;
beforeAll(async () => {
  [issuer, trusting] = await Promise.all([startIssuer(), startIssuer()]);
  const oidc = [
    { issuer: issuer.url, audience: ['another', 'backtrail'], clockSkew: 10 },
    {
      issuer: trusting.url,
      audience: 'backtrail',
      jwks: `${trusting.url}/keys`,
      trustEmail: true,
      groups: 'groups',
    },
  ];
  engine = await engineOf(await policedRepo(configOf(POLICY)), { lives: 'file' });
  api = await startApi(engine, {
    lives: 'file',
    settings: {
      configuration: parseServerConfiguration(
        JSON.stringify({ oidc, limits: { refused: 1000 } }),
        'server.yaml',
      ),
      now: () => Date.now() + ahead,
    },
  });
});

const answerTo = async (token: string) => {
  const { status, body } = await api.get('/api/v1/me', { token });
  return status === 200 ? body : [status, body.code, body.detail];
};
const refused = (detail: string) => [401, 'UNAUTHENTICATED', detail];
const seconds = () => Math.floor(Date.now() / 1000);
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token of an issuer', () => {
  it('says who calls, by a key that discovery leads to', async () => {
    expect(await answerTo(await issuer.sign())).toEqual({
      person: { name: 'Jane Doe', email: 'jane@example.com' },
      how: 'oidc',
    });
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    expect((await answerTo(await issuer.sign())).how).toBe('oidc');
    expect(issuer.asked).toHaveLength(2);
  });

  it.each<[string, string, object]>([
    ['another audience', 'The token is for another audience.', { aud: 'somebody' }],
    ['no audience', 'The token is for another audience.', { aud: undefined }],
    [
      'another issuer',
      'The token is not of an issuer that is known here.',
      { iss: 'https://evil.example.com' },
    ],
    ['an end that is over', 'The token has expired.', { exp: seconds() - 60 }],
    ['no end', 'The token lacks a claim, or has one that cannot be.', { exp: undefined }],
    ['a beginning that is to come', 'The token is not valid yet.', { nbf: seconds() + 3600 }],
    ['no email', 'The token does not say an email.', { email: undefined }],
    ['an email that is a list', 'The token does not say an email.', { email: ['jane@example.com'] }],
    [
      'an email that is not verified',
      'The issuer does not say that it verified the email.',
      { email_verified: false },
    ],
    [
      'an email said to be "true"',
      'The issuer does not say that it verified the email.',
      { email_verified: 'true' },
    ],
  ])('is refused with %s', async (_, detail, claims) => {
    expect(await answerTo(await issuer.sign(claims))).toEqual(refused(detail));
  });

  it.each([
    'jane',
    'jane@example.com@evil.example',
    'jane@example.com\nbob@example.com',
    'jane@example.com\r\nX: y',
    'jane@example.com,bob@example.com',
    '<jane@example.com>',
    'jane@example.com> 0 +0000\ncommitter <bob@example.com',
    'jane @example.com',
    ' jane@example.com',
    'jane@example.com\t',
    'jane@example.com\u00a0',
    'jane@example.com\ufeff',
    'jane\u200b@example.com',
    'jane\u202e@example.com',
    'jane\0@example.com',
    'jane\ud800@example.com',
    '"jane"@example.com',
    'jane\\@example.com',
    '*@example.com',
    'jan?@example.com',
    '!jane@example.com',
    `${'j'.repeat(320)}@example.com`,
  ])('is refused with the email %j', async (email) => {
    expect(await answerTo(await issuer.sign({ email }))).toEqual(
      refused('The email of the token is none, or has characters that are not accepted.'),
    );
  });

  it('is that of nobody else whose email looks alike, and of whoever it is in any case', async () => {
    const mayPropose = async (email: string) => {
      const token = await trusting.sign({ email, groups: [] });
      const plan = { environment: 'prod', service: 'api', targetSha: 'previous' };
      return (await api.post('/api/v1/plans', plan, { token })).body.gate?.may.request.allowed;
    };
    expect(await mayPropose('KATE@Example.com')).toBe(true);
    // The Kelvin sign, which is a k in lower case.
    expect(await mayPropose('\u212aate@example.com')).toBeUndefined();
  });

  it('may come from a clock that differs a little', async () => {
    expect(await answerTo(await issuer.sign({ exp: seconds() - 5 }))).toMatchObject({ how: 'oidc' });
    expect(await answerTo(await issuer.sign({ nbf: seconds() + 5 }))).toMatchObject({ how: 'oidc' });
  });

  it('is refused with a signature of nobody, of another, or of another algorithm', async () => {
    const good = await issuer.sign();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const stranger = await makeKey('one');
    const rsa = await makeKey('one', 'RS256');
    const [none, key] = [{ alg: 'none', typ: 'JWT' }, issuer.keys[0]];
    if (key === undefined) throw new Error('it has a key');
    const body = `${base64({ alg: 'HS256', typ: 'JWT', kid: 'one' })}.${payload}`;
    const hmac = (secret: string) =>
      `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
    const forged = base64({
      iss: issuer.url,
      aud: 'backtrail',
      email: 'bob@example.com',
      email_verified: true,
      exp: seconds() + 60,
    });
    const algorithm = 'The token is signed by an algorithm that is not accepted.';
    const otherwise = 'The signature of the token is not that of its issuer.';
    const cases: [string, string][] = [
      [`${base64(none)}.${payload}.`, algorithm],
      [`${base64({ ...none, alg: 'NONE' })}.${payload}.${signature}`, algorithm],
      [hmac(await exportSPKI(key.publicKey)), algorithm],
      [hmac(JSON.stringify(key.jwk)), algorithm],
      [`${header}.${forged}.${signature}`, otherwise],
      [`${header}.${payload}.`, otherwise],
      [await issuer.sign({}, { key: stranger }), otherwise],
      [
        await issuer.sign({}, { key: rsa, header: { alg: 'RS256' } }),
        'The token names no key of its issuer.',
      ],
      [await issuer.sign({}, { header: { typ: 'logout+jwt' } }), 'The token is of another type.'],
      // Keys and addresses that a token brings itself.
      [await issuer.sign({}, { key: stranger, header: { jwk: stranger.jwk } }), otherwise],
      [
        await issuer.sign({}, { key: stranger, header: { kid: 'two', jku: 'http://127.0.0.1:1/' } }),
        'The token names no key of its issuer.',
      ],
      ['a.b.c', 'The token is not one that can be read.'],
      [`${good}.${signature}`, 'The token is not one that can be read.'],
      [await trusting.sign({ iss: issuer.url }), otherwise],
    ];
    for (const [token, detail] of cases) expect(await answerTo(token)).toEqual(refused(detail));
  });

  it('is refused where it is too long, before anybody looks at it', async () => {
    expect(await answerTo(await issuer.sign({ pad: 'x'.repeat(10_000) }))).toEqual(
      refused('The token is too long.'),
    );
    const authorization = `Bearer ${await issuer.sign({ pad: 'x'.repeat(20_000) })}`;
    const { status } = await fetch(`${api.url}${ENVIRONMENTS}`, { headers: { authorization } });
    expect(status).toBe(431);
  });

  it('is taken by a new key of the issuer, asked for at most twice a minute, and no longer by one that is gone', async () => {
    const [before] = issuer.keys;
    const fresh = await makeKey('fresh');
    const old = await issuer.sign();
    ahead = 40_000;
    issuer.keys = [fresh];
    const now = Date.now() + ahead;
    expect(await answerTo(await issuer.sign({}, { now }))).toMatchObject({ how: 'oidc' });
    expect(await answerTo(old)).toEqual(refused('The token names no key of its issuer.'));
    const asked = issuer.asked.length;
    for (let calls = 0; calls < 5; calls += 1)
      await answerTo(await issuer.sign({}, { key: await makeKey(`unknown-${calls}`), now }));
    expect(issuer.asked).toHaveLength(asked);
    ahead = 0;
    if (before !== undefined) issuer.keys = [before, fresh];
  });

  it('names nothing of itself in the log', async () => {
    const token = await issuer.sign();
    await answerTo(token);
    expect(api.log.join('')).not.toContain(token.split('.')[2]);
  });
});

describe('the groups of a token', () => {
  const mayAsk = async (claims: object) => {
    const token = await trusting.sign({ email_verified: false, ...claims });
    const plan = { environment: 'prod', service: 'api', targetSha: 'previous' };
    const { body } = await api.post('/api/v1/plans', plan, { token });
    const request = body.gate?.may.request;
    return request?.allowed === true ? 'allowed' : (request?.code ?? body.code);
  };

  it('count only where the policy lists the person in them as well', async () => {
    expect(await mayAsk({ groups: ['sre', 'other'] })).toBe('allowed');
    expect(await mayAsk({ groups: ['leads'] })).toBe('TOKEN_TOO_NARROW');
    expect(await mayAsk({})).toBe('TOKEN_TOO_NARROW');
    expect(await mayAsk({ groups: { sre: true } })).toBe('TOKEN_TOO_NARROW');
  });

  it('give nothing where the policy does not know them, or does not list the person', async () => {
    const mallory = { email: 'mallory@example.com' };
    expect(await mayAsk({ ...mallory, groups: ['sre', 'leads', 'admins'] })).toBe('PERMISSION_DENIED');
    expect(await mayAsk({ groups: ['__proto__', 'constructor', 'unheard-of'] })).toBe('TOKEN_TOO_NARROW');
  });

  it('take nothing of what the policy gives the person by name', async () => {
    expect(await mayAsk({ email: 'carol@example.com', groups: [] })).toBe('allowed');
  });
});

describe('an issuer that misbehaves', () => {
  const LONG = JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) });
  it.each<[string, string, { status: number; location?: string; body: string }]>([
    ['redirects', '/keys', { status: 302, location: 'http://127.0.0.1:1/keys', body: '' }],
    ['answers without an end', '/keys', { status: 200, body: LONG }],
    ['is broken', '/keys', { status: 500, body: '{"keys":[]}' }],
    ['gives no JSON', '/keys', { status: 200, body: '<html>' }],
    [
      'describes another one',
      '/.well-known/openid-configuration',
      { status: 200, body: '{"issuer":"https://x","jwks_uri":"https://x/keys"}' },
    ],
    [
      'names keys that anybody on the way can change',
      '/.well-known/openid-configuration',
      { status: 200, body: '{"issuer":"ISSUER","jwks_uri":"http://192.0.2.1/keys"}' },
    ],
  ])('lets nobody in where it %s', async (_, path, answer) => {
    const one = await startIssuer();
    one.instead.set(path, { ...answer, body: answer.body.replace('ISSUER', one.url) });
    const other = await startApi(engine, {
      settings: {
        configuration: parseServerConfiguration(
          JSON.stringify({ oidc: [{ issuer: one.url, audience: 'backtrail' }] }),
          'server.yaml',
        ),
      },
    });
    const token = await one.sign();
    for (let calls = 0; calls < 2; calls += 1) {
      const { status, body } = await other.get(ENVIRONMENTS, { token });
      expect([status, body.code]).toEqual([503, 'ISSUER_UNAVAILABLE']);
    }
    expect(one.asked.filter((asked) => asked === path)).toHaveLength(1);
  });
});

it('a token that nobody signed for asymmetric keys is never made from a shared secret', async () => {
  const token = await new SignJWT({
    iss: issuer.url,
    aud: 'backtrail',
    email: 'jane@example.com',
    email_verified: true,
  })
    .setProtectedHeader({ alg: 'HS512' })
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode('x'.repeat(64)));
  expect(await answerTo(token)).toEqual(refused('The token is signed by an algorithm that is not accepted.'));
});
