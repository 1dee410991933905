/** What judges which kind, and which part of its manifest has to be there before it is judged. */
import { groupOf } from '../read.ts';
import { judgeArgoRollout } from './argo-rollout.ts';
import { judgeDaemonSet } from './daemon-set.ts';
import { judgeDeployment } from './deployment.ts';
import { judgeJob } from './job.ts';
import { judgeOther } from './other.ts';
import { judgePod } from './pod.ts';
import { judgeReplicaSet } from './replica-set.ts';
import type { JudgeRollout } from './rollout.ts';
import { judgeStatefulSet } from './stateful-set.ts';

export interface Workload {
  readonly judge: JudgeRollout;
  /** Where its declared fields say which revision it is of; others may differ (replicas that an autoscaler sets), which is drift. [''] for all. */
  readonly parts: readonly string[];
  /** It selects pods, of which those of the new template may not be well. */
  readonly hasPods: boolean;
}

const withPods = (judge: JudgeRollout): Workload => ({ judge, parts: ['/spec/template/'], hasPods: true });

const WORKLOADS: Readonly<Record<string, Workload>> = {
  'apps/Deployment': withPods(judgeDeployment),
  'apps/StatefulSet': withPods(judgeStatefulSet),
  'apps/DaemonSet': withPods(judgeDaemonSet),
  'apps/ReplicaSet': withPods(judgeReplicaSet),
  'batch/Job': withPods(judgeJob),
  'argoproj.io/Rollout': withPods(judgeArgoRollout),
  // Admission adds to the rest of a pod.
  '/Pod': { judge: judgePod, parts: ['/spec/containers/', '/spec/initContainers/'], hasPods: false },
};
const OTHER: Workload = { judge: judgeOther, parts: [''], hasPods: false };

export function workloadOf({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): Workload {
  const key = `${groupOf(apiVersion)}/${kind}`;
  return Object.hasOwn(WORKLOADS, key) ? (WORKLOADS[key] ?? OTHER) : OTHER;
}
