/**
 * One person at their own machine, behind a random token that is printed where the server starts: any page of a browser, and any other account
 * of the machine, can reach loopback. Scripts send it as `Authorization: Bearer`; a browser exchanges it for a cookie.
 */
import { timingSafeEqual } from 'node:crypto';
import { BacktrailError, type Person } from '../../engine/index.ts';
import { bearerOf } from './bearer.ts';
import type { Credentials } from './sessions.ts';

export interface SingleUser extends Credentials {
  readonly token: string;
}

export function singleUser({
  person,
  random,
}: {
  readonly person: Person;
  readonly random: (bytes: number) => Uint8Array;
}): SingleUser {
  const token = Buffer.from(random(32)).toString('base64url');
  const isToken = (given: string) => {
    const [one, other] = [Buffer.from(given), Buffer.from(token)];
    return one.length === other.length && timingSafeEqual(one, other);
  };
  const authenticated = { how: 'single-user', by: null } as const;
  const caller = { person: { ...person, authenticated }, how: 'single-user', name: person.email } as const;
  return {
    token,
    again: () => Promise.resolve(caller),
    identify: (request) => {
      const given = bearerOf(request);
      if (given === undefined) return Promise.resolve(null);
      if (isToken(given)) return Promise.resolve(caller);
      return Promise.reject(
        new BacktrailError('UNAUTHENTICATED', 'The token is not the one of this server.'),
      );
    },
  };
}
