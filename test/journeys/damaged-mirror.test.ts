import { chmod, cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mirrorFolder } from '../../engine/git/remote/mirror-cache.ts';
import type { Notice } from '../../engine/internal.ts';
import { confirmation, engineOf } from '../helpers/repositories/engine.ts';
import { fixturesRepo } from '../helpers/repositories/fixtures.ts';
import { createRepo, temporaryFolder, type Repo } from '../helpers/repositories/repo.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const SCOPE = 'acme/production/api-gateway';

interface There {
  readonly location: string;
  readonly cacheFolder: string;
  readonly mirror: string;
}

let remote: Repo;
let template: string;
beforeAll(async () => {
  remote = await createRepo({ bare: true });
  await remote.git('fetch', '--quiet', await fixturesRepo(), '+refs/heads/*:refs/heads/*');
  template = join(await temporaryFolder(), 'cache');
  const location = `file://${remote.folder}`;
  const engine = await engineOf(remote, { location, cacheFolder: template });
  await engine.environments();
  await engine.close();
  const env = { GIT_DIR: mirrorFolder(template, location) };
  for (const args of [
    ['repack', '-a', '-d', '-q'],
    ['pack-refs', '--all'],
  ])
    await remote.gitWith({ env }, args);
});

/** A mirror, all objects in one pack, all refs in one file, as after some months. */
async function mirrored(): Promise<There> {
  const location = `file://${remote.folder}`;
  const cacheFolder = join(await temporaryFolder(), 'cache');
  await cp(template, cacheFolder, { recursive: true });
  const mirror = mirrorFolder(cacheFolder, location);
  await mkdir(join(mirror, 'refs/remotes/origin'), { recursive: true });
  return { location, cacheFolder, mirror };
}

async function fileIn(folder: string, ending: string): Promise<string> {
  const name = (await readdir(folder)).find((name) => name.endsWith(ending)) ?? '';
  const file = join(folder, name);
  await chmod(file, 0o644);
  return file;
}

const graph = (mirror: string) => fileIn(join(mirror, 'objects/info'), 'commit-graph');
const pack = (mirror: string, ending: string) => fileIn(join(mirror, 'objects/pack'), ending);

/** Overwrites part of a file: nearly all of it where nothing is said. */
async function scribble(file: string, from = 40, length?: number): Promise<void> {
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill('X', from, from + (length ?? bytes.length - from - 40)));
}

/** Overwrites what a commit-graph says of the newest commits: their trees and parents (gitformat-commit-graph). */
async function scribbleCommits(mirror: string): Promise<void> {
  const file = await graph(mirror);
  const bytes = await readFile(file);
  const start = Number(bytes.readBigUInt64BE(bytes.indexOf('CDAT') + 4));
  const end = Number(bytes.readBigUInt64BE(bytes.indexOf('CDAT') + 16));
  await scribble(file, start, end - start);
}

const DAMAGE: readonly [string, (mirror: string) => Promise<unknown>][] = [
  ['a pack that is cut off', async (mirror) => truncate(await pack(mirror, '.pack'), 2000)],
  ['a pack that was overwritten', async (mirror) => scribble(await pack(mirror, '.pack'))],
  ['an index of a pack that is cut off', async (mirror) => truncate(await pack(mirror, '.idx'), 100)],
  ['objects that are gone', (mirror) => rm(join(mirror, 'objects'), { recursive: true })],
  ['refs that are gone', (mirror) => rm(join(mirror, 'refs'), { recursive: true })],
  ['a HEAD that is empty', (mirror) => writeFile(join(mirror, 'HEAD'), '')],
  ['a HEAD that is gone', (mirror) => rm(join(mirror, 'HEAD'))],
  ['a HEAD of nonsense', (mirror) => writeFile(join(mirror, 'HEAD'), '\0\0\0\0')],
  ['packed refs that are cut off', (mirror) => truncate(join(mirror, 'packed-refs'), 60)],
  ['packed refs of nonsense', (mirror) => writeFile(join(mirror, 'packed-refs'), '\0\0\0\0\n')],
  ['a ref that is empty', (mirror) => writeFile(join(mirror, 'refs/remotes/origin/main'), '')],
  [
    'a ref to nothing',
    (mirror) => writeFile(join(mirror, 'refs/remotes/origin/main'), `${'1'.repeat(40)}\n`),
  ],
  ['a configuration of nonsense', (mirror) => writeFile(join(mirror, 'config'), '[[[')],
  ['a commit-graph with other trees and parents', scribbleCommits],
];

/** git goes on without what it cannot read here, or fetches it again by itself. */
const HARMLESS: readonly [string, (mirror: string) => Promise<unknown>][] = [
  ['a pack that is gone', async (mirror) => rm(await pack(mirror, '.pack'))],
  ['a commit-graph that is gone', async (mirror) => rm(join(mirror, 'objects/info/commit-graph'))],
  ['a commit-graph that is cut off', async (mirror) => truncate(await graph(mirror), 300)],
  ['a commit-graph of nonsense', async (mirror) => scribble(await graph(mirror))],
];

const ask = { scope: SCOPE, limit: 50 };

async function answers({ location, cacheFolder }: There) {
  const notices: Notice[] = [];
  const onNotice = (notice: Notice) => notices.push(notice);
  const engine = await engineOf(remote, { location, cacheFolder, onNotice });
  const { files, ...rest } = await engine.show({ scope: SCOPE, revision: 'v1' });
  const shown = { ...rest, files: files.map(({ text }) => text) };
  return { history: await engine.history(ask), shown, notices: notices.map(({ code }) => code) };
}

describe('a mirror with', () => {
  it.each(someOf(DAMAGE, 1))('%s answers as before, and is fetched anew, once', async (_, damage) => {
    const there = await mirrored();
    const before = await answers(there);
    expect(before.notices).toEqual([]);
    await damage(there.mirror);
    expect(await answers(there)).toEqual({ ...before, notices: ['MIRROR_RENEWED'] });
    expect(await answers(there)).toEqual(before);
    const name = there.mirror.split('/').at(-1);
    expect(await readdir(join(there.cacheFolder, 'mirrors'))).toEqual([name]);
    await remote.gitWith({ env: { GIT_DIR: there.mirror } }, ['fsck', '--no-dangling']);
  });

  it.each(someOf(HARMLESS, 1))('%s answers as before', async (_, damage) => {
    const there = await mirrored();
    const before = await answers(there);
    await damage(there.mirror);
    expect(await answers(there)).toEqual(before);
  });

  it('a damage that comes while it is open is mended in the midst of a rollback', async () => {
    const { location, cacheFolder, mirror } = await mirrored();
    const notices: Notice[] = [];
    const onNotice = (notice: Notice) => notices.push(notice);
    const engine = await engineOf(remote, { location, cacheFolder, onNotice });
    const request = confirmation(await engine.plan({ scope: SCOPE }));
    const result = await engine.execute(request, {
      onStep: async ({ step }) => {
        if (step === 'staged' && notices.length === 0)
          await writeFile(join(mirror, 'packed-refs'), 'nonsense\n');
      },
    });
    expect(result.status).toBe('completed');
    expect(notices.map(({ code }) => code)).toEqual(['MIRROR_RENEWED']);
    expect(await remote.git('rev-list', '--count', `${request.base}..main`)).toBe('2');
  });

  it.runIf(isProof)('damage stays as it is where the remote cannot be fetched from', async () => {
    const { location, cacheFolder, mirror } = await mirrored();
    await scribble(await pack(mirror, '.pack'));
    const damaged = await readFile(await pack(mirror, '.pack'));
    const away = `${remote.folder}.away`;
    await rename(remote.folder, away);
    const answer = engineOf(remote, { location, cacheFolder, offline: true }).then((engine) =>
      engine.environments(),
    );
    await expect(answer).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    await rename(away, remote.folder);
    expect(await readFile(await pack(mirror, '.pack'))).toEqual(damaged);
    expect(await readdir(join(cacheFolder, 'mirrors'))).toEqual([mirror.split('/').at(-1)]);
  });
});
