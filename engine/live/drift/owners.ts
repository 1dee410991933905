/** What says where the objects of a target are: the Application or the Kustomization of its rule, as its cluster answers. */
import type { ClusterAnswer, ClusterObject, Clusters, LiveTarget, ObjectQuery } from '../../model/index.ts';
import { type ApplicationRules, applicationRules } from './application.ts';
import { type KustomizationRules, kustomizationRules } from './kustomization.ts';
import { filledName } from '../judgement/names.ts';
import { nameIn } from './scope-of-kind.ts';

export interface Owners {
  readonly application: Owner<ApplicationRules> | null;
  readonly kustomization: Owner<KustomizationRules> | null;
}

/** Of one that could not be seen: why. */
type Owner<Rules> =
  | { readonly rules: Rules; readonly object: ClusterObject; readonly why: null }
  | { readonly rules: null; readonly why: string };

type Named = ObjectQuery & { readonly name: string };

/** A text: why there is none to be asked for. */
type Wanted = Named | string | null;

const applicationOf = (target: LiveTarget): Wanted => {
  const { argocd } = target.rule;
  if (argocd === null) return null;
  const kind = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' };
  return named(kind, target, { name: argocd.application, namespace: argocd.namespace });
};

const kustomizationOf = (target: LiveTarget): Wanted => {
  const { flux } = target.rule;
  if (flux === null || flux.kustomization === null) return null;
  const kind = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
  return named(kind, target, { name: flux.kustomization, namespace: flux.namespace });
};

function named(
  kind: Pick<Named, 'apiVersion' | 'kind'>,
  target: LiveTarget,
  templates: { readonly name: string; readonly namespace: string },
): Wanted {
  const [name, namespace] = [filledName(templates.name, target), filledName(templates.namespace, target)];
  if (name.name === null) return name.problem;
  return namespace.name === null
    ? namespace.problem
    : { ...kind, namespace: namespace.name, name: name.name };
}

/** In the order of the targets, which are all of one cluster. */
export async function readOwners(
  clusters: Clusters,
  {
    cluster,
    targets,
    signal,
  }: { cluster: string; targets: readonly LiveTarget[]; signal: AbortSignal | undefined },
): Promise<readonly Owners[]> {
  const wanted = targets.map((target) => ({
    application: applicationOf(target),
    kustomization: kustomizationOf(target),
  }));
  const queries = new Map<string, Named>();
  for (const { application, kustomization } of wanted)
    for (const query of [application, kustomization])
      if (query !== null && typeof query !== 'string') queries.set(keyOf(query), query);
  const answers = queries.size === 0 ? [] : await clusters.get(cluster, [...queries.values()], signal);
  const answered = new Map([...queries.keys()].map((key, at) => [key, answers[at]]));
  const ownerOf = <Rules>(query: Wanted, rulesOf: (object: unknown) => Rules): Owner<Rules> | null => {
    if (typeof query === 'string') return { rules: null, why: query };
    return query && owner({ cluster, query, answer: answered.get(keyOf(query)) }, rulesOf);
  };
  return wanted.map(({ application, kustomization }) => ({
    application: ownerOf(application, applicationRules),
    kustomization: ownerOf(kustomization, kustomizationRules),
  }));
}

function owner<Rules>(
  { cluster, query, answer }: { cluster: string; query: Named; answer: ClusterAnswer | undefined },
  rulesOf: (object: unknown) => Rules,
): Owner<Rules> {
  const what = `${query.kind} ${query.namespace ?? ''}/${query.name}`;
  if (answer === undefined) return { rules: null, why: `${cluster} does not answer for the ${what}.` };
  if (answer.problem !== null) return { rules: null, why: answer.problem.message };
  const object = answer.objects.find((each) => nameIn(each) === query.name);
  if (object === undefined) return { rules: null, why: `${cluster} has no ${what}.` };
  return { rules: rulesOf(object), object, why: null };
}

const keyOf = ({ kind, namespace, name }: Named) => JSON.stringify([kind, namespace, name]);
