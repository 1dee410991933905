/** No secret of the repository, or of a cluster, is in anything that the server answers. */
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, needsChromium, openBrowser, openPage, settled } from '../../helpers/program/browser.ts';
import { hasKubectl } from '../../helpers/program/kubectl.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { leaksIn, secretsScene, type SecretsScene } from './secrets-scene.ts';

const PLACE = { tenant: 'acme', environment: 'production', service: 'api' };
const STAGING = '/e/acme/staging/api';

let scene: SecretsScene;
beforeAll(async () => {
  scene = await secretsScene();
});

async function textOf(method: string, path: string, body?: object): Promise<readonly [number, string]> {
  const { url, token } = scene.api;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return [answer.status, `${JSON.stringify([...answer.headers])}\n${await answer.text()}`];
}

/** Each path of the document with what stands for its parameters: all that there is to be had of the scene. */
function addressesOf(template: string): readonly string[] {
  const { done, waiting, deployment, session } = scene;
  const at = (path: string, ...queries: string[]) => queries.map((query) => `${path}?${query}`);
  const path = template
    .replace('{tenant}', 'acme')
    .replace('{environment}', 'staging')
    .replace('{service}', 'api')
    .replace('{revision}', 'v1')
    .replace('{releaseId}', 'acme~staging~api')
    .replace('{imageTag}', '1');
  const withId = (id: string) => path.replace('{id}', id);
  if (path.includes('/rollbacks/{id}')) return [withId(done), withId(waiting)];
  if (path.includes('/deployments/{id}')) return [withId(deployment)];
  if (path.includes('/break-glass/{id}')) return [withId(session)];
  if (path.endsWith('/compare')) return at(path, 'from=v1&to=v3', 'from=v3&service=api');
  if (path.endsWith('/revisions/v1')) return at(path, 'service=api', 'files=false');
  if (path.endsWith('/deployments/exists')) return at(path, 'image=1', 'image=registry.example.com/api:1');
  if (path.endsWith('/events')) return [];
  return [path];
}

describe('no secret is in', () => {
  it('any answer to what may be read', async () => {
    const templates = Object.entries(scene.api.document.paths).flatMap(([path, calls]) =>
      calls['get'] === undefined ? [] : [path],
    );
    const refused: string[] = [];
    let all = '';
    for (const path of templates.flatMap(addressesOf)) {
      const [status, text] = await textOf('GET', path);
      expect([path, leaksIn(text)]).toEqual([path, []]);
      if (status !== 200) refused.push(`${status} ${path}`);
      all += text;
    }
    // Nothing else was refused, and what is secret was in what was answered, hidden.
    expect(refused.toSorted()).toEqual(REFUSED());
    const hidden = ['*** (changed)', 'DB_PASSWORD=***', 'spring.datasource.password=***', 'users.htpasswd'];
    expect(hidden.filter((form) => !all.includes(form))).toEqual([]);
  });

  it.runIf(hasKubectl)('what is told of a cluster', async () => {
    const [, drift] = await textOf('GET', '/api/v1/environments/acme/staging/services/api/drift');
    expect(drift).toContain('"differs"');
    expect(drift).toContain('registry.example.com/api:9');
    expect(leaksIn(drift)).toEqual([]);
  });

  it('any plan, or what is asked for all at once', async () => {
    const asks: readonly (readonly [string, object])[] = [
      ['/api/v1/plans', { ...PLACE, target: 'v1' }],
      ['/api/v1/plans', { tenant: 'acme', environment: 'production', target: 'v1', mode: 'full' }],
      ['/api/v1/plans', { ...PLACE, target: 'v2', wholeFile: true }],
      ['/api/v1/plans', { tenant: 'acme', environment: 'staging', service: 'api', resume: true }],
      ['/api/v1/audit/verify', {}],
      ['/graphql', { query: '{ __typename }' }],
    ];
    for (const [path, body] of asks) {
      const [status, text] = await textOf('POST', path, body);
      expect([path, body, status, leaksIn(text)]).toEqual([path, body, 200, []]);
    }
  });

  it('the stream of events, from its beginning on', async () => {
    const { url, token } = scene.api;
    const stream = await fetch(`${url}/api/v1/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': '0' },
    });
    const reader = stream.body?.getReader();
    let text = '';
    while (!text.includes(scene.waiting)) {
      const part = await reader?.read();
      if (part === undefined || part.done) break;
      text += Buffer.from(part.value).toString();
    }
    await reader?.cancel();
    expect(text).toContain(scene.waiting);
    expect(leaksIn(text)).toEqual([]);
  });

  it('the log of the server', () => {
    expect(leaksIn(scene.api.log.join(''))).toEqual([]);
  });
});

/** A rollback that no policy watched over is in Git alone, and one that waits in the ledger alone. */
const REFUSED = () => [
  `404 /api/v1/rollbacks/${scene.done}`,
  `404 /api/v1/rollbacks/${scene.done}/plan`,
  `404 /api/v1/rollbacks/${scene.waiting}/live`,
];

describe.skipIf(!hasChromium || !isProof)(`no secret reaches a browser${needsChromium}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });

  it('on any page, in any answer that the page asks for', async () => {
    const open = await openPage(browser, scene.api);
    const { page } = open;
    const answers: Promise<readonly [string, string]>[] = [];
    page.on('response', (response) => {
      if (!response.url().endsWith('/events'))
        answers.push(
          response.text().then(
            (text) => [response.url(), text] as const,
            () => [response.url(), ''],
          ),
        );
    });
    const scope = '/e/acme/production/api';
    const places = ['/', '/requests', '/holds', '/audit', '/incident', scope, STAGING].concat(
      [`/history?at=v3`, `/compare?from=v1`, `/drift`, `/rollback?to=v1&step=preview`].map(
        (at) => scope + at,
      ),
      [scene.done, scene.waiting].map((id) => `/requests/${id}`),
    );
    for (const path of places) {
      await open.go(path);
      await settled(page);
      expect([path, leaksIn(await page.content())]).toEqual([path, []]);
    }
    await page.goto(`${scene.api.url}/audit`);
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText(/of 1 honest/).waitFor();
    for (const [url, text] of await Promise.all(answers)) expect([url, leaksIn(text)]).toEqual([url, []]);
    expect(answers.length).toBeGreaterThan(places.length);
  });
});
