/** A request between who asks and who approves, each in a browser of their own, with a real worker. */
import type { Browser, Page, Request } from 'playwright-core';
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

/** `hold` waits for the plans that are on their way, keeps all later ones from the server, and gives what lets them go on. */
async function plansOf(page: Page): Promise<{ hold(): Promise<() => void> }> {
  let held: Promise<void> | null = null;
  const under = new Set<Request>();
  await page.route('**/plan', async (route) => {
    if (held !== null) await held;
    under.add(route.request());
    await route.continue();
  });
  const over = (request: Request) => under.delete(request);
  page.on('requestfinished', over);
  page.on('requestfailed', over);
  return {
    async hold() {
      let send = (): void => undefined;
      held = new Promise((resolve) => (send = resolve));
      await expect.poll(() => under.size, { timeout: 30_000 }).toBe(0);
      return send;
    },
  };
}

describe.skipIf(!hasChromium || !isProof)(`a request${needsChromium}`, () => {
  let browser: Browser;
  let scene: DecisionScene;
  beforeAll(async () => {
    [browser, scene] = await Promise.all([openBrowser(), decisionScene(redis.url)]);
  });

  const ask = async (service: string, target = 'v2') => {
    const asked = { tenant: 'acme', environment: 'production', service, target, justification: HOSTILE };
    const { body } = await scene.jane.post('/api/v1/rollbacks', asked);
    return `/requests/${body.requestId}`;
  };

  it('goes from one browser to another and back, without anybody loading a page anew', async () => {
    const at = await ask('api');
    const [asker, approver] = [
      await openPage(browser, scene.jane, { at }),
      await openPage(browser, scene.bob, { at, width: 360 }),
    ];
    await asker.page.getByText('You may not approve it').waitFor();
    expect(await asker.page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    await approver.page.getByText('0 of 1 approval').waitFor();
    await approver.page.getByText('example.com/api:1.1.0').first().waitFor();
    await approver.page.getByRole('textbox', { name: 'Comment' }).fill(HOSTILE);
    await approver.page.getByRole('button', { name: 'Approve' }).click();
    for (const { page } of [asker, approver]) {
      await page.getByText('It is in Git: commit').first().waitFor();
      await page.getByText('1 of 1 approval').waitFor();
      await page.getByText('nobody knows here whether it runs').waitFor();
      expect(await page.locator('main script, main img').count()).toBe(0);
    }
    expect(await scene.read('apps/acme/production/api/app.yaml')).toContain('api:1.1.0');
    expectNothingWrong(asker);
    expectNothingWrong(approver);
  });

  it('says what happened since somebody looked', async () => {
    const at = await ask('web');
    const open = await openPage(browser, scene.bob, { at });
    const { page } = open;
    const plans = await plansOf(page);
    await page.getByText('0 of 1 approval').waitFor();
    await page.getByRole('region', { name: 'Changes' }).waitFor();
    await open.go('/requests');
    await scene.jane.post(`/api/v1${at.replace('requests', 'rollbacks')}/notes`, { text: 'It hurts' });
    await scene.repo.replay([
      { files: { 'apps/acme/production/web/extra.yaml': 'a: 1\n' }, message: 'One more file' },
    ]);
    await open.go(at);
    const since = page.getByRole('region', { name: 'Since you last looked' });
    await since.getByText('wrote a note').waitFor();
    await since.getByText('extra.yaml').waitFor();
    await page.getByText('It would change something else now').waitFor();
    const path = `/api/v1${at.replace('requests', 'rollbacks')}`;
    const shown = (await scene.bob.get(`${path}/plan`)).body;
    expect((await scene.bob.get(path)).body.digest).not.toBe(shown.digest);
    const sent = page.waitForRequest((request) => request.url().endsWith('/approve'));
    await page.getByRole('button', { name: 'Approve' }).click();
    // What is on the screen, and not what reviewers were asked about before.
    expect((await sent).postDataJSON()).toMatchObject({ digest: shown.digest });
    await page.getByText('Reviewers were asked again').waitFor();
    const refused = page.getByRole('alert').filter({ hasText: 'Nothing was approved' });
    await refused.getByText('Look at what is shown here now, and approve that.').waitFor();
    await page.getByRole('button', { name: 'Approve', disabled: false }).waitFor();
    // Somebody else has them asked once more, and the plan is a while on its way.
    const send = await plans.hold();
    await scene.repo.replay([
      { files: { 'apps/acme/production/web/another.yaml': 'a: 1\n' }, message: 'Another file' },
    ]);
    await scene.bob.post(`/api/v1${at.replace('requests', 'rollbacks')}/approve`, {});
    await page.getByText('it can be approved once it is shown here').waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    send();
    const moved = page.getByRole('alert', { name: 'It changed while you looked at it' });
    await moved.getByText('another.yaml').waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    await moved.getByRole('button', { name: 'I have looked at it' }).click();
    await page.getByRole('button', { name: 'Approve', disabled: false }).waitFor();
    await page.getByRole('button', { name: 'Reject' }).click();
    await page.getByText('Bob').first().waitFor();
    await page.getByText('rejected').first().waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    expectNothingWrong(open);
  });

  it('goes on where the server is away for a while, and says so meanwhile', async () => {
    const { body } = await scene.jane.post('/api/v1/rollbacks', {
      tenant: 'acme',
      environment: 'production',
      service: 'web',
      target: 'v2',
      justification: 'It hurts',
    });
    const open = await openPage(browser, scene.jane, { at: `/requests/${body.requestId}` });
    const { page } = open;
    await page.getByText('0 of 1 approval').waitFor();
    await page.route('**/api/**', (route) => route.abort());
    await page.getByRole('textbox', { name: 'New note' }).fill('Lost?');
    await page.getByRole('button', { name: 'Add note' }).click();
    await page.getByText('The server is away').waitFor();
    await page.getByText('Not up to date.').first().waitFor();
    await scene.bob.post(`/api/v1/rollbacks/${body.requestId}/approve`, {});
    await page.unroute('**/api/**');
    await page.getByRole('button', { name: 'Add note' }).click();
    await page.getByText('It is in Git: commit').waitFor();
    const notes = page.getByRole('region', { name: 'Notes' });
    await notes.getByRole('listitem').filter({ hasText: 'Lost?' }).waitFor();
    expect(await notes.getByRole('listitem').count()).toBe(1);
    expectNothingWrong(open);
  });

  it('is told of step by step while it is executed, by name', async () => {
    const held = scene.holdAt('staged');
    const at = await ask('api', 'v1');
    const open = await openPage(browser, scene.jane, { at });
    const { page } = open;
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    const approved = scene.bob.post(`/api/v1${at.replace('requests', 'rollbacks')}/approve`, {});
    await held.reached;
    const steps = page.getByRole('region', { name: 'Steps of the execution' });
    const step = (name: string) => steps.getByRole('listitem').filter({ hasText: name });
    await steps.getByRole('status').filter({ hasText: 'staged.' }).waitFor();
    expect(
      (await steps.getByRole('listitem').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ')),
    ).toEqual([
      '✓ planned done',
      '✓ staged done',
      '○ delivered not yet',
      '○ published not yet',
      '○ verified not yet',
    ]);
    // Somebody who lists requests sees it too.
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    held.letGo();
    await step('verified done').waitFor();
    await page.getByText('It is in Git: commit').waitFor();
    expect((await approved).body.status).toBe('completed');
    expectNothingWrong(open);
  });

  it('is retried where it failed, once what stopped it is gone', async () => {
    const at = await ask('web', 'v1');
    await scene.configure({ checks: { fixed: ['#/replicas'] } });
    const [approver, asker] = [
      await openPage(browser, scene.bob, { at }),
      await openPage(browser, scene.jane, { at, width: 360 }),
    ];
    await approver.page.getByRole('button', { name: 'Approve' }).click();
    for (const { page } of [approver, asker]) {
      const failure = page.getByRole('alert').filter({ hasText: 'It failed' });
      await failure.getByText('FIXED_FIELD').waitFor();
      await page.getByRole('button', { name: 'Retry', disabled: false }).waitFor();
      // Nothing of it can be withdrawn any more.
      expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    }
    await asker.page.getByRole('button', { name: 'Another revision' }).waitFor();
    await scene.configure();
    await asker.page.getByRole('button', { name: 'Retry' }).click();
    for (const { page } of [approver, asker]) await page.getByText('It is in Git: commit').waitFor();
    expect(await scene.read('apps/acme/production/web/app.yaml')).toContain('web:1.0.0');
    expectNothingWrong(approver);
    expectNothingWrong(asker);
  });

  it('goes ahead in a break-glass session, which every page tells of, and is reviewed by another person', async () => {
    const opened = await scene.jane.post('/api/v1/break-glass', {
      scope: 'acme/production',
      justification: HOSTILE,
      minutes: 30,
    });
    const open = await openPage(browser, scene.jane);
    const other = await openPage(browser, scene.bob, { width: 360 });
    const banner = ({ page }: typeof open) =>
      page
        .getByRole('status')
        .filter({ hasText: 'Break-glass session Jane Doe may roll back acme/production' });
    const pages = [
      '/e/acme/production',
      '/e/acme/staging/api/history',
      '/requests',
      '/holds',
      '/audit',
      '/incident',
    ];
    for (const path of ['/', ...pages, '/nothing']) {
      await open.go(path);
      await banner(open).getByText(HOSTILE.slice(0, -1)).waitFor();
    }
    await banner(other).waitFor();
    await open.go('/e/acme/production/rollback?step=preview&mode=full&to=v2');
    const { page } = open;
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('No approval is needed while your break-glass session is open.').waitFor();
    await page.getByRole('textbox', { name: 'Reason' }).fill('Checkout is down');
    const submit = page.getByRole('button', { name: 'Submit rollback' });
    // Nobody else looks at it before: the name of all of it is typed all the same.
    expect(await submit.isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: /^Type acme\/production/ }).fill('acme/production');
    await submit.click();
    await page.waitForURL(/\/requests\/rbk-/);
    await page.getByText('It is in Git: commit').waitFor();
    const own = page.getByRole('region', { name: 'Review' });
    await own.getByText('It waits for the review of another person').waitFor();
    expect(await own.getByRole('button').count()).toBe(0);
    await other.go(new URL(page.url()).pathname);
    const review = other.page.getByRole('region', { name: 'Review' });
    const complete = review.getByRole('button', { name: 'Complete the review' });
    expect(await complete.isDisabled()).toBe(true);
    await review.getByRole('textbox', { name: 'What you found' }).fill(HOSTILE);
    await complete.click();
    for (const each of [own, review]) await each.getByText('Reviewed by Bob').waitFor();
    await scene.jane.call('DELETE', `/api/v1/break-glass/${opened.body.id}`);
    await banner(other).waitFor({ state: 'detached' });
    expect(await other.page.locator('main script, main img, aside script, aside img').count()).toBe(0);
    expectNothingWrong(open);
    expectNothingWrong(other);
  });

  it('does not sign somebody out who opens the page of another server of the machine', async () => {
    const open = await openPage(browser, scene.jane);
    const { page } = open;
    const other = await page.context().newPage();
    await other.goto(`${scene.bob.url}/#token=${scene.bob.token}`);
    await other.getByText('everything is done as Bob').waitFor();
    await open.go('/requests');
    await page.getByText('everything is done as Jane Doe').waitFor();
    expect((await page.context().cookies()).map(({ name }) => name).toSorted()).toEqual(
      [scene.jane, scene.bob].map(({ url }) => `backtrail-${new URL(url).port}`).toSorted(),
    );
    expectNothingWrong(open);
  });

  it('is withdrawn by who asked, keeps nobody out, and takes notes', async () => {
    const at = await ask('web', 'v1');
    const open = await openPage(browser, scene.jane, { at, width: 360 });
    const { page } = open;
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await misfitsOf(page)).toEqual({ wider: 0, small: [] });
      expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []]);
    }
    await page.getByRole('textbox', { name: 'New note' }).fill(HOSTILE);
    await page.getByRole('button', { name: 'Add note' }).click();
    const notes = page.getByRole('region', { name: 'Notes' });
    await notes.getByText(HOSTILE.slice(0, -1)).first().waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled').first().waitFor();
    await page.getByText(/^Cancelled by .*@/).waitFor();
    expectNothingWrong(open);
  });
});
