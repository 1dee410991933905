/** One issuer as it signs browsers in (OpenID Connect: authorization code with PKCE). What it says of a person is judged as a token that a script sends. */
import { createHash } from 'node:crypto';
import type { Configuration } from 'openid-client';
import { Agent, fetch as fetchWith, type RequestInit } from 'undici';
import { BacktrailError } from '../../../engine/index.ts';
import type { Issuer } from '../../settings/issuers.ts';
import type { Caller } from '../caller.ts';
import { oidcCallers } from '../oidc.ts';
import type { Attempt } from './attempts.ts';

export interface Provider {
  /** As people know it: the host of its address. */
  readonly name: string;
  /** Whether cookies have to come by https. */
  readonly isSecure: boolean;
  /** Where the browser is sent. @throws ISSUER_UNAVAILABLE */
  begin(attempt: Pick<Attempt, 'verifier' | 'nonce'>, state: string): Promise<URL>;
  /** Whom it sent back; `search`: what the browser brought. @throws UNAUTHENTICATED, ISSUER_UNAVAILABLE */
  finish(search: string, attempt: Attempt, state: string): Promise<Caller>;
}

/** An issuer with a client of ours; `secret` is what the file holds. */
export type SigningIssuer = Issuer & { readonly client: NonNullable<Issuer['client']> };

const ANSWER_SECONDS = 5;
/** What it says of itself is asked for again after so long. */
const FRESH_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

export function createProvider(issuer: SigningIssuer, now: () => number): Provider {
  const { client } = issuer;
  const identify = oidcCallers({ issuers: [{ ...issuer, audience: [client.id] }], now });
  let known: { readonly at: number; readonly found: Promise<Configuration> } | null = null;
  const configuration = async () => {
    if (known === null || now() - known.at > FRESH_MS) known = { at: now(), found: discover(issuer) };
    try {
      return await known.found;
    } catch {
      known = null;
      throw new BacktrailError('ISSUER_UNAVAILABLE', `${issuer.issuer} cannot be asked how it signs in.`);
    }
  };
  return {
    name: new URL(issuer.issuer).host,
    isSecure: client.redirect.startsWith('https:'),
    begin: async ({ verifier, nonce }, state) => {
      const { buildAuthorizationUrl } = await import('openid-client');
      return buildAuthorizationUrl(await configuration(), {
        redirect_uri: client.redirect,
        scope: client.scope,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
    },
    finish: async (search, { verifier, nonce }, state) => {
      const { authorizationCodeGrant } = await import('openid-client');
      const found = await configuration();
      const back = new URL(client.redirect);
      back.search = search;
      const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state };
      const { id_token: token } = await authorizationCodeGrant(found, back, {
        ...checks,
        idTokenExpected: true,
      }).catch((cause: unknown) => {
        throw new BacktrailError('UNAUTHENTICATED', 'The issuer did not sign you in.', { cause });
      });
      const caller = await identify(token ?? '');
      // The token is for this moment; how long somebody stays signed in is ours to say.
      return { ...caller, ends: now() + client.hours * HOUR_MS };
    },
  };
}

async function discover({ issuer, ca, client }: SigningIssuer): Promise<Configuration> {
  const { allowInsecureRequests, ClientSecretPost, customFetch, discovery, None } = await import(
    'openid-client'
  );
  const dispatcher = ca === null ? undefined : new Agent({ connect: { ca } });
  const isPlain = issuer.startsWith('http:');
  return discovery(
    new URL(issuer),
    client.id,
    {},
    client.secret === null ? None() : ClientSecretPost(client.secret),
    {
      timeout: ANSWER_SECONDS,
      // For loopback alone, see settings/issuers.ts.
      ...(isPlain && { execute: [allowInsecureRequests] }),
      [customFetch]: async (url: string, options: object) => {
        const init: RequestInit = { ...options, redirect: 'manual', ...(dispatcher && { dispatcher }) };
        const response = await fetchWith(url, init);
        return new Response(await response.text(), {
          status: response.status,
          headers: [...response.headers],
        });
      },
    },
  );
}
