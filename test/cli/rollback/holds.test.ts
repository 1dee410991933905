/** Holds on the command line. */
import { beforeAll, describe, expect, it } from 'vitest';
import { approvals, pendingOf, setPolicy } from '../../helpers/people/approvals.ts';
import { backtrail, exampleRepo } from '../../helpers/program/cli.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';

const SCOPE = 'acme/production/api-gateway';
const FILE = 'tenants/acme/production/services/api-gateway/service.yaml';

let repo: Repo;
beforeAll(async () => {
  repo = await exampleRepo();
});

const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await backtrail(repo, args);
  const json = args.includes('json') ? JSON.parse(stdout) : null;
  return { code, stdout, stderr, json };
};

describe('on the command line', () => {
  it('a time that is none, and one beside --no-hold, is refused before anything is done', async () => {
    for (const words of [
      ['--hold-for', 'soon'],
      ['--hold-for', '0d'],
      ['--no-hold', '--hold-for', '7d'],
      ['--hold-for', '99999d'],
    ]) {
      const { code, json } = await run('rollback', SCOPE, ...words, '--reason', 'x', '--yes', '-o', 'json');
      expect([words, code, json.error.code]).toEqual([words, 2, 'INVALID_REQUEST']);
    }
    expect(await repo.git('log', '--format=%H', '--grep=^Rollback-Request-ID')).toBe('');
  });

  it('a rollback is held, listed, guarded and resumed, with the documented keys', async () => {
    const before = await repo.git('show', 'HEAD:' + FILE);
    expect((await run('resume', SCOPE, '--reason', 'x', '--yes', '-o', 'json')).json.error.code).toBe(
      'HOLD_UNKNOWN',
    );
    const done = await run('rollback', SCOPE, '--hold-for', '7d', '--reason', '500s', '--yes', '-o', 'json');
    expect(done).toMatchObject({ code: 0, json: { status: 'completed' } });
    const { holds, ...others } = (await run('holds', SCOPE, '-o', 'json')).json;
    expect(others).toEqual({});
    expect(holds).toHaveLength(1);
    expect(Object.keys(holds[0])).toEqual([
      'path',
      'requestId',
      'scope',
      'fields',
      'since',
      'until',
      'reason',
      'author',
      'state',
      'adapters',
    ]);
    for (const field of holds[0].fields)
      expect(Object.keys(field)).toEqual(['path', 'selector', 'held', 'now', 'broken']);
    expect(holds[0]).toMatchObject({
      requestId: done.json.requestId,
      scope: SCOPE,
      state: 'active',
      adapters: ['flux'],
    });
    expect((await run('holds')).stdout).toContain(`active hold of ${SCOPE}`);
    expect((await run('guard', '-o', 'json')).json).toEqual({ violations: [] });
    const held = `${await repo.git('show', 'HEAD:' + FILE)}\n`;
    expect(held).not.toContain('$imagepolicy');
    await repo.commit({ [FILE]: held.replace(/(\n\s+tag: )\S+/, '$1v9.9.9') });
    const found = await run('guard', '-o', 'json');
    expect(found.code).toBe(3);
    expect(Object.keys(found.json.violations[0])).toEqual([
      'hold',
      'requestId',
      'path',
      'selector',
      'held',
      'now',
      'commit',
      'author',
      'restore',
    ]);
    expect((await run('guard')).stdout).toContain(found.json.violations[0].restore);
    const noReason = await run('resume', SCOPE, '--yes', '-o', 'json');
    expect([noReason.code, noReason.json.error.code]).toEqual([2, 'REASON_REQUIRED']);
    const shown = await run('resume', SCOPE, '--dry-run');
    expect(shown.stdout).toContain(`Resume of ${SCOPE}`);
    const resumed = await run(
      'resume',
      SCOPE,
      '--field',
      'image',
      '--reason',
      'Fixed',
      '--yes',
      '-o',
      'json',
    );
    expect(resumed).toMatchObject({ code: 0, json: { status: 'completed', resumes: [holds[0].path] } });
    expect(await repo.git('show', 'HEAD:' + FILE)).toContain('tag: v9.9.9 # {"$imagepolicy"');
    expect(before).toContain('$imagepolicy');
    const { json } = await run('log', SCOPE, '-o', 'json');
    expect(json.resumes).toMatchObject([
      { requestId: resumed.json.requestId, scope: SCOPE, reason: 'Fixed' },
    ]);
    expect((await run('log', SCOPE)).stdout).toMatch(
      new RegExp(`${SCOPE} resumed\\n[^]*${SCOPE} \\(service\\) →`),
    );
  });

  it('a resume that needs approval is called one, from the question to the result, and returns to no revision', async () => {
    const { repo, as } = await approvals('quorum: 0');
    const rollback = ['rollback', SCOPE, '--hold', '--reason', 'It answers 500', '--yes'];
    expect((await as('jane', rollback)).code).toBe(0);
    await setPolicy(repo, 'quorum: 1');
    const asked = await as('jane', ['resume', SCOPE, '--reason', 'Fixed', '--yes', '-o', 'json']);
    const { requestId } = pendingOf(asked);
    expect(asked.stdout).toContain('`backtrail resume` asks for it.');
    const shown = (await as('bob', ['request', 'show', requestId])).stdout;
    expect(shown).toContain(`Resume automation of ${SCOPE}`);
    expect(shown).not.toMatch(/^ +target/m);
    const approved = await as('bob', ['request', 'approve', requestId, '--yes', '--here']);
    expect(approved).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^completed resume of ${SCOPE} \\(service\\)$`, 'm')),
    });
  });
});
