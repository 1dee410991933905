/** One attempt to tell one sink: signed, to an address that was looked at, within a time, and to nowhere else. */
import { lookup } from 'node:dns/promises';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { addressOfHost, guardedLookup, isAllowedAddress, REFUSED, type Resolve } from './addresses.ts';
import { retryAfter } from './back-off.ts';
import type { Message } from './message.ts';
import type { Sink } from './sink.ts';

/** `taken`: by any 2xx. `gone`: it says that it wants nothing any more (410). */
type Outcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'failed';
      /** A few words that repeat nothing of what it answered. */
      readonly why: string;
      /** Milliseconds that it asks to be left alone; null: it does not say. */
      readonly retryAfterMs: number | null;
    };

export interface Sender {
  /** Never fails. */
  send(message: Message, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface SenderInput {
  readonly sink: Sink;
  readonly now: () => number;
  readonly version: string;
  /** The system's own where absent. */
  readonly resolve?: Resolve | undefined;
  /** Of one attempt. */
  readonly answerMs?: number | undefined;
}

/** Attempts at one time. */
export const TOGETHER = 4;
const ANSWER_MS = 10_000;
const ANSWER_BYTES = 64 * 1024;

export function createSender({
  sink,
  now,
  version,
  resolve = (hostname) => lookup(hostname, { all: true }),
  answerMs = ANSWER_MS,
}: SenderInput): Sender {
  const { url, secrets, allowPrivate } = sink;
  const literal = addressOfHost(new URL(url).hostname);
  const keys = secrets.map((secret) => new Webhook(secret));
  const dispatcher = new Agent({
    connections: TOGETHER,
    pipelining: 1,
    connect: { lookup: guardedLookup(resolve, allowPrivate), timeout: answerMs },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    maxResponseSize: ANSWER_BYTES,
  });
  const post = async ({ id, body }: Message, signal: AbortSignal) => {
    const at = new Date(now());
    const answer = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `backtrail/${version}`,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        ...(keys.length > 0 && {
          'webhook-signature': keys.map((key) => key.sign(id, at, body)).join(' '),
        }),
      },
      body,
      dispatcher,
      signal,
    });
    // What it says besides is of no interest, and may never end.
    await answer.body.dump({ limit: ANSWER_BYTES, signal }).catch(() => undefined);
    return answer;
  };
  return {
    send: async (message, signal) => {
      if (literal !== null && !isAllowedAddress(literal, allowPrivate)) return failed(NOT_SENT);
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
        const { statusCode, headers } = await post(message, limit);
        if (statusCode >= 200 && statusCode < 300) return { kind: 'taken' };
        if (statusCode === 410) return { kind: 'gone' };
        if (statusCode >= 300 && statusCode < 400) return failed(`redirect (${statusCode}), not followed`);
        const asked = headers['retry-after'];
        return failed(`status ${statusCode}`, retryAfter(Array.isArray(asked) ? asked[0] : asked, now()));
      } catch (error) {
        return failed(explain(error));
      }
    },
    close: () => dispatcher.destroy(),
  };
}

const NOT_SENT = 'an address of a network that nothing is sent to';

const failed = (why: string, retryAfterMs: number | null = null): Outcome => ({
  kind: 'failed',
  why,
  retryAfterMs,
});

/** By codes alone: messages name hosts and addresses. */
function explain(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  const code = codeOf(error);
  if (code === REFUSED) return NOT_SENT;
  if (name === 'TimeoutError' || name === 'AbortError' || code.endsWith('_TIMEOUT'))
    return 'no answer in time';
  if (/CERT|SIGNED|UNABLE_TO|ERR_TLS/.test(code)) return `a certificate that is not trusted (${code})`;
  return `no connection (${/^[A-Z0-9_]{1,60}$/.test(code) ? code : 'unknown'})`;
}

/** Of several attempts to connect, each fails by itself. */
function codeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  return first instanceof Error && 'code' in first ? String(first.code) : '';
}
