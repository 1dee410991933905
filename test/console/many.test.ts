/** Many scopes at once, and the record of it, in a real browser. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectNothingWrong,
  hasChromium,
  misfitsOf,
  needsChromium,
  openBrowser,
  openPage,
  violationsOf,
} from '../helpers/program/browser.ts';
import { isProof } from '../helpers/run/proof.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { decisionScene, type DecisionScene } from './decision-scene.ts';
import { HOSTILE } from './scene.ts';

const redis = useRedis();

describe.skipIf(!hasChromium || !isProof)(`incident and audit${needsChromium}`, () => {
  let browser: Browser;
  let scene: DecisionScene;
  beforeAll(async () => {
    [browser, scene] = await Promise.all([openBrowser(), decisionScene(redis.url)]);
  });

  it('rolls back what is ticked, and shows how far it is', async () => {
    const open = await openPage(browser, scene.jane, { at: '/incident' });
    const { page } = open;
    for (const scope of ['acme/staging/api', 'acme/staging/web', 'acme/production/api'])
      await page.getByRole('checkbox', { name: scope }).check();
    await page.reload();
    await page.getByText('3 chosen').waitFor();
    await page.getByRole('textbox', { name: 'Reason' }).fill(HOSTILE);
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('region', { name: 'What would be done' }).waitFor();
    await page.getByRole('button', { name: 'Submit 3 rollbacks' }).click();
    await page.waitForURL(/\/incident\?id=inc-/);
    await page.getByText('2 of 3 completed, 1 waiting for approval').waitFor();
    expect(await scene.read('apps/acme/staging/web/app.yaml')).toContain('web:1.1.0');
    await page.reload();
    await page.getByText('2 of 3 completed, 1 waiting for approval').waitFor();
    expectNothingWrong(open);
  });

  it('makes every rollback again, and says that it is honest', async () => {
    const open = await openPage(browser, scene.jane, { at: '/audit' });
    const { page } = open;
    await page.getByText('acme/staging/api').first().waitFor();
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('2 of 2 honest').waitFor();
    expect(await page.locator('main script, main img').count()).toBe(0);
    expectNothingWrong(open);
  });

  it.each(['/incident', '/audit'])('keeps nobody out of %s, dark or light, on a telephone', async (at) => {
    const open = await openPage(browser, scene.jane, { width: 360, at });
    for (const colorScheme of ['dark', 'light'] as const) {
      await open.page.emulateMedia({ colorScheme });
      expect([at, await misfitsOf(open.page)]).toEqual([at, { wider: 0, small: [] }]);
      expect([at, colorScheme, await violationsOf(open.page)]).toEqual([at, colorScheme, []]);
    }
    expectNothingWrong(open);
  });
});
