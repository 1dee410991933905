import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, utimesSync } from 'node:fs';
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mirrorFolder } from '../../../../engine/git/remote/mirror-cache.ts';
import { createRepo, temporaryFolder, type Repo } from '../../../helpers/repositories/repo.ts';
import { open } from '../open.ts';
import { isProof } from '../../../helpers/run/proof.ts';

const KB = 1024;

/** A remote of about 100 KB; its mirror was last fetched so many days ago. */
async function remote(): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.replay([{ files: { a: randomBytes(100 * KB) } }]);
  return repo;
}

const locationOf = ({ folder }: Repo) => `file://${folder}`;
const nameOf = (repo: Repo) => basename(mirrorFolder('/', locationOf(repo)));
const mirrors = (cacheFolder: string) => readdir(join(cacheFolder, 'mirrors'));

async function openIn(cacheFolder: string, repo: Repo, cacheLimit?: number) {
  return open(repo, { location: locationOf(repo), cacheFolder, cacheLimit });
}

async function fetchedBefore(cacheFolder: string, repo: Repo, days: number): Promise<void> {
  await (await openIn(cacheFolder, repo)).close();
  const time = new Date(Date.now() - days * 86_400_000);
  await utimes(join(mirrorFolder(cacheFolder, locationOf(repo)), 'backtrail-fetched'), time, time);
}

async function three(): Promise<{ cacheFolder: string; repos: [Repo, Repo, Repo] }> {
  const cacheFolder = await temporaryFolder();
  const repos: [Repo, Repo, Repo] = [await remote(), await remote(), await remote()];
  await fetchedBefore(cacheFolder, repos[0], 2);
  await fetchedBefore(cacheFolder, repos[1], 3);
  return { cacheFolder, repos };
}

test.each(['', 'mirrors', 'in-use'])(
  'a cache folder with a file at /%s is named, with what to do',
  async (name) => {
    const cacheFolder = join(await temporaryFolder(), 'cache');
    if (name !== '') await mkdir(cacheFolder);
    await writeFile(name === '' ? cacheFolder : join(cacheFolder, name), 'x');
    await expect(openIn(cacheFolder, await remote())).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining(cacheFolder) as unknown,
      hint: expect.stringContaining('XDG_CACHE_HOME') as unknown,
    });
  },
);

test('a lock without a name, of a process killed while it made it, is soon taken over', async () => {
  const [cacheFolder, repo] = [await temporaryFolder(), await remote()];
  await mkdir(join(cacheFolder, 'mirrors'));
  const lock = `${mirrorFolder(cacheFolder, locationOf(repo))}.lock`;
  await writeFile(lock, '');
  // Never as old as a lock with a name has to be.
  const age = () => utimesSync(lock, Date.now() / 1000 - 5, Date.now() / 1000 - 5);
  age();
  const ageing = setInterval(() => existsSync(lock) && age(), 20);
  onTestFinished(() => clearInterval(ageing));
  await (await openIn(cacheFolder, repo)).close();
  expect(existsSync(lock)).toBe(false);
});

test('a file that stands in the place of a mirror gives way to one', async () => {
  const [cacheFolder, repo] = [await temporaryFolder(), await remote()];
  await mkdir(join(cacheFolder, 'mirrors'));
  await writeFile(mirrorFolder(cacheFolder, locationOf(repo)), 'x');
  const git = await openIn(cacheFolder, repo);
  expect(await git.tip('main')).toBe(await repo.git('rev-parse', 'main'));
  await git.close();
});

describe('mirrors that are too large together', () => {
  test('go, the one first that was not fetched for the longest time', async () => {
    const { cacheFolder, repos } = await three();
    await (await openIn(cacheFolder, repos[2], 280 * KB)).close();
    expect((await mirrors(cacheFolder)).toSorted()).toEqual([nameOf(repos[0]), nameOf(repos[2])].toSorted());
    await (await openIn(cacheFolder, repos[1])).close();
    expect(await mirrors(cacheFolder)).toHaveLength(3);
  });

  test.runIf(isProof)('go but for the one that is being opened', async () => {
    const { cacheFolder, repos } = await three();
    const git = await openIn(cacheFolder, repos[2], 1);
    expect(await git.defaultBranch()).toBe('main');
    await git.close();
    expect(await mirrors(cacheFolder)).toEqual([nameOf(repos[2])]);
  });

  test.runIf(isProof)('stay where there is room', async () => {
    const { cacheFolder, repos } = await three();
    await (await openIn(cacheFolder, repos[2], 1024 * KB)).close();
    expect(await mirrors(cacheFolder)).toHaveLength(3);
  });

  test('stay while another process has them open, and go when it was killed', async () => {
    const { cacheFolder, repos } = await three();
    const folder = join(cacheFolder, 'in-use', nameOf(repos[1]));
    await mkdir(folder, { recursive: true });
    const other = spawn('sleep', ['60']);
    await writeFile(join(folder, 'x'), JSON.stringify({ pid: other.pid, host: hostname(), token: 'x' }));
    await (await openIn(cacheFolder, repos[2], 1)).close();
    expect((await mirrors(cacheFolder)).toSorted()).toEqual([nameOf(repos[1]), nameOf(repos[2])].toSorted());
    other.kill('SIGKILL');
    await once(other, 'close');
    await (await openIn(cacheFolder, repos[0], 1)).close();
    expect(await mirrors(cacheFolder)).toEqual([nameOf(repos[0])]);
  });

  test.runIf(isProof)(
    'go where the claim on them was silent for a day, whoever has that process id now',
    async () => {
      const { cacheFolder, repos } = await three();
      const claim = join(cacheFolder, 'in-use', nameOf(repos[1]), 'x');
      await mkdir(join(claim, '..'), { recursive: true });
      await writeFile(claim, JSON.stringify({ pid: process.pid, host: hostname(), token: 'x' }));
      const time = new Date(Date.now() - 86_400_000);
      await utimes(claim, time, time);
      await (await openIn(cacheFolder, repos[2], 1)).close();
      expect(await mirrors(cacheFolder)).toEqual([nameOf(repos[2])]);
    },
  );

  test.runIf(isProof)('stay while this process has them open', async () => {
    const { cacheFolder, repos } = await three();
    const first = await openIn(cacheFolder, repos[0]);
    await (await openIn(cacheFolder, repos[2], 1)).close();
    expect((await mirrors(cacheFolder)).toSorted()).toEqual([nameOf(repos[0]), nameOf(repos[2])].toSorted());
    await first.refresh();
    await first.close();
    expect(await readdir(join(cacheFolder, 'in-use', nameOf(repos[0])))).toEqual([]);
  });

  test('take what killed processes began to make or to remove with them', async () => {
    const { cacheFolder, repos } = await three();
    const left = (ending: string) => join(cacheFolder, 'mirrors', `${nameOf(repos[0])}.${ending}`);
    await mkdir(left('new-dead'));
    await mkdir(left('old-dead'));
    await (await openIn(cacheFolder, repos[2], 1024 * KB)).close();
    expect(await mirrors(cacheFolder)).toHaveLength(3);
  });
});

test('a cache folder that cannot be written to any more is said to be that, also by what is open', async () => {
  const [cacheFolder, repo] = [await temporaryFolder(), await remote()];
  const git = await openIn(cacheFolder, repo);
  await rename(join(cacheFolder, 'mirrors'), join(cacheFolder, 'elsewhere'));
  await writeFile(join(cacheFolder, 'mirrors'), '');
  await expect(git.refresh()).rejects.toMatchObject({
    code: 'GIT_FAILED',
    message: expect.stringContaining('cannot be used: ENOTDIR') as unknown,
  });
  await rm(join(cacheFolder, 'mirrors'));
  await rename(join(cacheFolder, 'elsewhere'), join(cacheFolder, 'mirrors'));
  await git.refresh();
});
