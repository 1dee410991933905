/** Debian's Chromium, and the page as it is built from the sources as they are now. One browser a file, killed at its end. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Api } from '../servers/api.ts';
import { closeAfterFile, closeAfterTest } from '../run/lifetime.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = spawnSync('sh', ['-c', 'command -v chromium || command -v google-chrome'], {
  encoding: 'utf8',
}).stdout.trim();

export const hasChromium = PROGRAM !== '';
/** For the names of tests that are skipped. */
export const needsChromium = hasChromium ? '' : ' (skipped: chromium is not installed)';

let built: Promise<string> | undefined;

/** The folder of the page: built once a worker, below the folder of the run. */
export function builtConsole(): Promise<string> {
  built ??= (async () => {
    const folder = await mkdtemp(join(process.env['BACKTRAIL_TEST_RUN'] ?? '', 'console-'));
    const vite = resolve(createRequire(import.meta.url).resolve('vite/package.json'), '../bin/vite.js');
    const args = [vite, 'build', '--config', join(ROOT, 'console/vite.config.ts'), '--outDir', folder];
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { PATH: process.env['PATH'] } });
    return folder;
  })();
  return built;
}

export async function openBrowser(): Promise<Browser> {
  // Root cannot use Chromium's sandbox; what it loads here is ours.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--force-prefers-no-reduced-motion'];
  const browser = await chromium.launch({ executablePath: PROGRAM, args });
  closeAfterFile(() => browser.close());
  return browser;
}

export interface OpenPage {
  readonly page: Page;
  /** What no page may do: throw, break its own policy, ask another origin. */
  readonly wrongs: readonly string[];
  /** Goes there, and waits until nothing is loading. */
  go(path: string): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly colorScheme?: 'dark' | 'light';
  /** Not signed in. */
  readonly isStranger?: boolean;
  /** Where it is opened. */
  readonly at?: string;
}

/** A browser profile of its own, signed in by the address that a single-user server prints. */
export async function openPage(
  browser: Browser,
  { url, token }: Pick<Api, 'url' | 'token'>,
  { width = 1280, colorScheme = 'light', isStranger = false, at = '/' }: PageOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  closeAfterTest(() => context.close());
  // What is not there now does not come later: a test that waits longer has failed.
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const wrongs: string[] = [];
  page.on('pageerror', ({ message }) => wrongs.push(message));
  page.on('console', (message) => {
    // A call that is refused is no error of the page.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      wrongs.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) wrongs.push(`asked ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    wrongs.push(`said ${dialog.message()}`);
    void dialog.dismiss();
  });
  const go = async (path: string) => {
    await page.goto(`${url}${path}`);
    await settled(page);
  };
  await go(isStranger ? at : `${at}#token=${token}`);
  return { page, wrongs, go };
}

/** It has a heading, and nothing is loading. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.locator('.loading, main[aria-busy]').first().waitFor({ state: 'detached' });
}

/** What axe finds wrong, each with the elements; empty: nothing. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  const { source } = (await import('axe-core')).default;
  await page.evaluate(source);
  // Colours that are on their way to others are nobody's to read.
  await page.evaluate(
    'Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => null))).then(() => null)',
  );
  return page.evaluate<
    string[]
  >(`axe.run({ runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`);
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Misfits {
  /** Pixels that the page is wider than its window. */
  readonly wider: number;
  /** Controls that are lower or narrower than a thumb needs. */
  readonly small: readonly string[];
}

export const misfitsOf = (page: Page): Promise<Misfits> => page.evaluate<Misfits>(MISFITS);

/** Runs in the page. Links in a sentence are as high as its lines; line numbers, and names of fields on a wide screen, as high as a line. */
const MISFITS = `(() => ({
  wider: document.documentElement.scrollWidth - innerWidth,
  small: [...document.querySelectorAll('button, select, a, textarea, summary, label:has([type=checkbox], [type=radio])')]
    .filter((each) => {
      const { width, height } = each.getBoundingClientRect();
      if (!each.checkVisibility() || width === 0 || each.matches('.skip, .number a')) return false;
      if (innerWidth > 736 && each.matches('.block-title a')) return false;
      if (each.matches('a') && getComputedStyle(each).display === 'inline') return false;
      return height < 43.5 || width < 43.5;
    })
    .map(({ outerHTML }) => outerHTML.slice(0, 120)),
}))()`;

/** Nothing wrong happened since it was opened. */
export const expectNothingWrong = ({ wrongs }: OpenPage): void => expect(wrongs).toEqual([]);
