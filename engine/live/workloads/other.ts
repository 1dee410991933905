import { because } from '../judgement/message.ts';
import { conditionOf, countAt, textAt } from '../read.ts';
import { type Rollout, UNOBSERVED } from './rollout.ts';

/**
 * Any other object: being there is all that there is to it, unless it says otherwise by the conditions that controllers share (`Ready`, `Stalled`;
 * sigs.k8s.io/cli-utils/pkg/kstatus). Kinds of Kubernetes itself have no such conditions, or other meanings of them, and are not asked.
 */
export function judgeOther(object: unknown): Rollout {
  const there: Rollout = { phase: 'done', message: 'It is there as it was delivered.' };
  if (textAt(object, 'status', 'phase') === 'Lost' && textAt(object, 'kind') === 'PersistentVolumeClaim')
    return { phase: 'failed', code: 'OPERATION_FAILED', message: 'Its volume is lost.' };
  if (!isCustom(textAt(object, 'apiVersion') ?? '')) return there;
  const observed = countAt(object, 'status', 'observedGeneration');
  if (observed !== undefined && observed < (countAt(object, 'metadata', 'generation') ?? 0))
    return UNOBSERVED;
  const [stalled, ready] = [conditionOf(object, 'Stalled'), conditionOf(object, 'Ready')];
  const why = (condition: unknown) =>
    ` (${textAt(condition, 'reason') ?? 'without a reason'})${because(textAt(condition, 'message'))}.`;
  if (textAt(stalled, 'status') === 'True')
    return { phase: 'failed', code: 'OPERATION_FAILED', message: `It is stalled${why(stalled)}` };
  if (ready !== undefined && textAt(ready, 'status') !== 'True')
    return { phase: 'waiting', message: `It is not ready${why(ready)}` };
  return there;
}

const isCustom = (apiVersion: string) =>
  /^[^/]+\.[^/]+\//.test(apiVersion) && !/^[^/]+\.k8s\.io\//.test(apiVersion);
