/** `oidc` of the server's configuration: whose tokens are taken, and what is read in them. */
import { z } from 'zod';

/** Asymmetric alone: with a shared secret, whoever can check a token can make one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
type Algorithm = (typeof ALGORITHMS)[number];

export interface Issuer {
  /** `iss` of its tokens, character by character. */
  readonly issuer: string;
  /** One of these is `aud` of its tokens. */
  readonly audience: readonly string[];
  /** Certificates of the authority that it is known by, and no other; as configured, the file that holds them. null: those that the platform trusts. */
  readonly ca: string | null;
  /** Where its keys are; null: its discovery document says it. */
  readonly jwks: string | null;
  readonly algorithms: readonly Algorithm[];
  /** Seconds by which clocks may differ. */
  readonly clockSkew: number;
  /** `email` counts although the issuer does not say that it verified it. */
  readonly trustEmail: boolean;
  /** The claim with the groups of a person; null: nothing is read of them. */
  readonly groups: string | null;
  /** As what browsers sign in there; null: only tokens of it are taken. */
  readonly client: IssuerClient | null;
}

interface IssuerClient {
  readonly id: string;
  /** As configured, the file that holds it. null: it is a public client, which PKCE is enough for. */
  readonly secret: string | null;
  /** Where the issuer sends browsers back to: `https://…/sign-in/callback` of this server. */
  readonly redirect: string;
  readonly scope: string;
  /** How long somebody stays signed in. */
  readonly hours: number;
}

/** What is sent in the clear can be changed on its way: https, but for this machine itself. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password, hash } = new URL(address);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSafe && username === '' && password === '' && hash === '';
}

/** As a host is written in an address, or for a socket. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);

const text = z.string().min(1).max(1024);
const address = text.refine(isSafeAddress, 'It is an https address, without a user and a fragment.');

const client = z
  .strictObject({
    id: text,
    secret: text.optional(),
    redirect: address.refine(
      (url) => /^\/sign-in\/callback$/.test(new URL(url).pathname) && new URL(url).search === '',
      'It ends with /sign-in/callback.',
    ),
    scope: text.regex(/\bopenid\b/, 'It has openid among others.').default('openid email profile'),
    hours: z.int().min(1).max(168).default(8),
  })
  .transform(({ secret, ...rest }): IssuerClient => ({ ...rest, secret: secret ?? null }));

export const issuers = z
  .array(
    z
      .strictObject({
        issuer: address,
        audience: z.union([text, z.array(text).min(1).max(20)]),
        jwks: address.optional(),
        ca: text.optional(),
        algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
        clockSkew: z.int().min(0).max(300).default(30),
        trustEmail: z.boolean().default(false),
        groups: text.optional(),
        client: client.optional(),
      })
      .transform(
        ({ audience, jwks, ca, algorithms, groups, client, ...rest }): Issuer => ({
          ...rest,
          audience: [audience].flat(),
          jwks: jwks ?? null,
          ca: ca ?? null,
          algorithms: algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
          groups: groups ?? null,
          client: client ?? null,
        }),
      ),
  )
  .max(20)
  .refine(
    (all) => new Set(all.map(({ issuer }) => issuer)).size === all.length,
    'An issuer stands there twice.',
  );
