import { describe, expect, it } from 'vitest';
import { ADDRESS } from './seen.ts';
import { before, ours, later, other, unknown, operation, application, judge } from './argocd-cases.ts';

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
