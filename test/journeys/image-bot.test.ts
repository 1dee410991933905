/** An image bot that moves what was rolled back: stopped by a hold, found by guard, refused by a hook, all as docs/holds.md says. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { backtrail } from '../helpers/program/cli.ts';
import { builtMain } from '../helpers/program/compiled.ts';
import { cloneRepo, createRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { isProof } from '../helpers/run/proof.ts';

const FILE = 'apps/prod/api/app.yaml';
const BOT = { name: 'Image Bot', email: 'bot@example.com' };
const CONFIG = {
  version: 1,
  branch: 'main',
  layout: { service: ['apps/{environment}/{service}/**'] },
  holds: { bots: [BOT.email] },
};
const app = (tag: string) => `image:\n  tag: ${tag} # {"$imagepolicy": "flux-system:api:tag"}\n`;

/** Moves every value with a marker to the newest version, as Flux's controller does. */
async function bump(repo: Repo, newest: string): Promise<boolean> {
  const text = `${await repo.git('show', `main:${FILE}`)}\n`;
  const moved = text.replace(/(tag: )\S+( # \{"\$imagepolicy")/, `$1${newest}$2`);
  if (moved === text) return false;
  await repo.replay([{ files: { [FILE]: moved }, author: BOT, message: `Bump to ${newest}` }]);
  return true;
}

/** Every 300 ms until it is ended; gives how often it looked, and how often it moved something. */
function startBot(repo: Repo, newest: string) {
  const done = { looks: 0, bumps: 0 };
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      if (await bump(repo, newest).catch(() => false)) done.bumps += 1;
      done.looks += 1;
      await sleep(300);
    }
  })();
  return {
    done,
    end: async () => {
      stop.abort();
      await running;
    },
  };
}

async function stage(): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.replay([
    { files: { '.backtrail/config.yaml': `${JSON.stringify(CONFIG)}\n`, [FILE]: app('v1') } },
    { files: { [FILE]: app('v2') }, author: BOT },
  ]);
  return repo;
}

const tagOf = async (repo: Repo) => /tag: (\S+)/.exec(await repo.git('show', `main:${FILE}`))?.[1];
const rollback = (repo: Repo, ...more: string[]) =>
  backtrail(repo, [
    'rollback',
    'prod/api',
    '--to',
    'v1',
    '--reason',
    'v2 answers 500',
    '--yes',
    '-o',
    'json',
    ...more,
  ]);

/** The shell scripts of docs/holds.md, by the word that follows `backtrail` in them. */
async function documented(words: string): Promise<string> {
  const page = await readFile(resolve(import.meta.dirname, '../../docs/holds.md'), 'utf8');
  const scripts = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, script = '']) => script);
  const found = scripts.filter((script) => script.trimEnd().endsWith(words));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

describe('an image bot that bumps every 300 ms', () => {
  it('moves a rollback on, and none with a hold', async () => {
    const repo = await stage();
    const bot = startBot(repo, 'v2');
    try {
      expect((await rollback(repo, '--no-hold')).code).toBe(0);
      await expect.poll(() => bot.done.bumps).toBe(1);
      expect(await tagOf(repo)).toBe('v2');
      expect((await rollback(repo)).code).toBe(0);
      const { looks, bumps } = bot.done;
      await expect.poll(() => bot.done.looks).toBeGreaterThan(looks + 3);
      expect(bot.done.bumps).toBe(bumps);
      expect(await tagOf(repo)).toBe('v1');
      expect((await backtrail(repo, ['guard'])).code).toBe(0);
      expect((await backtrail(repo, ['resume', 'prod/api', '--reason', 'v2 is mended', '--yes'])).code).toBe(
        0,
      );
      await expect.poll(() => bot.done.bumps).toBe(bumps + 1);
      expect(`${await repo.git('show', `main:${FILE}`)}\n`).toBe(app('v2'));
    } finally {
      await bot.end();
    }
  });

  it.runIf(isProof)('that writes anyway is found by guard, which prints what restores it', async () => {
    const repo = await stage();
    await rollback(repo);
    const clone = await cloneRepo(repo);
    await clone.git('config', 'user.name', BOT.name);
    await clone.git('config', 'user.email', BOT.email);
    await clone.commit({ [FILE]: 'image:\n  tag: v3\n' }, { author: BOT });
    const words = (await documented('guard --base origin/main --head HEAD')).trim().split(' ').slice(1);
    const found = await backtrail(clone, [...words, '-o', 'json']);
    expect(found.code).toBe(3);
    const { violations } = JSON.parse(found.stdout);
    expect(violations).toMatchObject([
      { path: FILE, selector: '/image/tag', held: 'v1', now: 'v3', author: BOT },
    ]);
    await clone.git('push', '--quiet', 'origin', 'HEAD:main');
    expect(await tagOf(repo)).toBe('v3');
    const words2 = (await documented('backtrail guard')).trim().split(' ').slice(1);
    const report = await backtrail(clone, words2);
    expect(report.code).toBe(3);
    expect(report.stdout).toContain(violations[0].restore);
    const { env } = await withProgram(repo);
    await promisify(execFile)('sh', ['-c', violations[0].restore], { cwd: repo.folder, env });
    expect(await tagOf(repo)).toBe('v1');
    expect((await backtrail(repo, ['guard'])).code).toBe(0);
  });

  it('is refused by the hook of the server, where a person who lifts the hold is not', async () => {
    const repo = await stage();
    const { env } = await withProgram(repo);
    await rollback(repo);
    const hook = join(repo.gitDir, 'hooks/pre-receive');
    await mkdir(join(repo.gitDir, 'hooks'), { recursive: true });
    await writeFile(`${hook}.new`, await documented('exec backtrail guard --pre-receive'));
    await chmod(`${hook}.new`, 0o755);
    await rename(`${hook}.new`, hook);
    const clone = await cloneRepo(repo);
    const push = () =>
      promisify(execFile)('git', ['push', 'origin', 'HEAD:main'], {
        cwd: clone.folder,
        env: { ...clone.env, PATH: env.PATH },
      });
    await clone.commit({ [FILE]: 'image:\n  tag: v3\n' }, { author: BOT });
    const refused = await push().then(
      () => '',
      ({ stderr }: { stderr: string }) => stderr,
    );
    expect(refused).toContain('is held at v1, and is v3');
    expect(refused).toContain('backtrail rollback prod/api');
    expect(await tagOf(repo)).toBe('v1');
    await clone.git('reset', '--quiet', '--hard', 'origin/main');
    await clone.commit({ 'README.md': 'x\n' }, { author: BOT });
    await push();
    await clone.git('rm', '--quiet', '-r', '.backtrail/holds');
    await clone.commit({ [FILE]: 'image:\n  tag: v3\n' });
    await push();
    expect(await tagOf(repo)).toBe('v3');
  });
});

/** An environment with `backtrail` on PATH, as it is installed. */
async function withProgram(repo: Repo) {
  const folder = await temporaryFolder();
  const file = join(folder, 'backtrail');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${builtMain()}' "$@"\n`, { mode: 0o755 });
  return {
    folder,
    env: { ...repo.env, NODE_DISABLE_COMPILE_CACHE: '1', PATH: `${folder}:${repo.env['PATH'] ?? ''}` },
  };
}
