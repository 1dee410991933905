/** Callers that show an API token, or a token of an issuer that the configuration names. */
import { BacktrailError } from '../../engine/index.ts';
import { watchTokens, endOf } from '../tokens/store.ts';
import { readToken, sameDigest } from '../tokens/token.ts';
import { bearerOf } from './bearer.ts';
import type { Caller, Callers } from './caller.ts';

export interface KnownInput {
  /** The state folder, where API tokens are accepted. */
  readonly state: string | null;
  /** Of a JWT. null: no issuer is configured. @throws UNAUTHENTICATED */
  readonly identifyJwt: ((token: string) => Promise<Caller>) | null;
  readonly now: () => number;
}

export function knownCallers({ state, identifyJwt, now }: KnownInput): Callers {
  const tokens = state === null ? null : watchTokens(state);

  async function ofToken(id: string, digest: string): Promise<Caller> {
    const known = await tokens?.().catch((cause: unknown) => {
      // Nobody is known yet: where the tokens lie, and who could read them, is for the log alone.
      throw new Error(cause instanceof Error ? cause.message : 'The tokens cannot be read.', { cause });
    });
    const token = known?.get(id);
    // One answer for all, so that nobody learns which ids there are.
    if (token === undefined || !sameDigest(token.digest, digest) || endOf(token) <= now())
      throw refused('The token is not known, or has ended.');
    const { person, scope } = token;
    const authenticated = { how: 'token', by: id } as const;
    return { person: { ...person, only: { scope }, authenticated }, how: 'token', name: `token ${id}` };
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
  };
}

const refused = (message: string) => new BacktrailError('UNAUTHENTICATED', message);
