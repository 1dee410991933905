/** What Flux says: of the Kustomization that applies a revision, and of the HelmRelease that it writes, where the rule names one. */
import type { ClusterAnswer, LiveTarget, ObjectQuery, Observation } from '../model/index.ts';
import { judgeHelmRelease } from './flux/helm-release.ts';
import { judgeKustomization, type KustomizationJudgement } from './flux/kustomization.ts';
import { type Judgement, observationOf } from './judgement/judgement.ts';
import { type Filled, filledName } from './judgement/names.ts';
import type { Observer, Seen } from './observer.ts';

export const flux: Observer = {
  source: 'flux',
  isFor: ({ flux }) => flux !== null,
  queries: async (target) =>
    namedObjects(target).flatMap(({ apiVersion, kind, name, namespace }) =>
      name.problem === null && namespace.problem === null
        ? [{ apiVersion, kind, namespace: namespace.name, name: name.name }]
        : [],
    ),
  async judge(seen): Promise<readonly Observation[]> {
    const { target, context } = seen;
    const named = namedObjects(target);
    let kustomization: KustomizationJudgement | null = null;
    const found: Observation[] = [];
    for (const each of named) {
      const object = objectOf(each, seen);
      let judgement: Judgement;
      if (object.problem !== null) judgement = object.problem;
      else if (each.kind === 'HelmRelease')
        judgement = {
          revision: kustomization?.revision ?? null,
          ...judgeHelmRelease(object.value, kustomization),
        };
      else judgement = kustomization = await judgeKustomization(object.value, target, context);
      const subject = {
        source: 'flux',
        target,
        object: `${each.kind} ${nameOf(each)}`,
        now: context.now,
      } as const;
      found.push(observationOf(subject, judgement));
    }
    return found;
  },
};

interface Named extends Pick<ObjectQuery, 'apiVersion' | 'kind'> {
  readonly template: string;
  readonly name: Filled;
  readonly namespace: Filled;
}

/** The Kustomization first. */
function namedObjects(target: LiveTarget): Named[] {
  const { kustomization = null, helmRelease = null, namespace = '' } = target.rule.flux ?? {};
  return [
    { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', template: kustomization },
    { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', template: helmRelease },
  ].flatMap(({ template, ...type }) =>
    template === null
      ? []
      : [{ ...type, template, name: filledName(template, target), namespace: filledName(namespace, target) }],
  );
}

const nameOf = ({ template, name, namespace }: Named) =>
  name.name !== null && namespace.name !== null ? `${namespace.name}/${name.name}` : template;

type Found = { readonly value: unknown; readonly problem: null } | { readonly problem: Judgement };

function objectOf(named: Named, { target, answers }: Seen): Found {
  const problem = named.name.problem ?? named.namespace.problem;
  if (problem !== null) return { problem: { state: 'unconfirmed', code: 'NAME_INVALID', message: problem } };
  const asked = namedObjects(target).filter(
    ({ name, namespace }) => name.problem === null && namespace.problem === null,
  );
  const answer: ClusterAnswer | undefined = answers[asked.findIndex(({ kind }) => kind === named.kind)];
  if (answer === undefined)
    return { problem: { state: 'unconfirmed', code: 'CLUSTER_NONSENSE', message: 'There is no answer.' } };
  if (answer.problem !== null) return { problem: { state: 'unconfirmed', ...answer.problem } };
  const [value] = answer.objects;
  if (value !== undefined) return { value, problem: null };
  return {
    problem: {
      state: 'unconfirmed',
      code: 'OBJECT_MISSING',
      message: `There is no ${named.kind} ${nameOf(named)}, which the template ${named.template} of \`live\` names.`,
    },
  };
}
