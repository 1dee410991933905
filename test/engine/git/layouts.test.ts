import { mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { cloneRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

/** Where a repository keeps its objects and refs is git's own business. */

const CONFIG = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n';
const FILE = 'apps/production/web/service.yaml';

/** A clone that is on its own: published is here. */
async function clonedAlone(of: Repo, options: Parameters<typeof cloneRepo>[1]): Promise<Repo> {
  const clone = await cloneRepo(of, options);
  await clone.git('remote', 'remove', 'origin');
  return clone;
}

async function source(): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit({ '.backtrail/config.yaml': CONFIG, [FILE]: 'image: v1\n' });
  await repo.commit({ [FILE]: 'image: v2\n' });
  return repo;
}

/** What stands on the branch after a rollback, and what git finds wrong with the repository then. */
async function rolledBack(repo: Repo): Promise<string[]> {
  const engine = await engineOf(repo);
  await rollBack(engine, { scope: 'production/web' });
  const { total } = await engine.history({ scope: 'production/web', limit: 9 });
  return [
    `${total} revisions`,
    await repo.git('show', `main:${FILE}`),
    await repo.git('fsck', '--strict', '--no-dangling'),
  ];
}
const RIGHT = ['3 revisions', 'image: v1', ''];

describe('objects of another repository (alternates)', () => {
  test.each(
    someOf(
      [
        ['a shared clone', ['--shared']],
        ['a bare shared clone', ['--shared', '--bare']],
      ],
      1,
    ),
  )('are read by %s, and nothing is written there', async (_, args) => {
    const origin = await source();
    const clone = await clonedAlone(origin, { args: args.slice(0, 1), bare: args.includes('--bare') });
    expect(await readFile(join(clone.gitDir, 'objects/info/alternates'), 'utf8')).toContain(origin.gitDir);
    const before = await origin.git('count-objects', '-v');
    expect(await rolledBack(clone)).toEqual(RIGHT);
    expect(await origin.git('count-objects', '-v')).toBe(before);
  });

  test.runIf(isProof)(
    'are read through a chain, by relative and by absolute paths, with comments between',
    async () => {
      const origin = await source();
      const middle = await cloneRepo(origin, { args: ['--shared'] });
      const clone = await clonedAlone(middle, { args: ['--shared'] });
      const objects = join(clone.gitDir, 'objects');
      const away = relative(objects, join(middle.gitDir, 'objects'));
      await writeFile(join(objects, 'info/alternates'), `# borrowed\n${away}\n/nowhere/at/all\n`);
      expect(await rolledBack(clone)).toEqual(RIGHT);
    },
  );

  test.runIf(isProof)('are read where a clone only refers to them', async () => {
    const origin = await source();
    const reference = await cloneRepo(origin, { bare: true });
    const clone = await clonedAlone(origin, { args: ['--no-local', '--reference', reference.folder] });
    expect(await rolledBack(clone)).toEqual(RIGHT);
  });

  test('that are gone are named as missing: nothing moves', async () => {
    const origin = await source();
    const clone = await clonedAlone(origin, { args: ['--shared', '--no-checkout'] });
    const tip = await clone.git('rev-parse', 'main');
    await rename(join(origin.gitDir, 'objects'), join(origin.gitDir, 'away'));
    const engine = await engineOf(clone);
    await expect(engine.plan({ scope: 'production/web' })).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(await readFile(join(clone.gitDir, 'refs/heads/main'), 'utf8')).toBe(`${tip}\n`);
  });
});

describe('packed refs', () => {
  test('are neither expanded nor written anew by a rollback, however many there are', async () => {
    const repo = await source();
    const tip = await repo.git('rev-parse', 'main');
    const many = Array.from(
      { length: 5_000 },
      (_, at) => `${tip} refs/heads/b/${String(at).padStart(5, '0')}\n`,
    );
    const file = join(repo.gitDir, 'packed-refs');
    const text = `# pack-refs with: peeled fully-peeled sorted \n${many.join('')}${tip} refs/heads/main\n`;
    await repo.git('pack-refs', '--all');
    await writeFile(file, text);
    await mkdir(join(repo.gitDir, 'refs/heads'), { recursive: true });
    await utimes(file, 1, 1);
    expect(await rolledBack(repo)).toEqual(RIGHT);
    expect((await stat(file)).mtimeMs).toBe(1_000);
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await repo.git('rev-parse', 'b/04999', 'main~1')).toBe(`${tip}\n${tip}`);
  });
});
