/** Many scopes at once, and the record of it, in a real browser. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectNothingWrong,
  hasChromium,
  misfitsOf,
  needsChromium,
  openBrowser,
  type OpenPage,
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

  it('shows what would be done before it asks, and what became of it', async () => {
    const open = await openPage(browser, scene.jane, {
      at: `/incident?scope=acme%2Fgone&scope=acme%2Fcanary%2Fapi`,
    });
    const { page } = open;
    await page.getByText('One scope is not in the repository').waitFor();
    await page.getByRole('button', { name: 'Leave it out' }).click();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('*/staging/*');
    await page.getByRole('button', { name: 'Choose the pattern (2 now)' }).click();
    await page.getByRole('checkbox', { name: 'acme/production/api' }).check();
    await page.getByRole('textbox', { name: 'Reason' }).fill(HOSTILE);
    await page.reload();
    await page.getByText('3 chosen').waitFor();
    expect(await page.getByRole('textbox', { name: 'Reason' }).inputValue()).toBe(
      HOSTILE.replaceAll('\r', ''),
    );
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('3 of 4 would be rolled back').waitFor();
    const rows = page.getByRole('table', { name: 'Plans' }).getByRole('row');
    const [first, production] = [rows.nth(1), rows.filter({ hasText: 'acme/production/api' })];
    expect(await first.innerText()).toMatch(
      /acme\/canary\/api[^]*blocks FIXED_FIELD[^]*--override FIXED_FIELD/,
    );
    expect(await first.getByRole('checkbox').isDisabled()).toBe(true);
    expect(await production.innerText()).toMatch(
      /v3 →[^]*v2[^]*1 file, 3 fields in api[^]*1 approval, by anybody but you/,
    );
    await page.getByRole('checkbox', { name: 'Take acme/staging/web' }).uncheck();
    await page.getByText('2 of 4 would be rolled back').waitFor();
    expect(await misfitsAnywhere(open)).toEqual([]);
    await page.getByRole('button', { name: 'Submit 2 rollbacks' }).click();
    await page.waitForURL(/\/incident\?id=inc-/);
    await page.getByText('1 of 2 completed, 1 waits for approval').waitFor();
    expect(await scene.read('apps/acme/staging/api/app.yaml')).toContain('api:1.1.0');
    expect(await scene.read('apps/acme/staging/web/app.yaml')).toContain('web:1.2.0');
    await page.reload();
    await page.getByText('1 of 2 completed, 1 waits for approval').waitFor();
    expect(await misfitsAnywhere(open)).toEqual([]);
    expectNothingWrong(open);
  });

  it('asks for nothing twice where no answer came', async () => {
    const open = await openPage(browser, scene.jane, { at: '/incident?scope=acme%2Fstaging%2Fweb' });
    const { page } = open;
    await page.getByRole('textbox', { name: 'Reason' }).fill('It is slow');
    await page.getByRole('button', { name: 'Preview' }).click();
    const sent: (string | undefined)[] = [];
    await page.route('**/api/v1/incidents', async (route) => {
      sent.push(route.request().headers()['idempotency-key']);
      if (sent.length > 1) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await page.getByRole('button', { name: 'Submit 1 rollback' }).click();
    await page.getByText('It was sent, and no answer came').waitFor();
    await page.reload();
    await page.getByText('It was sent, and no answer came').waitFor();
    await page.getByRole('button', { name: 'Send it again' }).click();
    await page.waitForURL(/\/incident\?id=inc-/);
    await page.getByText('1 of 1 completed').waitFor();
    expect([sent.length, new Set(sent).size]).toEqual([2, 1]);
    const all = await scene.jane.get('/api/v1/rollbacks?state=all&scope=acme/staging/web');
    expect(all.body.requests).toHaveLength(1);
    expectNothingWrong(open);
  });

  it('is decided on at once by another person, and what failed is tried again', async () => {
    const id = 'inc of "two" <b>';
    const scopes = ['acme/production/web', 'acme/production/api'];
    const asked = {
      id,
      reason: HOSTILE,
      onFailure: 'continue',
      rollbacks: scopes.map((scope) => ({ scope, to: 'v1' })),
    };
    await scene.jane.post('/api/v1/incidents', asked);
    const at = `/incident?id=${encodeURIComponent(id)}`;
    const asker = await openPage(browser, scene.jane, { at });
    await asker.page.getByRole('button', { name: 'Look at the plans' }).click();
    await asker.page.getByText('There is nothing here that you may decide on').waitFor();
    expect(await asker.page.getByRole('button', { name: 'Approve 0' }).isDisabled()).toBe(true);
    const approver = await openPage(browser, scene.bob, { at, width: 360 });
    const { page } = approver;
    await page.getByRole('button', { name: 'Look at the plans' }).click();
    await page.getByRole('checkbox', { name: 'Vote on acme/production/web' }).waitFor();
    expect(await misfitsAnywhere(approver)).toEqual([]);
    await scene.repo.git('checkout', '--quiet', 'main');
    await scene.repo.write({ 'apps/acme/production/web/app.yaml': 'mine: true\n' });
    await page.getByRole('button', { name: 'Approve 2' }).click();
    await page
      .getByRole('dialog', { name: 'Approve 2 rollbacks?' })
      .getByRole('button', { name: 'Yes, approve 2' })
      .click();
    await page.getByText('1 of 2 completed, 1 failed').waitFor();
    await page.getByText('2 of 2 voted on, 1 failed to be executed').waitFor();
    const rows = page.getByRole('table', { name: 'Rollbacks' }).getByRole('row');
    expect(await rows.nth(1).innerText()).toMatch(/acme\/production\/web[^]*WORKTREE_DIRTY/);
    expect(await misfitsAnywhere(approver)).toEqual([]);
    await scene.repo.git('checkout', '--', '.');
    await scene.repo.git('checkout', '--quiet', '--detach');
    await page.getByRole('button', { name: 'Retry 1 failed' }).click();
    for (const each of [approver, asker]) {
      await each.page.getByText('2 of 2 completed').waitFor();
      expect(await each.page.locator('main script, main img').count()).toBe(0);
      expectNothingWrong(each);
    }
    expect(await scene.read('apps/acme/production/web/app.yaml')).toContain('web:1.0.0');
  });

  it('asks for all or nothing where it says so, and says what was not done', async () => {
    const at = '/incident?scope=acme%2Fproduction%2F*&to=v2&atomic=yes';
    const open = await openPage(browser, scene.jane, { at, width: 360 });
    const { page } = open;
    await page.getByRole('checkbox', { name: 'All in one push, or none' }).uncheck();
    await page.getByRole('checkbox', { name: 'All in one push, or none' }).check();
    await page.getByRole('textbox', { name: 'Reason' }).fill('It is slow');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('2 of 2 would be rolled back').waitFor();
    // Somebody else changes one of them between the look and the submission.
    const extra = { 'apps/acme/production/web/extra.yaml': 'a: 1\n' };
    await scene.repo.replay([{ files: extra, message: 'One more file' }], 'main');
    await page.getByRole('button', { name: 'Submit 2 rollbacks' }).click();
    const region = page.getByRole('region', { name: 'What was not done' });
    await region.getByText('Nothing was asked for.').waitFor();
    expect(await region.innerText()).toMatch(/acme\/production\/web[^]*PLAN_CHANGED/);
    expect(await misfitsAnywhere(open)).toEqual([]);
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('2 of 2 would be rolled back').waitFor();
    await page.getByRole('button', { name: 'Submit 2 rollbacks' }).click();
    await page.getByText('0 of 2 completed, 2 wait for approval').waitFor();
    await page.getByText('They are published in one push, or none of them').waitFor();
    const id = new URL(page.url()).searchParams.get('id');
    const more = { id, reason: HOSTILE, rollbacks: [{ scope: 'acme/production', to: 'v1' }] };
    const carol = await scene.serve({ name: 'Carol', email: 'carol@example.com' });
    await carol.post('/api/v1/incidents', more);
    const approver = await openPage(browser, scene.bob, {
      at: new URL(page.url()).pathname + new URL(page.url()).search,
    });
    await approver.page.getByRole('button', { name: 'Look at the plans' }).click();
    await approver.page.getByText('Several people asked under this id').waitFor();
    await approver.page.getByRole('combobox', { name: 'Asked for by' }).selectOption('jane@example.com');
    await approver.page.getByRole('button', { name: 'Reject 2' }).click();
    await approver.page.getByRole('button', { name: 'Yes, reject 2' }).click();
    await page.getByText('0 of 3 completed, 1 waits for approval, 2 rejected').waitFor();
    expect(await misfitsAnywhere(approver)).toEqual([]);
    expectNothingWrong(open);
    expectNothingWrong(approver);
  });

  it('makes every rollback again, and says that it is honest', async () => {
    const open = await openPage(browser, scene.jane, { at: '/audit' });
    const { page } = open;
    await page.getByText('acme/staging/api').first().waitFor();
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('4 of 4 honest').waitFor();
    expect(await page.locator('main script, main img').count()).toBe(0);
    expectNothingWrong(open);
  });

  it.each(['/incident', '/audit'])('keeps nobody out of %s, dark or light, on a telephone', async (at) => {
    const open = await openPage(browser, scene.jane, { width: 360, at });
    expect(await misfitsAnywhere(open)).toEqual([]);
    expectNothingWrong(open);
  });
});

/** What does not fit, or what axe finds wrong, at this width and on a telephone, dark and light; empty: nothing. */
async function misfitsAnywhere({ page }: OpenPage): Promise<readonly unknown[]> {
  const { width = 0, height = 0 } = page.viewportSize() ?? {};
  const wrongs: unknown[] = [];
  for (const each of new Set([width, 360])) {
    // High enough that nothing sticks in front of anything else.
    await page.setViewportSize({ width: each, height: 4000 });
    const { wider, small } = await misfitsOf(page);
    if (wider > 0 || small.length > 0) wrongs.push([each, wider, small]);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const violations = await violationsOf(page);
      if (violations.length > 0) wrongs.push([each, colorScheme, violations]);
    }
  }
  await page.setViewportSize({ width, height });
  return wrongs;
}
