import { because } from '../judgement/message.ts';
import { conditionOf, countAt, textAt, valueAt } from '../read.ts';
import type { Rollout } from './rollout.ts';

/** By its conditions `Complete` and `Failed`; counts alone say nothing, as a pod that failed may be tried again. */
export function judgeJob(object: unknown): Rollout {
  const condition = (type: string) => {
    const found = conditionOf(object, type);
    return textAt(found, 'status') === 'True' ? found : undefined;
  };
  const failed = condition('Failed');
  if (failed !== undefined)
    return {
      phase: 'failed',
      code: 'OPERATION_FAILED',
      message: `It failed (${textAt(failed, 'reason') ?? 'without a reason'})${because(textAt(failed, 'message'))}.`,
    };
  if (condition('Complete') !== undefined) return { phase: 'done', message: 'It is complete.' };
  if (condition('Suspended') !== undefined || valueAt(object, 'spec', 'suspend') === true)
    return { phase: 'held', code: 'SUSPENDED', message: 'It is suspended.' };
  const [active, tried] = [
    countAt(object, 'status', 'active') ?? 0,
    countAt(object, 'status', 'failed') ?? 0,
  ];
  return { phase: 'waiting', message: `Its pods: ${active} active, ${tried} failed.` };
}
