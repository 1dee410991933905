/**
 * The console as it is installed, in Debian's Chromium on loopback: what is transferred, when something is to be seen, and the longest task, by
 * the browser's own entries; and a difference of 5,000 lines that is scrolled through.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { serve, stop } from './http.ts';
import { NAMED } from './incident.ts';
import { git, median, say } from './measure.ts';

const LINES = 2500;
const COMPARE = '/e/-/prod/api/compare?from=v1';
const CONFIG = 'version: 1\nlayout: { service: ["envs/{environment}/{service}/**"] }\nkeep: []\n';

export async function benchConsole({
  folder,
  env,
  rounds,
}: {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly rounds: number;
}): Promise<void> {
  const repo = makeRepository(folder, env);
  const serving = await serve(repo, { ...env, ...NAMED, XDG_CACHE_HOME: join(folder, 'cache') });
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const token = serving.headers['authorization']?.replace('Bearer ', '') ?? '';
    const address = { url: serving.url, token };
    await benchFirst(browser, address, rounds);
    await benchScroll(browser, address);
  } finally {
    await browser.close();
    await stop(serving);
  }
}

/** Every line of a file differs between its two revisions. */
function makeRepository(folder: string, env: Record<string, string>): string {
  const repo = join(folder, 'console');
  mkdirSync(join(repo, 'envs/prod/api'), { recursive: true });
  mkdirSync(join(repo, '.backtrail'));
  const place = {
    cwd: repo,
    env: { ...env, ...NAMED, GIT_COMMITTER_NAME: 'Bench', GIT_COMMITTER_EMAIL: 'b@example.com' },
  };
  git(place, ['init', '--quiet', '--initial-branch=main']);
  writeFileSync(join(repo, '.backtrail/config.yaml'), CONFIG);
  for (const version of ['first', 'second']) {
    const lines = Array.from(
      { length: LINES },
      (_, index) => `line ${index} of the ${version} version, ${index * 7}`,
    );
    writeFileSync(join(repo, 'envs/prod/api/notes.txt'), `${lines.join('\n')}\n`);
    git(place, ['add', '--all']);
    git(place, ['commit', '--quiet', `--message=${version}`]);
  }
  return repo;
}

interface Address {
  readonly url: string;
  readonly token: string;
}

/** A profile of its own, signed in; tasks of more than 50 ms are remembered. */
async function openPage(browser: Browser, { url, token }: Address): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.addInitScript(
    `globalThis.tasks = [];
     new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
       .observe({ type: 'longtask', buffered: true });`,
  );
  await page.goto(`${url}/holds#token=${token}`);
  await page.locator('h1').waitFor();
  return page;
}

const longest = async (page: Page) => Math.max(0, ...(await page.evaluate<number[]>('tasks')));

async function benchFirst(browser: Browser, address: Address, rounds: number): Promise<void> {
  const [paints, tasks]: number[][] = [[], []];
  let bytes = 0;
  for (let round = 0; round < rounds; round += 1) {
    const page = await openPage(browser, address);
    // Nothing of it is known to the browser.
    const session = await page.context().newCDPSession(page);
    await session.send('Network.clearBrowserCache');
    await page.goto(`${address.url}/e/-/prod/api`);
    await page.getByRole('button', { name: /^Roll back/ }).waitFor();
    paints?.push(
      await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`),
    );
    tasks?.push(await longest(page));
    bytes = await page.evaluate<number>(
      `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
         .reduce((sum, { transferSize }) => sum + transferSize, 0)`,
    );
    await page.context().close();
  }
  say(`scope page: ${(bytes / 1000).toFixed(0)} kB transferred, answers of the API with it`);
  say(`first contentful paint: ${median(paints ?? []).toFixed(0)} ms (limit 300)`);
  say(`longest task: ${median(tasks ?? []).toFixed(0)} ms (0: none of more than 50)`);
}

async function benchScroll(browser: Browser, address: Address): Promise<void> {
  const page = await openPage(browser, address);
  await page.goto(`${address.url}${COMPARE}`);
  await page.locator('.lines').first().waitFor();
  await page.waitForTimeout(1000);
  const before = await longest(page);
  await page.evaluate('tasks.length = 0');
  for (let step = 0; step < 150; step += 1) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(30);
  }
  const rows = await page.locator('.lines .line').count();
  say(`difference of ${2 * LINES} lines: longest task ${before.toFixed(0)} ms until it is there`);
  say(
    `longest task while scrolling through ${rows} lines: ${(await longest(page)).toFixed(0)} ms (limit 200)`,
  );
}
