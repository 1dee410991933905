import { describe, expect, it } from 'vitest';
import { argocd } from '../../../../engine/live/argocd.ts';
import { ADDRESS, commits, context, found, judged, rule, target } from './seen.ts';

const of = target({
  rule: rule({ argocd: { application: '{tenant}-{environment}-{service}', namespace: 'argocd' } }),
});
const { before, ours, later, other, unknown } = commits;

const operation = (revision: string, more: object = {}) => ({
  phase: 'Succeeded',
  startedAt: '2026-11-20T10:01:00Z',
  finishedAt: '2026-11-20T10:02:00Z',
  syncResult: { revision },
  ...more,
});
const application = (status: object = {}, spec: object = {}, more: object = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'acme-production-api', namespace: 'argocd' },
  spec: { source: { repoURL: ADDRESS }, syncPolicy: { automated: {} }, ...spec },
  ...more,
  status: {
    reconciledAt: '2026-11-20T10:03:00Z',
    sync: { status: 'Synced', revision: ours },
    health: { status: 'Healthy' },
    operationState: operation(ours),
    ...status,
  },
});
const judge = async (object: object) => {
  const [observation, ...rest] = await judged(argocd, { of, answers: [found(object)] });
  expect(rest).toEqual([]);
  return observation;
};

describe('queries', () => {
  it('asks for the Application that the template names', async () => {
    expect(await argocd.queries(of, context())).toEqual([
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        namespace: 'argocd',
        name: 'acme-production-api',
      },
    ]);
  });

  it.each([
    [
      '{tenant}_{service}',
      {},
      'The template {tenant}_{service} gives "acme_api", which is not a valid name in Kubernetes.',
    ],
    [
      '{service}',
      { service: '--all' },
      'The template {service} gives "--all", which is not a valid name in Kubernetes.',
    ],
    [
      'x-{service}',
      { service: 'a/b' },
      'The template x-{service} gives "x-a/b", which is not a valid name in Kubernetes.',
    ],
  ])('asks for nothing by the template %s of %j', async (template, coordinates, message) => {
    const odd = {
      ...of,
      ...coordinates,
      rule: rule({ argocd: { application: template, namespace: 'argocd' } }),
    };
    expect(await argocd.queries(odd, context())).toEqual([]);
    expect(await judged(argocd, { of: odd, answers: [] })).toMatchObject([
      { state: 'unconfirmed', code: 'NAME_INVALID', message },
    ]);
  });

  it('says which part of a template nothing fills', async () => {
    const { service: _, ...environment } = of;
    expect(await argocd.queries(environment, context())).toEqual([]);
    expect(await judged(argocd, { of: environment, answers: [] })).toMatchObject([
      {
        state: 'unconfirmed',
        message:
          'The template {tenant}-{environment}-{service} names {service}, and there is no service here.',
      },
    ]);
  });
});

describe('an Application', () => {
  it('is live where it is Synced and Healthy at our commit', async () => {
    expect(await judge(application())).toEqual({
      source: 'argocd',
      cluster: 'prod-eu',
      object: 'Application argocd/acme-production-api',
      state: 'live',
      revision: ours,
      message: `Synced and Healthy at ${ours.slice(0, 8)}.`,
      observedAt: '2026-11-20T10:05:00.000Z',
    });
  });

  it.each([
    [
      'an operation is asked for',
      application({}, {}, { operation: { sync: { revision: later } } }),
      'progressing',
      `An operation (${later.slice(0, 8)}) has not ended.`,
    ],
    [
      'an older operation still runs',
      application({
        operationState: {
          phase: 'Running',
          message: 'waiting for completion of hook batch/Job/migrate',
          operation: { sync: { revision: before } },
        },
      }),
      'progressing',
      `An operation (${before.slice(0, 8)}) has not ended: waiting for completion of hook batch/Job/migrate.`,
    ],
    [
      'health is from before the operation',
      application({ reconciledAt: '2026-11-20T10:01:59Z', health: { status: 'Degraded' } }),
      'progressing',
      'The operation has ended, and Argo CD has not looked at the cluster since.',
    ],
    [
      'a fresh comparison finds a cached state',
      application({ reconciledAt: null }),
      'progressing',
      'The operation has ended, and Argo CD has not looked at the cluster since.',
    ],
    [
      'our commit was compared and changes nothing that is rendered',
      application({ operationState: operation(before) }),
      'live',
      `Synced and Healthy at ${ours.slice(0, 8)}.`,
    ],
    [
      'nothing was ever applied, as everything was there',
      application({ operationState: undefined }),
      'live',
      `Synced and Healthy at ${ours.slice(0, 8)}.`,
    ],
    [
      'our commit was compared and not applied',
      application({ operationState: operation(before), sync: { status: 'OutOfSync', revision: ours } }),
      'pending',
      `Argo CD has seen ${ours.slice(0, 8)} (OutOfSync) and has not applied it.`,
    ],
    [
      'it syncs by hand',
      application(
        { operationState: operation(before), sync: { status: 'OutOfSync', revision: ours } },
        { syncPolicy: {} },
      ),
      'pending',
      `Argo CD has seen ${ours.slice(0, 8)} (OutOfSync) and has not applied it; it syncs by hand.`,
    ],
    [
      'our commit was not seen',
      application({ operationState: operation(before), sync: { status: 'Synced', revision: before } }),
      'pending',
      `It is at ${before.slice(0, 8)}, which is before the revision.`,
    ],
    [
      'our manifests cannot be rendered',
      application({
        operationState: operation(before),
        sync: { status: 'Unknown' },
        conditions: [{ type: 'ComparisonError', message: 'kustomize build failed\nexit 1' }],
      }),
      'pending',
      `It is at ${before.slice(0, 8)}, which is before the revision: ComparisonError: kustomize build failed exit 1.`,
    ],
    [
      'our commit was applied and something differs',
      application({
        sync: { status: 'OutOfSync', revision: ours },
        resources: [
          { kind: 'Service', name: 'api', namespace: 'acme', status: 'Synced' },
          { kind: 'Deployment', name: 'api', namespace: 'acme', status: 'OutOfSync' },
        ],
      }),
      'progressing',
      `${ours.slice(0, 8)} was applied, and the cluster differs from it: Deployment acme/api.`,
    ],
    [
      'our commit was applied and a later one is not',
      application({ sync: { status: 'OutOfSync', revision: later } }),
      'unconfirmed',
      `${ours.slice(0, 8)} was applied, and the cluster differs from ${later.slice(0, 8)}, which was not yet.`,
    ],
    [
      'our commit was applied and cannot be compared',
      application({
        sync: { status: 'Unknown' },
        conditions: [{ type: 'ComparisonError', message: 'repository not accessible' }],
      }),
      'unconfirmed',
      `${ours.slice(0, 8)} was applied, and Argo CD cannot compare it: ComparisonError: repository not accessible.`,
    ],
    [
      'our commit was applied and one before it compared, from a cache',
      application({ sync: { status: 'Synced', revision: before } }),
      'progressing',
      `${ours.slice(0, 8)} was applied, and Argo CD has compared the cluster with ${before.slice(0, 8)} since.`,
    ],
    [
      'our commit was applied and what Git does not have compared',
      application({ sync: { status: 'Synced', revision: unknown } }),
      'unconfirmed',
      `${ours.slice(0, 8)} was applied, and Argo CD has compared the cluster with ${unknown.slice(0, 8)} since.`,
    ],
    [
      'our commit was tried, and nothing applied',
      application({
        sync: { status: 'OutOfSync', revision: ours },
        operationState: operation(ours, { operation: { sync: { revision: ours, dryRun: true } } }),
      }),
      'pending',
      `Argo CD has seen ${ours.slice(0, 8)} (OutOfSync) and has not applied it.`,
    ],
    [
      'a later revision runs, whatever its health',
      application({
        operationState: operation(later),
        sync: { status: 'Synced', revision: later },
        health: { status: 'Degraded' },
      }),
      'overtaken',
      `A later revision (${later.slice(0, 8)}) runs.`,
    ],
    [
      'a later revision failed',
      application({
        operationState: operation(later, { phase: 'Failed', message: 'one or more objects failed to apply' }),
      }),
      'overtaken',
      `A later revision (${later.slice(0, 8)}) was tried, and failed: one or more objects failed to apply.`,
    ],
    [
      'our operation failed',
      application({
        operationState: operation(ours, { phase: 'Failed', message: 'one or more objects failed to apply.' }),
      }),
      'degraded',
      'The operation failed: one or more objects failed to apply.',
    ],
    [
      'our operation ended before it began',
      application({
        sync: { status: 'OutOfSync', revision: ours },
        operationState: {
          phase: 'Error',
          finishedAt: '2026-11-20T10:02:00Z',
          message: 'rpc error',
          operation: { sync: { revision: ours } },
        },
      }),
      'degraded',
      'The operation failed: rpc error.',
    ],
    [
      'the operation of an older revision failed',
      application({
        sync: { status: 'OutOfSync', revision: before },
        operationState: operation(before, { phase: 'Failed', message: 'no' }),
      }),
      'pending',
      `It is at ${before.slice(0, 8)}, which is before the revision: the last operation failed: no.`,
    ],
    [
      'it follows another branch',
      application({ operationState: operation(other), sync: { status: 'Synced', revision: other } }),
      'unconfirmed',
      `It is at ${other.slice(0, 8)}, a commit of another line.`,
    ],
    [
      'it deploys what Git does not have',
      application({ operationState: operation(unknown), sync: { status: 'Synced', revision: unknown } }),
      'unconfirmed',
      `It is at ${unknown.slice(0, 8)}, which this repository does not have; it deploys ${ADDRESS}.`,
    ],
    [
      'it was never compared',
      application({ operationState: undefined, sync: {}, reconciledAt: undefined }),
      'pending',
      'Argo CD has neither compared nor applied a revision.',
    ],
    [
      'it is being deleted',
      { ...application(), metadata: { deletionTimestamp: '2026-11-20T10:04:00Z' } },
      'unconfirmed',
      'The Application is being deleted.',
    ],
  ] as const)('where %s', async (_, object, state, message) => {
    expect(await judge(object)).toMatchObject({ state, message });
  });

  it.each([
    ['Progressing', 'progressing'],
    ['Suspended', 'pending'],
    ['Missing', 'progressing'],
    ['Degraded', 'degraded'],
    ['Unknown', 'unconfirmed'],
    ['constructor', 'unconfirmed'],
  ])('whose health is %s is %s, and says why', async (status, state) => {
    const resources = [
      { kind: 'Service', name: 'api', namespace: 'acme', health: { status: 'Healthy' } },
      { kind: 'Deployment', name: 'api', namespace: 'acme', health: { status, message: 'slow' } },
      { kind: 'Pod', name: 'x', namespace: 'acme', health: { status } },
    ];
    expect(await judge(application({ health: { status }, resources }))).toMatchObject({
      state,
      message: `Synced at ${ours.slice(0, 8)}, and its health is ${status}: Deployment acme/api: slow (and 1 more).`,
    });
    expect(await judge(application({ health: { status, message: 'all of it' }, resources }))).toMatchObject({
      message: `Synced at ${ours.slice(0, 8)}, and its health is ${status}: all of it.`,
    });
  });
});

describe('an Application with several sources', () => {
  const CHART = { repoURL: 'https://charts.example', chart: 'api', targetRevision: '1.2.3' };
  const several = (revisions: readonly string[], sources: readonly object[]) =>
    application(
      {
        sync: { status: 'Synced', revisions, comparedTo: { sources } },
        operationState: operation('', { syncResult: { revisions, sources } }),
      },
      { source: undefined, sources },
    );

  it('is judged by the commit of the source that is ours', async () => {
    const sources = [CHART, { repoURL: ADDRESS }];
    expect(await judge(several(['1.2.3', ours], sources))).toMatchObject({ state: 'live', revision: ours });
    expect(await judge(several(['1.2.3', before], sources))).toMatchObject({ state: 'pending' });
    // That of another repository says nothing.
    expect(await judge(several([ours, before], sources))).toMatchObject({ state: 'pending' });
  });

  it('is judged by the oldest where several are ours', async () => {
    const sources = [{ repoURL: ADDRESS }, { repoURL: ADDRESS }];
    expect(await judge(several([ours, before], sources))).toMatchObject({
      state: 'pending',
      revision: before,
    });
    expect(await judge(several([ours, ours], sources))).toMatchObject({ state: 'live' });
  });

  it('is not confirmed where none is ours, or its revision is missing', async () => {
    expect(await judge(several(['1.2.3'], [CHART]))).toMatchObject({
      state: 'unconfirmed',
      code: 'SOURCE_ELSEWHERE',
    });
    expect(await judge(several(['1.2.3'], [CHART, { repoURL: ADDRESS }]))).toMatchObject({
      state: 'pending',
    });
  });

  it('is judged by what was compared and applied, where its sources were changed since', async () => {
    const object = several(['1.2.3', ours], [CHART, { repoURL: ADDRESS }]);
    expect(await judge({ ...object, spec: { sources: [{ repoURL: ADDRESS }, CHART] } })).toMatchObject({
      state: 'live',
      revision: ours,
    });
  });
});

describe('an Application that is hydrated', () => {
  it('is judged by the commit that was rendered', async () => {
    const sourceHydrator = { lastSuccessfulOperation: { drySHA: ours, hydratedSHA: other } };
    const status = { operationState: operation(other), sync: { status: 'Synced', revision: other } };
    expect(await judge(application({ ...status, sourceHydrator }))).toMatchObject({
      state: 'live',
      revision: ours,
    });
  });
});

describe('no Application', () => {
  it('is not confirmed, and says which is missing', async () => {
    expect(await judged(argocd, { of, answers: [found()] })).toMatchObject([
      {
        state: 'unconfirmed',
        code: 'OBJECT_MISSING',
        message:
          'Argo CD has no Application acme-production-api in argocd, which the template {tenant}-{environment}-{service} of `live` names.',
      },
    ]);
  });

  it('is not confirmed where it could not be asked', async () => {
    const problem = { code: 'CLUSTER_AWAY', message: 'prod-eu does not answer.' } as const;
    expect(await judged(argocd, { of, answers: [{ objects: null, problem }] })).toMatchObject([
      { state: 'unconfirmed', ...problem },
    ]);
  });
});

describe('what an Application writes', () => {
  it('is one short line without secrets', async () => {
    const message = `\u001b[31mno\u202e\n  https://u:hunter2@git.example PASSWORD=abcdef ${'x'.repeat(9000)}`;
    const observation = await judge(
      application({ operationState: operation(ours, { phase: 'Failed', message }) }),
    );
    expect(observation?.message).toMatch(
      /^The operation failed: \[31mno https:\/\/\*\*\*@git\.example PASSWORD=\*\*\* x+…$/,
    );
    expect(observation?.message).toHaveLength(300);
  });

  it.each([
    {},
    { status: 7, spec: [] },
    { status: { operationState: 'x', sync: [], health: null, resources: {}, conditions: 1 } },
    { spec: { sources: 'x' }, status: { sync: { revisions: 'x', revision: {} } } },
    { status: { operationState: { finishedAt: 'yesterday' } } },
  ])('is understood for what it is: %j', async (object) => {
    expect((await judge(object))?.state).toMatch(/pending|unconfirmed|progressing/);
  });
});
