import type { ClusterAnswer, ClusterObject, Clusters, ObjectQuery } from '../../../engine/model/index.ts';

export interface KnownClusters extends Clusters {
  /** What was asked, one entry a question. */
  readonly asked: { readonly cluster: string; readonly queries: readonly ObjectQuery[] }[];
}

/** Clusters whose objects are in memory. A text is why it cannot be asked. */
export function knownClusters(
  clusters: Readonly<Record<string, readonly ClusterObject[] | string>>,
): KnownClusters {
  const asked: KnownClusters['asked'] = [];
  return {
    asked,
    get: async (cluster, queries) => {
      asked.push({ cluster, queries });
      const objects = clusters[cluster];
      return queries.map((query) => answer(objects ?? [], query));
    },
    annotate: async () => null,
  };
}

function answer(objects: readonly ClusterObject[] | string, query: ObjectQuery): ClusterAnswer {
  if (typeof objects === 'string')
    return { objects: null, problem: { code: 'CLUSTER_AWAY', message: objects } };
  const found = objects.filter(({ apiVersion, kind, metadata }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by tests
    const { name, namespace = null } = metadata as { readonly name: string; readonly namespace?: string };
    const isNamed = query.name === null || query.name === name;
    return (
      apiVersion === query.apiVersion &&
      kind === query.kind &&
      isNamed &&
      (query.namespace ?? namespace) === namespace
    );
  });
  return { objects: found, problem: null };
}
