/** What is no proper request of the server: a clear problem document or a closed connection, and nothing that stays behind. */
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { engineOf } from '../helpers/repositories/engine.ts';
import { policedRepo } from '../helpers/people/requests.ts';
import { runs } from '../helpers/run/proof.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

/** Stands in everything that is sent: in no line of the log. */
const MARK = 'hunter2-in-what-was-sent';
const LIST = '/api/v1/environments';
const PLANS = '/api/v1/plans';

let api: Api;
/** One that waits for nobody: of what arrives in it, nothing arrives whole. */
let impatient: Api;
beforeAll(async () => {
  const engine = await engineOf(await policedRepo(), { lives: 'file' });
  api = await startApi(engine, { lives: 'file' });
  impatient = await startApi(engine, { lives: 'file', settings: { bounds: { arrivalMs: 300 } } });
});

/** All that comes back until the server closes. `ends`: nothing more is going to be sent. */
function exchange(to: Api, bytes: string, { ends = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(new URL(to.url).port), host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    socket.setEncoding('latin1').on('data', (part: string) => (got += part));
    socket.on('error', () => undefined).on('end', () => socket.end());
    socket.on('close', () => resolve(got));
    socket.write(Buffer.from(bytes, 'latin1'));
    if (ends) socket.end();
  });
}

const hostOf = ({ url }: Api) => new URL(url).host;
const head = (to: Api) => `Host: ${hostOf(to)}\r\nAuthorization: Bearer ${to.token}\r\nX-Mark: ${MARK}\r\n`;
const get = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\n${head(api)}${more}Connection: close\r\n\r\n`;
const post = (more: string, body = '', to = api) =>
  `POST ${PLANS} HTTP/1.1\r\n${head(to)}Content-Type: application/json\r\n${more}\r\n${body}`;

/** Status and code of the one answer; 'closed' where there is none. */
function verdictOf(answer: string): string {
  if (answer === '') return 'closed';
  const [status = ''] = /(?<=^HTTP\/1\.1 )\d{3}/.exec(answer) ?? [];
  const [top = '', body = ''] = answer.split('\r\n\r\n');
  if (!top.toLowerCase().includes('content-type: application/problem+json'))
    return `${status} without a document`;
  const json: unknown = JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? 'null');
  const { code, status: said, detail, hint } = Object(json);
  return said === Number(status) && detail !== '' && hint !== ''
    ? `${status} ${String(code)}`
    : `${status} and ${said}`;
}

const stillAnswers = async () => expect((await api.get(LIST)).status).toBe(200);

describe('addresses', () => {
  it.each([
    [`${LIST}/%2e%2e/%2e%2e`, '400 SCOPE_INVALID'],
    [`${LIST}/-/..%2f..%2f..%2fetc%2fpasswd`, '400 INVALID_REQUEST'],
    [`${LIST}/-/%00${MARK}`, '400 INVALID_REQUEST'],
    [`${LIST}/-/%c0%ae%c0%ae`, '400 INVALID_REQUEST'],
    [`${LIST}/-/%ed%a0%80`, '400 INVALID_REQUEST'],
    [`${LIST}/-/%zz`, '400 INVALID_REQUEST'],
    [`${LIST}/-/\xc0\xae`, '400 INVALID_REQUEST'],
    [`${LIST}/-/${'a'.repeat(1100)}`, '414 INVALID_REQUEST'],
    [`${LIST}/-/prod/revisions/--output=${MARK}`, '400 REVISION_INVALID'],
    [`${LIST}/-/prod/history?__proto__[x]=1`, '400 INVALID_REQUEST'],
    [`/api/v1/../../etc/${MARK}`, '404 INVALID_REQUEST'],
    ['//evil.example.com/', '404 INVALID_REQUEST'],
    ['/api/v1\\environments', '404 INVALID_REQUEST'],
    [`${LIST};jsessionid=1`, '404 INVALID_REQUEST'],
    [`http://evil.example.com${LIST}`, '403 ORIGIN_FOREIGN'],
    [`/${'a'.repeat(20_000)}`, '431 INVALID_REQUEST'],
  ])('refuses GET %.60s', async (path, verdict) => {
    expect(verdictOf(await exchange(api, get(path)))).toBe(verdict);
  });
});

describe('methods', () => {
  it.each([
    ['DELETE', LIST, 'GET, HEAD'],
    ['PUT', `${LIST}/-/prod`, 'GET, HEAD'],
    ['GET', PLANS, 'POST'],
    ['POST', '/api/v1/deployments/x', 'GET, HEAD, PATCH'],
    ['TRACE', LIST, 'GET, HEAD'],
    ['OPTIONS', '/api/v1/holds', 'GET, HEAD'],
  ])('refuses %s %s and says which it takes', async (method, path, allow) => {
    const answer = await exchange(api, `${method} ${path} HTTP/1.1\r\n${head(api)}Connection: close\r\n\r\n`);
    expect(verdictOf(answer)).toBe('405 INVALID_REQUEST');
    expect(/^allow: (.*)\r$/im.exec(answer)?.[1]).toBe(allow);
  });
});

describe('what is hardly HTTP', () => {
  const lines: Readonly<Record<string, () => readonly [string, string]>> = {
    'a method that nobody knows': () => [`BREW ${LIST} HTTP/1.1\r\n${head(api)}\r\n`, '400 INVALID_REQUEST'],
    'another protocol': () => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 INVALID_REQUEST'],
    'a greeting of TLS': () => ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400 INVALID_REQUEST'],
    'a tunnel': () => [`CONNECT evil.example.com:443 HTTP/1.1\r\n${head(api)}\r\n`, 'closed'],
    'no name of a host': () => [`GET ${LIST} HTTP/1.1\r\nConnection: close\r\n\r\n`, '403 ORIGIN_FOREIGN'],
    'two names of hosts': () => [get(LIST, 'Host: evil.example.com\r\n'), '403 ORIGIN_FOREIGN'],
    'two lengths': () => [post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), '400 INVALID_REQUEST'],
    'a length and chunks': () => [
      post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      '400 INVALID_REQUEST',
    ],
    'a length below nothing': () => [post('Content-Length: -1\r\n', '{}'), '400 INVALID_REQUEST'],
    'chunks of no size': () => [
      post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n'),
      '400 INVALID_REQUEST',
    ],
    'another coding': () => [post('Transfer-Encoding: gzip, xyz\r\n', '{}'), '400 INVALID_REQUEST'],
    'a folded header': () => [get(LIST, `X-A: b\r\n ${MARK}\r\n`), '400 INVALID_REQUEST'],
    'a header with NUL': () => [get(LIST, 'X-A: b\0c\r\n'), '400 INVALID_REQUEST'],
    'a flood of headers': () => [
      get(LIST, Array.from({ length: 2000 }, (_, at) => `X-${at}: ${MARK}\r\n`).join('')),
      '431 INVALID_REQUEST',
    ],
    'a header that is too long': () => [get(LIST, `Cookie: ${MARK.repeat(1000)}\r\n`), '431 INVALID_REQUEST'],
    'lines that end otherwise': () => [
      `GET ${LIST} HTTP/1.1\nHost: ${hostOf(api)}\n\n`,
      '400 INVALID_REQUEST',
    ],
  };

  it.each(Object.keys(lines))('refuses %s', async (name) => {
    const [bytes = '', verdict] = lines[name]?.() ?? [];
    expect(verdictOf(await exchange(api, bytes))).toBe(verdict);
    await stillAnswers();
  });

  it('ends what was begun and not finished', async () => {
    const halves = [
      get(LIST).slice(0, 40),
      post('Content-Length: 40\r\n', '{"a":'),
      post('Transfer-Encoding: chunked\r\n', '5\r\n{"a'),
    ];
    for (const half of halves)
      expect(['closed', '400 INVALID_REQUEST']).toContain(
        verdictOf(await exchange(api, half, { ends: true })),
      );
    await stillAnswers();
  });

  it('waits for no one forever', async () => {
    const late = [
      '',
      `GET ${LIST} HTTP/1.1\r\nHost: `,
      post('Content-Length: 40\r\n', '{"a":', impatient),
      post('Transfer-Encoding: chunked\r\n', '5\r\n{"a', impatient),
    ];
    for (const verdict of await Promise.all(
      late.map(async (begun) => verdictOf(await exchange(impatient, begun))),
    ))
      expect(verdict).toBe('408 INVALID_REQUEST');
  });

  it('answers many requests of one connection, one after the other', async () => {
    const one = `GET ${LIST}/-/prod HTTP/1.1\r\n${head(api)}\r\n`;
    const answer = await exchange(api, one.repeat(40) + get(`${LIST}/-/nowhere`));
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toEqual([
      ...Array.from({ length: 40 }, () => 'HTTP/1.1 200'),
      'HTTP/1.1 404',
    ]);
    // An answer to what follows would be taken for the answer to it.
    expect(await exchange(api, `${one}BREW / HTTP/1.1\r\n\r\n`)).toBe('');
    await stillAnswers();
  });
});

describe('bodies', () => {
  it.each([
    ['too much', `{"environment":"${'x'.repeat(1_048_576)}"}`, 413],
    ['no end of depth', `{"environment":${'['.repeat(400_000)}${']'.repeat(400_000)}}`, 400],
    ['more depth than any call needs', `{"environment":${'['.repeat(40)}${']'.repeat(40)}}`, 400],
    ['a name twice', `{"environment":"prod","environment":"${MARK}","targetSha":"v1"}`, 400],
    [
      'a name twice in two spellings',
      '{"environment":"dev","\\u0065nvironment":"prod","targetSha":"v1"}',
      400,
    ],
    ['__proto__', '{"__proto__":{"environment":"prod"},"targetSha":"v1"}', 400],
    ['constructor', '{"constructor":{"prototype":{"x":1}},"environment":"prod"}', 400],
    ['an unknown name', `{"environment":"prod","targetSha":"v1","unheardOf":1}`, 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['nothing', '', 400],
    ['half of it', '{"environment":"prod"', 400],
    ['more behind it', '{"environment":"prod","targetSha":"v1"}{}', 400],
    ['no number', '{"environment":1e999,"targetSha":"v1"}', 400],
    ['another type', '{"environment":["prod"],"targetSha":{"a":1}}', 400],
    [
      'many fields',
      JSON.stringify({ environment: 'prod', targetSha: 'v1', selectedFields: Array(1001).fill('x') }),
      400,
    ],
  ])('are refused with %s', async (_what, text, status) => {
    const answer = await api.call('POST', PLANS, { text });
    expect([answer.status, answer.body.code, answer.body.status]).toEqual([
      status,
      'INVALID_REQUEST',
      status,
    ]);
    expect(JSON.stringify(answer.body)).not.toContain(MARK);
  });

  it('are refused in other codings and types', async () => {
    const text = JSON.stringify({ environment: 'prod', targetSha: 'v1' });
    const zipped = gzipSync(text).toString('latin1');
    const coded = post(
      `Content-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\nConnection: close\r\n`,
      zipped,
    );
    expect(verdictOf(await exchange(api, coded))).toBe('400 INVALID_REQUEST');
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      '',
    ])
      expect((await api.call('POST', PLANS, { text, headers: { 'content-type': type } })).body.code).toBe(
        'BODY_UNSUPPORTED',
      );
    expect((await api.call('POST', PLANS, { text })).status).toBe(200);
  });
});

describe('afterwards', () => {
  it('keeps nothing of it, and has logged nothing of it', async () => {
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    const used = () => {
      if (typeof gc === 'function') gc();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const round = async () => {
      await Promise.all([
        api.call('POST', PLANS, { text: `{"environment":"${'x'.repeat(1_048_576)}"}` }),
        api.call('POST', PLANS, { text: `{"environment":${'['.repeat(250_000)}${']'.repeat(250_000)}}` }),
        exchange(api, get(LIST, `Cookie: ${MARK.repeat(1000)}\r\n`)),
        exchange(api, post('Content-Length: 500000\r\n', 'x'.repeat(400_000)), { ends: true }),
      ]);
    };
    await round();
    const before = used();
    for (let rounds = 0; rounds < runs(60, 6); rounds += 1) await round();
    // Were the largest bodies kept, it would be more.
    await expect.poll(() => used() - before).toBeLessThan(8 * 2 ** 20);
    const log = [...api.log, ...impatient.log].join('');
    for (const secret of [MARK, api.token, impatient.token]) expect(log).not.toContain(secret);
    await stillAnswers();
  });
});
