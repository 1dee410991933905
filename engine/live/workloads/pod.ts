import { because } from '../judgement/message.ts';
import { conditionOf, textAt } from '../read.ts';
import type { Rollout } from './rollout.ts';

export function judgePod(object: unknown): Rollout {
  const phase = textAt(object, 'status', 'phase') ?? 'Unknown';
  const why = because(textAt(object, 'status', 'message') ?? textAt(object, 'status', 'reason'));
  if (phase === 'Succeeded') return { phase: 'done', message: 'It ended, and succeeded.' };
  if (phase === 'Failed') return { phase: 'failed', code: 'OPERATION_FAILED', message: `It failed${why}.` };
  if (phase === 'Running' && textAt(conditionOf(object, 'Ready'), 'status') === 'True')
    return { phase: 'done', message: 'It runs, and is ready.' };
  const unscheduled = conditionOf(object, 'PodScheduled');
  if (textAt(unscheduled, 'status') === 'False')
    return { phase: 'waiting', message: `No node takes it${because(textAt(unscheduled, 'message'))}.` };
  return { phase: 'waiting', message: `It is ${phase}, and not ready${why}.` };
}
