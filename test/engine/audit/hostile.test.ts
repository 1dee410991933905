/** What git takes and never writes itself: an audit finds it, and neither stops nor hangs. */
import { beforeAll, describe, expect, it } from 'vitest';
import { forge } from '../../helpers/people/forge.ts';
import { ask, createTeam, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { copyRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { createAudited, rewrite } from './scene.ts';

describe('an audit of what git itself never writes', () => {
  let repo: Repo;
  let commits: string[];
  beforeAll(async () => {
    const { engine, ...scene } = await createAudited();
    ({ repo } = scene);
    commits = [(await rollBack(engine, { scope: 'prod/api' })).commit ?? ''];
  });

  it('finds a folder that is not as git writes it', async () => {
    const [first = ''] = commits;
    const odd = async (how: (tree: Buffer) => Buffer) => {
      const changed = await rewrite(repo, first, { tree: how });
      const { rows } = await (await engineOf(changed.repo)).audit.verify();
      const found = rows.find(({ commit }) => commit === changed.commit);
      return found?.problems.map(({ code }) => code);
    };
    const blob = await repo.git('rev-parse', `${first}:README.md`);
    const entry = (name: string, mode = '100644', id = blob) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
    const empty = await repo.gitWith({ input: '' }, ['hash-object', '-t', 'tree', '-w', '--stdin']);
    const last = (end: Buffer) => (tree: Buffer) => Buffer.concat([tree, end]);
    for (const how of [
      last(entry('apps/prod/api/app.yaml')),
      last(entry('zz', '40000', empty)),
      last(entry('README.md')),
    ])
      expect(await odd(how)).toContain('TREE_MALFORMED');
    expect(await odd((tree) => Buffer.concat([tree.subarray(-33), tree.subarray(0, -33)]))).toEqual([
      'TREE_MALFORMED',
    ]);
  });

  it('goes on where a configuration is no file', async () => {
    const copy = await copyRepo(repo);
    const tip = await copy.git('rev-parse', 'main');
    const apps = await copy.git('rev-parse', 'main:apps');
    const env = { GIT_INDEX_FILE: `${copy.gitDir}/index-odd` };
    const folder = await copy.gitWith({ input: `040000 tree ${apps}\tconfig.yaml\n` }, ['mktree']);
    const root = await copy.git('ls-tree', tip);
    const input = `${root.replace(/^040000 tree .*\t\.backtrail$/m, `040000 tree ${folder}\t.backtrail`)}\n`;
    const tree = await copy.gitWith({ input }, ['mktree']);
    const message = await copy.git('log', '-1', '--format=%B', tip);
    const commit = (of: string, parent: string, input: string) =>
      copy.gitWith({ env, input }, ['commit-tree', of, '-p', parent]);
    const odd = await commit(tree, tip, 'No configuration');
    const rollback = await commit(tree, odd, message);
    await copy.git('update-ref', 'refs/heads/main', await commit(`${tip}^{tree}`, rollback, 'Back'));
    const { rows } = await (await engineOf(copy)).audit.verify();
    const found = rows.find((row) => row.commit === rollback);
    expect(found?.problems.map(({ code }) => code)).toContain('CONFIG_UNREADABLE');
  });

  it('is done soon with a long message that is nearly ours', async () => {
    const copy = await copyRepo(repo);
    const input = `x: tenant/${' env/ → revision '.repeat(100_000)}`;
    const commit = await copy.gitWith({ input }, ['commit-tree', 'main^{tree}', '-p', 'main']);
    await copy.git('update-ref', 'refs/heads/main', commit);
    const { outside } = await (await engineOf(copy)).audit.verify();
    expect(outside).toEqual([]);
  });

  it('finds a state that is nested deeper than a program can follow', async () => {
    const { repo, jane, bob, janes, bobs, signers } = await stageOf(createTeam());
    const { id } = await ask(janes, jane);
    await bobs.requests.approve({ id, actor: bob });

    const [path = ''] = (await repo.git('ls-tree', '-r', '--name-only', LEDGER, 'requests/')).split('\n');
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const text = await repo.git('cat-file', 'blob', `${LEDGER}:${path}`);
    const last = await repo.git('log', '-1', '--format=%an%n%ae%n%aI%n%B', LEDGER);
    const [name = '', email = '', date = '', ...message] = last.split('\n');
    await forge(repo, {
      files: { [path]: `${text.replace('"state": {', `"state": {\n    "deep": ${deep},`)}\n` },
      author: { name, email },
      message: message.join('\n'),
      parents: [await repo.git('rev-parse', `${LEDGER}^`)],
      date,
    });
    const { ledger } = await (await engineOf(repo, { allowedSigners: signers })).audit.verify();
    expect(ledger.problems.map(({ code }) => code)).toContain('STATE_DIFFERS');
  });
});
