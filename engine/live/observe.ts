/** Asks clusters for what observers have to see, and has it judged: each cluster once for all targets, and clusters side by side. */
import {
  type ClusterAnswer,
  type Clusters,
  isFailure,
  type LiveTarget,
  type ObjectQuery,
} from '../model/index.ts';
import { argocd } from './argocd.ts';
import type { Observed } from './combine.ts';
import { flux } from './flux.ts';
import { observationOf } from './judgement/judgement.ts';
import { kubernetes } from './kubernetes.ts';
import type { Observer, ObserverContext } from './observer.ts';

/** In the order in which they are told. */
const OBSERVERS: readonly Observer[] = [argocd, flux, kubernetes];

export interface Observing {
  readonly targets: readonly LiveTarget[];
  readonly clusters: Pick<Clusters, 'get'>;
  readonly contextOf: (target: LiveTarget) => ObserverContext;
  readonly signal?: AbortSignal | undefined;
  readonly observers?: readonly Observer[];
}

/**
 * What is observed, in the order of the targets. A cluster that cannot be asked, and an observer that fails, are observations: `unconfirmed`.
 *
 * @throws INTERRUPTED by its signal
 */
export async function observeTargets(observing: Observing): Promise<readonly Observed[]> {
  const { targets, contextOf, observers = OBSERVERS } = observing;
  const looks = targets.map((target) => {
    const context = contextOf(target);
    const asked = observers.filter((observer) => observer.isFor(target.rule));
    return { target, looks: asked.map((observer) => createLook(observer, target, context)) };
  });
  const all = looks.flatMap(({ looks }) => looks);
  const ofCluster = (name: string) => all.filter(({ target }) => target.rule.cluster === name);
  const names = new Set(all.map(({ target }) => target.rule.cluster));
  await Promise.all([...names].map((name) => lookAt(name, ofCluster(name), observing)));
  return looks.map(({ target, looks }) => ({ target, observations: looks.flatMap(({ result }) => result) }));
}

/** One observer that looks at one target. */
interface Look {
  readonly observer: Observer;
  readonly target: LiveTarget;
  readonly context: ObserverContext;
  queries: readonly ObjectQuery[];
  answers: readonly ClusterAnswer[];
  details: readonly ObjectQuery[];
  result: Observed['observations'];
  isFailed: boolean;
}

const createLook = (observer: Observer, target: LiveTarget, context: ObserverContext): Look => ({
  observer,
  target,
  context,
  queries: [],
  answers: [],
  details: [],
  result: [],
  isFailed: false,
});

async function lookAt(
  cluster: string,
  looks: readonly Look[],
  { clusters, signal }: Observing,
): Promise<void> {
  const ask = async (queries: readonly ObjectQuery[]) => answersTo(cluster, queries, clusters, signal);
  await each(looks, async (look) => {
    look.queries = await look.observer.queries(look.target, look.context);
  });
  const answers = await ask(looks.flatMap(({ queries }) => queries));
  await each(looks, async (look) => {
    look.answers = look.queries.map(answers);
    look.details = (await look.observer.details?.(look)) ?? [];
  });
  const details = await ask(looks.flatMap((look) => look.details));
  await each(looks, async (look) => {
    look.result = await look.observer.judge({ ...look, details: look.details.map(details) });
  });
}

const AT_ONCE = 8;

/** One after the other but for AT_ONCE: each asks Git. An observer that fails is no failure of whoever asks. */
async function each(looks: readonly Look[], act: (look: Look) => Promise<void>): Promise<void> {
  const left = looks.filter(({ isFailed }) => !isFailed).values();
  const work = async () => {
    for (const look of left)
      try {
        await act(look);
      } catch (error) {
        if (isFailure(error) && error.code === 'INTERRUPTED') throw error;
        look.isFailed = true;
        look.result = [failureOf(look, error)];
      }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function failureOf({ observer: { source }, target, context: { now } }: Look, error: unknown) {
  return observationOf(
    { source, target, object: source, now },
    { state: 'unconfirmed', code: 'OBSERVER_FAILED', message: `It could not be observed: ${whyOf(error)}` },
  );
}

/** Errors of the system name paths of this machine in their messages, which go to callers from elsewhere. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isFailure(error) || !('code' in error) ? error.message : String(error.code);
}

/** Each question once. */
async function answersTo(
  cluster: string,
  queries: readonly ObjectQuery[],
  clusters: Observing['clusters'],
  signal?: AbortSignal,
): Promise<(query: ObjectQuery) => ClusterAnswer> {
  const distinct = new Map(queries.map((query) => [keyOf(query), query]));
  if (distinct.size === 0) return () => NONSENSE;
  const answers = await clusters.get(cluster, [...distinct.values()], signal).catch((error: unknown) => {
    if ((isFailure(error) && error.code === 'INTERRUPTED') || signal?.aborted) throw error;
    return [];
  });
  const found = new Map([...distinct.keys()].map((key, index) => [key, answers[index]]));
  return (query) => found.get(keyOf(query)) ?? NONSENSE;
}

const keyOf = ({ apiVersion, kind, namespace, name }: ObjectQuery) =>
  JSON.stringify([apiVersion, kind, namespace, name]);

const NONSENSE: ClusterAnswer = {
  objects: null,
  problem: { code: 'CLUSTER_NONSENSE', message: 'The cluster could not be asked.' },
};
