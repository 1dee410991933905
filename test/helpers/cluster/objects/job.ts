import type { IJob } from 'kubernetes-models/batch/v1/Job';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { timeOf, warn } from './events.ts';
import { type PodState, replacePods } from './pods.ts';
import { hashOf, readWorkload } from './workload.ts';

const TOO_OFTEN = 'Job has reached the specified backoff limit';

/** It runs one pod: to its end, or until it has failed too often. */
export function runJob(cluster: ClusterObjects, object: KubernetesObject, pods: PodState): void {
  const { name, namespace, template } = readWorkload(object);
  const state = pods === 'ready' ? 'succeeded' : pods === 'crash' ? 'failed' : pods;
  const labels = { 'batch.kubernetes.io/job-name': name, 'job-name': name };
  const planned = { name: `${name}-${hashOf(name, 5)}`, state, template, owner: object, labels } as const;
  replacePods(cluster, { namespace, owners: [object], pods: [planned] });
  cluster.setStatus({ kind: 'Job', namespace, name }, statusOf(state, timeOf(cluster)));
  if (state === 'failed')
    warn(cluster, object, {
      reason: 'BackoffLimitExceeded',
      message: TOO_OFTEN,
      component: 'job-controller',
    });
}

function statusOf(state: PodState, time: string) {
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    reason,
    message,
    lastProbeTime: time,
    lastTransitionTime: time,
  });
  const done = (types: readonly string[], reason: string, message: string) =>
    types.map((type) => condition(type, reason, message));
  const uncountedTerminatedPods = {};
  if (state === 'succeeded') {
    const conditions = done(
      ['SuccessCriteriaMet', 'Complete'],
      'CompletionsReached',
      'Reached expected number of succeeded pods',
    );
    return {
      startTime: time,
      completionTime: time,
      succeeded: 1,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods,
      conditions,
    } satisfies IJob['status'];
  }
  if (state === 'failed') {
    const conditions = done(['FailureTarget', 'Failed'], 'BackoffLimitExceeded', TOO_OFTEN);
    return {
      startTime: time,
      failed: 3,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods,
      conditions,
    } satisfies IJob['status'];
  }
  return {
    startTime: time,
    active: 1,
    ready: state === 'unready' ? 1 : 0,
    terminating: 0,
    uncountedTerminatedPods,
  } satisfies IJob['status'];
}
