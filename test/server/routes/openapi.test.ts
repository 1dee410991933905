/** The document of all calls, held to the server: each call with what fits its description, and with what does not. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../server/app.ts';
import { createSessions } from '../../../server/callers/sessions.ts';
import { createExecution } from '../../../server/execution.ts';
import { createKeys } from '../../../server/idempotency.ts';
import { createLogger } from '../../../workers/index.ts';
import { configOf, POLICY } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { type Api, type Operation, startApi } from '../../helpers/servers/api.ts';
import { fitting, nearly, type Schema, someOfThem, wildText } from '../../helpers/servers/from-schema.ts';
import { runs } from '../../helpers/run/proof.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Failures that are no mistake of the caller's, and no bug. */
const FORESEEN: ReadonlySet<string> = new Set(['EXECUTION_FAILED', 'QUEUE_UNAVAILABLE']);
const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'multipart/form-data',
  '',
];
/** Names that make sense with each other. */
const TOGETHER = [
  [],
  ['environment', 'service'],
  ['scope', 'justification'],
  ['environment', 'service', 'targetSha', 'justification'],
  ['environment', 'targetSha', 'selectedFields', 'service', 'justification'],
];
const UNKNOWN = 'unheardOf=1';
/** What has no end, and what goes on to be served elsewhere. */
const ENDLESS = 'text/event-stream';

let api: Api;
let calls: readonly Call[];
let known: Readonly<Record<string, readonly string[]>>;
beforeAll(async () => {
  const repo = await createRepo({ bare: true });
  const app = (tag: string) => ({
    'apps/prod/api/app.yaml': `image: registry.example.com/api:${tag}\n`,
    'apps/dev/api/app.yaml': `image: registry.example.com/api:${tag}\n`,
  });
  const policy = { environments: POLICY.environments.map((each) => ({ ...each, unsignedApprovals: true })) };
  const commits = await repo.replay([
    { files: { '.backtrail/config.yaml': configOf(policy), ...app('v1') } },
    { files: app('v2') },
    { files: app('v3') },
  ]);
  const engine = await engineOf(repo, { lives: 'file' });
  const reason = 'v3 answers 500';
  const asked = [];
  for (const scope of ['prod/api', 'dev/api']) {
    const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE, hold: true });
    asked.push(await engine.rollbacks.request({ scope, target, digest, reason, author: JANE, hold: true }));
  }
  const session = await engine.requests.openSession({ scope: 'prod', holder: JANE, reason });
  const record = await engine.deployments.record({ scope: 'prod/api', status: 'deployed', actor: JANE });
  const requests = asked.map(({ requestId }) => requestId);
  known = {
    scope: ['prod', 'prod/api', 'dev/api', 'nowhere'],
    tenant: ['-', '-', '-', 'acme'],
    environment: ['prod', 'dev', 'prod', 'dev', 'nowhere'],
    service: ['api', 'api', 'web'],
    revision: ['v1', 'v2', 'HEAD', 'previous', ...commits],
    from: ['v1', 'v2'],
    to: ['v2', 'v3'],
    commit: ['v1', 'v3', ...commits],
    targetSha: ['v1', 'v2', 'previous', ...commits],
    target: ['v1', 'previous'],
    justification: ['v3 answers 500'],
    image: ['api:v1', 'registry.example.com/api:v3'],
    id: [...requests, session.id, record.id],
    field: ['/image', 'apps/prod/api/app.yaml#/image'],
    selectedFields: ['apps/prod/api/app.yaml#/image', '/image'],
    imageTag: ['v3', 'api:v3', 'v9'],
    configCommit: ['v1', 'v3'],
    rollbackOf: ['v1', record.id],
    releaseId: ['-~dev~api', '-~prod~api', '-~prod~api', 'nothing'],
    override: ['DESTRUCTIVE'],
    holdFor: ['7d', '1h'],
    range: ['HEAD', `${commits[0]}..`],
    since: ['2026-01-01'],
  };
  api = await startApi(engine, { lives: 'file' });
  calls = Object.entries(api.document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
});

const resolve = (ref: string): Schema => api.document.components.schemas[ref.split('/').at(-1) ?? ''] ?? {};

describe('/openapi.json', () => {
  it('is a document of OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(Object(api.document)));
    expect([valid, errors, validator.version]).toEqual([true, undefined, '3.1']);
  });

  it('names each call once, with a tag that it explains, and says how it can fail', () => {
    const ids = calls.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = api.document.tags.map(({ name }) => name);
    const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    for (const { method, path, operation } of calls) {
      expect([method, path, operation.summary]).not.toContain(undefined);
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
      expect([path, operation.responses['4XX']?.content, operation.responses['5XX']?.content]).toEqual([
        path,
        problem,
        problem,
      ]);
    }
  });

  it('lets whatever makes something be asked for once, by a key', () => {
    const makes = calls.filter(({ operation: { responses } }) => '201' in responses);
    const keyless = makes.filter(
      ({ operation: { parameters = [] } }) => !parameters.some(({ name }) => name === 'Idempotency-Key'),
    );
    // A browser logs in with its token as often as it wants.
    expect(keyless.map(({ path }) => path)).toEqual(['/api/v1/session']);
  });

  it('has every call of the server, and no other', async () => {
    const engine = await engineOf(await createRepo());
    const app = await createApp({
      engine,
      execution: createExecution({ engine, redisUrl: null }),
      keys: createKeys(engine),
      redisUrl: null,
      isLocal: true,
      hosts: () => new Set(),
      callers: { identify: () => Promise.resolve(null) },
      sessions: createSessions({
        credentials: { identify: () => Promise.resolve(null), again: (caller) => Promise.resolve(caller) },
        random: (bytes) => new Uint8Array(bytes),
        now: () => Date.now(),
      }),
      logger: createLogger({ name: 'server', destination: { write: () => undefined } }),
      version: '0.0.0',
      now: () => Date.now(),
      limits: { caller: null, address: null, refused: 60 },
    });
    await app.ready();
    const served = routesIn(app.printRoutes({ commonPrefix: false }));
    const described = calls.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    expect(described.toSorted()).toEqual(
      served.filter((route) => !/ \/(?:openapi\.json)?$/.test(route)).toSorted(),
    );
    await app.close();
  });
});

/** `GET /api/v1/holds`, of the tree that Fastify prints. */
function routesIn(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^([│ ]*)[├└]── (\S+)(?: \(([^)]*)\))?/.exec(line) ?? [];
    if (part === '') return [];
    const level = indent.length / 4;
    parents.splice(level, Infinity, `${parents[level - 1] ?? ''}${part}`);
    const named = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
    return named.map((method) => `${method} ${parents[level] ?? ''}`);
  });
}

describe('every call', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });

  const making = (name: string) => ({ name, resolve, known, together: TOGETHER });

  const requestOf = ({ operation, ...call }: Call) => {
    const { requestBody } = operation;
    const parameters = (operation.parameters ?? []).filter((each) => each.in !== 'header');
    const schema: Schema | undefined = requestBody?.content['application/json']?.schema;
    const named = Object.fromEntries(
      parameters.map(({ name, schema: each }) => [
        name,
        fc.oneof({ weight: 12, arbitrary: fitting(each, making(name)) }, wildText),
      ]),
    );
    const required = parameters.filter((each) => each.required === true).map(({ name }) => name);
    const value = schema && fitting(schema, making(''));
    return fc.record({
      call: fc.constant({ ...call, operation }),
      named: someOfThem(named, required, TOGETHER),
      more: fc.oneof(
        { weight: 7, arbitrary: fc.constant(null) },
        fc.constantFrom(UNKNOWN, '__proto__[x]=1', 'limit=1&limit=2', '%', 'a'.repeat(900)),
      ),
      body:
        value === undefined
          ? fc.constant(undefined)
          : fc.oneof({ weight: 3, arbitrary: value }, nearly(value)),
      text:
        value === undefined
          ? fc.constant(null)
          : fc.oneof({ weight: 11, arbitrary: fc.constant(null) }, brokenText),
      headers: fc.constantFrom<Readonly<Record<string, string>>>(
        {},
        {},
        {},
        { 'idempotency-key': 'one' },
        { 'idempotency-key': ' ' },
        { 'if-none-match': '*' },
      ),
      type: fc.oneof({ weight: 9, arbitrary: fc.constant(TYPES[0] ?? '') }, fc.constantFrom(...TYPES)),
    });
  };

  it('answers nobody whom it does not know', async () => {
    for (const { method, path } of calls.filter((call) => call.path.startsWith('/api/'))) {
      const { status, body } = await api.call(method, path.replace(/\{\w+\}/g, 'x'), { token: null });
      expect([method, path, status, body.code]).toEqual([method, path, 401, 'UNAUTHENTICATED']);
    }
  });

  it('answers as it says, whatever it is called with', async () => {
    const finite = calls.filter(
      ({ operation }) => operation.responses['200']?.content?.[ENDLESS] === undefined,
    );
    const validators = new Map(
      finite.flatMap(({ operation }) => {
        const schema = operation.requestBody?.content['application/json']?.schema;
        return schema
          ? [[operation, ajv.compile({ ...schema, components: api.document.components })] as const]
          : [];
      }),
    );
    const seen = new Map<string, Set<number>>();
    for (const each of finite)
      await fc.assert(
        fc.asyncProperty(requestOf(each), async ({ call, named, more, body, text, headers, type }) => {
          const { method, path, operation } = call;
          const address = addressOf(path, operation, named, more);
          if (address === null) return;
          const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
          const answer = await api.call(method, address, {
            ...(sent !== undefined && { text: sent }),
            headers: { ...headers, ...(sent !== undefined && { 'content-type': type }) },
          });
          const { status, body: answered } = answer;
          seen.set(operation.operationId, (seen.get(operation.operationId) ?? new Set()).add(status));
          const isRead = text === null && sent !== undefined && type.startsWith('application/json');
          const validate = isRead ? validators.get(operation) : undefined;
          const fits = validate === undefined ? null : validate(JSON.parse(sent ?? ''));
          const said = { method, address, sent, status, answered, type: answer.headers.get('content-type') };
          expect({
            ...said,
            wrong: disagreement({ ...said, fits, operation, isUnknown: more === UNKNOWN }),
          }).toEqual({
            ...said,
            wrong: null,
          });
        }),
        { numRuns: runs(150, 3) },
      );
    expect(seen.size).toBe(finite.length);
    expect(api.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

/**
 * In which way an answer is not what the document says. `fits`: the body does, null where none was read; `isUnknown`: a parameter was sent that no
 * call has.
 */
function disagreement({
  status,
  type,
  answered,
  fits,
  isUnknown,
  operation: { responses, parameters = [] },
}: {
  readonly isUnknown: boolean;
  readonly operation: Operation;
  readonly status: number;
  readonly type: string | null;
  readonly answered: unknown;
  readonly fits: boolean | null;
}): string | null {
  const { code, detail } = Object(answered);
  const own = responses[String(status)]?.content;
  const [expected = ''] = Object.keys(own ?? { 'application/problem+json': {} });
  if (type?.startsWith(expected) !== true) return `it is not ${expected}`;
  if (status >= 500 && own === undefined && !FORESEEN.has(String(code))) return 'nobody foresaw it';
  if (isUnknown && status < 400 && parameters.some((each) => each.in === 'query'))
    return 'a parameter was taken that nothing describes';
  if (fits === false && (status < 400 || status >= 500)) return 'a body that does not fit was taken';
  // What fits is refused for a reason of the engine's alone.
  if (fits === true && /^body\S* is not valid/.test(String(detail))) return 'a body that fits was refused';
  return null;
}

/** Bodies that are no JSON, or that parsers do not agree on. */
const brokenText = fc.constantFrom(
  '',
  '{',
  'null',
  '"x"',
  '[]',
  '{"scope":"prod","scope":"dev"}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  '\uFEFF{}',
  '{"a":1e400}',
);

/** null where an address cannot say it: its own dots are resolved before it is sent. */
function addressOf(
  path: string,
  { parameters = [] }: Operation,
  named: Readonly<Record<string, unknown>>,
  more: string | null,
): string | null {
  const query = new URLSearchParams();
  let address = path;
  for (const { name, in: where } of parameters) {
    if (!(name in named)) continue;
    const value = named[name];
    if (where === 'path') {
      const text = String(value).replace(/\p{Surrogate}/gu, '\uFFFD');
      if (text === '' || text === '.' || text === '..') return null;
      address = address.replace(`{${name}}`, () => encodeURIComponent(text));
    } else for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  const text = [query.toString(), more].filter((part) => part !== '' && part !== null).join('&');
  return text === '' ? address : `${address}?${text}`;
}
