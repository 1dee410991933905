/** An issuer of OpenID Connect on loopback, in the clear or by TLS, with keys that rotate. */
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { closeAfterFile } from '../run/lifetime.ts';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

export interface IssuerKey extends Pair {
  readonly kid: string;
  readonly jwk: JWK;
}

export interface TestIssuer {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Those that it gives out now. */
  keys: readonly IssuerKey[];
  /** What it answers in place of its own, by path. */
  readonly instead: Map<
    string,
    { readonly status: number; readonly location?: string; readonly body: string }
  >;
  /** What it signs browsers in with: claims besides the good ones, `null` for no sign-in. */
  person: object | null;
  /** With good claims, but for those that are given; signed by the first key. */
  sign(claims?: object, how?: { key?: IssuerKey; header?: object; now?: number }): Promise<string>;
}

export async function makeKey(kid: string, algorithm = 'ES256'): Promise<IssuerKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  return { ...pair, kid, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' } };
}

export async function startIssuer(
  audience = 'backtrail',
  tls: { readonly key: string; readonly cert: string } | null = null,
): Promise<TestIssuer> {
  const instead: TestIssuer['instead'] = new Map();
  const asked: string[] = [];
  /** Of codes that were given and not yet taken. */
  const codes = new Map<string, URLSearchParams>();
  let given = 0;
  const answerTo = async (...[request, answer]: Parameters<RequestListener>) => {
    const { url: path = '' } = request;
    asked.push(path);
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    if (pathname === '/authorize') {
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('state', searchParams.get('state') ?? '');
      const code = `code-${(given += 1)}`;
      codes.set(code, searchParams);
      if (issuer.person === null) back.searchParams.set('error', 'access_denied');
      else back.searchParams.set('code', code);
      answer.writeHead(302, { location: back.href });
      return answer.end();
    }
    if (pathname === '/token') {
      const sent = new URLSearchParams(await text(request));
      const code = sent.get('code') ?? '';
      const begun = codes.get(code);
      codes.delete(code);
      const challenge = createHash('sha256')
        .update(sent.get('code_verifier') ?? '')
        .digest('base64url');
      const isGood =
        begun?.get('code_challenge') === challenge && begun.get('redirect_uri') === sent.get('redirect_uri');
      answer.writeHead(isGood ? 200 : 400, { 'content-type': 'application/json' });
      if (!isGood) return answer.end('{"error":"invalid_grant"}');
      const claims = { aud: begun.get('client_id'), nonce: begun.get('nonce'), ...issuer.person };
      const token = { access_token: 'x', token_type: 'bearer', id_token: await issuer.sign(claims) };
      return answer.end(JSON.stringify(token));
    }
    const other = instead.get(path);
    if (other !== undefined) {
      answer.writeHead(other.status, { ...(other.location !== undefined && { location: other.location }) });
      return answer.end(other.body);
    }
    const found =
      path === '/.well-known/openid-configuration'
        ? {
            issuer: issuer.url,
            jwks_uri: `${issuer.url}/keys`,
            authorization_endpoint: `${issuer.url}/authorize`,
            token_endpoint: `${issuer.url}/token`,
            id_token_signing_alg_values_supported: ['ES256'],
          }
        : path === '/keys'
          ? { keys: issuer.keys.map(({ jwk }) => jwk) }
          : null;
    answer.writeHead(found === null ? 404 : 200, { 'content-type': 'application/json' });
    return answer.end(JSON.stringify(found));
  };
  const listener: RequestListener = (request, answer) => void answerTo(request, answer);
  const server = tls === null ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeAfterFile(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  const issuer: TestIssuer = {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    asked,
    keys: [await makeKey('one')],
    instead,
    person: {},
    async sign(claims = {}, { key = issuer.keys[0], header = {}, now = Date.now() } = {}) {
      if (key === undefined) throw new Error('it has a key');
      const seconds = Math.floor(now / 1000);
      const good = {
        iss: issuer.url,
        aud: audience,
        sub: 'u-1',
        email: 'jane@example.com',
        email_verified: true,
        name: 'Jane Doe',
        iat: seconds,
        exp: seconds + 300,
      };
      return new SignJWT({ ...good, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT', ...header })
        .sign(key.privateKey);
    },
  };
  return issuer;
}
