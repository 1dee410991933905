/** The page for whoever may see a part of the repository, and do nothing there. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { configOf, policedRepo } from '../helpers/people/requests.ts';
import {
  builtConsole,
  expectNothingWrong,
  hasChromium,
  needsChromium,
  openBrowser,
  openPage,
} from '../helpers/program/browser.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { isProof } from '../helpers/run/proof.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

describe.skipIf(!hasChromium || !isProof)(`a page for who may not${needsChromium}`, () => {
  let browser: Browser;
  let api: Api;
  beforeAll(async () => {
    const permissions = [
      { allow: ['read'], users: [JANE.email], in: ['dev'] },
      { allow: ['admin'], users: ['bob@example.com'], in: ['*'] },
    ];
    const repo = await policedRepo(configOf({ permissions }));
    const settings = { page: await builtConsole() };
    api = await startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file', person: JANE, settings });
    browser = await openBrowser();
  });

  it('names no environment that they may not see, and says so at its address', async () => {
    const open = await openPage(browser, api);
    const { page } = open;
    await page.getByRole('link', { name: 'dev', exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'prod', exact: true }).count()).toBe(0);
    for (const path of ['/e/-/prod', '/e/-/prod/history', '/e/-/prod/rollback?step=submit&to=v1']) {
      await open.go(path);
      expect(await page.getByRole('alert').innerText()).toContain('PERMISSION_DENIED');
      expect(await page.getByText('image: v').count()).toBe(0);
    }
    expectNothingWrong(open);
  });

  it('says before a submission that they may not ask for it', async () => {
    const open = await openPage(browser, api, { at: '/e/-/dev/rollback?step=preview&to=v1' });
    const { page } = open;
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('You may not ask for it:').waitFor();
    await page.getByRole('textbox', { name: 'Reason' }).fill('500s');
    expect(await page.getByRole('button', { name: 'Submit rollback' }).isDisabled()).toBe(true);
    expectNothingWrong(open);
  });
});
