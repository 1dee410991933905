/** The one way to a host: what the three clients send goes through it. */
import { rootCertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import { BacktrailError, type Clock } from '../model/index.ts';
import { type Answer, isLimited, pauseAsked, pauses } from './pauses.ts';
import { createScrubber } from './scrub.ts';

export interface Connecting {
  /** `github.example.com`. */
  readonly name: string;
  /** Calls go to its origin alone. */
  readonly api: string;
  /** Proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** The value of the header `authorization`; null: the client sets it. */
  readonly authorization: (() => Promise<string>) | null;
  /** For one answer. */
  readonly answerMs: number;
  /** Certificates (PEM) of authorities that the host is known by, besides those of the platform. */
  readonly ca?: string | undefined;
  /** What one call waits for a host that asks for it, altogether; a minute where absent. */
  readonly waitMs?: number;
}

export interface Connection {
  /**
   * Any status but those of redirects and limits. Header and body are read, and what was sent as a credential is taken out of the body.
   *
   * @throws HOST_UNAVAILABLE (`details.retryAfterMs` where the host asks to wait longer than a call may), HOST_REFUSED for a redirect
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Takes out what was sent as a credential. */
  readonly scrub: (text: string) => string;
  close(): Promise<void>;
}

interface Call {
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Headers;
  readonly body: string | null;
}

const CONNECT_MS = 10_000;
/** A page of 100 pull requests, with bodies of 64 KiB. */
const ANSWER_BYTES = 32 * 1024 * 1024;
const MOST_WAIT_MS = 60_000;
const MOST_REDIRECTS = 3;
/** Before a read is tried again. */
const RETRY_MS = [1000, 4000] as const;

export function connect(connecting: Connecting): Connection {
  const { name, api, env, clock, answerMs, ca, waitMs = MOST_WAIT_MS } = connecting;
  const tls = { timeout: CONNECT_MS, ...(ca !== undefined && { ca: [...rootCertificates, ca] }) };
  const { origin } = new URL(api);
  const pause = pauses(clock, origin);
  const scrubber = createScrubber();
  // It takes longer to load than all of ours, and most commands ask no host.
  const open = async () => {
    const { EnvHttpProxyAgent, request } = await import('undici');
    const dispatcher = new EnvHttpProxyAgent({
      httpProxy: env['http_proxy'] || env['HTTP_PROXY'] || '',
      httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'] || '',
      noProxy: env['no_proxy'] || env['NO_PROXY'] || '',
      connect: tls,
      requestTls: tls,
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      connections: 4,
      maxResponseSize: ANSWER_BYTES,
    });
    return { dispatcher, request };
  };
  let opened: ReturnType<typeof open> | null = null;
  const unavailable = (what: string, retryAfterMs?: number) =>
    new BacktrailError('HOST_UNAVAILABLE', `${name} ${what}.`, {
      details: { host: name, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    });

  async function askOnce({ url, method, headers, body }: Call): Promise<Answer> {
    const { dispatcher, request } = await (opened ??= open());
    const signal = AbortSignal.timeout(answerMs);
    const answer = await request(url, {
      method,
      headers: Object.fromEntries(headers),
      body,
      dispatcher,
      signal,
    });
    const text = await answer.body.text();
    const read = new Headers();
    for (const [key, value] of Object.entries(answer.headers))
      for (const each of Array.isArray(value) ? value : [value ?? '']) appendHeader(read, key, each);
    return { status: answer.statusCode, headers: read, text };
  }

  /** Waits while the host wants no calls. Gives what it has waited altogether. */
  async function waitForHost(waited: number): Promise<number> {
    let sum = waited;
    for (let left = pause.left(); left > 0; left = pause.left()) {
      if (sum + left > waitMs)
        throw unavailable(`wants no calls for another ${Math.ceil(left / 1000)} s`, left);
      sum += left;
      await clock.sleep(left);
    }
    return sum;
  }

  async function ask(call: Call): Promise<Answer> {
    const isRead = call.method === 'GET' || call.method === 'HEAD';
    let waited = 0;
    for (let failures = 0; ; ) {
      waited = await waitForHost(waited);
      const isLast = !isRead || failures >= RETRY_MS.length;
      let answer: Answer | null = null;
      try {
        answer = await askOnce(call);
      } catch (error) {
        const { why, isLasting } = explain(error, answerMs);
        if (isLast || isLasting) throw unavailable(why);
      }
      if (answer !== null) {
        pause.note(pauseAsked(answer, clock.now()));
        if (isLimited(answer)) continue;
        if (answer.status < 500) return answer;
        if (isLast) throw unavailable(`answers with status ${answer.status}`);
      }
      await clock.sleep(RETRY_MS[failures] ?? 0);
      failures += 1;
    }
  }

  async function follow(from: Call): Promise<Answer> {
    let call = from;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
      if (call.url.origin !== origin || call.url.username !== '' || call.url.password !== '')
        throw new BacktrailError('HOST_REFUSED', `${name} leads to another host, which is not asked.`, {
          hint: 'Name the address of its interface as `api` in the file that BACKTRAIL_HOSTS names.',
        });
      const answer = await ask(call);
      const { status, headers } = answer;
      if (![301, 302, 303, 307, 308].includes(status)) return answer;
      const mayFollow = call.method === 'GET' || call.method === 'HEAD' || status === 307 || status === 308;
      const location = headers.get('location') ?? '';
      if (!mayFollow || !URL.canParse(location, call.url.href)) break;
      call = { ...call, url: new URL(location, call.url) };
    }
    throw new BacktrailError('HOST_REFUSED', `${name} answers with a redirect that is not followed.`, {
      hint: 'Use the present address of the repository, and of the interface (`api`).',
    });
  }

  return {
    async fetch(input, init = {}) {
      const url = new URL(input instanceof Request ? input.url : input);
      const headers = new Headers(init.headers);
      headers.set('user-agent', 'backtrail');
      if (connecting.authorization !== null) headers.set('authorization', await connecting.authorization());
      scrubber.add(headers.get('authorization') ?? '');
      const {
        status,
        headers: given,
        text,
      } = await follow({
        url,
        method: methodOf(init.method),
        headers,
        body: typeof init.body === 'string' ? init.body : null,
      });
      const isBare = status === 204 || status === 205 || status === 304;
      // What it says there is new, and wanted.
      const isToken = status === 201 && url.pathname.endsWith('/access_tokens');
      return new Response(isBare ? null : isToken ? text : scrubber.scrub(text), { status, headers: given });
    },
    scrub: scrubber.scrub,
    close: async () => (await opened)?.dispatcher.destroy(),
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const methodOf = (name = 'GET') => METHODS.find((method) => method === name.toUpperCase()) ?? 'GET';

/** What a client would make of these is wrong for a body that is read already. */
const LEFT_OUT = new Set([
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'set-cookie',
]);

function appendHeader(headers: Headers, name: string, value: string): void {
  if (LEFT_OUT.has(name)) return;
  try {
    headers.append(name, value);
  } catch {
    // Not a header that anybody here reads.
  }
}

/** Codes and our own clauses alone: what a server writes is not repeated. */
function explain(error: unknown, answerMs: number): { readonly why: string; readonly isLasting: boolean } {
  const name = error instanceof Error ? error.name : '';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (name === 'TimeoutError' || name === 'AbortError' || code.endsWith('_TIMEOUT'))
    return { why: `gave no answer in ${answerMs / 1000} s`, isLasting: true };
  if (code === 'UND_ERR_DESTROYED') return { why: 'is not asked any more', isLasting: true };
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return { why: `gave an answer of more than ${ANSWER_BYTES / 1024 / 1024} MiB`, isLasting: true };
  if (/CERT|SIGNED|UNABLE_TO|ERR_TLS/.test(code))
    return { why: `has a certificate that is not trusted (${code})`, isLasting: true };
  return {
    why: `cannot be reached (${/^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no answer'})`,
    isLasting: false,
  };
}
