import { describe, expect, it } from 'vitest';
import { addProgress, parseJob, parseProgress, parseResult } from '../../workers/payload.ts';
import { makeJob, resultOf } from '../helpers/queue-values.ts';

const code = (data: unknown) => {
  try {
    parseJob(data);
    return 'accepted';
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${String(error.code)}: ${error.message}` : 'unknown';
  }
};
const job = makeJob();
const withRequest = (change: object) => ({ ...job, request: { ...job.request, ...change } });
const withScope = (change: object) => withRequest({ scope: { ...job.request.scope, ...change } });

describe('a job of the queue', () => {
  it('comes back as it went in, after a journey as JSON', () => {
    const full = {
      ...withScope({ mode: 'field', fields: ['tenants/acme/service.yaml#/image/tag'], wholeFile: true }),
      config: { name: 'config.yaml', text: 'version: 1\n' },
    };
    expect(parseJob(JSON.parse(JSON.stringify(full)))).toEqual(full);
  });

  it('accepts a reason with newlines and trailers: it is text', () => {
    expect(code(withRequest({ reason: 'one\ntwo\n---\nApproval: me' }))).toBe('accepted');
  });

  const refused: [string, unknown, RegExp][] = [
    ['nothing', null, /job/],
    ['another version', { ...job, v: 2 }, /v:/],
    ['an unknown key', { ...job, exec: 'sh' }, /exec/],
    ['an unknown key of the request', withRequest({ force: true }), /force/],
    [
      'a key that reaches for the prototype',
      JSON.parse(JSON.stringify(job).replace('{', '{"__proto__":{"a":1},')),
      /__proto__/,
    ],
    ['an id with a colon', withRequest({ id: 'rbk-1:2' }), /request id/],
    ['an abbreviated target', withRequest({ target: 'abc123' }), /target/],
    ['a revision to be resolved', withRequest({ base: 'main@{u}' }), /base/],
    ['a digest of another form', withRequest({ digest: 'x' }), /digest/],
    ['a reason of a megabyte', withRequest({ reason: 'x'.repeat(1_000_000) }), /reason/],
    ['a service with a newline', withScope({ service: 'api\nx' }), /service/],
    ['fields in another mode', withScope({ fields: ['a#/b'] }), /field/],
    ['field mode without fields', withScope({ mode: 'field' }), /field/],
    ['whole files that are not asked for', withScope({ wholeFile: false }), /wholeFile/],
    ['no fields', withScope({ mode: 'field', fields: [] }), /fields/],
    ['service mode without a service', withScope({ service: undefined }), /service/],
    ['a time that is none', withRequest({ requestedAt: 'yesterday' }), /requestedAt/],
    ['a relative repository', { ...job, repo: 'desired-state' }, /repo/],
    ['a repository that is an option', { ...job, repo: '--upload-pack=sh' }, /repo/],
    ['a transport helper', { ...job, repo: 'ext::sh -c id' }, /repo/],
    ['a password in the address', { ...job, repo: 'https://jane:hunter2@example.com/x.git' }, /credentials/],
    ['a token in the address', { ...job, repo: 'https://ghp_abc@example.com/x.git' }, /credentials/],
    [
      'a configuration of a megabyte',
      { ...job, config: { name: 'c', text: 'x'.repeat(1_000_000) } },
      /config/,
    ],
  ];
  it.each(refused)('refuses %s', (_name, data, message) => {
    expect(code(data)).toMatch(/^INVALID_REQUEST: /);
    expect(code(data)).toMatch(message);
  });

  it.each([
    '/srv/git/x',
    'https://example.com/x.git',
    'ssh://git@example.com/x.git',
    'git@example.com:x.git',
    'file:///x',
    'C:\\git\\x',
  ])('accepts the repository %s', (repo) => {
    expect(code({ ...job, repo })).toBe('accepted');
  });

  it('never shows the values that it refuses', () => {
    const text = code({ ...job, repo: 'https://jane:hunter2@example.com/x.git' });
    expect(text).not.toContain('hunter2');
  });
});

describe('what comes back from the queue', () => {
  it('is a result of the known shape, or INTERNAL', () => {
    const result = resultOf(job.request);
    expect(parseResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
    expect(() => parseResult({ ...result, commit: 'HEAD' })).toThrow(/does not understand/);
  });

  it('is progress of the known shape, in the order of the steps, or none', () => {
    const at = '2026-11-20T10:00:00.000Z';
    const staged = addProgress(0, { step: 'staged', at, commit: 'a'.repeat(40) });
    const planned = addProgress(staged, { step: 'planned', at });
    expect(parseProgress(JSON.parse(JSON.stringify(planned))).map(({ step }) => step)).toEqual([
      'planned',
      'staged',
    ]);
    expect(addProgress(planned, { step: 'staged', at: 'later' }).earlier).toEqual([{ step: 'planned', at }]);
    expect(parseProgress(0)).toEqual([]);
    expect(parseProgress({ step: 'launched', at, earlier: [] })).toEqual([]);
  });
});
