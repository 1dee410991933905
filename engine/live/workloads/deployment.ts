import { because } from '../judgement/message.ts';
import { conditionOf, countAt, textAt, valueAt } from '../read.ts';
import { ofReplicas, type Rollout, UNOBSERVED } from './rollout.ts';

/** As DeploymentStatusViewer of kubectl decides (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). A paused one is held, unless it is done. */
export function judgeDeployment(object: unknown): Rollout {
  const rollout = statusOf(object);
  if (rollout.phase !== 'waiting' || valueAt(object, 'spec', 'paused') !== true) return rollout;
  return { phase: 'held', code: 'SUSPENDED', message: `It is paused: ${rollout.message}` };
}

function statusOf(object: unknown): Rollout {
  const status = (key: string) => countAt(object, 'status', key) ?? 0;
  if ((countAt(object, 'metadata', 'generation') ?? 0) > status('observedGeneration')) return UNOBSERVED;
  const progressing = conditionOf(object, 'Progressing');
  if (textAt(progressing, 'reason') === 'ProgressDeadlineExceeded')
    return {
      phase: 'failed',
      code: 'PROGRESS_DEADLINE',
      message: `It exceeded its progress deadline${because(textAt(progressing, 'message'))}.`,
    };
  const [updated, all, available] = [
    status('updatedReplicas'),
    status('replicas'),
    status('availableReplicas'),
  ];
  const wanted = countAt(object, 'spec', 'replicas');
  if (wanted !== undefined && updated < wanted)
    return { phase: 'waiting', message: `${ofReplicas(updated, wanted)} updated${refusal(object)}.` };
  if (all > updated) {
    const old = all - updated;
    return {
      phase: 'waiting',
      message: `${old} old ${old === 1 ? 'replica has' : 'replicas have'} yet to end.`,
    };
  }
  if (available < updated)
    return {
      phase: 'waiting',
      message: `${ofReplicas(available, updated)} available${refusal(object)}.`,
    };
  return {
    phase: 'done',
    message: `${ofReplicas(available, wanted ?? updated)} updated and available.`,
  };
}

/** A quota, or an admission webhook, that lets no pod be created. */
function refusal(object: unknown): string {
  const condition = conditionOf(object, 'ReplicaFailure');
  return textAt(condition, 'status') === 'True' ? because(textAt(condition, 'message')) : '';
}
