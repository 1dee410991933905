/** How clusters differ from what was delivered: what the manifests declare is asked for, one question a kind. */
import type {
  ClusterAnswer,
  Clusters,
  Drift,
  DriftObject,
  LiveTarget,
  ObjectId,
  ObjectQuery,
} from '../../model/index.ts';
import type { DeclaredObject } from '../observer.ts';
import { isScaled, type ScaleTarget, scaleTargets } from './autoscaled.ts';
import { type ComparedObject, compareObjects, hasReplicas, type PlacedObject } from './compare-objects.ts';
import { extraObjects } from './extra.ts';
import { parseIgnored } from './ignored.ts';
import { readOwners } from './owners.ts';
import { textAt } from '../read.ts';
import { type Delivered, NO_NAMESPACE, placeObjects } from './place.ts';

export interface DriftInput {
  readonly scope: string;
  /** An environment with all its services. */
  readonly isWhole: boolean;
  readonly commit: ObjectId;
  /** Of the services of the scope, one for each rule that matches. */
  readonly targets: readonly LiveTarget[];
  readonly manifests: (target: LiveTarget) => Promise<readonly DeclaredObject[]>;
  readonly clusters: Clusters;
  /** `drift.ignore` of the configuration. */
  readonly ignore: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** @throws INTERRUPTED by its signal; what a cluster cannot be asked for is `unchecked` */
export async function findDrift(input: DriftInput): Promise<Drift> {
  const { scope, commit, ignore, isWhole } = input;
  const delivered = await readDelivered(input);
  const placed = placeObjects(delivered);
  const compared = await perCluster(
    placed,
    ({ cluster }) => cluster,
    (cluster, objects) => askFor(input, cluster, objects),
  );
  const objects: readonly DriftObject[] = [
    ...compareObjects(compared, { ignore: ignore.flatMap((text) => parseIgnored(text) ?? []) }),
    ...extraObjects(delivered, isWhole),
  ];
  return { scope, commit, objects };
}

async function readDelivered({
  targets,
  manifests,
  clusters,
  signal,
}: DriftInput): Promise<readonly Delivered[]> {
  const owned = await perCluster(
    targets,
    ({ rule }) => rule.cluster,
    async (cluster, own) => {
      const owners = await readOwners(clusters, { cluster, targets: own, signal });
      return own.map((target, at) => ({
        target,
        owners: owners[at] ?? { application: null, kustomization: null },
      }));
    },
  );
  const delivered: Delivered[] = [];
  // One after the other: each reads a tree.
  for (const each of owned) delivered.push({ ...each, manifests: await manifests(each.target) });
  return delivered;
}

/** Side by side: a cluster that hangs holds up no other. */
async function perCluster<Item, Result>(
  items: readonly Item[],
  clusterOf: (item: Item) => string,
  ask: (cluster: string, items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const cluster = clusterOf(item);
    const group = groups.get(cluster);
    if (group === undefined) groups.set(cluster, [item]);
    else group.push(item);
  }
  return (await Promise.all([...groups].map(([cluster, own]) => ask(cluster, own)))).flat();
}

/** The objects of one cluster, and the autoscalers of the namespaces where one may set replicas. */
async function askFor(
  { clusters, signal }: DriftInput,
  cluster: string,
  objects: readonly PlacedObject[],
): Promise<readonly ComparedObject[]> {
  const asked = objects
    .filter(({ why }) => why === null)
    .map((object) => ({ object, queries: queriesFor(object) }));
  const scaled = asked.filter(({ object: { declared } }) => hasReplicas(declared));
  const namespaces = [...new Set(scaled.flatMap(({ object: { namespace } }) => namespace ?? []))];
  const queries = [...asked.flatMap((each) => each.queries), ...namespaces.map(autoscalersOf)];
  const answers = queries.length === 0 ? [] : await clusters.get(cluster, queries, signal);
  const answered = new Map(queries.map((query, at) => [query, answers[at] ?? NOTHING]));
  const answerOf = new Map(
    asked.map(({ object, queries: own }) => [
      object,
      answerOfAll(
        object,
        own.map((query) => answered.get(query) ?? NOTHING),
      ),
    ]),
  );
  const scales = new Map(
    namespaces.map((namespace, at) => [
      namespace,
      targetsOf(answers[answers.length - namespaces.length + at]),
    ]),
  );
  return objects.map((object) => ({
    ...object,
    ...(answerOf.get(object) ?? { answer: null }),
    scaled: hasReplicas(object.declared) ? isScaledBy(object, scales.get(object.namespace ?? '')) : false,
  }));
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
