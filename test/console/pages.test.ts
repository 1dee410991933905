/** The console in a real browser, found by the words that people read. */
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectNothingWrong,
  hasChromium,
  misfitsOf,
  needsChromium,
  openBrowser,
  openPage,
  settled,
  violationsOf,
} from '../helpers/program/browser.ts';
import { isProof } from '../helpers/run/proof.ts';
import { consoleScene, HOSTILE, type Scene } from './scene.ts';

const ENVIRONMENT = '/e/acme/production';
const PAGES = [
  '/',
  ENVIRONMENT,
  `${ENVIRONMENT}/api`,
  `${ENVIRONMENT}/history`,
  `${ENVIRONMENT}/web/compare?from=v1`,
  `${ENVIRONMENT}/drift`,
  '/requests',
  '/holds',
  '/e/acme/nowhere',
  '/nothing',
  `${ENVIRONMENT}/web/rollback?step=preview&mode=field&to=v1`,
  '/e/acme/production/api/overview',
];

/** Where it is seen; lists to choose from have it too. */
const textOf = (page: Page) => page.getByText(HOSTILE.slice(0, -1)).filter({ visible: true }).first();

/** The exact time that is shown beside a relative one, or `none`. */
const exactIn = (page: Page, row: string) =>
  page.evaluate<string>(`getComputedStyle(document.querySelector('${row} .time'), '::after').content`);

describe.skipIf(!hasChromium)(`the console${needsChromium}`, () => {
  let browser: Browser;
  let scene: Scene;
  beforeAll(async () => {
    [browser, scene] = await Promise.all([openBrowser(), consoleScene()]);
  });

  const askFor = (service: string, justification: string) =>
    scene.api.post('/api/v1/rollbacks', {
      tenant: 'acme',
      environment: 'production',
      service,
      target: 'v1',
      justification,
    });

  it('signs in with the address that the server prints, whose token leaves the address bar', async () => {
    const open = await openPage(browser, scene.api);
    const { page } = open;
    expect(page.url()).toBe(`${scene.api.url}/`);
    await page.getByText('Single user').waitFor();
    expect(await page.context().cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
    expect(await page.evaluate<string>('JSON.stringify({ ...localStorage }) + document.cookie')).toBe('{}');
    expect(scene.api.log.join('')).not.toContain(scene.api.token);
    await page.reload();
    await settled(page);
    await page.getByRole('link', { name: 'production', exact: true }).waitFor();
    expectNothingWrong(open);
  });

  it('shows a stranger how to sign in, and asks for no token', async () => {
    const open = await openPage(browser, scene.api, { isStranger: true, at: '/requests' });

    await open.page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await open.page.locator('input').count()).toBe(0);
    await open.go('/#token=another');
    await open.page.getByText('The token is not the one of this server.').waitFor();
    await open.page.goto(`${scene.api.url}/#token=${scene.api.token}`);
    await open.page.getByRole('heading', { name: 'Environments' }).waitFor();
    expect(open.page.url()).toBe(`${scene.api.url}/`);
    // A link of somebody else makes nobody of who is signed in.
    await open.go('/holds#token=another');
    await open.page.getByRole('heading', { name: 'Holds' }).waitFor();
    expect(open.page.url()).toBe(`${scene.api.url}/holds`);
    expectNothingWrong(open);
  });

  it.runIf(isProof)(
    'knows that the network is back, also where the stream of events outlived it',
    async () => {
      const open = await openPage(browser, scene.api);
      const { page } = open;
      const foot = (text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();
      await foot('Live');
      await page.evaluate(`dispatchEvent(new Event('offline'))`);
      await foot('Offline');
      await page.evaluate(`dispatchEvent(new Event('online'))`);
      await foot('Live');
      expect(await page.getByText('what is shown may be old').count()).toBe(0);
      expectNothingWrong(open);
    },
  );

  it.runIf(isProof)('says that there is no page where there is none', async () => {
    const open = await openPage(browser, scene.api, { at: '/' });
    await open.go('/nothing');
    await open.page.getByRole('heading', { name: 'No such page' }).waitFor();
    expect(await open.page.title()).toBe('No such page · Backtrail');
    await open.go('/e/%E0%A4%A');
    await open.page.getByRole('heading', { name: 'No such page' }).waitFor();
    await open.page.getByRole('link', { name: 'All environments' }).click();
    await open.page.getByRole('heading', { name: 'Environments' }).waitFor();
    expectNothingWrong(open);
  });

  it('says first what runs, what is asked for and what is held, and leads back', async () => {
    const open = await openPage(browser, scene.api, { at: `${ENVIRONMENT}/api` });
    const { page } = open;
    const running = page.getByRole('region', { name: 'What runs' });
    expect(await running.innerText()).toContain('example.com/api:1.59.0');
    const back = page.getByRole('button', { name: /^Roll back to v59 \(ran / });
    expect(await back.getAttribute('href')).toBe(`${ENVIRONMENT}/api/rollback?to=v59`);
    await page.getByText('backtrail rollback acme/production/api --to v59').waitFor();
    await page.getByRole('button', { name: 'Resume automation' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await open.go(ENVIRONMENT);
    await page.getByRole('link', { name: /acme\/production\/web to v1/ }).waitFor();
    expectNothingWrong(open);
  });

  it.runIf(isProof)(
    'never takes for live what could not be asked, and says nothing where nobody said how to ask',
    async () => {
      const open = await openPage(browser, scene.api, { at: '/e/acme/staging/api' });
      const { page } = open;
      const live = page.getByRole('region', { name: 'Live' });
      expect(await live.innerText()).toMatch(
        /unconfirmed[^]*nobody knows here whether it runs[^]*staging-eu/,
      );
      await page.getByRole('tab', { name: 'Drift' }).click();
      await settled(page);
      await page.getByText('There are no objects in what was delivered at').waitFor();
      await open.go(`${ENVIRONMENT}/api`);
      expect(await live.count()).toBe(0);
      await page.getByRole('tab', { name: 'Drift' }).click();
      await page.getByText('Nothing says which cluster this is delivered to').waitFor();
      expectNothingWrong(open);
    },
  );

  it('has a history of any length, with ways back and comparisons', async () => {
    const open = await openPage(browser, scene.api, { at: ENVIRONMENT });
    const { page } = open;
    await page.getByRole('tab', { name: 'History' }).click();
    await settled(page);
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual([
      'Revision',
      'Timestamp',
      'Author',
      'Changes',
      'Source',
      'Status',
      'Actions',
    ]);
    await page.getByRole('button', { name: /^Details of v72:/ }).click();
    await page.getByText('mallory@example.com').waitFor();
    const back = page.getByRole('button', { name: 'Roll back to this revision' });
    expect(await back.first().getAttribute('href')).toBe(`${ENVIRONMENT}/rollback?to=v72`);
    await page.mouse.wheel(0, 100_000);
    await page.getByRole('button', { name: /^Details of v1:/ }).waitFor();
    await page.evaluate('scrollTo(0, 0)');
    await page.getByRole('button', { name: 'Compare with current' }).first().click();
    await page.getByRole('tab', { name: 'Compare', selected: true }).waitFor();
    await settled(page);
    expect(new URL(page.url()).search).toBe('?from=v72');
    await page.goBack();
    await page.getByRole('tab', { name: 'History', selected: true }).waitFor();
    expectNothingWrong(open);
  });

  it.runIf(isProof)('has no more of a long history in the page than is near the screen', async () => {
    const open = await openPage(browser, scene.api, { at: ENVIRONMENT, width: 360 });
    const { page } = open;
    await page.route('**/history?*', (route) => route.fulfill({ json: longHistory(route.request().url()) }));
    await open.go(`${ENVIRONMENT}/history`);
    await page.getByRole('button', { name: 'Details of v5000: change 5000' }).click();
    await page.getByText('Changes').first().waitFor();
    let most = 0;
    for (
      let step = 0;
      step < 400 && (await page.getByText('change 1', { exact: true }).count()) === 0;
      step += 1
    ) {
      await page.mouse.wheel(0, 20_000);
      await page.waitForTimeout(20);
      most = Math.max(most, await page.locator('main tr').count());
    }
    await page.getByRole('button', { name: 'Details of v1: change 1' }).waitFor();
    // A hundred pages of 50, all but a few of which are one empty row each.
    expect(most).toBeLessThan(100 + 5 * 50);
    expect((await misfitsOf(page)).wider).toBe(0);
    await page.evaluate('scrollTo(0, 0)');
    await page.getByRole('button', { name: 'Details of v5000: change 5000', expanded: true }).waitFor();
    expectNothingWrong(open);
  });

  it('draws differences by words, folds what is the same, and links to lines', async () => {
    const open = await openPage(browser, scene.api, { at: `${ENVIRONMENT}/web/compare?from=v1` });
    const { page } = open;
    const file = page.locator('details', { hasText: 'notes.txt' });
    await file.locator('mark').first().waitFor();
    expect(await file.locator('mark').allInnerTexts()).toEqual(['1', '2', '1', '2']);
    expect(await file.getByText('removed:').count()).toBe(2);
    expect((await file.locator('.number').first().boundingBox())?.width).toBeLessThan(80);
    await page.getByRole('button', { name: 'Split' }).click();
    expect(await file.locator('.line', { has: page.locator('mark') }).count()).toBe(2);
    const link = file.getByRole('link', { name: 'Link to line 11' }).first();
    await open.go(`${ENVIRONMENT}/web/compare?from=v1${(await link.getAttribute('href')) ?? ''}`);
    expect(await page.locator('.number:target').innerText()).toBe('11');
    await page.reload();
    await settled(page);
    expect(await page.locator('.number:target').innerText()).toBe('11');
    expectNothingWrong(open);
  });

  it('shows what people wrote as text, whatever it is', async () => {
    const open = await openPage(browser, scene.api);
    for (const path of [
      `${ENVIRONMENT}/history`,
      '/requests',
      '/holds',
      `${ENVIRONMENT}/web/compare?from=v1`,
    ]) {
      await open.go(path);
      await textOf(open.page).waitFor();
      expect(await open.page.locator('main script, main img, main i').count()).toBe(0);
    }
    expectNothingWrong(open);
  });

  it('is driven by keys alone', async () => {
    const open = await openPage(browser, scene.api);
    const { page } = open;
    await page.keyboard.press('/');
    await page.keyboard.type('prod web');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'acme/production/web' }).waitFor();
    await open.go('/requests');
    await page.keyboard.press('j');
    expect(await exactIn(page, '[data-row]:focus')).toMatch(/^"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/requests\/rbk-/);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate<string>('document.activeElement.tagName')).not.toBe('DIALOG');
    expectNothingWrong(open);
  });

  it('resumes automation by a request of its own, once somebody says why', async () => {
    const open = await openPage(browser, scene.api, { at: '/holds' });
    const { page } = open;
    await page.getByRole('button', { name: 'Resume automation' }).click();
    const dialog = page.getByRole('dialog', { name: 'Resume automation of acme/production/api' });
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('v60 is fixed');
    await dialog.getByRole('button', { name: 'Resume automation' }).click();
    const made = dialog.getByRole('link', { name: 'Its request' });
    await made.waitFor();
    const id = (await made.getAttribute('href'))?.split('/').at(-1);
    const { body } = await scene.api.get(`/api/v1/rollbacks/${id}`);
    expect(body).toMatchObject({ resume: true, status: 'pending', justification: 'v60 is fixed' });
    expectNothingWrong(open);
  });

  it('shows what others ask for as it happens', async () => {
    const open = await openPage(browser, scene.api, { at: '/requests' });
    await open.page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await askFor('api', 'seen at once');
    await open.page.getByRole('link', { name: /seen at once/ }).waitFor();
    expect(await open.page.getByRole('link', { name: /seen at once/ }).count()).toBe(1);
    expectNothingWrong(open);
  });

  it.runIf(isProof)('says where events do not come, and asks every few seconds', async () => {
    const open = await openPage(browser, scene.api);
    const { page } = open;
    await page.route('**/api/v1/events', (route) => route.abort());
    await open.go('/requests');
    await page.getByRole('status').filter({ hasText: 'Not live: asking every 10 seconds' }).waitFor();
    await askFor('web', 'seen a little later');
    await page.getByRole('link', { name: /seen a little later/ }).waitFor();
    expect(await page.getByRole('link', { name: /seen a little later/ }).count()).toBe(1);
  });

  it('shows what an incident would do before it asks for any of it, and keeps what is not there in sight', async () => {
    const open = await openPage(browser, scene.api, {
      at: '/incident?scope=acme%2F*%2Fapi&scope=acme%2Fgone',
    });
    const { page } = open;
    await page.getByText('One scope is not in the repository').waitFor();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText(/of 3 would be rolled back/).waitFor();
    const rows = page.getByRole('table', { name: 'Plans' }).getByRole('row');
    expect(await rows.filter({ hasText: 'acme/gone' }).innerText()).toContain('ENVIRONMENT_UNKNOWN');
    // A command in a sentence is shown as one.
    const unmoved = rows.filter({ hasText: 'acme/staging/api' });
    expect(await unmoved.getByRole('code').allInnerTexts()).toContain('backtrail history SCOPE');
    expect(await rows.filter({ hasText: 'acme/production/api' }).innerText()).toContain(
      '1 approval, by anybody but you',
    );
    expect(await page.getByRole('button', { name: /^Submit \d+ rollback/ }).isDisabled()).toBe(true);
    await page.getByText('Say why.').waitFor();
    const asked = await scene.api.get('/api/v1/rollbacks?state=all');
    expect(asked.body.requests.filter(({ incident }: { incident?: string }) => incident)).toEqual([]);
    expectNothingWrong(open);
  });

  it('says what may not be seen, what is not there, and that the server is away', async () => {
    const open = await openPage(browser, scene.api, { at: '/e/acme/nowhere' });
    const { page } = open;
    expect(await page.getByRole('alert').innerText()).toContain('ENVIRONMENT_UNKNOWN');
    await open.go(ENVIRONMENT);
    await page.route('**/api/**', (route) => route.abort());
    await page.getByRole('tab', { name: 'Drift' }).click();
    await page.getByText('The server is away').waitFor();
    await page.getByRole('tab', { name: 'Overview' }).click();
    await page.getByText('Not up to date.').first().waitFor();
    await page.getByRole('region', { name: 'What runs' }).waitFor();
    expectNothingWrong(open);
  });

  it.each(isProof ? PAGES : [`${ENVIRONMENT}/api`])(
    'finds nothing that keeps anybody out, dark or light, or a thumb from hitting, at %s',
    async (path) => {
      const open = await openPage(browser, scene.api, { width: 360, at: path });
      for (const colorScheme of ['dark', 'light'] as const) {
        await open.page.emulateMedia({ colorScheme });
        expect([path, await misfitsOf(open.page)]).toEqual([path, { wider: 0, small: [] }]);
        expect([path, colorScheme, await violationsOf(open.page)]).toEqual([path, colorScheme, []]);
      }
      expectNothingWrong(open);
    },
  );
});

/** A revision of which nothing more is known. */
const PLAIN = {
  source: 'unknown',
  status: 'unknown',
  eligible: true,
  reasons: [],
  rolledBackBy: null,
  undoneBy: null,
  rollbackOf: null,
  breakGlass: null,
};

/** A page of 5,000 revisions, as the server would give it. */
function longHistory(url: string) {
  const query = new URL(url).searchParams;
  const newest = Number(query.get('cursor') ?? 5000);
  const limit = Number(query.get('limit'));
  const revisions = Array.from({ length: Math.min(limit, newest) }, (_, index) => {
    const version = newest - index;
    return {
      version,
      commit: String(version).padStart(40, '0'),
      time: new Date(1_790_000_000_000 + version * 60_000).toISOString(),
      author: { name: 'Jane Doe', email: 'jane@example.com' },
      subject: `change ${version}`,
      changes: [{ service: 'api', files: ['a.yaml'], fields: [`a.yaml#/image-of-a-long-name-${version}`] }],
      identity: { images: [`example.com/api:${version}`], charts: [], revisions: [] },
      ...PLAIN,
      current: version === 5000,
    };
  });
  const last = newest - revisions.length;
  return { scope: 'acme/production', total: 5000, revisions, next: last > 0 ? String(last) : null };
}
