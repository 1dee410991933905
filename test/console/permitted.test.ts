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
  let bob: Api;
  beforeAll(async () => {
    const permissions = [
      { allow: ['read'], users: [JANE.email], in: ['dev'] },
      { allow: ['admin'], users: ['bob@example.com'], in: ['*'] },
    ];
    const repo = await policedRepo(configOf({ permissions }));
    const settings = { page: await builtConsole() };
    api = await startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file', person: JANE, settings });
    const who = { name: 'Bob', email: 'bob@example.com' };
    bob = await startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file', person: who });
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

  it('offers them no rollback, says why, and who may', async () => {
    const open = await openPage(browser, api, { at: '/e/-/dev/api' });
    const { page } = open;
    const notice = page.getByRole('region', { name: 'Not permitted' });
    await notice.getByText('jane@example.com may not ask for a rollback in dev').waitFor();
    await notice.getByRole('list', { name: 'Who may ask' }).getByText('bob@example.com').waitFor();
    await page.getByRole('button', { name: /^Preview v1/ }).waitFor();
    expect(await page.getByRole('button', { name: /^Roll back/ }).count()).toBe(0);
    await page.getByText('backtrail plan dev/api --to v1').waitFor();
    await open.go('/e/-/dev/history');
    await notice.waitFor();
    await page.getByRole('button', { name: 'Preview this revision' }).first().click();
    await page.getByRole('heading', { name: 'What would change?' }).waitFor();
    await notice.waitFor();
    await page.getByText('backtrail plan dev --to v1').waitFor();
    expectNothingWrong(open);
  });

  it('does not take what they see of the holds for all of them', async () => {
    const open = await openPage(browser, api, { at: '/holds' });
    await open.page.getByText('Nothing is held in what you may see.').waitFor();
    await open.page.getByText('Holds of environments that you may not see are not shown.').waitFor();
    expect(await open.page.getByText('automation may move everything').count()).toBe(0);
    expectNothingWrong(open);
  });

  it('offers them nothing to do with a request that they may only see', async () => {
    const asked = await bob.post('/api/v1/rollbacks', {
      environment: 'dev',
      service: 'api',
      target: 'v1',
      propose: true,
      justification: '500s',
    });
    const open = await openPage(browser, api, { at: `/requests/${asked.body.requestId}` });
    const decision = open.page.getByRole('region', { name: 'Decision' });
    await decision.getByText('You may not approve it:').waitFor();
    await decision.getByText('You may not cancel it:').waitFor();
    expect(await decision.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    for (const name of ['Approve', 'Reject'])
      expect(await decision.getByRole('button', { name }).isDisabled()).toBe(true);
    expect(await decision.getByRole('textbox').count()).toBe(0);
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
