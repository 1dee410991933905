/** A server of ours in this process, and calls of it: every answer is held to what /openapi.json says of it. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { Engine, Person } from '../../../engine/internal.ts';
import { isForCallers } from '../../../server/hints.ts';
import { type ServerSettings, startServer } from '../../../server/index.ts';
import { createLogger } from '../../../workers/index.ts';
import { JANE } from '../repositories/engine.ts';
import { closeAfterFile, closeAfterTest } from '../run/lifetime.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it, and the document was held to its schema
  readonly body: any;
}

interface CallOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** null: none. That of single-user mode where absent. */
  readonly token?: string | null;
}

export interface Api {
  readonly url: string;
  readonly token: string;
  /** /openapi.json */
  readonly document: Described;
  /** Lines of the server's log. */
  readonly log: readonly string[];
  /** `path`: below the server's address. A body is sent as JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly person?: Person;
  readonly lives?: 'test' | 'file';
  readonly settings?: Partial<ServerSettings>;
}

export async function startApi(
  engine: Engine,
  { person = JANE, lives = 'test', settings = {} }: ApiOptions = {},
): Promise<Api> {
  const log: string[] = [];
  const running = await startServer({
    engine,
    listen: { host: '127.0.0.1', port: 0 },
    person,
    state: join(tmpdir(), 'backtrail-no-state'),
    redisUrl: null,
    logger: createLogger({ name: 'server', destination: { write: (line) => void log.push(line) } }),
    version: '0.0.0',
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    now: () => Date.now(),
    ...settings,
  });
  (lives === 'file' ? closeAfterFile : closeAfterTest)(() => running.close());
  const { described, hold } = held(await (await fetch(`${running.url}/openapi.json`)).text());
  const call: Api['call'] = async (
    method,
    path,
    { body, text: given, headers = {}, token = running.token } = {},
  ) => {
    const sent = given ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${running.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    const answer = {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    };
    if (isJson) hold(method, path, answer);
    if (isJson && typeof answer.body?.hint === 'string' && answer.status >= 400)
      expect([path, answer.body.hint, isForCallers(answer.body.code, answer.body.hint)]).toEqual([
        path,
        answer.body.hint,
        true,
      ]);
    return answer;
  };
  return {
    url: running.url,
    token: running.token ?? '',
    document: described,
    log,
    call,
    get: (path, options) => call('GET', path, options),
    post: (path, body, options) => call('POST', path, { ...options, body }),
    close: () => running.close(),
  };
}

interface Described {
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

const documents = new Map<
  string,
  { readonly described: Described; readonly hold: ReturnType<typeof holdTo> }
>();

/** Servers of a worker mostly have the same document: what is compiled of it is kept. */
function held(text: string) {
  const known = documents.get(text);
  if (known !== undefined) return known;
  const described: Described = JSON.parse(text);
  const made = { described, hold: holdTo(described) };
  documents.set(text, made);
  return made;
}

/** Fails where an answer is not one that the document has for the call. */
function holdTo(described: Described): (method: string, path: string, answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false });
  ajv.addSchema(described, 'api');
  const known = new Map<object, ValidateFunction>();
  const patterns = Object.keys(described.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`),
  }));
  return (method, path, { status, headers, body }): void => {
    const [bare = ''] = path.split('?');
    // Those without parameters first: one of them is not a name.
    const found = patterns
      .filter(({ pattern }) => pattern.test(bare))
      .toSorted((one, other) => one.template.split('{').length - other.template.split('{').length)[0];
    const operation = found && described.paths[found.template]?.[method.toLowerCase()];
    if (found === undefined || operation === undefined) return;
    const { responses } = operation;
    const response = responses[status] ?? responses[`${String(status)[0]}XX`];
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    const schema = response?.content?.[type]?.schema;
    if (schema === undefined)
      throw new Error(`${method} ${found.template} has no answer ${status} of ${type} in the document.`);
    const at = pointerTo(
      found.template,
      method,
      responses[status] ? String(status) : `${String(status)[0]}XX`,
      type,
    );
    const validate = known.get(schema) ?? ajv.compile({ $ref: `api#${at}` });
    known.set(schema, validate);
    const isValid = validate(body);
    expect(
      isValid ? [] : validate.errors,
      `${method} ${path} ${status} ${JSON.stringify(body).slice(0, 2000)}`,
    ).toEqual([]);
  };
}

const pointerTo = (...[template, method, status, type]: [string, string, string, string]) =>
  ['paths', template, method.toLowerCase(), 'responses', status, 'content', type, 'schema']
    .map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('');
