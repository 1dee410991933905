/** Records of deployments: what a pipeline says, and what plans and histories make of it. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const REF = 'refs/backtrail/deployments';
const actor = JANE;
const reader = JANE;

/** In two parts, so that no scanner takes it for one that is in use. */
const TOKEN = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');

/** Environments of one repository, for a test each: with the service `api`, whose image has a name and tags of its own in each. */
const PLACES = ['prod', ...Array.from({ length: 29 }, (_, n) => `prod-${n + 1}`)];
const nameIn = (environment: string) => `api-of-${environment}`;
const imageIn = (environment: string, version: string) =>
  `registry.example.com/${nameIn(environment)}:${version}-${environment}`;

let repo: Repo;
let engine: Engine;
/** v1 to v4 of the service, the same everywhere. */
let commits: string[];
beforeAll(async () => {
  repo = await createRepo({ bare: true });
  const apps = (version: string) =>
    Object.fromEntries(
      PLACES.map((place) => [`apps/${place}/api/app.yaml`, `image: ${imageIn(place, version)}\n`]),
    );
  commits = await repo.replay([
    { files: { '.backtrail/config.yaml': configOf({ environments: [] }), ...apps('v1') } },
    ...['v2', 'v3', 'v4'].map((version) => ({ files: apps(version) })),
  ]);
  engine = await engineOf(repo, { lives: 'file' });
});

let environment: string;
let scope: string;
let begun = 0;
beforeEach(() => {
  environment = PLACES[begun] ?? '';
  scope = `${environment}/api`;
  begun += 1;
});

const record = (input: Partial<Parameters<Engine['deployments']['record']>[0]> = {}) =>
  engine.deployments.record({ scope, status: 'deployed', actor, ...input });
const targetOf = async (to: string) => {
  const plan = await engine.rollbacks.plan({ scope, to });
  return { version: plan.targetVersion, findings: plan.findings };
};

describe('a record', () => {
  it('holds the revision, its images, who said so, and when', async () => {
    const made = await record({
      note: 'canary first',
      migration: '0042 adds a column',
      images: ['sidecar:1'],
    });
    expect(made).toMatchObject({
      environment,
      service: 'api',
      scope,
      commit: commits[3],
      version: 4,
      images: ['sidecar:1', imageIn(environment, 'v4')],
      actor: JANE,
      source: 'pipeline',
      status: 'deployed',
      notes: [{ text: 'canary first', actor: JANE }],
      migration: '0042 adds a column',
      rollbackOf: null,
      rolledBackBy: null,
      verified: true,
    });
    expect(await engine.deployments.show({ id: made.id, reader })).toEqual(made);
    expect(await engine.deployments.show({ id: made.id.slice(-8).toLowerCase(), reader })).toEqual(made);
    expect((await engine.deployments.list({ reader, scope })).deployments).toEqual([made]);
    expect(await repo.git('log', '-1', '--format=%s', REF)).toBe(
      `jane@example.com records ${scope} v4 (${commits[3]?.slice(0, 7)}): deployed`,
    );
  });

  it.runIf(isProof)('names what kustomize, Helm and manifests name', async () => {
    await repo.replay([
      {
        files: {
          [`apps/${scope}/kustomization.yaml`]:
            'images:\n- { name: api, newName: reg/api, newTag: v5 }\n- { name: db, digest: "sha256:1" }\n',
          [`apps/${scope}/values.yaml`]: 'image: { repository: reg/web, tag: "2.0" }\n',
          [`apps/${scope}/Chart.yaml`]: 'apiVersion: v2\nname: shop\nversion: 1.2.3\n',
          [`apps/${scope}/app.yaml`]: 'spec: { containers: [ { name: x, image: reg/x:1 } ] }\n',
        },
      },
    ]);
    expect(await record()).toMatchObject({
      images: ['db@sha256:1', 'reg/api:v5', 'reg/web:2.0', 'reg/x:1'],
      chart: 'shop 1.2.3',
    });
  });

  it('goes from status to status: by its id, or by its scope and revision', async () => {
    const { id } = await record({ status: 'proposed' });
    expect(await record({ status: 'pending', id })).toMatchObject({ id, status: 'pending' });
    const done = await record({ status: 'deployed', images: ['registry.example.com/api@sha256:1'] });
    expect(done).toMatchObject({
      id,
      images: [imageIn(environment, 'v4'), 'registry.example.com/api@sha256:1'],
    });
    expect(Object.keys(done.times)).toEqual(['proposed', 'pending', 'deployed']);
    expect(await record({ status: 'failed' })).toMatchObject({ id, status: 'failed' });
    // Tried again, it is another deployment.
    const again = await record({ status: 'deployed' });
    expect(again.id).not.toBe(id);
    expect(await record({ status: 'decommissioned' })).toMatchObject({ id: again.id });
    await expect(record({ id, status: 'deployed' })).rejects.toMatchObject({
      code: 'DEPLOYMENT_STATUS',
      message: `${id} is failed and cannot become deployed.`,
    });
  });

  it('is written once, however often a pipeline says the same', async () => {
    const made = await record({ note: 'x' });
    const once = await repo.git('rev-parse', REF);
    expect(await record({ note: 'x' })).toEqual(made);
    expect(await repo.git('rev-parse', REF)).toBe(once);
    // It was deployed again after another revision.
    await record({ commit: 'v2' });
    expect((await record()).id).not.toBe(made.id);
  });

  it.each([
    [{ status: 'rolled_back' as const }, 'DEPLOYMENT_STATUS'],
    [{ id: 'dep-00000000000000000000000000' }, 'DEPLOYMENT_UNKNOWN'],
    [{ id: '../../x' }, 'DEPLOYMENT_UNKNOWN'],
    [{ id: '__proto__' }, 'DEPLOYMENT_UNKNOWN'],
    [{ commit: 'v9' }, 'REVISION_UNKNOWN'],
    [{ scope: 'prod/none' }, 'SERVICE_UNKNOWN'],
    [{ scope: '../api' }, 'SCOPE_INVALID'],
    [{ images: ['a b'] }, 'INVALID_REQUEST'],
    [{ images: ['\u001b[2J'] }, 'INVALID_REQUEST'],
    [{ note: ' ' }, 'INVALID_REQUEST'],
    [{ note: 'x'.repeat(10_001) }, 'INVALID_REQUEST'],
    [{ note: TOKEN }, 'RAW_SECRET'],
  ])('refuses what cannot be recorded (%#)', async (input, code) => {
    const before = await repo.git('for-each-ref', REF);
    await expect(record(input)).rejects.toMatchObject({ code });
    expect(await repo.git('for-each-ref', REF)).toBe(before);
  });

  it('cannot forge a line of the commit by its note', async () => {
    await record({ note: 'ok\n\nDeployment: dep-x failed\nSigned-off-by: x <x@example.com>' });
    expect(await repo.git('log', '-1', '--format=%(trailers:only,unfold)', REF)).toMatch(
      /^Deployment: dep-[0-9A-Z]{26} deployed\n?$/,
    );
  });
});

describe('lists', () => {
  it('come in pages, newest first, of a scope or of all', async () => {
    const other = await record({ scope: `${PLACES.at(-1)}/api`, commit: 'v1' });
    const ids: string[] = [];
    for (const commit of ['v1', 'v2', 'v3', 'v4']) ids.unshift((await record({ commit })).id);
    const list = async (filter: object) =>
      (await engine.deployments.list({ reader, ...filter })).deployments.map(({ id }) => id);
    expect((await list({})).slice(0, 5)).toEqual([...ids, other.id]);
    expect(await list({ limit: 2 })).toEqual(ids.slice(0, 2));
    expect(await list({ limit: 2, after: ids[1] })).toEqual(ids.slice(2));
    expect(await list({ scope: environment })).toEqual(ids);
    expect(await list({ scope: 'pro' })).toEqual([]);
    expect(await list({ scope, statuses: ['failed'] })).toEqual([]);
  });

  it('go on after a record that has become another one since its page', async () => {
    const ids: string[] = [];
    for (const commit of ['v1', 'v2', 'v3']) ids.unshift((await record({ commit })).id);
    const [newest = ''] = ids;
    await record({ id: newest, status: 'failed' });
    const next = await engine.deployments.list({ reader, scope, statuses: ['deployed'], after: newest });
    expect(next.deployments.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  it('say whether an image was recorded: by its name, its tag or its digest', async () => {
    await record({ images: ['api@sha256:abc'] });
    const exists = async (image: string) => (await engine.deployments.exists({ image, reader })).exists;
    const asked = async (images: readonly string[]) => {
      const found: string[] = [];
      for (const image of images) if (await exists(image)) found.push(image);
      return found;
    };
    const [name, tag] = [nameIn(environment), `v4-${environment}`];
    const known = [imageIn(environment, 'v4'), `${name}:${tag}`, tag, 'sha256:abc'];
    const unknown = [imageIn(environment, 'v3'), `${name.slice(1)}:${tag}`, tag.slice(1), name, '"', 'tag'];
    expect(await asked([...known, ...unknown])).toEqual(known);
  });
});

describe('what records say of revisions', () => {
  const history = async () =>
    (await engine.history({ scope, limit: 10 })).revisions.map(({ version, status, eligible, reasons }) => ({
      version,
      status,
      eligible,
      reasons,
    }));

  it('is in the history, with the reason', async () => {
    await record({ commit: 'v1' });
    const bad = await record({ commit: 'v2', status: 'failed' });
    const waiting = await record({ commit: 'v3', status: 'pending' });
    const now = await record({ commit: 'v4' });
    const all = await history();
    expect(all.map(({ version, status, eligible }) => [version, status, eligible])).toEqual([
      [4, 'deployed', true],
      [3, 'superseded', false],
      [2, 'failed', false],
      [1, 'deployed', true],
    ]);
    expect(all[1]?.reasons).toEqual([`It was never deployed: ${now.id} came first (${waiting.id}).`]);
    expect(all[2]?.reasons[0]).toMatch(new RegExp(`^Its deployment failed, .* UTC \\(${bad.id}\\)\\.$`));
  });

  it('blocks a plan whose target failed, and only tells of one that was replaced', async () => {
    const said = async (to: string) =>
      (await targetOf(to)).findings.filter(({ code }) => code === 'TARGET_INELIGIBLE');
    expect(await said('v2')).toEqual([]);
    await record({ commit: 'v2' });
    expect(await said('v2')).toEqual([]);
    await record({ commit: 'v2', status: 'failed' });
    expect(await said('v2')).toMatchObject([
      { severity: 'block', message: expect.stringContaining('Its deployment failed') },
    ]);
    await record({ commit: 'v3' });
    await record({ commit: 'v3', status: 'rolled_back' });
    expect(await said('v3')).toMatchObject([{ severity: 'info' }]);
  });

  it('decides what previous and last-successful are', async () => {
    await record({ commit: 'v1' });
    await record({ commit: 'v3', status: 'failed' });
    await record({ commit: 'v4' });
    const previous = await targetOf('previous');
    expect(previous.version).toBe(2);
    expect(previous.findings).toContainEqual(
      expect.objectContaining({ code: 'INELIGIBLE_SKIPPED', hint: '--to v3 selects the newest of them.' }),
    );
    expect(await targetOf('last-successful')).toMatchObject({ version: 1 });
    await record({ commit: 'v1', status: 'failed' });
    await expect(targetOf('last-successful')).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
    // What is named is taken.
    expect(await targetOf('v3')).toMatchObject({ version: 3 });
  });

  it.runIf(isProof)(
    'counts for the services of an environment: what failed, where it came with that commit',
    async () => {
      await record({ scope: environment, commit: 'v3', status: 'failed' });
      await record({ scope: environment, commit: 'v2' });
      expect((await history()).map(({ status }) => status)).toEqual([
        'unknown',
        'failed',
        'deployed',
        'unknown',
      ]);
      expect(await targetOf('last-successful')).toMatchObject({ version: 2 });
    },
  );

  it('is nothing where nothing is recorded', async () => {
    expect((await history()).every(({ status, eligible }) => status === 'unknown' && eligible)).toBe(true);
    const { version, findings } = await targetOf('last-successful');
    expect(version).toBe(3);
    expect(findings.map(({ code }) => code)).toContain('NO_RECORDS');
  });
});
