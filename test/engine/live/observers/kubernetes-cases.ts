/** Objects of a cluster, as declared and as they live, and what is said of them. */
import { kubernetes } from '../../../../engine/live/kubernetes.ts';
import type { ClusterAnswer } from '../../../../engine/model/index.ts';
import { context, declared, found, rule, target } from './seen.ts';

export const of = target({ rule: rule({ kubernetes: { namespace: '{tenant}' } }) });

export const deployment = (image = 'api:2', container: object = {}, name = 'api') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'api', image, ...container }] },
    },
  },
});

/** As a cluster has it, with a rollout that is done. */
export const live = (
  manifest: ReturnType<typeof deployment>,
  status: object = {},
  metadata: object = {},
) => ({
  ...manifest,
  metadata: { ...manifest.metadata, namespace: 'acme', generation: 1, ...metadata },
  status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
});

export const configMap = (name = 'api', data: object = { LEVEL: 'info' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

export interface Scene {
  readonly manifests: readonly object[];
  /** By kind and name, or kind alone for all of a namespace. */
  readonly cluster?: Readonly<Record<string, ClusterAnswer>>;
  readonly of?: typeof of;
}

/** Asks as observeTargets does. */
export async function observe({ manifests, cluster = {}, of: looked = of }: Scene) {
  const given = context({ manifests: async () => manifests.map((value) => declared(value)) });
  const answer = ({ kind, name }: { kind: string; name: string | null }) =>
    cluster[name === null ? kind : `${kind} ${name}`] ?? found();
  const queries = await kubernetes.queries(looked, given);
  const seen = { target: looked, context: given, answers: queries.map(answer) };
  const details = (await kubernetes.details?.(seen)) ?? [];
  const observations = await kubernetes.judge({ ...seen, details: details.map(answer) });
  return { queries, details, observations };
}

export const states = async (scene: Scene) =>
  (await observe(scene)).observations.map(({ object, state, message }) => [object, state, message]);
