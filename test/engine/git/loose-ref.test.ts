import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { countingGit } from '../../helpers/repositories/counting-git.ts';
import { copyRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { append, REF, remote } from './ledger-events.ts';
import { open } from './open.ts';

let scene: Repo;
beforeAll(async () => {
  scene = await remote();
});

/** A repository that another person, with another cache folder, has just opened. */
async function opened() {
  const repo = await copyRepo(scene);
  const { path, asked } = await countingGit(repo);
  const git = await open({ ...repo, env: { ...repo.env, PATH: path } });
  const listed = async () => (await asked()).filter((line) => line.includes(`%(symref) ${REF}`)).length;
  const [event = ''] = await append(await open(repo), null);
  return { repo, git, event, listed, file: join(repo.gitDir, REF) };
}

describe('the tip of a ledger', () => {
  test('is read without a process where the ref is a file, and where nothing has it', async () => {
    const { repo, git, event, listed } = await opened();
    expect(await git.ledger.tip(REF)).toBe(event);
    expect(await git.ledger.tip('refs/backtrail/other')).toBeNull();
    const next = await repo.git('commit-tree', '-p', event, '-m', 'Next', `${event}^{tree}`);
    await repo.git('update-ref', REF, next);
    expect(await git.ledger.tip(REF)).toBe(next);
    expect(await listed()).toBe(0);
  });

  test('is found where it is packed, and where a file goes before what is packed', async () => {
    const { repo, git, event, listed } = await opened();
    await repo.git('pack-refs', '--all');
    expect(await git.ledger.tip(REF)).toBe(event);
    expect(await listed()).toBe(1);
    const next = await repo.git('commit-tree', '-p', event, '-m', 'Next', `${event}^{tree}`);
    await repo.git('update-ref', REF, next);
    expect(await git.ledger.tip(REF)).toBe(next);
    expect(await listed()).toBe(1);
  });

  test('is refused where the file names another ref, or something else than a commit', async () => {
    const { repo, git, event, file } = await opened();
    for (const text of ['ref: refs/heads/main', await repo.git('rev-parse', `${event}^{tree}`)]) {
      await writeFile(file, `${text}\n`);
      await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_TAMPERED' });
    }
  });

  test('is not taken for none where its commit is missing', async () => {
    const { git, file } = await opened();
    await writeFile(file, `${'f'.repeat(40)}\n`);
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });
});
