/** What clusters run, on the page: a real kubectl asks a cluster on loopback, whose controllers act when the test says so. */
import type { Browser, Page } from 'playwright-core';
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
import { hasKubectl } from '../helpers/program/kubectl.ts';
import { isProof } from '../helpers/run/proof.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { liveScene, type LiveScene } from './live-scene.ts';

const SCOPE = '/e/acme/production/api';
const PLACE = { tenant: 'acme', environment: 'production', service: 'api' };
const DEPLOYMENT = { kind: 'Deployment', namespace: 'acme', name: 'api' };
const needs = needsChromium || (hasKubectl ? '' : ' (skipped: there is a kubectl for Linux x86_64 only)');

const redis = useRedis();

describe.skipIf(!hasChromium || !hasKubectl)(`a cluster, on the page${needs}`, () => {
  let browser: Browser;
  let scene: LiveScene;
  beforeAll(async () => {
    [browser, scene] = await Promise.all([openBrowser(), liveScene(redis.url)]);
  });

  const live = (page: Page) => page.getByRole('region', { name: 'Live' });
  const saying = (page: Page, text: string | RegExp) => live(page).filter({ hasText: text }).waitFor();

  it('shows what differs from what was delivered, both values of it, and how old that is', async () => {
    scene.runs(3);
    scene.cluster.patch(DEPLOYMENT, { spec: { replicas: 5 } });
    scene.cluster.remove({ kind: 'ConfigMap', namespace: 'acme', name: 'api' });
    scene.pass();
    const open = await openPage(browser, scene.jane, { at: `${SCOPE}/drift`, width: 360 });
    const { page } = open;
    await page
      .getByText(/2 of 2 objects differ from what was delivered at [0-9a-f]{12}, observed .+ ago/)
      .waitFor();
    const rows = await page.getByRole('tabpanel').getByRole('listitem').allInnerTexts();
    expect(rows.map((row) => row.replaceAll(/\s+/g, ' '))).toEqual([
      expect.stringMatching(
        /differs Deployment acme\/api in prod-eu \/spec\/replicas in Git 2 in the cluster 5/,
      ),
      expect.stringMatching(/missing ConfigMap acme\/api in prod-eu/),
    ]);
    await page.getByText('backtrail drift acme/production/api').waitFor();
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await misfitsOf(page)).toEqual({ wider: 0, small: [] });
      expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []]);
    }
    expectNothingWrong(open);
  });

  it.runIf(isProof)(
    'asks a cluster once for ten pages, and nothing for one that nobody looks at',
    async () => {
      scene.runs(3);
      scene.pass();
      const asked = async (times: number) => {
        scene.cluster.requests.length = 0;
        const place = '/api/v1/environments/acme/production/services/api';
        const answers = await Promise.all(
          Array.from({ length: times }, () => scene.jane.get(`${place}/live`)),
        );
        scene.pass();
        expect(new Set(answers.map(({ body }) => body.state))).toEqual(new Set(['live']));
        return scene.cluster.lines().length;
      };
      // What the cluster can do is asked for once.
      await asked(1);
      const [ofOne, ofTen] = [await asked(1), await asked(10)];
      expect([ofOne > 0, ofTen]).toEqual([true, ofOne]);
      const { page } = await openPage(browser, scene.jane, { at: SCOPE });
      await saying(page, 'The cluster runs this revision.');
      const calls: string[] = [];
      page.on('request', (request) => calls.push(request.url()));
      await look(page, 'hidden');
      await page.evaluate(`dispatchEvent(new Event('online'))`);
      await scene.jane.post('/api/v1/rollbacks', {
        ...PLACE,
        target: 'v2',
        justification: 'Nobody looks',
      });
      await page.waitForTimeout(1000);
      expect(calls).toEqual([]);
      await look(page, 'visible');
      await page.getByRole('link', { name: /Nobody looks/ }).waitFor();
      expect(calls.some((url) => url.endsWith('/live'))).toBe(true);
    },
  );

  it.runIf(isProof)(
    'says of a scope whether it is live, degraded, or could not be asked, and why',
    async () => {
      scene.runs(3);
      scene.pass();
      const open = await openPage(browser, scene.jane, { at: SCOPE });
      const { page } = open;
      await saying(page, /✓ live The cluster runs this revision\./);
      await saying(page, /Deployment acme\/api in prod-eu, observed .+ ago/);
      scene.runs(3, 'crash');
      scene.pass();
      await open.go(SCOPE);
      await saying(page, /✕ degraded The cluster has this revision, and it is not healthy\./);
      scene.runs(2);
      scene.pass();
      await open.go(SCOPE);
      await saying(page, /pending The cluster has not seen this revision yet\./);
      const end = scene.cluster.fault({ answer: 'forbidden' });
      scene.pass();
      await open.go(SCOPE);
      await saying(page, /unconfirmed[^]*nobody knows here whether it runs[^]*CLUSTER_DENIED/);
      await open.go(`${SCOPE}/drift`);
      await page.getByText('None of the 2 objects could be checked').waitFor();
      expect(await page.getByText('No object differs').count()).toBe(0);
      for (const colorScheme of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme });
        expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []]);
      }
      end();
      expectNothingWrong(open);
    },
  );

  it.runIf(isProof)('has a word for every reason why there is no drift to show', async () => {
    scene.runs(3);
    scene.pass();
    const open = await openPage(browser, scene.jane, { at: `${SCOPE}/drift` });
    const { page } = open;
    await page.getByText('No object differs').waitFor();
    await open.go('/e/acme/canary/api/drift');
    await page.getByText('Nothing says which cluster this is delivered to').waitFor();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/api/v1/**/drift', async (route) => {
      await held;
      await route.fulfill({
        status: 500,
        contentType: 'application/problem+json',
        body: '{"code":"INTERNAL"}',
      });
    });
    await page.goto(`${scene.jane.url}${SCOPE}/drift`);
    await page.getByRole('status').filter({ hasText: 'Loading' }).waitFor();
    release();
    await page.getByRole('heading', { name: 'Something failed' }).waitFor();
    await page.getByText('INTERNAL').waitFor();
    await page.unroute('**/api/v1/**/drift');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('No object differs').waitFor();
    const stranger = await openPage(browser, scene.mallory, { at: `${SCOPE}/drift` });
    await stranger.page.getByRole('heading', { name: 'You may not see this' }).first().waitFor();
    expect(await stranger.page.getByText('No object differs').count()).toBe(0);
    expectNothingWrong(stranger);
  });

  it.runIf(isProof)(
    'goes on after completed: to live, and to degraded where what was rolled out fails',
    async () => {
      scene.runs(3);
      for (const [target, version, end] of [
        ['v2', 2, 'live'],
        ['v1', 1, 'crash'],
      ] as const) {
        const { body } = await scene.jane.post('/api/v1/rollbacks', {
          ...PLACE,
          target,
          justification: `${target} was well`,
        });
        const open = await openPage(browser, scene.jane, { at: `/requests/${body.requestId}` });
        const { page } = open;
        await page.getByText('0 of 1 approval').waitFor();
        await scene.bob.post(`/api/v1/rollbacks/${body.requestId}/approve`);
        await page.getByText('It is in Git: commit').first().waitFor();
        await saying(page, 'The cluster has not seen this revision yet.');
        scene.runs(version, 'slow');
        scene.pass();
        await saying(page, 'The cluster is rolling this revision out.');
        scene.runs(version, end);
        scene.pass();
        await saying(page, end === 'live' ? 'The cluster runs this revision.' : 'it is not healthy');
        expect(await page.getByText('It is in Git: commit').first().isVisible()).toBe(true);
        expectNothingWrong(open);
      }
    },
  );
});

/** As when somebody goes to another tab, or comes back. */
const look = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
     document.dispatchEvent(new Event('visibilitychange'))`,
  );
