/** Tokens of issuers that the configuration names (OpenID Connect): whose they are, by claims that the issuer signed. */
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { BacktrailError, emailKey, isPlainEmail } from '../../engine/index.ts';
import type { Issuer } from '../settings/issuers.ts';
import type { Caller } from './caller.ts';
import { issuerKeys } from './issuer-keys.ts';

export interface OidcInput {
  readonly issuers: readonly Issuer[];
  readonly now: () => number;
}

/** More than that is no token of a person. */
const LONGEST_TOKEN = 12_000;
const MOST_GROUPS = 1000;
/** Absent, or that of a token for calling: not one that logs somebody out, nor one that reports an event. */
const TYPES: readonly unknown[] = [undefined, 'JWT', 'at+jwt', 'application/at+jwt'];

/** Gives the caller of a token. @throws UNAUTHENTICATED, ISSUER_UNAVAILABLE */
export function oidcCallers({ issuers, now }: OidcInput): (token: string) => Promise<Caller> {
  const known = new Map(
    issuers.map((issuer) => [issuer.issuer, { issuer, keys: issuerKeys(issuer, now) }] as const),
  );
  return async (token) => {
    if (token.length > LONGEST_TOKEN) throw refused('The token is too long.');
    // Nothing is asked of anybody for one that names another issuer.
    const found = known.get(issuerOf(token));
    if (found === undefined) throw refused('The token is not of an issuer that is known here.');
    const { issuer, keys } = found;
    return callerOf(issuer, await claimsOf(token, issuer, { keys, now }));
  };
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    throw refused('The token is not one that can be read.');
  }
}

async function claimsOf(
  token: string,
  { issuer, audience, algorithms, clockSkew }: Issuer,
  { keys, now }: { readonly keys: JWTVerifyGetKey; readonly now: () => number },
): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer,
      audience: [...audience],
      algorithms: [...algorithms],
      clockTolerance: clockSkew,
      currentDate: new Date(now()),
      requiredClaims: ['exp'],
    });
    if (!TYPES.includes(protectedHeader.typ)) throw refused('The token is of another type.');
    return payload;
  } catch (error) {
    throw error instanceof errors.JOSEError ? refused(sentenceOf(error)) : error;
  }
}

/** Nothing of what was sent. */
function sentenceOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'The token is signed by an algorithm that is not accepted.';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'The token names no key of its issuer.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'The token is for another audience.';
    if (error.claim === 'nbf') return 'The token is not valid yet.';
    return 'The token lacks a claim, or has one that cannot be.';
  }
  return 'The signature of the token is not that of its issuer.';
}

function callerOf({ issuer, trustEmail, groups }: Issuer, claims: JWTPayload): Caller {
  const { email, email_verified: isVerified, name } = claims;
  if (typeof email !== 'string' || email === '') throw refused('The token does not say an email.');
  if (!isPlainEmail(email))
    throw refused('The email of the token is none, or has characters that are not accepted.');
  if (isVerified !== true && !trustEmail)
    throw refused('The issuer does not say that it verified the email.');
  const only = groups === null ? {} : { only: { groups: groupsOf(claims[groups]) } };
  const authenticated = { how: 'oidc', by: issuer } as const;
  const person = { name: nameOf(name) ?? email, email, ...only, authenticated };
  return { person, how: 'oidc', name: `person ${emailKey(email)}`, ends: (claims.exp ?? 0) * 1000 };
}

/** None where the claim is absent, or not a list of names. */
function groupsOf(claim: unknown): readonly string[] {
  return [claim]
    .flat()
    .filter((name): name is string => typeof name === 'string')
    .slice(0, MOST_GROUPS);
}

function nameOf(claim: unknown): string | null {
  const name = typeof claim === 'string' ? claim.replace(/[<>\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim() : '';
  return name === '' ? null : name.slice(0, 200);
}

const refused = (message: string) => new BacktrailError('UNAUTHENTICATED', message);
