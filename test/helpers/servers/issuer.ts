/** An issuer of OpenID Connect on loopback, in the clear or by TLS, with keys that rotate. */
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
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
  const listener: RequestListener = ({ url: path = '' }, answer) => {
    asked.push(path);
    const other = instead.get(path);
    if (other !== undefined) {
      answer.writeHead(other.status, { ...(other.location !== undefined && { location: other.location }) });
      return answer.end(other.body);
    }
    const found =
      path === '/.well-known/openid-configuration'
        ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }
        : path === '/keys'
          ? { keys: issuer.keys.map(({ jwk }) => jwk) }
          : null;
    answer.writeHead(found === null ? 404 : 200, { 'content-type': 'application/json' });
    return answer.end(JSON.stringify(found));
  };
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
