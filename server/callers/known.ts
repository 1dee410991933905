/** Callers that show an API token, or a token of an issuer that the configuration names. */
import { BacktrailError } from '../../engine/index.ts';
import { watchTokens, endOf } from '../tokens/store.ts';
import { readToken, sameDigest } from '../tokens/token.ts';
import { bearerOf } from './bearer.ts';
import type { Caller } from './caller.ts';
import type { Credentials } from './sessions.ts';

export interface KnownInput {
  /** The state folder, where API tokens are accepted. */
  readonly state: string | null;
  /** Of a JWT. null: no issuer is configured. @throws UNAUTHENTICATED */
  readonly identifyJwt: ((token: string) => Promise<Caller>) | null;
  readonly now: () => number;
}

export function knownCallers({ state, identifyJwt, now }: KnownInput): Credentials {
  const tokens = state === null ? null : watchTokens(state);

  /** `digest`: of the secret that was shown; null: it was shown before. */
  async function ofToken(id: string, digest: string | null): Promise<Caller> {
    const known = await tokens?.().catch((cause: unknown) => {
      // Nobody is known yet: where the tokens lie, and who could read them, is for the log alone.
      throw new Error(cause instanceof Error ? cause.message : 'The tokens cannot be read.', { cause });
    });
    const token = known?.get(id);
    // One answer for all, so that nobody learns which ids there are.
    const isSame = token !== undefined && (digest === null || sameDigest(token.digest, digest));
    if (!isSame || endOf(token) <= now()) throw refused('The token is not known, or has ended.');
    const { person, scope } = token;
    const authenticated = { how: 'token', by: id } as const;
    return {
      person: { ...person, only: { scope }, authenticated },
      how: 'token',
      name: `token ${id}`,
      ends: endOf(token),
    };
  }

  return {
    identify: async (request) => {
      const { authorization } = request.headers;
      if (authorization === undefined) return null;
      const given = bearerOf(request);
      if (given === undefined) throw refused('Authorization is not a bearer token.');
      const token = readToken(given);
      if (token !== null) return ofToken(token.id, token.digest);
      if (identifyJwt === null) throw refused('The token is not one of this server.');
      return identifyJwt(given);
    },
    again: async (caller) => {
      const { authenticated } = caller.person;
      if (authenticated?.how === 'token') return ofToken(authenticated.by ?? '', null);
      if ((caller.ends ?? Infinity) <= now()) throw refused('The token has expired.');
      return caller;
    },
  };
}

const refused = (message: string) => new BacktrailError('UNAUTHENTICATED', message);
