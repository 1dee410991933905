import type { IHelmRelease } from '@kubernetes-models/flux-cd/helm.toolkit.fluxcd.io/v2beta2/HelmRelease';
import type { KubernetesObject } from '../server/types.ts';
import { condition, readyConditions } from './flux-conditions.ts';
import { hashOf } from './workload.ts';

export interface HelmReleaseOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly chart?: string;
  /** Of the chart. */
  readonly version?: string;
  /** `remediated`: the upgrade failed and Helm undid it. `exhausted`: and it will not be tried again. */
  readonly to?: 'released' | 'upgrading' | 'failed' | 'remediated' | 'exhausted';
  readonly suspend?: boolean;
  readonly observedGeneration?: number;
}

/** A HelmRelease v2: it names a chart and no commit. */
export function helmRelease(options: HelmReleaseOptions = {}): KubernetesObject {
  const {
    name = 'web',
    namespace = 'shop',
    chart = 'web',
    version = '1.2.3',
    to = 'released',
    suspend,
  } = options;
  return {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name, namespace },
    spec: {
      interval: '10m0s',
      chart: {
        spec: {
          chart,
          version,
          sourceRef: { kind: 'HelmRepository', name: 'charts', namespace: 'flux-system' },
        },
      },
      upgrade: { remediation: { retries: 1, strategy: 'rollback' } },
      ...(suspend !== undefined && { suspend }),
    } satisfies IHelmRelease['spec'],
    status: {
      observedGeneration: options.observedGeneration ?? 1,
      conditions: conditionsOf(to, { release: `${namespace}/${name}`, chart: `${chart}@${version}` }),
      helmChart: `flux-system/${namespace}-${name}`,
      history: historyOf({ name, namespace, chart, version }, to),
      lastAttemptedGeneration: 1,
      lastAttemptedReleaseAction: 'upgrade',
      lastAttemptedRevision: version,
      lastAttemptedConfigDigest: digest('values'),
      storageNamespace: namespace,
      ...(['failed', 'remediated', 'exhausted'].includes(to) && { failures: 1, upgradeFailures: 1 }),
    } satisfies IHelmRelease['status'],
  };
}

type To = NonNullable<HelmReleaseOptions['to']>;

function conditionsOf(to: To, { release, chart }: { release: string; chart: string }) {
  const upgraded = {
    reason: 'UpgradeSucceeded',
    message: `Helm upgrade succeeded for release ${release}.v2 with chart ${chart}`,
  };
  const failed = {
    status: 'False',
    reason: 'UpgradeFailed',
    message: `Helm upgrade failed for release ${release} with chart ${chart}: context deadline exceeded`,
  } as const;
  const undone = {
    reason: 'RollbackSucceeded',
    message: `Helm rollback to previous release ${release}.v1 with chart ${chart} succeeded`,
  };
  if (to === 'released') return [...readyConditions(upgraded), condition({ type: 'Released', ...upgraded })];
  if (to === 'upgrading')
    return readyConditions({ status: 'Unknown', message: "Running 'upgrade' action with timeout of 5m0s" });
  const released = condition({ type: 'Released', ...failed });
  if (to === 'failed') return [...readyConditions(failed), released];
  const stalled = {
    type: 'Stalled',
    reason: 'RetriesExceeded',
    message: 'Failed to upgrade after 2 attempt(s)',
  };
  return [
    ...readyConditions({ status: 'False', ...undone }),
    released,
    condition({ type: 'Remediated', ...undone }),
    ...(to === 'exhausted' ? [condition(stalled)] : []),
  ];
}

function historyOf(known: { name: string; namespace: string; chart: string; version: string }, to: To) {
  const { name, namespace, chart, version } = known;
  const entry = (number: number, status: string) => ({
    name,
    namespace,
    chartName: chart,
    chartVersion: version,
    configDigest: digest('values'),
    digest: digest(String(number)),
    firstDeployed: '2026-01-05T09:00:00Z',
    lastDeployed: '2026-01-05T10:00:20Z',
    status,
    version: number,
  });
  if (to === 'released') return [entry(2, 'deployed'), entry(1, 'superseded')];
  if (to === 'upgrading') return [entry(1, 'deployed')];
  if (to === 'failed') return [entry(2, 'failed'), entry(1, 'superseded')];
  return [entry(3, 'deployed'), entry(2, 'failed'), entry(1, 'superseded')];
}

const digest = (text: string) => `sha256:${Buffer.from(hashOf(text, 32)).toString('hex')}`;
