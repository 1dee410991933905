/**
 * Logins of browsers: whoever shows a token is given a cookie in its place, which scripts of pages cannot read and pages of other sites cannot
 * send. They are kept in memory: after a restart people log in again.
 */
import { createHash } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyRequest } from 'fastify';
import { BacktrailError, isFailure } from '../../engine/index.ts';
import type { Caller, Callers } from './caller.ts';

/** Callers, and what became of those who were known before. */
export interface Credentials extends Callers {
  /** As they are known now, by what they logged in with. @throws UNAUTHENTICATED where that has ended */
  again(caller: Caller): Promise<Caller>;
}

/** Whom an issuer sent, to a page that came by https or not. */
interface Sent {
  readonly caller: Caller;
  readonly isSecure: boolean;
}

export interface Sessions extends Callers {
  /**
   * Lets a caller in who showed a token, or whom an issuer sent, until that ends: the value of `Set-Cookie`, and the end in milliseconds since 1970.
   *
   * @throws INVALID_REQUEST for one who came with a cookie
   */
  open(request: FastifyRequest, sent?: Sent): { readonly cookie: string; readonly ends: number };
  /** Ends the one that the request came with; the value of `Set-Cookie` that takes the cookie back. */
  close(request: FastifyRequest): string;
}

const COOKIE = 'backtrail';
/** A loopback host with a port, as browsers name it. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})$/i;
/** Of all, and of one caller: the oldest one gives way. */
const MOST = 10_000;
const MOST_OF_ONE = 20;
/** However long the token lasts. */
const LONGEST_MS = 7 * 24 * 3_600_000;

interface Held {
  readonly caller: Caller;
  readonly ends: number;
}

export function createSessions({
  credentials,
  random,
  now,
}: {
  readonly credentials: Credentials;
  readonly random: (bytes: number) => Uint8Array;
  readonly now: () => number;
}): Sessions {
  /** By a digest of the cookie, oldest first. */
  const held = new Map<string, Held>();
  const sweep = (name: string) => {
    const own: string[] = [];
    for (const [id, { caller, ends }] of held)
      if (ends <= now()) held.delete(id);
      else if (caller.name === name) own.push(id);
    for (const id of own.slice(0, Math.max(0, own.length - MOST_OF_ONE + 1))) held.delete(id);
    for (const id of held.keys()) if (held.size >= MOST) held.delete(id);
  };
  return {
    identify: async (request) => {
      const id = cookieOf(request);
      if (request.headers.authorization !== undefined || id === null) return credentials.identify(request);
      const known = held.get(id);
      if (known === undefined || known.ends <= now()) {
        held.delete(id);
        throw ended();
      }
      try {
        return await credentials.again(known.caller);
      } catch (error) {
        if (isFailure(error) && error.code === 'UNAUTHENTICATED') held.delete(id);
        throw error;
      }
    },
    open: (request, sent) => {
      const isShown = request.headers.authorization !== undefined;
      const caller = sent?.caller ?? (isShown ? request.caller : null);
      if (caller === null)
        throw new BacktrailError('INVALID_REQUEST', 'A login shows a token, and no cookie.', {
          hint: 'Send the token as `Authorization: Bearer TOKEN`.',
        });
      sweep(caller.name);
      const value = Buffer.from(random(32)).toString('base64url');
      const ends = Math.min(caller.ends ?? Infinity, now() + LONGEST_MS);
      held.set(digestOf(value), { caller, ends });
      const maxAge = Math.max(0, Math.floor((ends - now()) / 1000));
      const secure = sent?.isSecure ?? isSecure(request);
      return { cookie: setCookie({ name: nameFor(request), value, maxAge, secure }), ends };
    },
    close: (request) => {
      held.delete(cookieOf(request) ?? '');
      return setCookie({ name: nameFor(request), value: '', maxAge: 0, secure: isSecure(request) });
    },
  };
}

/** The digest of its value: what is looked up says nothing, by the time it takes, of what there is. */
function cookieOf(request: FastifyRequest): string | null {
  const value = parseCookie(request.headers.cookie ?? '')[nameFor(request)];
  return value === undefined || value === '' ? null : digestOf(value);
}

/** Cookies ignore ports: of two servers on one machine, neither takes the place of the other's login. */
function nameFor({ headers }: Pick<FastifyRequest, 'headers'>): string {
  const port = LOOPBACK.exec(headers.host ?? '')?.[1];
  return port === undefined ? COOKIE : `${COOKIE}-${port}`;
}

const digestOf = (value: string) => createHash('sha256').update(value).digest('hex');

/** A page that was loaded by https says so itself: TLS ends at a proxy. */
const isSecure = ({ headers: { origin }, protocol }: FastifyRequest): boolean =>
  origin === undefined ? protocol === 'https' : /^https:/i.test(origin);

interface LoginCookie {
  readonly name: string;
  readonly value: string;
  /** Seconds. */
  readonly maxAge: number;
  readonly secure: boolean;
}

const setCookie = (cookie: LoginCookie): string =>
  stringifySetCookie({ ...cookie, path: '/', httpOnly: true, sameSite: 'strict' });

const ended = () =>
  new BacktrailError('UNAUTHENTICATED', 'The login has ended, or the server was started anew.', {
    hint: 'Log in again.',
  });
