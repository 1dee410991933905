import { readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isFailure } from '../../../../engine/model/index.ts';
import { createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { append, appendSurely, event, REF, remote, serve } from './ledger-events.ts';
import { open } from '../open.ts';
import { isProof, someOf } from '../../../helpers/run/proof.ts';

describe('a ledger that was forced back', () => {
  async function seen(kind: 'local' | 'remote') {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const location = kind === 'local' ? repo.folder : `file://${repo.folder}`;
    const anew = () => open(repo, { location, cacheFolder });
    const git = await anew();
    const [first = ''] = await append(git, null);
    const [second = ''] = await append(git, first);
    return { repo, cacheFolder, git, anew, first, second };
  }

  test.each(someOf(['local', 'remote'] as const, 1))('is noticed, in whatever process: %s', async (kind) => {
    const { repo, git, anew, first, second } = await seen(kind);
    await repo.git('update-ref', REF, first);
    for (const each of [git, await anew()])
      await expect(each.ledger.tip(REF)).rejects.toMatchObject({
        code: 'LEDGER_REWOUND',
        message: expect.stringMatching(
          new RegExp(`${first.slice(0, 12)}.*${second.slice(0, 12)}`),
        ) as unknown,
        hint: expect.stringContaining(`${second}:${REF}`) as unknown,
      });
    await repo.git('update-ref', REF, second);
    expect(await git.ledger.tip(REF)).toBe(second);
  });

  test.each(someOf(['local', 'remote'] as const, 1))('is noticed when it is gone: %s', async (kind) => {
    const { repo, git, anew } = await seen(kind);
    await repo.git('update-ref', '-d', REF);
    for (const each of [git, await anew()])
      await expect(each.ledger.tip(REF)).rejects.toMatchObject({
        code: 'LEDGER_REWOUND',
        message: expect.stringContaining('is gone') as unknown,
      });
    await expect(append(git, null)).resolves.toHaveLength(1);
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
  });

  test.each(someOf(['local', 'remote'] as const, 1))('comes back by what the hint says: %s', async (kind) => {
    const { repo, git, first, second } = await seen(kind);
    await repo.git('update-ref', REF, first);
    const error: unknown = await git.ledger.tip(REF).catch((error: unknown) => error);
    const command = isFailure(error) ? (/`git ([^`]+)`/.exec(error.hint)?.[1] ?? '') : '';
    await repo.git(...command.split(' '));
    expect(await git.ledger.tip(REF)).toBe(second);
  });

  test.runIf(isProof)(
    'is noticed however the repository is spelled, and under an address never used before',
    async () => {
      const { repo, cacheFolder, first, second } = await seen('remote');
      await repo.git('update-ref', REF, first);
      const folder = repo.folder;
      const link = join(await temporaryFolder(), 'link.git');
      await symlink(folder, link);
      for (const location of [
        folder,
        `file://localhost${folder}`,
        `file://${folder}/`,
        `file://${folder.replace('/tmp/', '/tmp//')}`,
        `file://${folder}/../${basename(folder)}`,
        link,
        `file://${link}`,
      ]) {
        const git = await open(repo, { location, cacheFolder });
        await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
      }
      const elsewhere = join(await temporaryFolder(), 'elsewhere.git');
      await rename(folder, elsewhere);
      const git = await open(repo, { location: `file://${elsewhere}`, cacheFolder });
      await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
      await rename(elsewhere, folder);
      await repo.git('update-ref', REF, second);
      expect(await (await open(repo, { location: `file://${folder}/`, cacheFolder })).ledger.tip(REF)).toBe(
        second,
      );
    },
  );

  test.runIf(isProof)('is noticed where another ledger took its place', async () => {
    const { repo, git, second } = await seen('remote');
    const tree = await repo.git('rev-parse', `${second}^{tree}`);
    await repo.git('update-ref', REF, await repo.git('commit-tree', '-m', 'another root', tree));
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
  });

  test.runIf(isProof)(
    'is noticed by a mirror that was removed and fetched anew, which lacks what was seen',
    async () => {
      const { repo, cacheFolder, git, anew, first, second } = await seen('remote');
      await git.close();
      await repo.git('update-ref', REF, first);
      await rm(join(cacheFolder, 'mirrors'), { recursive: true });
      const again = await anew();
      await expect(again.ledger.tip(REF)).rejects.toMatchObject({
        code: 'LEDGER_REWOUND',
        hint: expect.stringContaining('from a copy that has it') as unknown,
      });
      expect(await again.objects.commit(second).catch(() => null)).toBeNull();
    },
  );

  test('is trusted as it is where the files that the hint names were removed', async () => {
    const { repo, git, first } = await seen('local');
    await repo.git('update-ref', REF, first);
    const error: unknown = await git.ledger.tip(REF).catch((error: unknown) => error);
    const files = z.array(z.string()).parse(isFailure(error) ? error.details['files'] : null);
    expect(isFailure(error) && error.hint).toContain(files.join(' and '));
    for (const file of files) await rm(file);
    expect(await git.ledger.tip(REF)).toBe(first);
  });

  test('is remembered outside the repository, readable for its user alone, without a password', async () => {
    const repo = await remote();
    const location = (await serve(repo)).replace('http://', 'http://me:s3cret@');
    const cacheFolder = await temporaryFolder();
    const git = await open(repo, { location, cacheFolder });
    const [first = ''] = await append(git, null);
    const folder = join(cacheFolder, 'ledgers');
    const names = await readdir(folder);
    expect(names).toHaveLength(2);
    for (const name of names) {
      expect(name).toMatch(/^[0-9a-f]{64}\.json$/);
      const file = join(folder, name);
      const text = await readFile(file, 'utf8');
      expect(JSON.parse(text)).toMatchObject({ ref: REF, tip: first, root: first });
      expect(text).not.toContain('s3cret');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    // Another password is no other repository.
    const other = await open(repo, { location: location.replace('s3cret', 'other'), cacheFolder });
    await repo.git('update-ref', '-d', REF);
    await expect(other.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
  });

  test('is not guessed where what was seen cannot be read: the file is named', async () => {
    const { git, cacheFolder } = await seen('local');
    const names = await readdir(join(cacheFolder, 'ledgers'));
    const repos = await Promise.all(
      names.map((name) => readFile(join(cacheFolder, 'ledgers', name), 'utf8')),
    );
    const file = join(
      cacheFolder,
      'ledgers',
      names[repos.findIndex((text) => !text.includes('root:'))] ?? '',
    );
    for (const text of ['', '{"tip":', '{}', '{"repo":"x","ref":"x","tip":"--all"}']) {
      await writeFile(file, text);
      await expect(git.ledger.tip(REF)).rejects.toMatchObject({
        code: 'GIT_FAILED',
        message: expect.stringContaining(file) as unknown,
      });
    }
    await rm(join(cacheFolder, 'ledgers'), { recursive: true });
    await writeFile(join(cacheFolder, 'ledgers'), '');
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining(cacheFolder) as unknown,
      hint: expect.stringContaining('XDG_CACHE_HOME') as unknown,
    });
  });

  test('is the same for each way to a repository: a folder in it, a linked worktree', async () => {
    const repo = await createRepo();
    await repo.commit({ 'dir/a': '1' });
    const linked = join(await temporaryFolder(), 'linked');
    await repo.git('worktree', 'add', '-q', '--detach', linked);
    const cacheFolder = await temporaryFolder();
    await append(await open(repo, { cacheFolder }), null);
    await repo.git('update-ref', '-d', REF);
    for (const location of [join(repo.folder, 'dir'), linked]) {
      const git = await open(repo, { location, cacheFolder });
      await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
    }
  });

  test.runIf(isProof)('is not what others append while a person looks', async () => {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const writer = await open(repo, { cacheFolder });
    const readers = await Promise.all([open(repo, { cacheFolder }), open(repo, { cacheFolder })]);
    const writing = (async () => {
      for (let count = 0; count < 25; count += 1) await appendSurely(writer, event());
    })();
    let looks = 0;
    const over = writing.then(() => 'over');
    const reading = readers.map(async ({ ledger }) => {
      while ((await Promise.race([over, ledger.tip(REF)])) !== 'over') looks += 1;
    });
    await Promise.all([...reading, writing]);
    expect(looks).toBeGreaterThan(10);
  });
});
