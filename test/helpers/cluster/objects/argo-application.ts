import type { IApplication } from '@kubernetes-models/argo-cd/argoproj.io/v1alpha1/Application';
import type { KubernetesObject } from '../server/types.ts';
import type { ArgoApplicationOptions, ArgoSource } from './argo-options.ts';

/** Within a minute, in this order. */
export const STARTED = '2026-01-05T10:00:00Z';
export const FINISHED = '2026-01-05T10:00:20Z';
const RECONCILED = '2026-01-05T10:00:40Z';

/** A custom resource as Argo CD 3 leaves it: synced, healthy and settled where the options do not say otherwise. */
export function argoApplication(options: ArgoApplicationOptions): KubernetesObject {
  const { name = 'shop-production-web', namespace = 'argocd', project = 'shop', ignoreDifferences } = options;
  const source = withoutRevision(sourcesOf(options)[0]);
  const several = options.sources?.map(withoutRevision);
  const declared = several === undefined ? { source } : { sources: several };
  const destination = { server: 'https://kubernetes.default.svc', namespace: 'shop' };
  const spec = {
    project,
    destination,
    ...declared,
    syncPolicy: { automated: { prune: true, selfHeal: true } },
    ...(ignoreDifferences !== undefined && { ignoreDifferences: [...ignoreDifferences] }),
  };
  const comparedTo = { destination, ...declared };
  const { operation } = options;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace },
    ...(operation !== undefined && {
      operation: { sync: { revision: operation }, initiatedBy: { username: 'jane' } },
    }),
    spec,
    status: { ...statusOf(options), ...compared(options, comparedTo), ...operationOf(options, declared) },
  } satisfies IApplication;
}

type Status = NonNullable<IApplication['status']>;
type Declared = Pick<NonNullable<Status['sync']>, never> &
  Pick<NonNullable<IApplication['spec']>, 'source' | 'sources'>;

function sourcesOf(options: ArgoApplicationOptions): readonly [ArgoSource, ...ArgoSource[]] {
  const {
    repoURL = 'https://git.example.com/platform.git',
    path = 'tenants/shop/production/web',
    targetRevision = 'main',
  } = options;
  const [first, ...others] = options.sources ?? [
    { repoURL, path, targetRevision, revision: options.revision },
  ];
  if (first === undefined) throw new Error('It has a source.');
  return [first, ...others];
}

function withoutRevision(given: ArgoSource) {
  const { revision: _, ...source } = given;
  return source;
}

/** One revision, or one a source. */
const revisionsOf = ({ sources, revision }: ArgoApplicationOptions) =>
  sources === undefined ? { revision } : { revisions: sources.map((source) => source.revision) };

function statusOf(options: ArgoApplicationOptions) {
  const {
    health = 'Healthy',
    healthMessage: message,
    reconciledAt = RECONCILED,
    conditions,
    sources,
  } = options;
  const types = sourcesOf(options).map(({ chart }) => (chart === undefined ? 'Kustomize' : 'Helm'));
  return {
    controllerNamespace: 'argocd',
    health: { status: health, lastTransitionTime: FINISHED, ...(message !== undefined && { message }) },
    reconciledAt,
    resourceHealthSource: 'appTree',
    resources: (options.resources ?? [{ group: 'apps', kind: 'Deployment', name: 'web' }]).map((resource) => {
      const { health: status, ...row } = resource;
      return {
        version: 'v1',
        namespace: 'shop',
        status: 'Synced',
        ...row,
        ...(status !== undefined && { health: { status } }),
      };
    }),
    ...(sources === undefined ? { sourceType: types[0] ?? '' } : { sourceTypes: types }),
    summary: { images: ['registry.example.com/web:1.0.0'] },
    ...(conditions !== undefined && {
      conditions: conditions.map((each) => ({ ...each, lastTransitionTime: RECONCILED })),
    }),
  } satisfies Status;
}

const compared = (
  options: ArgoApplicationOptions,
  comparedTo: NonNullable<Status['sync']>['comparedTo'] & object,
) =>
  ({
    sync: { status: options.sync ?? 'Synced', comparedTo, ...revisionsOf(options) },
  }) satisfies Status;

function operationOf(options: ArgoApplicationOptions, declared: Declared) {
  if (options.operationState === null) return {};
  const given = options.operationState ?? {};
  const { phase = 'Succeeded', startedAt = STARTED, finishedAt = FINISHED, revision } = given;
  const applied = revision === undefined ? revisionsOf(options) : { revision };
  const { message = phase === 'Succeeded' ? 'successfully synced (all tasks run)' : phase } = given;
  const resources = given.resources?.map((each) => ({
    group: 'apps',
    version: 'v1',
    namespace: 'shop',
    ...each,
  }));
  return {
    operationState: {
      operation: { sync: { prune: true, ...applied }, initiatedBy: { automated: true }, retry: { limit: 5 } },
      phase,
      message,
      startedAt,
      ...(finishedAt !== null && { finishedAt }),
      // Required, and empty where there are several.
      syncResult: { revision: '', ...declared, ...applied, ...(resources !== undefined && { resources }) },
    },
    ...(finishedAt !== null &&
      phase === 'Succeeded' && {
        history: [
          {
            id: 1,
            deployStartedAt: startedAt,
            deployedAt: finishedAt,
            ...declared,
            ...applied,
            initiatedBy: { automated: true },
          },
        ],
      }),
  } satisfies Status;
}
