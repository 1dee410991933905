import { countAt } from '../read.ts';
import { ofReplicas, type Rollout, UNOBSERVED } from './rollout.ts';

export function judgeReplicaSet(object: unknown): Rollout {
  const status = (key: string) => countAt(object, 'status', key) ?? 0;
  if ((countAt(object, 'metadata', 'generation') ?? 0) > status('observedGeneration')) return UNOBSERVED;
  const wanted = countAt(object, 'spec', 'replicas') ?? 1;
  const available = status('availableReplicas');
  const phase = available < wanted ? 'waiting' : 'done';
  return { phase, message: `${ofReplicas(available, wanted)} available.` };
}
