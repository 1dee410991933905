import { countAt, isFields, textAt, valueAt } from '../read.ts';
import { pods, replicas, type Rollout, UNOBSERVED } from './rollout.ts';

/** As StatefulSetStatusViewer of kubectl decides. It says nothing of OnDelete, whose pods are replaced when somebody deletes them. */
export function judgeStatefulSet(object: unknown): Rollout {
  const status = (key: string) => countAt(object, 'status', key) ?? 0;
  const observed = status('observedGeneration');
  if (observed === 0 || (countAt(object, 'metadata', 'generation') ?? 0) > observed) return UNOBSERVED;
  const wanted = countAt(object, 'spec', 'replicas');
  const [ready, updated] = [status('readyReplicas'), status('updatedReplicas')];
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return onDelete(object, ready, wanted ?? 0);
  if (wanted !== undefined && ready < wanted)
    return { phase: 'waiting', message: `${ready} of ${replicas(wanted)} are ready.` };
  const rolling = valueAt(object, 'spec', 'updateStrategy', 'rollingUpdate');
  if (isFields(rolling)) return partitioned(countAt(rolling, 'partition'), updated, wanted);
  if (!isCurrent(object)) return { phase: 'waiting', message: `${pods(updated)} are at the new revision.` };
  return { phase: 'done', message: `${pods(status('currentReplicas'))} are at the new revision, and ready.` };
}

function partitioned(partition: number | undefined, updated: number, wanted: number | undefined): Rollout {
  const due = wanted === undefined || partition === undefined ? 0 : wanted - partition;
  if (updated < due) return { phase: 'waiting', message: `${updated} of ${pods(due)} are updated.` };
  const kept = partition ? `; ${partition} below the partition keep what they had` : '';
  return { phase: 'done', message: `${updated} of ${pods(wanted ?? updated)} are updated and ready${kept}.` };
}

function onDelete(object: unknown, ready: number, wanted: number): Rollout {
  const updated = countAt(object, 'status', 'updatedReplicas') ?? 0;
  if (!isCurrent(object) && updated < wanted)
    return {
      phase: 'held',
      code: 'SUSPENDED',
      message: `${updated} of ${pods(wanted)} are updated; the others when somebody deletes them (OnDelete).`,
    };
  if (ready < wanted) return { phase: 'waiting', message: `${ready} of ${replicas(wanted)} are ready.` };
  return { phase: 'done', message: `${ready} of ${replicas(wanted)} are updated and ready.` };
}

const isCurrent = (object: unknown) =>
  textAt(object, 'status', 'updateRevision') === textAt(object, 'status', 'currentRevision');
