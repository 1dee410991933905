import { countAt, textAt } from '../read.ts';
import { pods, type Rollout, UNOBSERVED } from './rollout.ts';

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
          message: `${updated} of ${pods(wanted)} are updated; the others when somebody deletes them (OnDelete).`,
        }
      : { phase: 'waiting', message: `${updated} of ${pods(wanted)} are updated.` };
  }
  if (available < wanted)
    return { phase: 'waiting', message: `${available} of ${pods(wanted)} that are updated are available.` };
  return { phase: 'done', message: `${available} of ${pods(wanted)} are updated and available.` };
}
