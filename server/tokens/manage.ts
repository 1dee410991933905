/** What `backtrail token` does with tokens. */
import {
  BacktrailError,
  isPlainEmail,
  type Permission,
  PERMISSIONS,
  type Person,
} from '../../engine/index.ts';
import { openState } from '../settings/state.ts';
import { changeTokens, endOf, readTokens, type StoredToken } from './store.ts';
import { makeToken } from './token.ts';

/** A token as it is shown: nothing of its secret. */
export interface TokenView {
  readonly id: string;
  readonly name: string | null;
  readonly person: Person;
  readonly scope: { readonly allow: readonly Permission[]; readonly in: readonly string[] };
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly state: 'active' | 'expired' | 'revoked';
}

/** `token`: the text that is sent; it is shown this once. */
export type CreatedToken = TokenView & { readonly token: string };

export interface TokenAsk {
  /** `jane@example.com`, or `Jane Doe <jane@example.com>`. */
  readonly person: string;
  readonly name?: string | undefined;
  readonly scope: readonly string[];
  /** Environments, as in `policy.permissions`; all where there is none. */
  readonly in?: readonly string[] | undefined;
  readonly minutes: number;
}

export interface TokenPlace {
  /** The state folder. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A year. */
const LONGEST_MINUTES = 366 * 24 * 60;
const LONGEST_NAME = 200;
const PLACE = /^[^\p{C}\p{Z}/]+(?:\/[^\p{C}\p{Z}/]+)?$/u;

/** @throws INVALID_REQUEST */
export async function createToken(
  { folder, now }: TokenPlace,
  ask: TokenAsk,
  random: (bytes: number) => Uint8Array,
): Promise<CreatedToken> {
  const person = personOf(ask.person);
  const allow = PERMISSIONS.filter((permission) => ask.scope.includes(permission));
  const [wrong] = ask.scope.filter((name) => !allow.some((permission) => permission === name));
  if (wrong !== undefined || allow.length === 0)
    throw invalid(`--scope is not a permission: ${quoted(wrong ?? '')}`, `Use ${PERMISSIONS.join(', ')}.`);
  const places = ask.in ?? [];
  const [odd] = places.filter((place) => place.length > 500 || !PLACE.test(place));
  if (odd !== undefined || places.length > 100)
    throw invalid(
      `--in is not an environment: ${quoted(odd ?? '')}`,
      'Write it as acme/production, */staging or **.',
    );
  if (ask.minutes > LONGEST_MINUTES)
    throw invalid('--expires is more than a year', 'Create another one before it ends.');
  const name = ask.name?.trim() ?? '';
  if (name.length > LONGEST_NAME || /[\p{C}\p{Zl}\p{Zp}]/u.test(name))
    throw invalid('--name is not one line of at most 200 characters', 'Say in short what it is for.');
  const { id, text, digest } = makeToken(random);
  const token: StoredToken = {
    id,
    digest,
    name: name === '' ? null : name,
    person,
    scope: { allow, in: places.length === 0 ? ['**'] : [...places] },
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + ask.minutes * 60_000).toISOString(),
    revokedAt: null,
  };
  await changeTokens(await openState(folder), now, (tokens) => [...tokens, token]);
  return { ...viewOf(token, now), token: text };
}

/** Newest first. @throws INVALID_REQUEST */
export async function listTokens({ folder, now }: TokenPlace): Promise<readonly TokenView[]> {
  const tokens = await readTokens(await openState(folder));
  return tokens.toReversed().map((token) => viewOf(token, now));
}

/** At once, for running servers too; one that ended already stays as it is. @throws TOKEN_UNKNOWN, INVALID_REQUEST */
export async function revokeToken({ folder, now }: TokenPlace, id: string): Promise<TokenView> {
  // Who has the text of the token alone may paste that.
  const wanted = id.replace(/^bt_/, '').slice(0, 16);
  const found: StoredToken[] = [];
  await changeTokens(await openState(folder), now, (tokens) =>
    tokens.map((token) => {
      if (token.id !== wanted) return token;
      const revoked = endOf(token) > now ? { ...token, revokedAt: new Date(now).toISOString() } : token;
      found.push(revoked);
      return revoked;
    }),
  );
  const [revoked] = found;
  if (revoked === undefined)
    throw new BacktrailError('TOKEN_UNKNOWN', `There is no token ${quoted(wanted)} in the state folder.`);
  return viewOf(revoked, now);
}

function viewOf(token: StoredToken, now: number): TokenView {
  const { id, name, person, scope, createdAt, expiresAt, revokedAt } = token;
  const state = revokedAt !== null ? 'revoked' : endOf(token) > now ? 'active' : 'expired';
  return { id, name, person, scope, createdAt, expiresAt, revokedAt, state };
}

function personOf(text: string): Person {
  const [, name = '', bracketed, plain] =
    /^\s*(?:([^<>]*?)\s*<([^<>\s]+)>|([^<>\s]+))\s*$/.exec(text.slice(0, 1000)) ?? [];
  const email = bracketed ?? plain ?? '';
  if (!isPlainEmail(email) || /\p{C}/u.test(name))
    throw invalid(
      `--person is not an email: ${quoted(text)}`,
      'Write it as jane@example.com or "Jane Doe <jane@example.com>".',
    );
  return { name: name === '' ? email : name.slice(0, 200), email };
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 60));
const invalid = (what: string, hint: string) => new BacktrailError('INVALID_REQUEST', `${what}.`, { hint });
