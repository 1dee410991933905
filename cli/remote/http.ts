/** Calls of a Backtrail server: JSON in and out, its problem documents as our failures. */
import { readFile } from 'node:fs/promises';
import { BacktrailError, FAILURES, type FailureCode } from '../../engine/index.ts';

export interface Http {
  /** `path`: below /api/v1, with its names escaped (`segment`). */
  get(path: string, query?: Query, signal?: AbortSignal): Promise<unknown>;
  send(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    options?: SendOptions,
  ): Promise<unknown>;
  /** Ends every call. */
  close(): void;
}

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

interface SendOptions {
  /** `Idempotency-Key`. */
  readonly key?: string;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** What a server may answer: characters. */
const MOST = 64 * 1024 * 1024;
/** Milliseconds: an approval is waited for by the server for thirty seconds. */
const PATIENCE = 120_000;

/** @throws INVALID_REQUEST for an address or a file that is no good */
export async function openHttp({
  server,
  tokenFile,
}: {
  readonly server: string;
  readonly tokenFile?: string | undefined;
}): Promise<Http> {
  const base = baseOf(server);
  const token = tokenFile === undefined ? null : await readToken(tokenFile);
  const ending = new AbortController();
  const ask = async (
    method: string,
    path: string,
    init: { body?: object | undefined; headers?: Record<string, string>; signal?: AbortSignal | undefined },
  ) => {
    const { body, headers = {}, signal } = init;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${base}${path}`, {
        method,
        // Another address would be given the token.
        redirect: 'error',
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(PATIENCE), ...(signal ? [signal] : [])]),
        headers: {
          accept: 'application/json',
          // Hints are to speak of the command line.
          'backtrail-client': 'command-line',
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      text = await textOf(response);
    } catch (cause) {
      if (signal?.aborted === true)
        throw new BacktrailError('INTERRUPTED', 'The call was stopped.', { cause });
      throw unreachable(base, cause);
    }
    const value = parsed(text);
    if (response.ok && value !== undefined) return value;
    throw failureOf(response.status, value);
  };
  return {
    get: (path, query = {}, signal) => ask('GET', `${path}${queryOf(query)}`, { signal }),
    send: (method, path, body, { key } = {}) =>
      ask(method, path, { body, ...(key !== undefined && { headers: { 'idempotency-key': key } }) }),
    close: () => ending.abort(),
  };
}

/** One name of an address. */
export const segment = (name: string): string => encodeURIComponent(name);

function queryOf(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value])
      pairs.append(name, String(each));
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}

function baseOf(server: string): string {
  const wrong = (message: string) =>
    new BacktrailError('INVALID_REQUEST', message, { hint: 'Write it as https://backtrail.example.com.' });
  if (!URL.canParse(server)) throw wrong('--server is not an address.');
  const { protocol, hostname, username, password, origin, pathname, search, hash } = new URL(server);
  if (username !== '' || password !== '')
    throw wrong('--server takes no login: name the token with --token-file.');
  if (search !== '' || hash !== '') throw wrong('--server is an address alone, without a query.');
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname)))
    throw wrong(
      '--server takes https alone, but for this machine itself: the token would be read on its way.',
    );
  return `${origin}${pathname.replace(/\/+$/, '')}/api/v1`;
}

async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BacktrailError('INVALID_REQUEST', `The token file ${file} cannot be read.`, { cause });
  }
  const token = text.trim();
  if (/^[\w.~+/=-]{1,16384}$/.test(token)) return token;
  throw new BacktrailError('INVALID_REQUEST', `The token file ${file} does not hold one token.`, {
    hint: '`backtrail token create` prints one.',
  });
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.length > MOST) throw new Error('The answer is too long.');
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(base: string, cause: unknown): BacktrailError {
  const { host } = new URL(base);
  return new BacktrailError('REMOTE_UNAVAILABLE', `The server at ${host} does not answer.`, {
    hint: 'Check the address and the network, then try again.',
    cause,
  });
}

/** Servers of other versions may know codes that we do not. */
function failureOf(status: number, value: unknown): BacktrailError {
  const { code, detail, hint, details } = Object(value);
  if (typeof detail === 'string' && isKnown(code))
    return failureAs({
      code,
      message: detail,
      ...(typeof hint === 'string' && { hint }),
      ...(typeof details === 'object' && details !== null && { details }),
    });
  return new BacktrailError(
    'REMOTE_UNAVAILABLE',
    `The server answers ${status}, and not as Backtrail does.`,
    {
      hint: 'Look whether --server names a Backtrail server, and what stands before it.',
    },
  );
}

const isKnown = (code: unknown): code is FailureCode =>
  typeof code === 'string' && Object.hasOwn(FAILURES, code);

/** A failure that a server tells of; INTERNAL where its code is not known here. */
export function failureAs({
  code,
  message,
  ...more
}: {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}): BacktrailError {
  return new BacktrailError(isKnown(code) ? code : 'INTERNAL', message, more);
}

/** What cannot be asked of a server. */
export const elsewhere = (what: string): BacktrailError =>
  new BacktrailError('INVALID_REQUEST', `${what} cannot be asked of a server.`, {
    hint: 'Run it without --server, where the repository is.',
  });
