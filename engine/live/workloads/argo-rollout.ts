import { because } from '../judgement/message.ts';
import { textAt, valueAt } from '../read.ts';
import { type Phase, type Rollout, UNOBSERVED } from './rollout.ts';

const PHASES: Readonly<Record<string, Phase>> = {
  Healthy: 'done',
  Progressing: 'waiting',
  Paused: 'held',
  Degraded: 'failed',
};

/** A Rollout of Argo Rollouts, by the phase that its controller gives it. It writes the generation that it has seen as text. */
export function judgeArgoRollout(object: unknown): Rollout {
  const observed = Number(valueAt(object, 'status', 'observedGeneration') ?? 0);
  if (Number(valueAt(object, 'metadata', 'generation') ?? 0) > observed) return UNOBSERVED;
  const name = textAt(object, 'status', 'phase') ?? 'Progressing';
  const phase = Object.hasOwn(PHASES, name) ? (PHASES[name] ?? 'waiting') : 'waiting';
  return {
    phase,
    ...(phase === 'held' && { code: 'SUSPENDED' as const }),
    message: `It is ${name}${because(textAt(object, 'status', 'message'))}.`,
  };
}
