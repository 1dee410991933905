/** The public keys of an issuer: fetched when they are needed, kept for a while, and fetched again for a key that is not among them. */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';
import { isSafeAddress, type Issuer } from '../settings/issuers.ts';

const ANSWER_BYTES = 256 * 1024;
const ANSWER_MS = 5000;
/** Milliseconds. Tokens with a key that nobody has cannot make us ask more often. */
const BETWEEN_MS = 30_000;
/** Keys that the issuer takes back are refused after so long. */
const FRESH_MS = 10 * 60_000;
/** Where it does not answer, those that are known are used for so long. */
const KEPT_MS = 60 * 60_000;

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.string().max(2048) });
const jwks = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

interface Known {
  readonly find: JWTVerifyGetKey;
  /** When it was fetched. */
  readonly at: number;
}

/** @throws ISSUER_UNAVAILABLE while no keys are known */
export function issuerKeys(issuer: Issuer, now: () => number): JWTVerifyGetKey {
  const asking = {
    issuer,
    dispatcher: issuer.ca === null ? undefined : new Agent({ connect: { ca: issuer.ca } }),
  };
  let known: Known | null = null;
  let tried = -Infinity;
  let failed: unknown = null;
  let fetching: Promise<void> | null = null;

  async function fetchKeys(): Promise<void> {
    tried = now();
    try {
      const address = issuer.jwks ?? (await discover(asking));
      const found = jwks.parse(await fetchJson(asking, address));
      known = { find: createLocalJWKSet(found), at: now() };
      failed = null;
    } catch (error) {
      failed = error instanceof BacktrailError ? error : unavailable(issuer, 'gives an answer that is none');
    }
  }

  /** Not again within BETWEEN_MS, and once for all who wait. */
  async function renew(): Promise<void> {
    if (fetching === null && now() - tried < BETWEEN_MS) return;
    fetching ??= fetchKeys().finally(() => {
      fetching = null;
    });
    await fetching;
  }

  async function current(): Promise<Known> {
    if (known === null || now() - known.at > FRESH_MS) await renew();
    if (known === null || now() - known.at > KEPT_MS)
      throw failed ?? unavailable(issuer, 'was not asked yet');
    return known;
  }

  return async (header, token) => {
    const before = await current();
    try {
      return await before.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await renew();
      const after = await current();
      if (after === before) throw error;
      return after.find(header, token);
    }
  };
}

interface Asking {
  readonly issuer: Issuer;
  /** Trusts the authority of the issuer alone. undefined: it has none of its own. */
  readonly dispatcher: Dispatcher | undefined;
}

/** @throws ISSUER_UNAVAILABLE */
async function discover(asking: Asking): Promise<string> {
  const { issuer } = asking;
  const address = `${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = discovery.safeParse(await fetchJson(asking, address)).data;
  if (found?.issuer !== issuer.issuer) throw unavailable(issuer, 'does not describe itself');
  const isPlain = new URL(issuer.issuer).protocol === 'http:';
  const isSafe = isSafeAddress(found.jwks_uri) && (isPlain || found.jwks_uri.startsWith('https:'));
  if (!isSafe) throw unavailable(issuer, 'names an address of its keys that is not safe');
  return found.jwks_uri;
}

/** Redirects are not followed: they could lead anywhere. @throws ISSUER_UNAVAILABLE */
async function fetchJson({ issuer, dispatcher }: Asking, address: string): Promise<unknown> {
  try {
    const { statusCode, body } = await request(address, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(ANSWER_MS),
      reset: true,
      ...(dispatcher && { dispatcher }),
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of body as AsyncIterable<Buffer>) {
      bytes += part.length;
      // Leaving the loop ends the connection.
      if (bytes > ANSWER_BYTES) throw unavailable(issuer, 'answers with more than 256 KiB');
      parts.push(part);
    }
    if (statusCode !== 200) throw unavailable(issuer, `answers with status ${statusCode}`);
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    if (error instanceof BacktrailError) throw error;
    throw unavailable(
      issuer,
      isUntrusted(error) ? 'shows a certificate that is not trusted here' : 'cannot be asked for its keys',
    );
  }
}

/** By a code of OpenSSL's, or for another name. */
const isUntrusted = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /CERT|UNABLE_TO_VERIFY|SELF_SIGNED/.test(String(error.code));

const unavailable = ({ issuer }: Issuer, what: string) =>
  new BacktrailError('ISSUER_UNAVAILABLE', `${issuer} ${what}.`);
