import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/internal.ts';
import { planning } from '../../helpers/repositories/plan-repo.ts';
import { API, scope, step, target } from './target-of.ts';
import { isProof } from '../../helpers/run/proof.ts';

const codeOf = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => 'nothing was refused',
    (thrown: unknown) => thrown,
  );
  return isFailure(error) ? error.code : error;
};
describe('a version', () => {
  it('is looked up in the scope, and what is not there is said', async () => {
    const { engine, ids } = await planning([step('One', 1), step('Two', 2)]);
    expect(await target(engine, 'v1')).toEqual({ commit: ids[0], version: 1 });
    await expect(target(engine, 'v3')).rejects.toMatchObject({
      code: 'REVISION_UNKNOWN',
      message: 'acme/prod/api has no revision v3: the newest is v2.',
    });
  });

  it('counts the revisions of the field in field mode, and the plan says so', async () => {
    const { engine, ids } = await planning([step('One', 1), step('Replicas', 1, 2), step('Two', 2, 2)]);
    const { plan } = await engine.plan({ scope, fields: ['image'], to: 'v2' });
    expect(plan.target).toEqual({ commit: ids[2], version: 2 });
    expect(plan.findings.map(({ code }) => code)).toContain('FIELD_NUMBERING');
  });
});

describe('a commit', () => {
  it('means the newest revision at or before it', async () => {
    const { engine, ids } = await planning([
      step('One', 1),
      { 'README.md': '1' },
      step('Two', 2),
      { 'README.md': '2' },
    ]);
    expect(await target(engine, ids[1])).toEqual({ commit: ids[0], version: 1 });
    expect(await target(engine, ids[0]?.slice(0, 10).toUpperCase())).toEqual({ commit: ids[0], version: 1 });
    expect(await target(engine, ids[3])).toEqual({ commit: ids[2], version: 2 });
  });

  it('from before the scope existed is a target that lacks it', async () => {
    const { engine, ids } = await planning([{ 'README.md': '1' }, step('One', 1), step('Two', 2)]);
    const { plan } = await engine.plan({ scope, to: ids[0] ?? '' });
    expect(plan.target).toEqual({ commit: ids[0], version: null });
    expect(plan.findings.filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'TARGET_ABSENT', message: `acme/prod/api did not exist at ${ids[0]?.slice(0, 7)}.` },
    ]);
    expect(plan.files.map(({ path, after }) => [path, after])).toEqual([[API, null]]);
  });

  it('that nobody knows, that is no commit, or that begins two commits is refused', async () => {
    const steps = Array.from({ length: 700 }, (_, index) => step(`Revision ${index}`, index));
    const { engine, repo, ids } = await planning(steps);
    expect(await codeOf(target(engine, 'f'.repeat(40)))).toBe('REVISION_UNKNOWN');
    expect(await codeOf(target(engine, await repo.git('rev-parse', 'main^{tree}')))).toBe('REVISION_UNKNOWN');
    expect(await codeOf(target(engine, await repo.git('rev-parse', `main:${API}`)))).toBe('REVISION_UNKNOWN');
    const prefixes = ids.map((id) => id.slice(0, 4));
    const twice = prefixes.find((prefix, index) => prefixes.indexOf(prefix) !== index);
    expect(twice).toBeDefined();
    expect(await codeOf(target(engine, twice))).toBe('REVISION_INVALID');
  });

  it('is never the name of a branch or a tag that looks like one', async () => {
    const { engine, repo, ids } = await planning([step('One', 1), step('Two', 2)]);
    await repo.git('update-ref', 'refs/heads/deadbeef', ids[0] ?? '');
    await repo.git('update-ref', 'refs/tags/cafe', ids[0] ?? '');
    expect(await codeOf(target(engine, 'deadbeef'))).toBe('REVISION_UNKNOWN');
    expect(await codeOf(target(engine, 'cafe'))).toBe('REVISION_UNKNOWN');
  });
});

describe('a time', () => {
  const at = (message: string, tag: number, date: string) => ({ ...step(message, tag), date });

  it('means the last revision before it', async () => {
    const { engine, ids } = await planning([
      { date: '2026-01-01T00:00:00Z', files: { 'README.md': '1' } },
      at('One', 1, '2026-01-02T00:00:00Z'),
      at('Two', 2, '2026-01-03T00:00:00Z'),
      { date: '2026-01-04T00:00:00Z', files: { 'README.md': '2' } },
      at('Three', 3, '2026-01-05T00:00:00Z'),
    ]);
    expect(await target(engine, '@2026-01-04T12:00Z')).toEqual({ commit: ids[2], version: 2 });
    expect(await target(engine, '@2026-01-03T00:00:01Z')).toEqual({ commit: ids[2], version: 2 });
    expect(await target(engine, '@2026-01-03')).toEqual({ commit: ids[1], version: 1 });
    expect(await target(engine, '@2026-01-02T12:00')).toEqual({ commit: ids[1], version: 1 });
    expect(await target(engine, '@2030-01-01')).toEqual({ commit: ids[4], version: 3 });
    const { plan } = await engine.plan({ scope, to: '@2026-01-01T12:00Z' });
    expect(plan.target).toEqual({ commit: ids[0], version: null });
    expect(plan.findings.map(({ code }) => code)).toContain('TARGET_ABSENT');
    expect(await codeOf(target(engine, '@2025-12-31'))).toBe('REVISION_UNKNOWN');
  });

  it.runIf(isProof)('follows the line of commits where their dates do not', async () => {
    const { engine, ids } = await planning([
      at('One', 1, '2026-01-05T00:00:00Z'),
      at('Two', 2, '2026-01-02T00:00:00Z'),
      at('Three', 3, '2026-01-07T00:00:00Z'),
    ]);
    expect(await target(engine, '@2026-01-06')).toEqual({ commit: ids[1], version: 2 });
  });
});

describe('a tag, a branch and HEAD', () => {
  const tagged = async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3), { 'README.md': 'x' }]);
    const [a = '', b = '', , tip = ''] = made.ids;
    await made.repo.git('tag', 'release-7', b);
    await made.repo.git('tag', '-a', '-m', 'x', 'annotated', a);
    await made.repo.git('tag', 'v3', a);
    await made.repo.git('tag', 'v2', b);
    await made.repo.git('tag', 'v9', b);
    await made.repo.git('branch', 'stable', b);
    await made.repo.git('branch', 'both', a);
    await made.repo.git('tag', 'both', b);
    await made.repo.git(
      'branch',
      'side',
      await made.repo.git('commit-tree', '-m', 'side', '-p', tip, `${tip}^{tree}`),
    );
    return made;
  };

  it('mean the revision that the scope had there', async () => {
    const { engine, ids } = await tagged();
    const [a, b, c] = ids;
    expect(await target(engine, 'release-7')).toEqual({ commit: b, version: 2 });
    expect(await target(engine, 'tag:annotated')).toEqual({ commit: a, version: 1 });
    expect(await target(engine, 'stable~1')).toEqual({ commit: a, version: 1 });
    expect(await target(engine, 'HEAD')).toEqual({ commit: c, version: 3 });
    expect(await target(engine, 'HEAD~2')).toEqual({ commit: b, version: 2 });
    expect(await target(engine, 'branch:both')).toEqual({ commit: a, version: 1 });
    expect(await target(engine, `${c?.slice(0, 8)}~1`)).toEqual({ commit: b, version: 2 });
  });

  it('are refused where they mean nothing, two things, or what is not on the branch', async () => {
    const { engine } = await tagged();
    expect(await codeOf(target(engine, 'nothing'))).toBe('REVISION_UNKNOWN');
    expect(await codeOf(target(engine, 'tag:stable'))).toBe('REVISION_UNKNOWN');
    expect(await codeOf(target(engine, 'both'))).toBe('REVISION_INVALID');
    expect(await codeOf(target(engine, 'side'))).toBe('REVISION_NOT_ON_BRANCH');
    expect(await codeOf(target(engine, 'HEAD~99'))).toBe('REVISION_UNKNOWN');
  });

  it.runIf(isProof)('warn of a tag that is named like another revision, and only then', async () => {
    const { engine, ids } = await tagged();
    const warned = async (to: string) =>
      (await engine.plan({ scope, to })).plan.findings.find(({ code }) => code === 'TAG_DIFFERS');
    expect(await warned('v3')).toMatchObject({
      severity: 'warn',
      message: expect.stringContaining(ids[0]?.slice(0, 10) ?? '?'),
      hint: expect.stringContaining('tag:v3'),
    });
    expect(await target(engine, 'v3')).toEqual({ commit: ids[2], version: 3 });
    expect(await target(engine, 'tag:v3')).toEqual({ commit: ids[0], version: 1 });
    expect(await warned('v2')).toBeUndefined();
    await expect(engine.plan({ scope, to: 'v9' })).rejects.toMatchObject({
      hint: expect.stringContaining('tag:v9'),
    });
  });
});
