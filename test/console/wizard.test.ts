/** A rollback from its scope to its end, in a real browser, on a real repository, with a real worker. */
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
import { useRedis } from '../helpers/servers/redis.ts';
import { decisionScene, type DecisionScene } from './decision-scene.ts';

const redis = useRedis();
const STAGING = '/e/acme/staging';

/** Tabs to what has that name, as somebody does who has no mouse. */
async function tabTo(page: Page, name: RegExp | string): Promise<void> {
  const wanted = typeof name === 'string' ? new RegExp(`^${name}$`) : name;
  for (let tries = 0; tries < 80; tries++) {
    const focused = page.locator(':focus');
    if ((await focused.count()) > 0 && wanted.test(await nameOf(page))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Nothing that can be tabbed to is called ${String(name)}.`);
}

const nameOf = (page: Page): Promise<string> =>
  page.evaluate<string>(`(() => {
    const at = document.activeElement;
    return (at.getAttribute('aria-label') ?? at.labels?.[0]?.innerText ?? at.innerText ?? '').trim().split('\\n')[0];
  })()`);

const stepOf = (page: Page) => new URL(page.url()).searchParams.get('step');

async function press(page: Page, name: string): Promise<void> {
  await settled(page);
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

describe.skipIf(!hasChromium)(`the wizard${needsChromium}`, () => {
  let browser: Browser;
  let scene: DecisionScene;
  beforeAll(async () => {
    [browser, scene] = await Promise.all([openBrowser(), decisionScene(redis.url)]);
  });

  it('goes from a scope to a completed rollback by keys alone', async () => {
    const open = await openPage(browser, scene.jane, { at: `${STAGING}/api` });
    const { page } = open;
    await tabTo(page, /^Roll back to v2/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'How much is rolled back?' }).waitFor();
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'Is this the place, and how is it?' }).waitFor();
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'Which revision is it rolled back to?' }).waitFor();
    expect(await page.getByRole('radio', { name: /^v2/ }).isChecked()).toBe(true);
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'What would change?' }).waitFor();
    await page.getByText('example.com/api:1.1.0').first().waitFor();
    await press(page, 'Next');
    await page.getByText('No approval is needed').waitFor();
    await tabTo(page, 'Reason');
    await page.keyboard.type('1.2.0 answers 500');
    await press(page, 'Submit rollback');
    await page.waitForURL(/\/requests\/rbk-/);
    await page.getByText('completed').first().waitFor();
    expect(await scene.read('apps/acme/staging/api/app.yaml')).toContain('api:1.1.0');
    expectNothingWrong(open);
  });

  it.runIf(isProof)(
    'chooses a mode, a service and fields by keys alone, as whoever approves does in another browser',
    async () => {
      const open = await openPage(browser, scene.jane, { at: '/e/acme/production/rollback' });
      const { page } = open;
      const lines = page.getByText('backtrail rollback');
      await tabTo(page, /^Full/);
      for (const name of ['Service', 'Field']) {
        await page.keyboard.press('ArrowDown');
        await page.waitForURL((url) => url.searchParams.get('mode') === name.toLowerCase());
      }
      await page.getByText('Choose a service.').waitFor();
      await tabTo(page, 'Service');
      await page.keyboard.press('w');
      await page.getByText(/\d fields can be chosen/).waitFor();
      // Nothing says yet which fields go back.
      expect(await lines.count()).toBe(0);
      for (const heading of ['Is this the place', 'Which revision', 'What would change?']) {
        await press(page, 'Next');
        await page.getByRole('heading', { name: heading }).waitFor();
        await settled(page);
        expect([heading, await lines.count()]).toEqual([heading, 0]);
      }
      await tabTo(page, /#\/image$/);
      await page.keyboard.press('Space');
      await page.getByText(/--field 'apps\/acme\/production\/web\/app\.yaml#\/image'/).waitFor();
      await press(page, 'Next');
      await page.getByText('1 approval is needed').waitFor();
      await tabTo(page, 'Reason');
      await page.keyboard.type('Only the image');
      await press(page, 'Submit rollback');
      await page.waitForURL(/\/requests\/rbk-/);
      // Versions of fields are not those of the history.
      await page.getByRole('heading', { name: /^acme\/production\/web to [0-9a-f]{12}$/ }).waitFor();
      await page.getByText('0 of 1 approval').waitFor();
      const other = await openPage(browser, scene.bob, { at: new URL(page.url()).pathname });
      await other.page.getByRole('button', { name: 'Approve', disabled: false }).waitFor();
      await press(other.page, 'Approve');
      for (const each of [page, other.page]) await each.getByText('It is in Git: commit').waitFor();
      const text = await scene.read('apps/acme/production/web/app.yaml');
      expect(text).toContain('web:1.1.0');
      expect(text).toContain('replicas: 3');
      expectNothingWrong(open);
      expectNothingWrong(other);
    },
  );

  it.runIf(isProof)('calls a revision of fields what the list that it was chosen from calls it', async () => {
    const field = new URLSearchParams({ field: 'apps/acme/staging/web/app.yaml#/note' }).toString();
    const at = `${STAGING}/web/rollback?step=preview&mode=field&to=v2&${field}`;
    const open = await openPage(browser, scene.jane, { at });
    const { page } = open;
    // The note changed once: its own versions are v1 and v2.
    await page.getByText(/^From v3 .* back to v2 /).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    const summary = page.getByText('acme/staging/web goes back to ');
    expect(await summary.innerText()).toMatch(/goes back to v2, 1 chosen/);
    expectNothingWrong(open);
  });

  it.runIf(isProof)(
    'keeps step and choices where it is loaded anew, and goes back with the browser',
    async () => {
      const open = await openPage(browser, scene.jane, { at: `${STAGING}/web/rollback?to=v1` });
      const { page } = open;
      for (const step of ['tenant-environment', 'revision', 'preview', 'submit']) {
        await page.getByRole('button', { name: 'Next' }).click();
        await page.waitForURL((url) => url.searchParams.get('step') === step);
        await settled(page);
      }
      await page.getByRole('textbox', { name: 'Reason' }).fill('A reason that stays');
      await page.reload();
      await settled(page);
      expect(stepOf(page)).toBe('submit');
      expect(await page.getByRole('textbox', { name: 'Reason' }).inputValue()).toBe('A reason that stays');
      await page.goBack();
      await page.getByRole('heading', { name: 'What would change?' }).waitFor();
      await page.goBack();
      expect(await page.getByRole('radio', { name: /^v1/ }).isChecked()).toBe(true);
      expectNothingWrong(open);
    },
  );

  it.runIf(isProof)('rolls back the fields that are ticked, and no others', async () => {
    const open = await openPage(browser, scene.jane, {
      at: `${STAGING}/web/rollback?step=preview&mode=field&to=v1`,
    });
    const { page } = open;
    await page.getByRole('checkbox', { name: /#\/image$/ }).check();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('Only the image');
    await page.getByRole('button', { name: 'Submit rollback' }).click();
    await page.waitForURL(/\/requests\/rbk-/);
    await page.getByText('completed').first().waitFor();
    const text = await scene.read('apps/acme/staging/web/app.yaml');
    expect(text).toContain('web:1.0.0');
    expect(text).toContain('replicas: 3');
    expectNothingWrong(open);
  });

  it.runIf(isProof)('shows what changed since the plan was looked at, and asks again', async () => {
    const open = await openPage(browser, scene.jane, {
      at: `/e/acme/production/web/rollback?step=preview&mode=service&to=v1`,
    });
    const { page } = open;
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('1 approval is needed').waitFor();
    await scene.repo.replay([
      { files: { 'apps/acme/production/web/extra.yaml': 'a: 1\n' }, message: 'One more file' },
    ]);
    await page.getByRole('textbox', { name: 'Reason' }).fill('1.2.0 answers 500');
    await page.getByRole('button', { name: 'Submit rollback' }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'The plan changed since you looked at it' });
    await alert.waitFor();
    expect(await alert.innerText()).toContain('extra.yaml');
    expectNothingWrong(open);
  });

  it.runIf(isProof)(
    'asks for the name of an environment that others guard before all of it goes back',
    async () => {
      const open = await openPage(browser, scene.jane, {
        at: `/e/acme/production/rollback?step=preview&mode=full&to=v2`,
      });
      const { page } = open;
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByRole('textbox', { name: 'Reason' }).fill('All of it');
      const submit = page.getByRole('button', { name: 'Submit rollback' });
      expect(await submit.isDisabled()).toBe(true);
      await page.getByRole('textbox', { name: /^Type acme\/production/ }).fill('acme/production');
      expect(await submit.isDisabled()).toBe(false);
      expectNothingWrong(open);
    },
  );

  it.runIf(isProof)('goes past what blocks it, and removes, only where somebody says so', async () => {
    const at = '/e/acme/canary/rollback?step=preview&mode=full&to=v1';
    const open = await openPage(browser, scene.jane, { at });
    const { page } = open;
    const next = page.getByRole('button', { name: 'Next' });
    await page.getByText('FIXED_FIELD').first().waitFor();
    expect(await next.isDisabled()).toBe(true);
    await page.getByRole('checkbox', { name: /FIXED_FIELD/ }).check();
    await settled(page);
    await page.getByRole('checkbox', { name: /^Remove what did not exist/ }).check();
    await settled(page);
    await next.click();
    await page.getByText('Overridden:').waitFor();
    await page.getByRole('textbox', { name: 'Reason' }).fill('jobs floods the queue');
    expect(await page.getByRole('button', { name: 'Submit rollback' }).isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: /to confirm the removal$/ }).fill('acme/canary');
    await page.getByRole('button', { name: 'Submit rollback' }).click();
    await page.waitForURL(/\/requests\/rbk-/);
    await page.getByText('It is in Git: commit').waitFor();
    // Never taken for live.
    await page.getByRole('region', { name: 'Live' }).getByText('unconfirmed').first().waitFor();
    const log = await scene.repo.git('log', '--max-count=1', '--format=%B', 'main', '--', 'apps/acme/canary');
    expect(log).toContain('Rollback-Override: FIXED_FIELD');
    expect(await scene.repo.git('ls-tree', '-r', '--name-only', 'main')).not.toContain('canary/jobs');
    expectNothingWrong(open);
  });

  /** To the last step, with a reason. */
  const ready = async (page: Page) => {
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('It hurts');
    return page.getByRole('button', { name: 'Submit rollback' });
  };

  it.runIf(isProof)('asks for one rollback, also where the answer to it is lost', async () => {
    const at = '/e/acme/production/api/rollback?step=preview&to=v1';
    const open = await openPage(browser, scene.jane, { at });
    const { page } = open;
    const submit = await ready(page);
    await page.route('**/api/v1/rollbacks', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback();
      await route.fetch();
      return route.abort();
    });
    await submit.click();
    await page.getByText('The server is away').waitFor();
    await page.unroute('**/api/v1/rollbacks');
    await page.reload();
    await page.getByRole('button', { name: 'Submit rollback' }).click();
    await page.waitForURL(/\/requests\/rbk-/);
    const { body } = await scene.jane.get('/api/v1/rollbacks?scope=acme/production/api&state=all');
    expect(body.requests).toHaveLength(1);
    expectNothingWrong(open);
  });

  it.runIf(isProof)('rolls all of an environment back by keys alone, to a revision of a list', async () => {
    const open = await openPage(browser, scene.jane, { at: `${STAGING}/rollback` });
    const { page } = open;
    expect(await page.getByRole('radio', { name: /^Full/ }).isChecked()).toBe(true);
    await page
      .getByText(/To v\d+: \d services?, /)
      .first()
      .waitFor();
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'Is this the place, and how is it?' }).waitFor();
    await press(page, 'Next');
    await page.getByRole('radio', { name: /^v1/ }).waitFor();
    await tabTo(page, /^v\d/);
    for (let tries = 0; !(await page.getByRole('radio', { name: /^v1/ }).isChecked()); tries++) {
      expect(tries).toBeLessThan(9);
      await page.keyboard.press('ArrowDown');
    }
    await page
      .getByRole('region', { name: 'Blast radius' })
      .getByText(/^To v1: 2 services, 2 files/)
      .waitFor();
    await page.getByText('backtrail rollback acme/staging --to v1').waitFor();
    await press(page, 'Next');
    await page.getByRole('heading', { name: 'What would change?' }).waitFor();
    await page.getByText('example.com/api:1.0.0').first().waitFor();
    await press(page, 'Next');
    await tabTo(page, 'Reason');
    await page.keyboard.type('All of it answers 500');
    await press(page, 'Submit rollback');
    await page.waitForURL(/\/requests\/rbk-/);
    await page.getByText('It is in Git: commit').waitFor();
    expect(await scene.read('apps/acme/staging/api/app.yaml')).toContain('api:1.0.0');
    expectNothingWrong(open);
  });

  it.runIf(isProof).each(['scope', 'tenant-environment', 'revision', 'preview', 'submit'])(
    'keeps nobody out at the step %s, dark or light, on a telephone',
    async (step) => {
      const at = `/e/acme/production/api/rollback?step=${step}&to=v2`;
      const open = await openPage(browser, scene.jane, { width: 360, at });
      for (const colorScheme of ['dark', 'light'] as const) {
        await open.page.emulateMedia({ colorScheme });
        expect([step, await misfitsOf(open.page)]).toEqual([step, { wider: 0, small: [] }]);
        expect([step, colorScheme, await violationsOf(open.page)]).toEqual([step, colorScheme, []]);
      }
      expectNothingWrong(open);
    },
  );
});
