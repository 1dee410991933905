import { describe, expect, it } from 'vitest';
import { addProgress, parseJob, parseProgress, parseResult } from '../../workers/payload.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';

const code = (data: unknown) => {
  try {
    parseJob(data);
    return 'accepted';
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${String(error.code)}: ${error.message}` : 'unknown';
  }
};
const job = makeJob();

describe('a job of the queue', () => {
  it('is a request and its repository, and comes back as it went in after a journey as JSON', () => {
    expect(parseJob(JSON.parse(JSON.stringify(job)))).toEqual(job);
    expect(Object.keys(job)).toEqual(['v', 'requestId', 'repo']);
  });

  const { requestId: id, repo } = job;
  const earlier = { v: 1, request: { id, target: '1'.repeat(40), reason: 'x' }, repo };
  const refused: [string, unknown, RegExp][] = [
    ['nothing', null, /job/],
    ['one of an earlier version, whose request no ledger holds', earlier, /earlier version/],
    ['a version to come', { ...job, v: 3 }, /v:/],
    ['an unknown key', { ...job, exec: 'sh' }, /exec/],
    ['what the ledger says', { ...job, digest: `sha256:${'3'.repeat(64)}` }, /digest/],
    ['a configuration', { ...job, config: { name: 'c', text: 'version: 1' } }, /config/],
    [
      'a key that reaches for the prototype',
      JSON.parse(JSON.stringify(job).replace('{', '{"__proto__":{"a":1},')),
      /__proto__/,
    ],
    ['an id with a colon', { ...job, requestId: 'rbk-1:2' }, /request id/],
    ['the id of a session', { ...job, requestId: job.requestId.replace('rbk', 'bgs') }, /request id/],
    ['a relative repository', { ...job, repo: 'desired-state' }, /repo/],
    ['a repository that is an option', { ...job, repo: '--upload-pack=sh' }, /repo/],
    ['a repository with a newline', { ...job, repo: '/srv/git\n/x' }, /repo/],
    ['a transport helper', { ...job, repo: 'ext::sh -c id' }, /repo/],
    ['a password in the address', { ...job, repo: 'https://jane:hunter2@example.com/x.git' }, /credentials/],
    ['a token in the address', { ...job, repo: 'https://ghp_abc@example.com/x.git' }, /credentials/],
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
    const result = resultOf(job.requestId);
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
