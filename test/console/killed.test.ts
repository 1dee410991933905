/** A server that is killed in the middle of a rollback, and what a browser sees of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  builtConsole,
  expectNothingWrong,
  hasChromium,
  needsChromium,
  openBrowser,
  openPage,
} from '../helpers/program/browser.ts';
import { compiled } from '../helpers/program/compiled.ts';
import { type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { closeAfterTest } from '../helpers/run/lifetime.ts';
import { isProof } from '../helpers/run/proof.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { freePort } from '../helpers/servers/server.ts';
import { decisionRepo } from './decision-scene.ts';

const redis = useRedis();

interface Served {
  readonly url: string;
  readonly token: string;
  /** A rollback is in the step that it is to be held in. */
  readonly held: Promise<void>;
  /** As the system's out-of-memory killer would. */
  kill(): Promise<void>;
}

async function serve(repo: Repo, { port, holdAt }: { port: number; holdAt?: string }): Promise<Served> {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const page = await builtConsole();
  const how = { redisUrl: redis.url, repo: repo.folder, page, port, cacheFolder, holdAt };
  const child = spawn(
    process.execPath,
    [compiled('test/helpers/servers/console-process.ts'), JSON.stringify(how)],
    { env: { ...repo.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  closeAfterTest(() => end(child));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  let hold = (): void => undefined;
  const held = new Promise<void>((resolve) => (hold = resolve));
  const listening = new Promise<Pick<Served, 'url' | 'token'>>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const said = JSON.parse(line);
      if (said.held === undefined) resolve(said);
      else hold();
    });
    child.once('exit', () => reject(new Error(`It has ended: ${log}`)));
  });
  return { ...(await listening), held, kill: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe.skipIf(!hasChromium || !isProof)(`a server that is killed${needsChromium}`, () => {
  let browser: Browser;
  let repo: Repo;
  beforeAll(async () => {
    [browser, repo] = await Promise.all([openBrowser(), decisionRepo()]);
  });

  it('loses no rollback that it was executing, and does it once', async () => {
    const before = await repo.git('rev-parse', 'main');
    const port = await freePort();
    const first = await serve(repo, { port, holdAt: 'staged' });
    const at = '/e/acme/staging/rollback?step=preview&mode=full&to=v1';
    const open = await openPage(browser, first, { at });
    const { page } = open;
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('It hurts');
    await page.getByRole('button', { name: 'Submit rollback' }).click();
    await page.waitForURL(/\/requests\/rbk-/);
    await first.held;
    const { pathname } = new URL(page.url());
    await first.kill();
    await page.getByRole('status').filter({ hasText: 'Not live' }).waitFor();
    // What was known stays on the page.
    await page.getByRole('region', { name: 'Request' }).getByText('It hurts').waitFor();
    expect(await repo.git('rev-parse', 'main')).toBe(before);

    const second = await serve(repo, { port });
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await open.go(`${pathname}#token=${second.token}`);
    await page.getByText('It is in Git: commit').waitFor();
    expect(await repo.git('show', 'main:apps/acme/staging/web/app.yaml')).toContain('web:1.0.0');
    const id = pathname.split('/').at(-1) ?? '';
    const made = await repo.git('log', '--format=%H', `--grep=^Rollback-Request-ID: ${id}$`, 'main');
    expect(made.split('\n').filter((line) => line !== '')).toHaveLength(1);
    expectNothingWrong(open);
  });
});
