/** Sets the annotation that makes Argo CD or Flux reconcile at once. */
import type { Clusters, LiveTarget, ObjectQuery } from '../../model/index.ts';
import { textAt } from '../read.ts';
import { argocd } from '../argocd.ts';
import { flux } from '../flux.ts';
import type { Observer, ObserverContext } from '../observer.ts';
import type { Unnudged } from './ports.ts';
import type { Watched } from './types.ts';

type Named = ObjectQuery & { readonly name: string };

/** Why what could not be annotated. Clusters side by side; one that is away is left alone then, and looks by itself when it is back. */
export async function nudgeTargets(
  clusters: Clusters,
  watched: readonly Pick<Watched, 'scope' | 'targets'>[],
  now: number,
): Promise<readonly Unnudged[]> {
  const wanted = watched.flatMap(({ scope, targets }) =>
    targets.flatMap((target) => (target.rule.nudge ? [{ scope, target }] : [])),
  );
  const names = [...new Set(wanted.map(({ target }) => target.rule.cluster))];
  const at = new Date(now).toISOString();
  const problems = names.map((name) =>
    nudgeCluster(
      clusters,
      wanted.filter(({ target }) => target.rule.cluster === name),
      at,
    ),
  );
  return (await Promise.all(problems)).flat();
}

async function nudgeCluster(
  clusters: Clusters,
  wanted: readonly { readonly scope: string; readonly target: LiveTarget }[],
  at: string,
): Promise<readonly Unnudged[]> {
  const problems: Unnudged[] = [];
  for (const { scope, target } of wanted)
    for (const object of await objectsOf(clusters, target)) {
      const { cluster } = target.rule;
      const isArgo = object.kind === 'Application';
      const annotation = isArgo
        ? { key: 'argocd.argoproj.io/refresh', value: 'normal' }
        : { key: 'reconcile.fluxcd.io/requestedAt', value: at };
      const problem = await clusters.annotate(cluster, object, annotation);
      if (problem === null) continue;
      const message = `${cluster}, ${object.kind} ${object.name}: ${problem.message}`;
      problems.push({ scope, message });
      if (problem.code === 'CLUSTER_AWAY') return problems;
    }
  return problems;
}

/** What fetches comes before what applies it. */
async function objectsOf(clusters: Clusters, target: LiveTarget): Promise<readonly Named[]> {
  const applications = await namedBy(argocd, target);
  const [kustomization] = await namedBy(flux, target);
  if (kustomization === undefined) return applications;
  const source = await sourceOf(clusters, target.rule.cluster, kustomization);
  return [...applications, ...(source === null ? [] : [source]), kustomization];
}

/** They name their objects by the rule alone. */
async function namedBy(observer: Observer, target: LiveTarget): Promise<readonly Named[]> {
  if (!observer.isFor(target.rule)) return [];
  const queries = await observer.queries(target, NOTHING);
  return queries.flatMap((query) => (query.name === null ? [] : [{ ...query, name: query.name }]));
}

const NOTHING: ObserverContext = {
  relation: () => Promise.resolve('unknown'),
  isOurs: () => false,
  isLater: () => Promise.resolve(false),
  manifests: () => Promise.resolve([]),
  now: 0,
};

const SOURCES = new Set(['GitRepository', 'OCIRepository', 'Bucket']);

/** The source that a Kustomization names; null where it cannot be seen: it is fetched at its own time then. */
async function sourceOf(clusters: Clusters, cluster: string, kustomization: Named): Promise<Named | null> {
  const [answer] = await clusters.get(cluster, [kustomization]);
  const [object] = answer?.objects ?? [];
  if (object === undefined) return null;
  const [kind, name] = [
    textAt(object, 'spec', 'sourceRef', 'kind'),
    textAt(object, 'spec', 'sourceRef', 'name'),
  ];
  if (kind === undefined || name === undefined || !SOURCES.has(kind)) return null;
  const namespace = textAt(object, 'spec', 'sourceRef', 'namespace') ?? kustomization.namespace;
  return { apiVersion: 'source.toolkit.fluxcd.io/v1', kind, namespace, name };
}
