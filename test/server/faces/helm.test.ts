/** The Helm-shaped face: what it does is what the core does, and what it shows is what Helm would show. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLogger, executeInBatches, startWorker } from '../../../workers/index.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { hasHelm, unpackHelm } from '../../helpers/program/helm.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { copyRepo, createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { isProof } from '../../helpers/run/proof.ts';

const POLICY = { environments: [{ match: '*/prod', quorum: 1, unsignedApprovals: true }] };
const LAYOUT = { layout: { service: ['{tenant}/{environment}/{service}/**'] } };
const HELM = '/api/v1/helm/releases';
const CHART = 'acme/dev/payments';
const RELEASE = 'acme~dev~payments';
/** Each is rolled back by one test. */
const SERVICES = ['a', 'b', 'c', 'd'];

const redis = useRedis();
let faced: Repo;
let cored: Repo;
let face: Api;
let core: Api;
let bob: Api;
let queueless: Api;
beforeAll(async () => {
  faced = await createRepo();
  await faced.commit({
    '.backtrail/config.yaml': configOf(POLICY, LAYOUT),
    ...chart('1.0.0', 'v1', 2),
    ...apps('v1'),
  });
  await faced.commit({ ...chart('1.1.0', 'v2', 3), ...apps('v2') });
  await faced.commit(
    Object.fromEntries(SERVICES.map((name) => [`acme/dev/${name}/app.yaml`, 'image: api:v3\n'])),
  );
  cored = await copyRepo(faced);
  const helm = { releases: { 'payments-prod': 'acme/prod/payments', prod: 'acme/prod' } };
  const apiOf = async (repo: Repo, more: Parameters<typeof startApi>[1] = {}) => {
    const { NO_CONFIGURATION } = await import('../../../server/settings/configuration.ts');
    return startApi(await engineOf(repo, { lives: 'file' }), {
      lives: 'file',
      settings: { redisUrl: redis.url, configuration: { ...NO_CONFIGURATION, helm } },
      ...more,
    });
  };
  face = await apiOf(faced);
  bob = await apiOf(faced, {
    person: { name: 'Bob', email: 'bob@example.com' },
    settings: { redisUrl: redis.url },
  });
  core = await apiOf(cored);
  queueless = await apiOf(faced, { settings: {} });
  const worker = startWorker({
    redisUrl: redis.url,
    execute: executeInBatches((place) => engineOf(place === cored.folder ? cored : faced, { lives: 'file' })),
    logger: createLogger({ name: 'worker', destination: { write: () => undefined } }),
  });
  closeAfterFile(() => worker.close());
});

function chart(version: string, tag: string, replicas: number) {
  return Object.fromEntries(
    [CHART, 'acme/prod/payments'].flatMap((folder) => [
      [`${folder}/Chart.yaml`, `apiVersion: v2\nname: payments\nversion: ${version}\nappVersion: "${tag}"\n`],
      [
        `${folder}/values.yaml`,
        `replicas: ${replicas}\nimage:\n  repository: registry.example.com/payments\n  tag: ${tag}\n`,
      ],
      [
        `${folder}/templates/deployment.yaml`,
        `# ${version}\nkind: Deployment\nspec:\n  replicas: {{ .Values.replicas }}\n  image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"\n  chart: {{ .Chart.Version }}\n`,
      ],
    ]),
  );
}

const apps = (tag: string) =>
  Object.fromEntries(SERVICES.map((name) => [`acme/dev/${name}/app.yaml`, `image: api:${tag}\n`]));

const to = (targetRevision: number) => ({ targetRevision });
const rollback = (release: string, body: object, api = face) => api.post(`${HELM}/${release}/rollback`, body);
const historyOf = async (release: string) => (await face.get(`${HELM}/${release}/history`)).body;
const lines = async (release: string) =>
  (await historyOf(release)).map(({ revision, status, description }: Line) => [
    revision,
    status,
    description,
  ]);
interface Line {
  readonly revision: number;
  readonly status: string;
  readonly description: string;
}

/** What a repository holds, without ids and times. */
async function contentOf(repo: Repo) {
  const passing = (text: string) =>
    text
      .replace(/\b(rbk|evt)-[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1-…')
      .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, '…')

      .replace(/(?<= in )[0-9a-f]{7}\b/g, '…')
      .replace(/\b[0-9a-f]{40}\b/g, (id) => (known.has(id) ? id : '…'));
  const known = new Set((await repo.git('rev-list', 'main~1')).split('\n'));
  const events = (await repo.git('ls-tree', '-r', '--name-only', 'refs/backtrail/ledger', 'requests/')).split(
    '\n',
  );
  return {
    tree: await repo.git('rev-parse', 'main^{tree}'),
    message: passing(await repo.git('log', '-1', '--format=%an %ae%n%B', 'main')),
    ledger: passing(await repo.git('log', '--format=%an %ae%n%B', 'refs/backtrail/ledger')),
    events: await Promise.all(
      events.map(async (path) => passing(await repo.git('show', `refs/backtrail/ledger:${path}`))),
    ),
  };
}

describe('a rollback of a release', () => {
  it('is the core’s, to the byte, and the next revision of its history', async () => {
    const before = await historyOf(RELEASE);
    expect(before).toMatchObject([
      {
        revision: 1,
        status: 'SUPERSEDED',
        chart: 'payments-1.0.0',
        app_version: 'v1',
        description: 'Install complete',
      },
      {
        revision: 2,
        status: 'DEPLOYED',
        chart: 'payments-1.1.0',
        app_version: 'v2',
        description: 'Upgrade complete',
      },
    ]);
    expect(Object.keys(before[0])).toEqual([
      'revision',
      'updated',
      'status',
      'chart',
      'app_version',
      'description',
    ]);
    const done = await rollback(RELEASE, { ...to(1), justification: 'v2 answers 500' });
    expect([done.status, done.body]).toMatchObject([
      200,
      {
        release: RELEASE,
        revision: 3,
        status: 'DEPLOYED',
        chart: 'payments-1.0.0',
        description: 'Rollback to 1',
        request: { status: 'completed' },
      },
    ]);
    expect(await lines(RELEASE)).toEqual([
      [1, 'SUPERSEDED', 'Install complete'],
      [2, 'SUPERSEDED', 'Upgrade complete'],
      [3, 'DEPLOYED', 'Rollback to 1'],
    ]);
    const asked = await core.post('/api/v1/rollbacks', {
      tenant: 'acme',
      environment: 'dev',
      service: 'payments',
      targetSha: 'v1',
      justification: done.body.request.justification,
    });
    const state = async () => (await core.get(`/api/v1/rollbacks/${asked.body.requestId}`)).body.status;
    await expect.poll(state, { timeout: 60_000 }).toBe('completed');
    expect(await contentOf(faced)).toEqual(await contentOf(cored));
    const again = await rollback(RELEASE, to(1));
    expect([again.status, again.body]).toMatchObject([200, { revision: 3, status: 'DEPLOYED' }]);
  });

  it.skipIf(!hasHelm || !isProof)(
    'renders what its target rendered, byte for byte, with the real helm',
    async () => {
      const helm = await unpackHelm();
      const rendered = async (commit: string) => {
        const folder = join(await temporaryFolder(), 'payments');
        for (const path of (await faced.git('ls-tree', '-r', '--name-only', commit, `${CHART}/`)).split(
          '\n',
        )) {
          const file = join(folder, path.slice(CHART.length + 1));
          await mkdir(dirname(file), { recursive: true });
          await writeFile(file, `${await faced.git('show', `${commit}:${path}`)}\n`);
        }
        return helm('payments', folder);
      };
      const [first = '', second = ''] = (await faced.git('log', '--reverse', '--format=%H', 'main')).split(
        '\n',
      );
      const now = await rendered('main');
      expect(now).toContain('registry.example.com/payments:v1');
      expect(now).toBe(await rendered(first));
      expect(now).not.toBe(await rendered(second));
    },
  );

  it('waits for approval where the policy asks for one, and gives way to a later one', async () => {
    const first = await rollback('acme~prod~payments', to(1));
    expect([first.status, first.body]).toMatchObject([
      202,
      {
        revision: 3,
        status: 'PENDING_ROLLBACK',
        chart: 'payments-1.0.0',
        request: { status: 'pending', approval: { need: 1 } },
      },
    ]);
    const second = await rollback('payments-prod', { ...to(1), justification: 'Still' });
    expect([second.status, second.body.request.supersedes]).toEqual([202, first.body.request.id]);
    const pending = [
      [1, 'SUPERSEDED', 'Install complete'],
      [2, 'DEPLOYED', 'Upgrade complete'],
      [3, 'PENDING_ROLLBACK', 'Rollback to 1'],
    ];
    expect(await lines('payments-prod')).toEqual(pending);
    expect((await face.get(`${HELM}/payments-prod/history?max=1`)).body).toMatchObject([{ revision: 3 }]);
    const { id } = second.body.request;
    expect((await bob.post(`/api/v1/rollbacks/${id}/approve`, {})).body.status).toBe('completed');
    expect((await lines('payments-prod')).at(-1)).toEqual([3, 'DEPLOYED', 'Rollback to 1']);
  });

  it.runIf(isProof)('waits again where it failed, another one was made, and it is tried again', async () => {
    const file = 'acme/prod/payments/values.yaml';
    const approved = async (id: string) => (await bob.post(`/api/v1/rollbacks/${id}/approve`, {})).status;
    const ask = async (revision: number) =>
      (await rollback('acme~prod~payments', to(revision))).body.request.id;
    await faced.write({ [file]: 'mine: true\n' });
    const failed = await ask(2);
    expect(await approved(failed)).toBe(500);
    await faced.git('checkout', '--', file);
    await faced.commit({ [file]: 'replicas: 7\n' });
    await faced.commit({ [file]: 'replicas: 8\n' });
    expect(await approved(await ask(4))).toBe(200);
    expect((await lines('payments-prod')).at(-1)).toEqual([6, 'DEPLOYED', 'Rollback to 4']);
    expect((await face.post(`/api/v1/rollbacks/${failed}/retry`, {})).status).toBe(409);
    expect((await lines('payments-prod')).at(-1)).toEqual([7, 'PENDING_ROLLBACK', 'Rollback to 2']);
  });

  it.runIf(isProof)(
    'is FAILED where it fails, and another revision can be returned to afterwards',
    async () => {
      const file = 'acme/dev/a/app.yaml';
      await faced.write({ [file]: 'mine: true\n' });
      const failed = await rollback('acme~dev~a', to(2));
      expect([failed.status, failed.body]).toMatchObject([
        500,
        { code: 'EXECUTION_FAILED', details: { cause: { code: 'WORKTREE_DIRTY' } } },
      ]);
      const [, , running, last] = await historyOf('acme~dev~a');
      expect([running.status, last.revision, last.status]).toEqual(['DEPLOYED', 4, 'FAILED']);
      expect(last.description).toMatch(/^Rollback to 2 failed: /);
      await faced.git('checkout', '--', file);
      const done = await rollback('acme~dev~a', to(1));
      expect([done.status, done.body]).toMatchObject([200, { revision: 4, status: 'DEPLOYED' }]);
      expect((await lines('acme~dev~a')).slice(2)).toEqual([
        [3, 'SUPERSEDED', 'Upgrade complete'],
        [4, 'DEPLOYED', 'Rollback to 1'],
      ]);
    },
  );

  it('is refused while a worker may be executing another one', async () => {
    const first = await rollback('acme~dev~b', to(1), queueless);
    expect([first.status, first.body.status]).toEqual([202, 'PENDING_ROLLBACK']);
    const second = await rollback('acme~dev~b', to(2), queueless);
    expect([second.status, second.body.code]).toEqual([409, 'SCOPE_BUSY']);
  });

  it('goes to the last one that succeeded: not to what failed, nor to what nobody recorded', async () => {
    const record = (commit: string, status: string) =>
      face.post('/api/v1/deployments', { scope: 'acme/dev/c', commit, status });
    await record('v1', 'deployed');
    await record('v2', 'deployed');
    await record('v2', 'failed');
    await record('v3', 'deployed');
    expect(await lines('acme~dev~c')).toEqual([
      [1, 'SUPERSEDED', 'Install complete'],
      [2, 'FAILED', 'Upgrade failed'],
      [3, 'DEPLOYED', 'Upgrade complete'],
    ]);
    const done = await face.post(`${HELM}/acme~dev~c/rollback/last-successful`);
    expect([done.status, done.body]).toMatchObject([200, { revision: 4, description: 'Rollback to 1' }]);
    expect(done.body.request.justification).toBe(
      'Rollback of release acme~dev~c to the last successful revision',
    );
  });

  it.runIf(isProof)('is asked for once with one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'job-1' };
    const send = (body: object) => face.post(`${HELM}/acme~dev~d/rollback`, body, { headers });
    const [first, again] = [await send(to(1)), await send(to(1))];
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([
      200,
      200,
      'true',
    ]);
    expect(again.body).toEqual(first.body);
    expect((await send(to(2))).body.code).toBe('KEY_REUSED');
    // All before it is undone, and what its hint names is what this face takes.
    expect((await face.post(`${HELM}/acme~dev~d/rollback/last-successful`)).body).toMatchObject({
      code: 'REVISION_UNKNOWN',
      hint: expect.stringContaining('`"targetRevision": 3`'),
    });
  });
});

describe('what is no release', () => {
  it.each([
    [RELEASE, to(9), 400, 'INVALID_REQUEST', 'targetRevision 9 is not in the history'],
    [RELEASE, to(0), 400, 'INVALID_REQUEST', 'targetRevision'],
    [RELEASE, {}, 400, 'INVALID_REQUEST', 'targetRevision'],
    [RELEASE, { targetRevision: '1' }, 400, 'INVALID_REQUEST', 'targetRevision'],
    [RELEASE, { ...to(1), force: true }, 400, 'INVALID_REQUEST', 'body'],
    ['payments', to(1), 400, 'INVALID_REQUEST', 'releaseId'],
    ['acme~dev~pay~ments', to(1), 400, 'INVALID_REQUEST', 'releaseId'],
    ['acme~dev~..%2Fpayments', to(1), 400, 'INVALID_REQUEST', 'releaseId'],
    ['__proto__', to(1), 400, 'INVALID_REQUEST', 'releaseId'],
    ['prod', to(1), 400, 'INVALID_REQUEST', 'a release is a service'],
    ['acme~dev~nothing', to(1), 404, 'SERVICE_UNKNOWN', 'nothing'],
  ])('is refused: %s %j', async (release, body, status, code, detail) => {
    const answer = await rollback(release, body);
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      status,
      code,
      expect.stringContaining(detail),
    ]);
  });
});
