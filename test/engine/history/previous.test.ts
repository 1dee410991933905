import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { type Planning, planning, SHARED, versions } from '../../helpers/repositories/plan-repo.ts';
import { API, scope, spec, step, target } from './target-of.ts';
import { isProof } from '../../helpers/run/proof.ts';

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

  it.runIf(isProof)('sees fields that were taken back in a file that others changed meanwhile', async () => {
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

  it.runIf(isProof)('reads what git revert took back also where a merge brings the revert in', async () => {
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

  it.runIf(isProof)('passes over what still holds a field that a rollback took back', async () => {
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

  it.runIf(isProof)('goes on before the target of a rollback of the whole environment, too', async () => {
    const made = await planning([step('a', 1), step('b', 2), step('c', 3)]);
    await rollBack(made.engine, { scope: 'acme/prod' });
    expect(await previous(made)).toBe(0);
  });

  it.runIf(isProof)('is found behind a rollback that was itself undone', async () => {
    const made = await planning([step('a', 1), step('b', 2)]);
    await rollBack(made.engine, { scope, to: 'v1' });
    await rollBack(made.engine, { scope, to: 'v2' });
    expect(await previous(made)).toBe(0);
  });

  it.runIf(isProof)('is not misled by a rollback commit that names a target elsewhere', async () => {
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

  it.runIf(isProof)('is never one in which the scope was gone', async () => {
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

  it.runIf(isProof)(
    'of a field outside a service goes on before the target of its rollback as well',
    async () => {
      const path = 'tenants/acme/prod/variables.yaml';
      const region = (value: string) => ({ [path]: `region: ${value}\n` });
      const { engine, ids } = await planning([region('a'), region('b'), region('c'), region('d')]);
      const ask = { scope: 'acme/prod', fields: [`${path}#/region`] };
      const where = async () => ids.indexOf((await engine.plan(ask)).plan.target.commit);
      await rollBack(engine, ask);
      expect(await where()).toBe(1);
      await rollBack(engine, ask);
      expect(await where()).toBe(0);
    },
  );

  it.runIf(isProof)('of a field is found where the service has no folder of its own', async () => {
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
