/** What a cluster has of the objects of manifests, in as few questions as can be. */
import type { ClusterAnswer, Clusters, ObjectQuery } from '../../model/index.ts';
import { textAt } from '../read.ts';
import { isScaled, type ScaleTarget, scaleTargets } from './autoscaled.ts';
import { type ComparedObject, hasOtherReplicas, type PlacedObject } from './compare-objects.ts';
import { NO_NAMESPACE } from './place.ts';

interface Asking {
  readonly clusters: Clusters;
  readonly signal?: AbortSignal | undefined;
}

/** The objects of one cluster; and, of namespaces where a number of replicas differs, the autoscalers, which may have set it. */
export async function askForObjects(
  { clusters, signal }: Asking,
  cluster: string,
  objects: readonly PlacedObject[],
): Promise<readonly ComparedObject[]> {
  const asked = new Map(
    objects.filter(({ why }) => why === null).map((object) => [object, queriesFor(object)]),
  );
  const answers = await askAll(clusters, { cluster, queries: [...asked.values()].flat(), signal });
  const answered = objects.map((object): ComparedObject => {
    const own = asked.get(object);
    const answer =
      own === undefined
        ? { answer: null }
        : answerOfAll(
            object,
            own.map((query) => answers.get(query) ?? NOTHING),
          );
    return { ...object, ...answer, scaled: false };
  });
  const resized = new Set(answered.filter(hasOtherReplicas));
  const autoscalers = [...new Set([...resized].flatMap(({ namespace }) => namespace ?? []))].map(
    autoscalersOf,
  );
  const scales = await askAll(clusters, { cluster, queries: autoscalers, signal });
  const known = new Map(autoscalers.map((query) => [query.namespace, targetsOf(scales.get(query))]));
  return answered.map((object) =>
    resized.has(object) ? { ...object, scaled: isScaledBy(object, known.get(object.namespace)) } : object,
  );
}

async function askAll(
  clusters: Clusters,
  {
    cluster,
    queries,
    signal,
  }: { cluster: string; queries: readonly ObjectQuery[]; signal: AbortSignal | undefined },
): Promise<ReadonlyMap<ObjectQuery, ClusterAnswer>> {
  const answers = queries.length === 0 ? [] : await clusters.get(cluster, queries, signal);
  return new Map(queries.map((query, at) => [query, answers[at] ?? NOTHING]));
}

const NOTHING: ClusterAnswer = {
  objects: null,
  problem: { code: 'CLUSTER_NONSENSE', message: 'The cluster does not answer for it.' },
};

/** Of a kind that may have namespaces or not, both are asked for. */
function queriesFor({ namespace, isNamespaced, declared }: PlacedObject): readonly ObjectQuery[] {
  const { apiVersion, kind, name } = declared;
  const within = { apiVersion, kind, namespace, name };
  return namespace === null || isNamespaced !== null ? [within] : [within, { ...within, namespace: null }];
}

function answerOfAll(
  { namespace, isNamespaced }: PlacedObject,
  answers: readonly ClusterAnswer[],
): Pick<ComparedObject, 'answer'> & Partial<Pick<ComparedObject, 'why' | 'namespace'>> {
  const [first = NOTHING, other] = answers;
  if (isNamespaced !== null) return { answer: first };
  const everywhere = other ?? first;
  const found = everywhere.objects?.find((object) => textAt(object, 'metadata', 'namespace') === undefined);
  if (found !== undefined) return { answer: { objects: [found], problem: null }, namespace: null };
  if (namespace === null && first.problem === null) return { answer: null, why: NO_NAMESPACE };
  return { answer: first };
}

const autoscalersOf = (namespace: string): ObjectQuery => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  namespace,
  name: null,
});

/** A text: why they are not known. */
function targetsOf(answer: ClusterAnswer | undefined): readonly ScaleTarget[] | string {
  if (answer === undefined) return 'autoscalers were not asked for.';
  return answer.problem === null ? scaleTargets(answer.objects) : answer.problem.message;
}

function isScaledBy(
  { declared }: PlacedObject,
  targets: readonly ScaleTarget[] | string | undefined,
): boolean | string {
  if (targets === undefined) return false;
  return typeof targets === 'string' ? targets : isScaled(targets, declared);
}
