/** Rollbacks of every kind that needs nobody else, each with nothing wrong with it: both readers, manifests rendered again as well. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { engineOf, JANE, rollBack } from '../../helpers/repositories/engine.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { CONFIG, publish, repoWith, request } from '../holds/held-repo.ts';
import { API, stage, WEB } from '../requests/arrived-scene.ts';
import { createAudited } from './scene.ts';

async function problemsOf(
  engine: Engine,
  readers: readonly ('git' | 'isomorphic')[] = ['git', 'isomorphic'],
) {
  const found = [];
  for (const reader of readers) {
    const { rows, ledger, ...counts } = await engine.audit.verify({ reader, render: true });
    expect(rows.length).toBeGreaterThan(0);
    expect(counts).toMatchObject({ reader, honest: rows.length, tampered: 0, unverifiable: 0 });
    found.push(...rows.flatMap(({ problems }) => problems), ...ledger.problems);
  }
  return found;
}

describe('an audit finds nothing wrong', () => {
  it.runIf(isProof)(
    'with subjects and trailers of a template, sign-offs and files restored as a whole',
    async () => {
      const commit = {
        subject: 'fix({service}): {reason}',
        trailers: { Change: '{target} {mode}' },
        signoff: true,
      };
      const { engine } = await createAudited({ commit });
      await rollBack(engine, { scope: 'prod/web', fields: ['values/prod.yaml#/web/tag'], wholeFile: true });
      await rollBack(engine, { scope: 'prod/api', wholeFile: true }, { reason: 'Über\n\tall: broken' });
      expect(await problemsOf(engine)).toEqual([]);
    },
  );

  it.runIf(isProof)('with manifests, alone and together', async () => {
    const repo = await stage({ policy: { environments: [] } });
    const engine = await engineOf(repo);
    await rollBack(engine, { scope: API });
    await rollBack(engine, { scope: WEB });
    const { rows } = await engine.audit.verify();
    expect(rows.filter(({ deliveryCommit }) => deliveryCommit !== null)).toHaveLength(2);
    expect(await problemsOf(engine)).toEqual([]);
  });

  it('with holds, a rollback over one, and resumes of all and of one field', async () => {
    const both = (tag: string) =>
      ['a', 'b']
        .map((name) => `${name}:\n  tag: ${tag} # {"$imagepolicy": "flux-system:${name}:tag"}\n`)
        .join('');
    const commit = { trailers: { Change: '{mode} {target}' } };
    const repo = await repoWith((tag) => ({ 'apps/prod/api/app.yaml': both(tag) }), { ...CONFIG, commit });
    const engine = await engineOf(repo);
    await publish(engine, { scope: 'prod/api' }, 'Two\nlines, \u202e\u001b[31mred');
    await publish(engine, {
      scope: 'prod/api',
      fields: ['apps/prod/api/app.yaml#/b/tag'],
      resume: true,
    });
    const rest = { scope: 'prod/api', resume: true, author: JANE };
    const planned = await engine.rollbacks.plan(rest);
    await repo.replay([{ files: { 'README.md': 'Pushed since the plan was made\n' } }]);
    await request(engine, planned, rest);
    const { rows, outside } = await engine.audit.verify();
    expect(rows.map(({ kind }) => kind)).toEqual(['resume', 'resume', 'rollback']);
    expect(outside).toEqual([]);
    expect(await problemsOf(engine)).toEqual([]);
  });

  it('in a repository with object ids of SHA-256, in names that are odd, and after merges', async () => {
    const repo = await createRepo({ format: 'sha256' });
    const config = { version: 1, layout: { service: ['apps/{environment}/{service}/**'] }, keep: [] };
    const odd = 'apps/prod/api/ä "quoted" #1.yaml';
    await repo.commit({ '.backtrail/config.yaml': JSON.stringify(config), [odd]: 'a: 1\n' });
    await repo.git('checkout', '-q', '-b', 'side');
    await repo.commit({ [odd]: 'a: 2\n', 'apps/prod/api/new.yaml': 'b: 1\n' });
    await repo.git('checkout', '-q', 'main');
    await repo.git('merge', '-q', '--no-ff', '--no-edit', 'side');
    const engine = await engineOf(repo);
    await rollBack(engine, { scope: 'prod/api' });
    expect(await problemsOf(engine, ['git'])).toEqual([]);
  });
});

it('lists reverts by hand, commits that look like rollbacks, and holds that were moved', async () => {
  const { repo, engine } = await createAudited();
  const { commit } = await rollBack(engine, { scope: 'prod/api' });
  const [revert, imitation, hold] = await repo.replay([
    { files: { 'README.md': 'three\n' }, message: `Revert "x"\n\nThis reverts commit ${commit}.\n` },
    { files: { 'README.md': 'four\n' }, message: 'Rollback: env/prod → revision 1234567\n' },
    { files: { '.backtrail/holds/prod/mine.yaml': 'version: 1\n' }, message: 'Hold it' },
  ]);
  const { outside, rows } = await engine.audit.verify();
  expect(outside.map(({ commit: id, reverts, kind }) => ({ id, reverts, kind }))).toEqual([
    { id: hold, reverts: null, kind: 'hold' },
    { id: imitation, reverts: null, kind: 'imitation' },
    { id: revert, reverts: commit, kind: 'revert' },
  ]);
  expect(rows).toHaveLength(1);
  const part = await engine.audit.verify({ range: `${commit}..` });
  expect(part.rows).toEqual([]);
  expect(part.outside).toHaveLength(3);
  expect((await engine.audit.verify({ range: commit ?? '' })).rows).toHaveLength(1);
  expect((await engine.audit.verify({ scopes: ['prod/web'] })).rows).toEqual([]);
});
