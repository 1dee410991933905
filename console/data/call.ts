/** One call of the server: an answer, or what became of it in a form that pages can show. It never throws. */
import { type Problem, problemOf, unreachable } from './problem.ts';

export type Answer<Value> =
  | { readonly ok: true; readonly status: number; readonly value: Value; readonly etag: string | null }
  /** It is what the tag names. */
  | { readonly ok: true; readonly status: 304; readonly value: null; readonly etag: string | null }
  | { readonly ok: false; readonly problem: Problem };

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the answer that is known already. */
  readonly etag?: string | null;
  /** The call is done once, however often it is sent. */
  readonly key?: string;
  /** Milliseconds that an answer may take, where that is long. */
  readonly patience?: number;
  /** In place of the cookie: of the address that a single-user server printed. */
  readonly token?: string;
}

/** Milliseconds: longer than the server waits for what comes of a vote. */
const LONGEST_MS = 60_000;

export const API = '/api/v1';

/** `path`: below /api/v1. */
export async function call<Value>(path: string, options: CallOptions = {}): Promise<Answer<Value>> {
  const { method = 'GET', body, etag, key, token, patience = LONGEST_MS } = options;
  try {
    const response = await fetch(`${API}${path}`, {
      method,
      credentials: 'same-origin',
      // What is known is kept by resource.ts, which says when.
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(etag && { 'if-none-match': etag }),
        ...(key && { 'idempotency-key': key }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return await answerOf(response);
  } catch {
    return { ok: false, problem: unreachable(navigator.onLine, method !== 'GET') };
  }
}

async function answerOf<Value>(response: Response): Promise<Answer<Value>> {
  const { status, headers } = response;
  const tag = headers.get('etag');
  if (status === 304) return { ok: true, status, value: null, etag: tag };
  const isJson = /[/+]json\b/.test(headers.get('content-type') ?? '');
  const value: unknown = isJson ? await response.json() : {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's tests hold its answers to the schemas that the types come from
  if (response.ok && isJson) return { ok: true, status, value: value as Value, etag: tag };
  // A proxy that wants a login answers with a page.
  const document = typeof value === 'object' && value !== null ? value : {};
  return { ok: false, problem: problemOf(response.ok ? 502 : status, document) };
}
