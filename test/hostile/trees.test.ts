import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backtrail, completedOf, refusalOf, stateOf } from '../helpers/program/cli.ts';
import { createRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const CONFIG = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n';
const SERVICE = 'production/web';
const FOLDER = 'apps/production/web';

/** One entry of a tree as `git mktree` takes it: any name, also one that no checkout may have. */
type Raw = readonly [mode: string, name: string, content: string];

/** Writes trees from the inside out and gives the commit; nothing of it is checked out. */
async function commitTree(
  repo: Repo,
  folder: string,
  entries: readonly Raw[],
  parents: readonly string[],
): Promise<string> {
  const lines = await Promise.all(
    entries.map(async ([mode, name, content]) => {
      const id =
        mode === '160000'
          ? content
          : mode === '040000'
            ? await makeTree(repo, content)
            : await blob(repo, content);
      return `${mode} ${mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob'} ${id}\t${name}\0`;
    }),
  );
  let tree = await repo.gitWith({ input: lines.join('') }, ['mktree', '-z', '--missing']);
  for (const name of folder.split('/').reverse())
    tree = await repo.gitWith({ input: `040000 tree ${tree}\t${name}\0` }, ['mktree', '-z']);
  const top = await repo.git('ls-tree', '-z', tree);
  const config = await repo.gitWith({ input: `100644 blob ${await blob(repo, CONFIG)}\tconfig.yaml\0` }, [
    'mktree',
    '-z',
  ]);
  const root = await repo.gitWith({ input: `040000 tree ${config}\t.backtrail\0${top}` }, ['mktree', '-z']);
  const args = parents.flatMap((parent) => ['-p', parent]);
  return repo.gitWith({ input: 'Change\n' }, ['commit-tree', root, ...args]);
}

const blob = (repo: Repo, content: string) =>
  repo.gitWith({ input: content }, ['hash-object', '-w', '--stdin']);
async function makeTree(repo: Repo, name: string): Promise<string> {
  return repo.gitWith({ input: `100644 blob ${await blob(repo, 'evil\n')}\t${name}\0` }, ['mktree', '-z']);
}

/** A repository whose service held these entries once, and holds something harmless now. */
async function repoOnceHeld(entries: readonly Raw[], options: { bare?: boolean } = {}): Promise<Repo> {
  const parent = await temporaryFolder();
  const folder = join(parent, 'inside/repo');
  await mkdir(folder, { recursive: true });
  await writeFile(join(parent, 'inside/victim'), 'untouched\n');
  const repo = await createRepo({ folder, bare: options.bare ?? false });
  const plain: Raw = ['100644', 'service.yaml', 'image: v1\n'];
  const bad = await commitTree(repo, FOLDER, [plain, ...entries], []);
  const good = await commitTree(repo, FOLDER, [['100644', 'service.yaml', 'image: v2\n']], [bad]);
  await repo.git('update-ref', 'refs/heads/main', good);
  if (!options.bare) await repo.git('reset', '--quiet', '--hard');
  return repo;
}

const BACK = ['rollback', SERVICE, '--to', 'v1', '--yes', '--reason', 'x'];

describe('a name that no checkout may have', () => {
  it.each(
    someOf<[title: string, entry: Raw]>(
      [
        ['.. as a file', ['100644', '..', 'x']],
        ['.. as a folder', ['040000', '..', 'victim']],
        ['. as a folder', ['040000', '.', 'x']],
        ['.git as a folder', ['040000', '.git', 'config']],
        ['.GIT as a folder', ['040000', '.GIT', 'config']],
        ['.git as a file', ['100644', '.git', 'gitdir: /tmp']],
        ['git~1 as a folder', ['040000', 'git~1', 'config']],
        ['.git with a trailing dot and blank', ['040000', '.git. ', 'config']],
        ['.git with an ignorable character', ['040000', '.g\u200cit', 'config']],
        ['.git::$INDEX_ALLOCATION', ['040000', '.git::$INDEX_ALLOCATION', 'config']],
        ['a backslash', ['100644', '..\\..\\victim', 'x']],
        ['.git as a link', ['120000', '.git', '/tmp']],
      ],
      4,
    ),
  )('%s: the rollback refuses with PATH_UNSAFE, nothing is written', async (_, entry) => {
    const repo = await repoOnceHeld([entry]);
    const before = await stateOf(repo);
    const refusal = refusalOf(await backtrail(repo, BACK), { afterPlan: true });
    expect(refusal).toMatchObject({ exit: 3, code: 'PATH_UNSAFE' });
    expect(await stateOf(repo)).toBe(before);
    expect(await readFile(join(repo.folder, '../victim'), 'utf8')).toBe('untouched\n');
    expect((await readdir(join(repo.folder, '..'))).sort()).toEqual(['repo', 'victim']);
    for (const command of [
      ['history', SERVICE],
      ['show', SERVICE, 'v1'],
      ['compare', SERVICE, 'v1'],
    ])
      expect(await backtrail(repo, command)).toMatchObject({ code: 0, stderr: '' });
  });

  it('in a folder that comes back as a whole is found as well, deep inside', async () => {
    const repo = await createRepo();
    const inner = await makeTree(repo, '.git');
    const deep = await repo.gitWith({ input: `040000 tree ${inner}\tb\0` }, ['mktree', '-z']);
    const first = await commitTree(repo, `${FOLDER}/a`, [['100644', 'service.yaml', 'x']], []);
    const tree = await repo.git('rev-parse', `${first}^{tree}`);
    const swapped = await replaceSubtree(repo, tree, `${FOLDER}/a`, deep);
    const bad = await repo.gitWith({ input: 'Bad\n' }, ['commit-tree', swapped]);
    const good = await commitTree(repo, FOLDER, [['100644', 'service.yaml', 'image: v2\n']], [bad]);
    await repo.git('update-ref', 'refs/heads/main', good);
    await repo.git('reset', '--quiet', '--hard');
    const before = await stateOf(repo);
    expect(refusalOf(await backtrail(repo, BACK), { afterPlan: true })).toMatchObject({
      exit: 3,
      code: 'PATH_UNSAFE',
    });
    expect(await stateOf(repo)).toBe(before);
  });

  it.runIf(isProof)('outside of the scope is none of its business', async () => {
    const repo = await createRepo({ bare: true });
    const first = await commitTree(repo, FOLDER, [['100644', 'service.yaml', 'image: v1\n']], []);
    const evil = await makeTree(repo, 'config');
    const graft = async (commit: string, parents: string[]) => {
      const top = await repo.git('ls-tree', '-z', commit);
      const tree = await repo.gitWith({ input: `${top}040000 tree ${evil}\t.git\0` }, ['mktree', '-z']);
      return repo.gitWith({ input: 'Change\n' }, [
        'commit-tree',
        tree,
        ...parents.flatMap((parent) => ['-p', parent]),
      ]);
    };
    const one = await graft(first, []);
    const second = await commitTree(repo, FOLDER, [['100644', 'service.yaml', 'image: v2\n']], []);
    const two = await graft(second, [one]);
    await repo.git('update-ref', 'refs/heads/main', two);
    const { commit } = completedOf(await backtrail(repo, [...BACK, '-o', 'json']));
    expect(await repo.git('diff-tree', '-r', '--name-only', two, commit)).toBe(`${FOLDER}/service.yaml`);
  });
});

describe('a submodule', () => {
  it('comes back as an entry: nothing is fetched or checked out, and the plan says so', async () => {
    const repo = await repoOnceHeld([
      ['160000', 'library', '1'.repeat(40)],
      ['100644', '.gitmodules', '[submodule "x"]\n\tpath = library\n\turl = ext::sh -c "touch /tmp/x"\n'],
    ]);
    const compared = await backtrail(repo, ['compare', SERVICE, 'v1']);
    expect(compared.stdout).toContain(`Subproject commit ${'1'.repeat(40)}`);
    const transcript = await backtrail(repo, [...BACK, '-o', 'json']);
    const { commit, findings } = completedOf(transcript);
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'SUBMODULE_IN_SCOPE', severity: 'warn', path: `${FOLDER}/library` }),
    );
    expect(await repo.git('ls-tree', commit, `${FOLDER}/library`)).toBe(
      `160000 commit ${'1'.repeat(40)}\t${FOLDER}/library`,
    );
    expect(await readdir(join(repo.folder, FOLDER, 'library'))).toEqual([]);
    expect(await repo.git('status', '--porcelain')).toBe('');
  });
});

describe('links', () => {
  const LINKS: readonly Raw[] = [
    ['120000', 'absolute', '/etc/passwd'],
    ['120000', 'climbing', '../../../../victim'],
    ['120000', 'values.yaml', '../../../../victim'],
  ];

  it('come back as entries of the tree: nothing is read or written through them', async () => {
    const repo = await repoOnceHeld(LINKS);
    const shown = await backtrail(repo, ['show', SERVICE, 'v1']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).not.toMatch(/root:|untouched/);
    const { commit } = completedOf(await backtrail(repo, [...BACK, '-o', 'json']));
    const listed = await repo.git('ls-tree', commit, `${FOLDER}/`);
    for (const [mode, name, content] of LINKS)
      expect(listed).toContain(`${mode} blob ${await blob(repo, content)}\t${FOLDER}/${name}`);
    expect(await readFile(join(repo.folder, '../victim'), 'utf8')).toBe('untouched\n');
  });

  it('in the place of a folder of the scope lead nowhere', async () => {
    const repo = await createRepo();
    const outside = await temporaryFolder();
    await writeFile(join(outside, 'service.yaml'), 'mine: true\n');
    await repo.commit({ '.backtrail/config.yaml': CONFIG, [`${FOLDER}/service.yaml`]: 'image: v1\n' });
    await repo.commit({ [FOLDER]: { link: outside } });
    const shown = await backtrail(repo, ['show', SERVICE, 'v2']);
    expect(shown.stdout).not.toContain('mine: true');
    expect((await backtrail(repo, BACK)).code).toBe(0);
    // The link goes, as with `git restore`; what it led to stays as it was.
    expect((await lstat(join(repo.folder, FOLDER))).isDirectory()).toBe(true);
    expect(await readFile(join(repo.folder, FOLDER, 'service.yaml'), 'utf8')).toBe('image: v1\n');
    expect(await readFile(join(outside, 'service.yaml'), 'utf8')).toBe('mine: true\n');
  });

  it('are no file to take a field from', async () => {
    const repo = await createRepo();
    const outside = await temporaryFolder();
    await writeFile(join(outside, 'service.yaml'), 'password: hunter2\nimage: secret\n');
    await repo.commit({
      '.backtrail/config.yaml': CONFIG,
      [`${FOLDER}/service.yaml`]: { link: join(outside, 'service.yaml') },
    });
    await repo.commit({ [`${FOLDER}/service.yaml`]: 'image: v2\n' });
    const before = await stateOf(repo);
    const first = await repo.git('rev-parse', 'HEAD~1');
    const args = [
      'rollback',
      SERVICE,
      '--field',
      'service.yaml#/image',
      '--to',
      first,
      '--yes',
      '--reason',
      'x',
    ];
    const transcript = await backtrail(repo, args);
    expect(transcript).toMatchObject({ code: 3, stdout: '' });
    expect(transcript.stderr).not.toMatch(/hunter2|secret/);
    expect(await stateOf(repo)).toBe(before);
  });
});

describe('what cannot be restored', () => {
  it('a blob that is gone from the repository: an error with a code, and nothing moved', async () => {
    const repo = await repoOnceHeld([], { bare: true });
    const id = await repo.git('rev-parse', `main~1:${FOLDER}/service.yaml`);
    await rm(join(repo.folder, 'objects', id.slice(0, 2), id.slice(2)), { force: true });
    const before = await stateOf(repo);
    expect(refusalOf(await backtrail(repo, BACK), { afterPlan: true })).toMatchObject({
      exit: 1,
      code: 'OBJECT_MISSING',
    });
    expect(await stateOf(repo)).toBe(before);
  });
});

/** The tree with another tree in the place of one folder. */
async function replaceSubtree(repo: Repo, tree: string, path: string, by: string): Promise<string> {
  const [name = '', ...rest] = path.split('/');
  const entries = (await repo.git('ls-tree', '-z', tree)).split('\0').filter((line) => line !== '');
  const lines = await Promise.all(
    entries.map(async (line) => {
      const [meta = '', entry] = line.split('\t');
      if (entry !== name) return line;
      const next =
        rest.length === 0 ? by : await replaceSubtree(repo, meta.split(' ')[2] ?? '', rest.join('/'), by);
      return `040000 tree ${next}\t${name}`;
    }),
  );
  return repo.gitWith({ input: `${lines.join('\0')}\0` }, ['mktree', '-z']);
}
