/** A request that goes to its branch by a pull request, on its page: the host is a real HTTP server. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScene, lookOf, proposeFor, type Scene } from '../engine/requests/pull-requests/scene.ts';
import {
  builtConsole,
  expectNothingWrong,
  hasChromium,
  misfitsOf,
  needsChromium,
  openBrowser,
  openPage,
  violationsOf,
} from '../helpers/program/browser.ts';
import { isProof } from '../helpers/run/proof.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

describe.skipIf(!hasChromium || !isProof)(`a pull request on the page${needsChromium}`, () => {
  let browser: Browser;
  let scene: Scene;
  let api: Api;
  beforeAll(async () => {
    scene = await createScene({ lives: 'file' });
    const settings = { page: await builtConsole() };
    const { name, email } = scene.team.jane;
    api = await startApi(scene.janes, { lives: 'file', person: { name, email }, settings });
    browser = await openBrowser();
  });

  it('is linked with its checks, and leads on to Git once it is merged', async () => {
    const { id, number } = await proposeFor(scene);
    await scene.host.setChecks(number, { build: 'green', lint: 'pending', unit: 'failing' });
    const open = await openPage(browser, api, { at: `/requests/${id}`, width: 360 });
    const { page } = open;
    const region = page.getByRole('region', { name: 'Pull request' });
    const link = region.getByRole('link', { name: `#${number} on its host` });
    expect(await link.getAttribute('href')).toContain(scene.host.name);
    await region.getByText(/^\W*open$/).waitFor();
    await region.getByText('Checks: 1 of 3 passed, 1 failed, 1 pending.').waitFor();
    await region.getByText(`backtrail/${id}`).waitFor();
    // It waits for its host, and for no worker.
    expect(await page.getByRole('region', { name: 'Steps of the execution' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await misfitsOf(page)).toEqual({ wider: 0, small: [] });
      expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []]);
    }
    await scene.host.setChecks(number, { build: 'green', lint: 'green', unit: 'green' });
    await scene.host.merge(number, { by: 'ada', method: 'merge' });
    await lookOf(scene);
    await page.reload();
    await page.getByText('It is in Git (merge): commit').waitFor();
    await region.getByText(/^\W*merged$/).waitFor();
    expectNothingWrong(open);
  });

  it('is closed where the request is withdrawn', async () => {
    const { id, number } = await proposeFor(scene, 'prod/web');
    const open = await openPage(browser, api, { at: `/requests/${id}` });
    const { page } = open;
    await page.getByRole('textbox', { name: 'Comment' }).fill('No need any more');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled').first().waitFor();
    expect((await scene.host.pull(number)).state).toBe('closed');
    expectNothingWrong(open);
  });
});
