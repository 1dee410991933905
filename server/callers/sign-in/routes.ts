/** Browsers sign in by an issuer: they are sent there, come back with a code, and are given a session. No page sees a token. */
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../../workers/index.ts';
import type { Sessions } from '../sessions.ts';
import { ATTEMPT_MS, type Attempts } from './attempts.ts';
import type { Provider } from './provider.ts';

interface SignIn {
  readonly providers: readonly Provider[];
  readonly attempts: Attempts;
  readonly random: (bytes: number) => Uint8Array;
}

interface Input extends SignIn {
  readonly sessions: Sessions;
  readonly logger: Logger;
}

const COOKIE = 'backtrail-sign-in';
const OPTIONS = { schema: { hide: true }, config: { page: true } } as const;

export function addSignIn(app: FastifyInstance, input: Input): void {
  const { providers, attempts, random, sessions, logger } = input;
  app.get('/api/v1/sign-in', { schema: { hide: true } }, async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
    return { issuers: providers.map(({ name }, index) => ({ name, href: `/sign-in?issuer=${index}` })) };
  });
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>('/sign-in', OPTIONS, async (request, reply) => {
    const issuer = Number(request.query['issuer'] ?? 0);
    const provider = providers[issuer];
    if (provider === undefined) return leave(reply, 'failed');
    const newId = () => Buffer.from(random(32)).toString('base64url');
    const binding = bindingOf(request) ?? newId();
    const attempt = { issuer, verifier: newId(), nonce: newId(), to: pathOf(request.query['to']) };
    const url = await provider.begin(attempt, attempts.begin(attempt, binding)).catch((error: unknown) => {
      logger.warn({ err: error }, 'nobody can sign in');
      return null;
    });
    if (url === null) return leave(reply, 'away');
    void reply.header('set-cookie', setCookie(binding, provider));
    return reply.header('cache-control', 'no-store').redirect(url.href, 303);
  });
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>(
    '/sign-in/callback',
    OPTIONS,
    async (request, reply) => {
      const state = request.query['state'];
      const attempt = attempts.take(typeof state === 'string' ? state : '', bindingOf(request) ?? '');
      const provider = attempt && providers[attempt.issuer];
      if (!attempt || !provider) return leave(reply, 'expired');
      try {
        const { search } = new URL(request.url, 'http://localhost');
        const caller = await provider.finish(search, attempt, String(state));
        const { cookie } = sessions.open(request, { caller, isSecure: provider.isSecure });
        void reply.header('set-cookie', cookie).header('cache-control', 'no-store');
        return await reply.redirect(attempt.to, 303);
      } catch (error) {
        // What the issuer said of it is for the log: it may be anything.
        logger.warn({ err: error }, 'a sign-in was refused');
        return leave(reply, 'failed');
      }
    },
  );
}

/** The page says what it means, see console/pages/signed-out.tsx. */
const leave = (reply: FastifyReply, why: 'failed' | 'expired' | 'away') =>
  reply.header('cache-control', 'no-store').redirect(`/#sign-in=${why}`, 303);

/** A path of this server, and of no other. */
function pathOf(to: unknown): string {
  if (typeof to !== 'string' || to.length > 2000 || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(to))
    return '/';
  return to;
}

const bindingOf = ({ headers }: FastifyRequest): string | null =>
  /^[\w-]{43}$/.exec(parseCookie(headers.cookie ?? '')[COOKIE] ?? '')?.[0] ?? null;

/** Lax: the issuer sends the browser back, from another site. */
const setCookie = (value: string, { isSecure }: Provider) =>
  stringifySetCookie({
    name: COOKIE,
    value,
    maxAge: ATTEMPT_MS / 1000,
    path: '/sign-in',
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure,
  });
