import { countAt, isFields, textAt, valueAt } from '../read.ts';
import { ofPods, ofReplicas, type Rollout, UNOBSERVED } from './rollout.ts';

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
    return { phase: 'waiting', message: `${ofReplicas(ready, wanted)} ready.` };
  const rolling = valueAt(object, 'spec', 'updateStrategy', 'rollingUpdate');
  if (isFields(rolling)) return partitioned(countAt(rolling, 'partition'), updated, wanted);
  if (!isCurrent(object))
    return { phase: 'waiting', message: `The new revision has ${updated} of ${wanted ?? updated} pods.` };
  return { phase: 'done', message: `${ofReplicas(ready, wanted ?? ready)} updated and ready.` };
}

function partitioned(partition: number | undefined, updated: number, wanted: number | undefined): Rollout {
  const due = wanted === undefined || partition === undefined ? 0 : wanted - partition;
  if (updated < due) return { phase: 'waiting', message: `${ofPods(updated, due)} updated.` };
  const kept = partition ? `; ${partition} below the partition keep what they had` : '';
  return { phase: 'done', message: `${ofReplicas(updated, wanted ?? updated)} updated and ready${kept}.` };
}

function onDelete(object: unknown, ready: number, wanted: number): Rollout {
  const updated = countAt(object, 'status', 'updatedReplicas') ?? 0;
  if (!isCurrent(object) && updated < wanted)
    return {
      phase: 'held',
      code: 'SUSPENDED',
      message: `${ofPods(updated, wanted)} updated; the others when somebody deletes them (OnDelete).`,
    };
  if (ready < wanted) return { phase: 'waiting', message: `${ofReplicas(ready, wanted)} ready.` };
  return { phase: 'done', message: `${ofReplicas(ready, wanted)} updated and ready.` };
}

const isCurrent = (object: unknown) =>
  textAt(object, 'status', 'updateRevision') === textAt(object, 'status', 'currentRevision');
