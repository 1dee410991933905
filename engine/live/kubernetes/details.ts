/** Pods and events of what is not well: one question a namespace for each. They explain, and nothing is lost where they may not be read. */
import type { ClusterAnswer, ClusterObject, ObjectQuery } from '../../model/index.ts';
import { differences } from '../declared/compare.ts';
import type { Judgement } from '../judgement/judgement.ts';
import { unended } from '../judgement/message.ts';
import { fieldsAt, listAt, textAt, valueAt } from '../read.ts';
import { workloadOf } from '../workloads/workloads.ts';
import { newestWarning, restartsOf, troublesOf } from './containers.ts';
import type { Judged } from './judge.ts';
import type { Look } from './looks.ts';
import { selects } from './selector.ts';

const MOST_NAMESPACES = 10;

const namespacesOf = (unwell: readonly Look[]): readonly string[] => {
  const named = unwell.flatMap(({ query }) => query?.namespace ?? []);
  return [...new Set(named)].slice(0, MOST_NAMESPACES);
};

export const detailQueries = (unwell: readonly Look[]): ObjectQuery[] =>
  namespacesOf(unwell).flatMap((namespace) =>
    ['Pod', 'Event'].map((kind) => ({ apiVersion: 'v1', kind, namespace, name: null })),
  );

/** Pods and events by namespace, of answers to `detailQueries`. */
export interface Details {
  readonly pods: readonly ClusterObject[];
  readonly events: readonly ClusterObject[];
}

export function detailsOf(
  unwell: readonly Look[],
  answers: readonly ClusterAnswer[],
): ReadonlyMap<string, Details> {
  return new Map(
    namespacesOf(unwell).map((namespace, index) => [
      namespace,
      { pods: answers[2 * index]?.objects ?? [], events: answers[2 * index + 1]?.objects ?? [] },
    ]),
  );
}

/**
 * A judgement with what pods and events explain. Only pods of the new template count: those of before may well be what is replaced. A container
 * that crashes again and again degrades the workload at once, as waiting longer for it helps nobody; an image that cannot be pulled is named, and
 * degrades it at the deadline, since old pods still serve and a registry comes back.
 */
export function explained(judged: Judged, { pods, events }: Details, since: number): Judgement {
  const { unwell, ...judgement } = judged;
  if (unwell === null) return judgement;
  const isJob = valueAt(unwell, 'kind') === 'Job';
  const isPod = valueAt(unwell, 'kind') === 'Pod';
  const own = ownPods(unwell, pods);
  const current = own.filter((pod) => isJob || isPod || isOfTemplate(unwell, pod));
  const [worst] = current.flatMap(troublesOf).toSorted((one, other) => other.rank - one.rank);
  const restarts = current.reduce<number>((sum, pod) => sum + restartsOf(pod), 0);
  const warning = newestWarning(eventsOf(unwell, own, events), since);
  const parts = [
    judgement.message,
    worst === undefined ? null : sentence(worst.message),
    restarts > 0 ? `${restarts === 1 ? '1 restart' : `${restarts} restarts`}.` : null,
    warning === null ? null : sentence(warning),
  ];
  // A Job says itself when it gives up.
  const isHopeless = judgement.state === 'progressing' && !isJob && worst?.code;
  return {
    ...judgement,
    ...(isHopeless && { state: 'degraded', code: isHopeless }),
    message: parts.filter((part) => part !== null).join(' '),
  };
}

const sentence = (text: string) => {
  const plain = unended(text);
  return `${plain.slice(0, 1).toUpperCase()}${plain.slice(1)}.`;
};

function ownPods(object: ClusterObject, pods: readonly ClusterObject[]): readonly ClusterObject[] {
  const kind = textAt(object, 'kind') ?? '';
  if (workloadOf({ apiVersion: textAt(object, 'apiVersion') ?? '', kind }).hasPods)
    return pods.filter((pod) => selects(object, pod));
  if (kind !== 'Pod') return [];
  return pods.filter((pod) => textAt(pod, 'metadata', 'name') === textAt(object, 'metadata', 'name'));
}

/** By what its containers run: admission adds to the rest of a pod, and a mesh rewrites its probes. */
function isOfTemplate(workload: ClusterObject, pod: ClusterObject): boolean {
  const template = valueAt(workload, 'spec', 'template');
  return differences(containersOf(template), containersOf(pod)).length === 0;
}

function containersOf(value: unknown): ClusterObject {
  const pick = (key: string) =>
    listAt(value, 'spec', key).map((container) => {
      const { name, image, command, args, env } = fieldsAt(container);
      return { name, image, command, args, env };
    });
  return { spec: { containers: pick('containers'), initContainers: pick('initContainers') } };
}

/** Those of the object, of its pods, and of its ReplicaSets, which are named after it. */
function eventsOf(object: ClusterObject, pods: readonly ClusterObject[], events: readonly ClusterObject[]) {
  const [kind, name] = [textAt(object, 'kind'), textAt(object, 'metadata', 'name') ?? ''];
  const names = new Set(pods.map((pod) => textAt(pod, 'metadata', 'name')));
  const isItsReplicaSet = (other: string) =>
    other.startsWith(`${name}-`) && /^[a-z0-9]{5,10}$/.test(other.slice(name.length + 1));
  return events.filter((event) => {
    const of = fieldsAt(event, 'involvedObject');
    const about = textAt(of, 'name') ?? '';
    if (textAt(of, 'kind') === 'Pod') return names.has(about);
    if (textAt(of, 'kind') === 'ReplicaSet' && kind !== 'ReplicaSet') return isItsReplicaSet(about);
    return textAt(of, 'kind') === kind && about === name;
  });
}
