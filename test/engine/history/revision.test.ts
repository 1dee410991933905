import { describe, expect, it } from 'vitest';
import { type Engine, isFailure } from '../../../engine/internal.ts';
import { parseRevision } from '../../../engine/history/revision-name.ts';
import { rollBack } from '../../helpers/engine.ts';
import { type Planning, planning, SHARED, versions } from '../../helpers/plan-repo.ts';

const API = 'tenants/acme/prod/services/api/service.yaml';
const scope = 'acme/prod/api';
const spec = (tag: string | number, replicas = 1) => `image:\n  tag: ${tag}\nreplicas: ${replicas}\n`;
const step = (message: string, tag: string | number, replicas = 1) => ({
  message,
  files: { [API]: spec(tag, replicas) },
});

async function target(engine: Engine, to?: string, fields: string[] = []) {
  const { plan } = await engine.plan({ scope, fields, ...(to !== undefined && { to }) });
  return plan.target;
}

const codeOf = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => 'nothing was refused',
    (thrown: unknown) => thrown,
  );
  return isFailure(error) ? error.code : error;
};

const NOW = Date.parse('2026-11-28T12:00:00Z');

describe('what somebody may write for a revision', () => {
  it.each([
    ['previous', { kind: 'previous' }],
    ['last-successful', { kind: 'last-successful' }],
    ['v1', { kind: 'version', version: 1 }],
    ['v999999999', { kind: 'version', version: 999_999_999 }],
    ['ABCD', { kind: 'commit', id: 'abcd' }],
    ['a'.repeat(40), { kind: 'commit', id: 'a'.repeat(40) }],
    ['@2026-11-20', { kind: 'time', time: '2026-11-20T00:00:00.000Z' }],
    ['@2026-11-20T10:00', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['@2026-11-20T10:00Z', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['@2026-11-20 10:00', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['2026-11-20 10:00', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['2026-11-20 10:00 UTC', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['@2026-11-20T10:00:07Z', { kind: 'time', time: '2026-11-20T10:00:07.999Z' }],
    ['@2026-11-20T10:00:05.5+02:00', { kind: 'time', time: '2026-11-20T08:00:05.500Z' }],
    ['@2024-02-29', { kind: 'time', time: '2024-02-29T00:00:00.000Z' }],
    ['@2h', { kind: 'time', time: '2026-11-28T10:00:00.000Z' }],
    ['@90m', { kind: 'time', time: '2026-11-28T10:30:00.000Z' }],
    ['@1w', { kind: 'time', time: '2026-11-21T12:00:00.000Z' }],
    ['@yesterday', { kind: 'time', time: '2026-11-27T12:00:00.000Z' }],
    ['HEAD', { kind: 'ref', name: null, as: 'any', back: 0 }],
    ['HEAD~2', { kind: 'ref', name: null, as: 'any', back: 2 }],
    ['HEAD^^~', { kind: 'ref', name: null, as: 'any', back: 3 }],
    ['release-7', { kind: 'ref', name: 'release-7', as: 'any', back: 0 }],
    ['v1.2.3~1', { kind: 'ref', name: 'v1.2.3', as: 'any', back: 1 }],
    ['tag:v3', { kind: 'ref', name: 'v3', as: 'tag', back: 0 }],
    ['branch:main~', { kind: 'ref', name: 'main', as: 'branch', back: 1 }],
    ['refs/tags/v3', { kind: 'ref', name: 'v3', as: 'tag', back: 0 }],
  ])('%s', (text, expected) => {
    expect(parseRevision(text, NOW)).toEqual(expected);
  });

  it.each([
    '',
    ' v1',
    'v1 ',
    'v1\n',
    'main@{u}',
    '--all',
    '-n1',
    ':/fix',
    '^abcd',
    '^{/fix}',
    '@{-1}',
    'HEAD^2',
    'HEAD@{1}',
    'tag:',
    'tag:-x',
    '--upload-pack=x',
    'a b',
    'a\nb',
    '../x',
    'main.lock',
    'abcd..ef01',
    '@',
    '@now',
    '@{u}',
    '@2026',
    '@2026-13-01',
    '@2026-02-30',
    '@2026-02-29T10:00Z',
    '@2026-11-20T25:00Z',
    '@2026-11-20T10:00 Z',
    '@2026-11-20T10:00z',
  ])('never %j', (text) => {
    expect(() => parseRevision(text, NOW)).toThrow(expect.objectContaining({ code: 'REVISION_INVALID' }));
  });

  it('is not repeated at length', () => {
    expect(() => parseRevision('x'.repeat(100_000), NOW)).toThrow(/^.{1,200}$/);
  });
});

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

  it('follows the line of commits where their dates do not', async () => {
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

  it('warn of a tag that is named like another revision, and only then', async () => {
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

describe('the previous revision', () => {
  const previous = async ({ engine, ids }: Planning, fields: string[] = []) =>
    ids.indexOf((await target(engine, undefined, fields)).commit);

  it('is the newest earlier one that differs', async () => {
    expect(await previous(await planning([step('a', 1), step('b', 2), step('c', 3)]))).toBe(1);
  });

  it('passes over those that hold the same as now', async () => {
    const steps = [step('a', 1), step('b', 2), step('c', 1), step('d', 2), step('e', 1)];
    // f is what d was, so that e counts as taken back, as c does by d.
    expect(await previous(await planning([...steps, step('f', 2), { [API]: spec(2) }]))).toBe(0);
    expect(await previous(await planning([step('a', 1), step('b', 2), step('c', 3), step('d', 2)]))).toBe(0);
    await expect(previous(await planning([step('a', 1)]))).rejects.toMatchObject({
      code: 'REVISION_UNKNOWN',
    });
  });

  const reverting = (commit: string, tag: number) => ({
    ...step(`Revert "x"\n\nThis reverts commit ${commit}.\n`, tag),
  });

  it('passes over what git revert took back', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3)]);
    await made.repo.replay([reverting(made.ids[2] ?? '', 2)]);
    expect(await previous(made)).toBe(0);
    const { plan } = await made.engine.plan({ scope });
    expect(plan.findings).toContainEqual(
      expect.objectContaining({
        code: 'UNDONE_SKIPPED',
        message: expect.stringMatching(/^v3 was reverted by [0-9a-f]{10}:/),
      }),
    );
  });

  it('passes over what a message says was taken back where the scope is not quite what it was', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3)]);
    await made.repo.replay([{ ...reverting(made.ids[2] ?? '', 2), files: { [API]: spec(2, 7) } }]);
    expect(await previous(made)).toBe(1);
  });

  it('passes over what was taken back without a word', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3), step('back to b', 2)]);
    expect(await previous(made)).toBe(0);
    const { revisions } = await made.engine.history({ scope, limit: 9 });
    expect(revisions.map(({ version, undoneBy }) => [version, undoneBy === null])).toEqual([
      [4, true],
      [3, false],
      [2, true],
      [1, true],
    ]);
  });

  it('takes the revert of a revert for going forward', async () => {
    const made = await planning([step('a', 1), step('b', 2)]);
    const [revert = ''] = await made.repo.replay([reverting(made.ids[1] ?? '', 1)]);
    await made.repo.replay([reverting(revert, 2)]);
    expect(await previous(made)).toBe(0);
    await made.repo.replay([step('d', 4)]);
    expect((await target(made.engine)).version).toBe(4);
  });

  it('sees fields that were taken back in a file that others changed meanwhile', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3, 5), step('d', 2, 6)]);
    expect(await previous(made, ['service.yaml#/image/tag'])).toBe(0);
  });

  it('names what was taken back where nothing else differs', async () => {
    const made = await planning([step('a', 1), step('b', 2)]);
    await rollBack(made.engine, { scope });
    const error: unknown = await made.engine.plan({ scope }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'REVISION_UNKNOWN',
      message: expect.stringMatching(/v2 was rolled back by [0-9a-f]{10}\.$/),
      hint: expect.stringContaining('--to v2'),
    });
  });

  it('passes over what a rollback left behind', async () => {
    const made = await planning([step('good', 1), step('bad', 2), step('worse', 3)]);
    await rollBack(made.engine, { scope, to: 'v1' });
    await made.repo.replay([step('fix', 4), step('no fix', 5)]);
    await rollBack(made.engine, { scope, to: 'v5' });
    expect((await target(made.engine)).version).toBe(4);
    expect((await versions(made.engine, scope))[3]).toMatch(/^v4 Rollback: /);
  });

  it('passes over what still holds what git revert took back, but not where the revert was reverted', async () => {
    const made = await planning([step('a', 1, 1), step('b', 2, 1), step('bad', 3, 1), step('scale', 3, 5)]);
    const [bad] = (await made.repo.git('log', '--format=%H', '--grep=^bad$')).split('\n');
    const revert = { ...step(`Revert "bad"\n\nThis reverts commit ${bad}.\n`, 2, 5) };
    const [reverted] = await made.repo.replay([revert]);
    const { plan } = await made.engine.plan({ scope });
    expect(plan.target.version).toBe(2);
    expect(plan.findings).toContainEqual(
      expect.objectContaining({
        code: 'UNDONE_SKIPPED',
        message: expect.stringMatching(
          /v4 still contains what [0-9a-f]{10} undid, v3 was reverted by [0-9a-f]{10}/,
        ),
      }),
    );
    await made.repo.replay([step(`Reapply "bad"\n\nThis reverts commit ${reverted}.\n`, 3, 5)]);
    await made.repo.replay([step('more', 3, 6)]);
    expect((await target(made.engine)).version).toBe(6);
  });

  it('reads what git revert took back also where a merge brings the revert in', async () => {
    const made = await planning([step('a', 1, 1), step('b', 2, 1)]);
    const { repo } = made;
    const merged = async (branch: string, steps: ReturnType<typeof step>[]) => {
      await repo.git('branch', branch, 'main');
      const tip = (await repo.replay(steps, branch)).at(-1) ?? '';
      const parents = ['-p', 'main', '-p', tip];
      const merge = await repo.git('commit-tree', `${tip}^{tree}`, ...parents, '-m', `Merge ${branch}`);
      await repo.git('update-ref', 'refs/heads/main', merge);
      return merge;
    };
    const bad = await merged('one', [step('bad', 3, 1)]);
    await repo.replay([step('later', 3, 5)]);
    await merged('two', [
      step(`Revert "Merge one"\n\nThis reverts commit ${bad}, reversing\nchanges.\n`, 2, 5),
    ]);
    const { plan } = await made.engine.plan({ scope });
    expect(plan.target.version).toBe(2);
    expect(plan.findings[0]?.message).toMatch(/^v4 still contains what [0-9a-f]{10} undid, v3 was reverted/);
  });

  it('passes over what still holds a field that a rollback took back', async () => {
    const made = await planning([step('a', 1, 1), step('b', 2, 1), step('c', 2, 2), step('d', 2, 3)]);
    await rollBack(made.engine, { scope, fields: ['service.yaml#/image/tag'], to: 'v1' });
    const { plan } = await made.engine.plan({ scope });
    expect(plan.target.version).toBe(1);
    expect(plan.findings).toContainEqual(
      expect.objectContaining({
        code: 'UNDONE_SKIPPED',
        message: expect.stringMatching(/v3 still contains what [0-9a-f]{10} undid/),
      }),
    );
  });

  it('goes on before the target of the rollback that is current', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3), step('d', 4)]);
    await rollBack(made.engine, { scope });
    expect(await previous(made)).toBe(1);
    await rollBack(made.engine, { scope });
    expect(await previous(made)).toBe(0);
    await rollBack(made.engine, { scope });
    await expect(previous(made)).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
  });

  it('goes on before the target of a rollback of the whole environment, too', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3)]);
    await rollBack(made.engine, { scope: 'acme/prod' });
    expect(await previous(made)).toBe(0);
  });

  it('is found behind a rollback that was itself undone', async () => {
    const made = await planning([step('a', 1), step('b', 2)]);
    await rollBack(made.engine, { scope, to: 'v1' });
    await rollBack(made.engine, { scope, to: 'v2' });
    expect(await previous(made)).toBe(0);
  });

  it('is not misled by a rollback commit that names a target elsewhere', async () => {
    const made = await planning([step('a', 1), step('b', 2)]);
    const trailers =
      'Mode: service\nService: api\nRollback-Request-ID: rbk-01JD2M00000000000000000000\nRollback-Tenant: acme\n';
    await made.repo.replay([
      {
        message: `Copied\n\n${trailers}Rollback-Environment: prod\nRollback-Target: ${'e'.repeat(40)}\n`,
        files: { [API]: spec(3) },
      },
    ]);
    expect(await previous(made)).toBe(1);
  });

  it('is never one in which the scope was gone', async () => {
    const made = await planning([step('a', 1), { [API]: null }, step('c', 2)]);
    expect(await previous(made)).toBe(0);
  });

  it('brings a deleted service back', async () => {
    const made = await planning([step('a', 1), { [API]: null, 'tenants/acme/prod/x': '1' }]);
    expect(await previous(made)).toBe(0);
    await rollBack(made.engine, { scope });
    expect(await made.repo.git('show', `main:${API}`)).toBe(spec(1).trimEnd());
  });

  it('ignores differences of what is kept', async () => {
    const secret = (value: string) => ({ 'tenants/acme/prod/services/api/secrets/s': value });
    const made = await planning([
      { message: 'a', files: { [API]: spec(1), ...secret('1') } },
      { message: 'b', files: { [API]: spec(2), ...secret('1') } },
      { message: 'c', files: { ...secret('2') } },
    ]);
    expect(await previous(made)).toBe(0);
  });

  it('of a field is its last differing value', async () => {
    const made = await planning([step('a', 1, 1), step('b', 2, 1), step('c', 2, 5), step('d', 2, 6)]);
    expect(await previous(made, ['image'])).toBe(0);
    expect(await previous(made, ['replicas'])).toBe(2);
    expect(await previous(made, ['image', 'replicas'])).toBe(2);
    await rollBack(made.engine, { scope, fields: ['replicas'] });
    expect(await previous(made, ['replicas'])).toBe(0);
  });

  it('of a field outside a service goes on before the target of its rollback as well', async () => {
    const path = 'tenants/acme/prod/variables.yaml';
    const region = (value: string) => ({ [path]: `region: ${value}\n` });
    const { engine, ids } = await planning([region('a'), region('b'), region('c'), region('d')]);
    const ask = { scope: 'acme/prod', fields: [`${path}#/region`] };
    const where = async () => ids.indexOf((await engine.plan(ask)).plan.target.commit);
    await rollBack(engine, ask);
    expect(await where()).toBe(1);
    await rollBack(engine, ask);
    expect(await where()).toBe(0);
  });

  it('of a field is found where the service has no folder of its own', async () => {
    const cluster = (version: number) => ({
      'clusters/prod.yaml': `releases:\n  - name: api\n    version: ${version}\n`,
    });
    const { engine, ids } = await planning([cluster(1), cluster(2), cluster(3)], SHARED);
    const ask = { scope: 'prod/api', fields: ['#/version'] };
    const where = async () => ids.indexOf((await engine.plan(ask)).plan.target.commit);
    expect(await where()).toBe(1);
    await rollBack(engine, ask);
    expect(await where()).toBe(0);
  });

  it('stands in for the last successful one, and the plan says so', async () => {
    const { engine, ids } = await planning([step('a', 1), step('b', 2)]);
    const { plan } = await engine.plan({ scope, to: 'last-successful' });
    expect(plan.target.commit).toBe(ids[0]);
    expect(plan.findings.map(({ code }) => code)).toContain('NO_RECORDS');
  });
});
