import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning } from '../../helpers/repositories/plan-repo.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { ENV, API, planOf, blocks } from './plan-of.ts';
import { isProof } from '../../helpers/run/proof.ts';

/** A commit written entry by entry: what no worktree could hold. */
async function commitEntries(repo: Repo, entries: readonly string[]): Promise<string> {
  const tip = await repo.git('rev-parse', 'refs/heads/main');
  const stream = `commit refs/heads/main\ncommitter T <t@example.com> 1790000000 +0000\ndata 3\nOdd\nfrom ${tip}\n${entries.join('\n')}\n\n`;
  await repo.gitWith({ input: Buffer.from(stream, 'latin1') }, ['fast-import', '--quiet']);
  return repo.git('rev-parse', 'refs/heads/main');
}
describe('odd entries', () => {
  it('of another kind in the place of a folder that the scope owns come and go as the folder does', async () => {
    const layout = { version: 1, layout: { environment: ['overlays/{environment}/**'] }, keep: [] };
    const { engine, repo, ids } = await planning(
      [
        { 'overlays/staging/v.yaml': 's: 1\n', 'overlays/prod': { link: 'staging' } },
        { 'overlays/prod': null, 'overlays/prod/v.yaml': 'p: 1\n', 'overlays/prod/deep/w.yaml': 'p: 1\n' },
        { 'overlays/prod/v.yaml': 'p: 2\n' },
      ],
      layout,
    );
    const [link = '', folder = '', newest = ''] = ids;
    const tree = (commit: string) => repo.git('rev-parse', `${commit}^{tree}`);
    for (const to of [link, folder, link, newest]) {
      await rollBack(engine, { scope: 'prod', to, allowRemoval: true });
      expect(await tree('main')).toBe(await tree(to));
    }
    expect(await engine.plan({ scope: 'prod', to: link })).toMatchObject({
      plan: { files: [{ path: 'overlays/prod', after: { mode: '120000' } }, {}, {}] },
    });
  });

  it('come back as they were: a submodule with a warning, names that are not UTF-8 without', async () => {
    const { engine, repo, ids } = await planning([{ [`${API}/a`]: '1' }, { [`${API}/a`]: '2' }]);
    const entries = [
      `M 160000 ${'d'.repeat(40)} ${API}/lib`,
      `M 100644 inline "${API}/\\377.yaml"\ndata 4\na: 1`,
      `M 100644 inline "${API}/\\303\\050/x"\ndata 4\na: 1`,
    ];
    const odd = await commitEntries(repo, entries);
    const tree = await repo.git('rev-parse', `${odd}:${API}`);
    await repo.replay([{ files: { [API]: null, [`${API}/a`]: '3' } }]);
    expect((await engine.history({ scope: 'acme/prod/api', limit: 9 })).total).toBe(4);
    const plan = await planOf(engine, { to: odd });
    expect(plan.findings.filter(({ severity }) => severity !== 'info')).toEqual([
      expect.objectContaining({ code: 'SUBMODULE_IN_SCOPE', severity: 'warn', path: `${API}/lib` }),
    ]);
    expect(plan.files.map(({ path }) => path)).toEqual([
      `${API}/a`,
      `${API}/lib`,
      `${API}/\udcc3(/x`,
      `${API}/\udcff.yaml`,
    ]);
    await rollBack(engine, { scope: 'acme/prod/api', to: odd });
    expect(await repo.git('rev-parse', `main:${API}`)).toBe(tree);
    await rollBack(engine, { scope: 'acme/prod', to: ids[0] ?? '' });
    expect(await repo.git('ls-tree', '-r', '--name-only', 'main', `${API}/`)).toBe(`${API}/a`);
  });

  it('outside the scope do not matter', async () => {
    const { engine, repo } = await planning([{ [`${API}/a`]: '1' }, { [`${API}/a`]: '2' }]);
    await commitEntries(repo, [
      `M 160000 ${'d'.repeat(40)} ${ENV}/services/web/lib`,
      `M 100644 inline "\\377"`,
      'data 1',
      'a',
    ]);
    expect(blocks(await planOf(engine))).toEqual([]);
    expect((await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' })).status).toBe('completed');
  });

  it('are no links: a link comes back as a link, and is never followed', async () => {
    const { engine, repo } = await planning([
      { [`${API}/link`]: { link: '../../../../etc/passwd' }, [`${API}/dir`]: { link: '/' } },
      { [`${API}/link`]: 'text', [`${API}/dir`]: null, [`${API}/dir/file`]: '1' },
    ]);
    const plan = await planOf(engine);
    expect(blocks(plan)).toEqual([]);
    expect(JSON.stringify(plan.changes)).not.toContain('root:');
    await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' });
    const tree = await repo.git('ls-tree', '-r', 'main', `${API}/`);
    expect(tree.split('\n').map((line) => line.slice(0, 6))).toEqual(['120000', '120000']);
  });

  it.runIf(isProof)('that are too large to be shown are restored all the same', async () => {
    const large = (text: string) => text.repeat(3_000_000);
    const { engine, repo } = await planning([
      { [`${API}/x.yaml`]: large('a: 1\n') },
      { [`${API}/x.yaml`]: large('b: 1\n') },
    ]);
    const plan = await planOf(engine);
    expect(blocks(plan)).toEqual([]);
    await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' });
    expect(await repo.git('rev-parse', `main:${API}/x.yaml`)).toBe(plan.files[0]?.after?.id);
  });
});
