/** A repository with rollbacks of all modes in it, and commits of them written anew with something else in them. */
import { writeFile } from 'node:fs/promises';
import type { Engine } from '../../../engine/internal.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { copyRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const configOf = (more: object = {}) =>
  `${JSON.stringify({
    version: 1,
    layout: {
      environment: ['apps/{environment}/env.yaml'],
      service: ['apps/{environment}/{service}/**', 'values/{environment}.yaml#/{service}'],
    },
    keep: ['**/secret.yaml', '**/app.yaml#/pinned'],
    ...more,
  })}\n`;

const filesAt = (version: string) => ({
  'apps/prod/env.yaml': `region: ${version}\n`,
  'apps/prod/api/app.yaml': `image: ${version}\nreplicas: 1\npinned: ${version}\n`,
  'apps/prod/api/run.sh': { executable: `echo ${version}\n` },
  'apps/prod/api/secret.yaml': `key: ${version}\n`,
  'apps/prod/web/app.yaml': `image: ${version}\nreplicas: 1\n`,
  'values/prod.yaml': `api:\n  tag: ${version}\n  size: 1\nweb:\n  tag: ${version}\n`,
});

export async function createAudited(more: object = {}): Promise<{ repo: Repo; engine: Engine }> {
  const repo = await createRepo({ bare: true });
  await repo.replay([
    {
      files: {
        '.backtrail/config.yaml': configOf(more),
        'README.md': 'one\n',
        ...filesAt('v1'),
        'apps/prod/new/new.yaml': null,
      },
    },
    { files: { ...filesAt('v2'), 'apps/prod/new/new.yaml': 'image: v2\n' } },
    { files: { 'README.md': 'two\n' } },
  ]);
  return { repo, engine: await engineOf(repo, { lives: 'file' }) };
}

export interface Rewriting {
  /** The text of the commit object. */
  readonly text?: (text: string) => string;
  /** The bytes of its root folder. */
  readonly tree?: (bytes: Buffer) => Buffer;
  /** Lines of `git update-index --index-info` beside its own tree; null removes. */
  readonly files?: Readonly<Record<string, { readonly mode: string; readonly content: string } | null>>;
}

/** The branch as somebody would leave it who writes one commit anew, and all after it on top. Gives the new commit. */
export async function rewrite(
  repo: Repo,
  commit: string,
  { text = (same) => same, tree: bytes, files }: Rewriting,
) {
  const copy = await copyRepo(repo);
  const later = (await copy.git('rev-list', '--reverse', '--first-parent', `${commit}..main`)).split('\n');
  const write = (object: string) =>
    copy.gitWith({ input: object }, ['hash-object', '-t', 'commit', '-w', '--stdin', '--literally']);
  const before = `${await copy.git('cat-file', 'commit', commit)}\n`;
  const odd = bytes && (await oddTree(copy, commit, bytes));
  const tree = files === undefined ? (odd ?? null) : await treeWith(copy, commit, files);
  const changed = text(tree === null ? before : before.replace(/^tree .*/, `tree ${tree}`));
  const rewritten = await write(changed);
  let last = rewritten;
  let old = commit;
  for (const id of later.filter(Boolean)) {
    const next = `${await copy.git('cat-file', 'commit', id)}\n`;
    last = await write(next.replaceAll(old, last));
    old = id;
  }
  await copy.git('update-ref', 'refs/heads/main', last);
  return { repo: copy, commit: rewritten };
}

async function oddTree(repo: Repo, commit: string, how: NonNullable<Rewriting['tree']>): Promise<string> {
  const entries = (await repo.git('ls-tree', commit)).split('\n').map((line) => {
    const [, mode = '', id = '', name = ''] = /^0?(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? [];
    return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
  });
  const file = `${repo.gitDir}/odd-tree`;
  await writeFile(file, how(Buffer.concat(entries)));
  return repo.git('hash-object', '-t', 'tree', '-w', '--literally', file);
}

async function treeWith(repo: Repo, commit: string, files: NonNullable<Rewriting['files']>): Promise<string> {
  const env = { GIT_INDEX_FILE: `${repo.gitDir}/index-${commit}` };
  await repo.gitWith({ env }, ['read-tree', commit]);
  const lines = [];
  for (const [path, file] of Object.entries(files)) {
    const id = file && (await repo.gitWith({ input: file.content }, ['hash-object', '-w', '--stdin']));
    lines.push(file === null ? `0 ${'0'.repeat(40)}\t${path}\n` : `${file.mode} ${id}\t${path}\n`);
  }
  await repo.gitWith({ env, input: lines.join('') }, ['update-index', '--index-info']);
  return repo.gitWith({ env }, ['write-tree']);
}
