/** `npm run docs:console`: pictures of the console for README and docs, of the demo repository, by Debian's Chromium (`CHROMIUM` names another). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { z } from 'zod';
import { buildFixturesRepo } from './build-fixtures-repo.ts';
import { say } from './narrate.ts';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const SCOPE = '/e/acme/production';

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'dark' | 'light';
  /** The button that leads to what is shown. */
  readonly press?: string;
}

const SCOPES = ['acme/production/api-gateway', 'globex/production/api-gateway', 'acme/production/web'];

const picturesOf = (requestId: string): readonly Picture[] => [
  { name: 'console-scope', path: SCOPE, width: 1280, height: 820, colorScheme: 'dark' },
  {
    name: 'console-compare',
    path: `${SCOPE}/compare?from=v17`,
    width: 1280,
    height: 820,
    colorScheme: 'light',
  },
  { name: 'console-phone', path: `${SCOPE}/api-gateway`, width: 390, height: 820, colorScheme: 'dark' },
  {
    name: 'console-preview',
    path: `${SCOPE}/api-gateway/rollback?step=preview&mode=service&to=v7`,
    width: 1280,
    height: 900,
    colorScheme: 'light',
  },
  {
    name: 'console-request',
    path: `/requests/${requestId}`,
    width: 1280,
    height: 900,
    colorScheme: 'dark',
  },
  {
    name: 'console-incident',
    path: `/incident?${new URLSearchParams(SCOPES.map((scope) => ['scope', scope])).toString()}`,
    press: 'Preview',
    width: 1280,
    height: 900,
    colorScheme: 'dark',
  },
];

const folder = await mkdtemp(join(tmpdir(), 'backtrail-pictures-'));
const env = {
  ...process.env,
  GIT_AUTHOR_NAME: 'Jane Doe',
  GIT_AUTHOR_EMAIL: 'jane@example.com',
  XDG_CACHE_HOME: join(folder, 'cache'),
};
try {
  await buildFixturesRepo(join(folder, 'config'));
  await withServer(async (url, token) => {
    const requestId = await prepare(url, token);
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
    for (const picture of picturesOf(requestId))
      await take(browser, `${url}${picture.path}#token=${token}`, picture);
    await browser.close();
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function withServer(work: (url: string, token: string) => Promise<void>): Promise<void> {
  const args = [MAIN, '--repo', join(folder, 'config'), 'serve', '--listen', '127.0.0.1:0'];
  const server = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  try {
    for await (const part of server.stdout.setEncoding('utf8')) {
      said += String(part);
      const [, url, token] = /^single user: (.*)\/#token=(\S+)$/m.exec(said) ?? [];
      if (url === undefined || token === undefined) continue;
      await work(url, token);
      break;
    }
  } finally {
    server.kill();
    if (server.exitCode === null) await once(server, 'exit');
  }
}

/** A request that waits for another person. */
async function prepare(url: string, token: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/rollbacks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      tenant: 'acme',
      environment: 'production',
      service: 'api-gateway',
      target: 'v7',
      justification: 'Bad image tag v2.1.0 causing 500 errors',
      propose: true,
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const { requestId } = z.object({ requestId: z.string() }).parse(await answer.json());
  return requestId;
}

async function take(browser: Browser, address: string, { name, width, height, colorScheme, press }: Picture) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const settled = async () => {
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await page.locator('main h1').waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  };
  await page.goto(address);
  await settled();
  if (press !== undefined) await page.getByRole('button', { name: press, exact: true }).click();
  await page.locator('.running, .difference, main table').first().waitFor();
  await settled();
  await page.screenshot({ path: join(DOCS, `${name}.png`) });
  await context.close();
  say(`docs/${name}.png`);
}
