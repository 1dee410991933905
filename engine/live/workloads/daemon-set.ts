import { countAt, textAt } from '../read.ts';
import { ofPods, type Rollout, UNOBSERVED } from './rollout.ts';

/** As DaemonSetStatusViewer of kubectl decides. It says nothing of OnDelete, whose pods are replaced when somebody deletes them. */
export function judgeDaemonSet(object: unknown): Rollout {
  const status = (key: string) => countAt(object, 'status', key) ?? 0;
  if ((countAt(object, 'metadata', 'generation') ?? 0) > status('observedGeneration')) return UNOBSERVED;
  const [wanted, updated] = [status('desiredNumberScheduled'), status('updatedNumberScheduled')];
  const available = status('numberAvailable');
  if (updated < wanted) {
    const isHeld = textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
    return isHeld
      ? {
          phase: 'held',
          code: 'SUSPENDED',
          message: `${ofPods(updated, wanted)} updated; the others when somebody deletes them (OnDelete).`,
        }
      : { phase: 'waiting', message: `${ofPods(updated, wanted)} updated.` };
  }
  if (available < wanted) return { phase: 'waiting', message: `${ofPods(available, wanted)} available.` };
  return { phase: 'done', message: `${ofPods(available, wanted)} updated and available.` };
}
