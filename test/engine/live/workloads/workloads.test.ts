import { describe, expect, it } from 'vitest';
import { workloadOf } from '../../../../engine/live/workloads/workloads.ts';

const judge = (apiVersion: string, kind: string, of: object) =>
  workloadOf({ apiVersion, kind }).judge({
    apiVersion,
    kind,
    metadata: { name: 'api', generation: 2 },
    ...of,
  });

describe('a Deployment', () => {
  const of = (status: object, spec: object = {}) =>
    judge('apps/v1', 'Deployment', {
      spec: { replicas: 3, ...spec },
      status: { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3, ...status },
    });
  const condition = (type: string, of: object) => ({ conditions: [{ type, status: 'True', ...of }] });

  it.each([
    [{}, {}, 'done', '3 of 3 replicas are updated and available.'],
    [{ observedGeneration: 1 }, {}, 'waiting', 'Its controller has not seen its specification yet.'],
    [{ updatedReplicas: 1 }, {}, 'waiting', '1 of 3 replicas are updated.'],
    [{ replicas: 4 }, {}, 'waiting', '1 old replica has yet to end.'],
    [{ availableReplicas: undefined }, {}, 'waiting', '0 of 3 replicas are available.'],
    [
      { updatedReplicas: 1, ...condition('ReplicaFailure', { message: 'exceeded quota' }) },
      {},
      'waiting',
      '1 of 3 replicas are updated: exceeded quota.',
    ],
    [
      condition('Progressing', {
        reason: 'ProgressDeadlineExceeded',
        message: 'ReplicaSet "api-1" has timed out progressing.',
      }),
      {},
      'failed',
      'It exceeded its progress deadline: ReplicaSet "api-1" has timed out progressing.',
    ],
    [
      { observedGeneration: 1, ...condition('Progressing', { reason: 'ProgressDeadlineExceeded' }) },
      {},
      'waiting',
      'Its controller has not seen its specification yet.',
    ],
    [{ updatedReplicas: 1 }, { paused: true }, 'held', 'It is paused: 1 of 3 replicas are updated.'],
    [{}, { paused: true }, 'done', '3 of 3 replicas are updated and available.'],
    [
      { replicas: 0, updatedReplicas: 0, availableReplicas: 0 },
      { replicas: 0 },
      'done',
      '0 of 0 replicas are updated and available.',
    ],
    [
      { replicas: '3', updatedReplicas: -1, availableReplicas: 1e99 },
      {},
      'waiting',
      '0 of 3 replicas are updated.',
    ],
  ] as const)('of %j and %j is %s', (status, spec, phase, message) => {
    expect(of(status, spec)).toMatchObject({ phase, message });
  });
});

describe('a StatefulSet', () => {
  const of = (
    status: object,
    updateStrategy: object = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
  ) =>
    judge('apps/v1', 'StatefulSet', {
      spec: { replicas: 3, updateStrategy },
      status: {
        observedGeneration: 2,
        readyReplicas: 3,
        updatedReplicas: 3,
        updateRevision: 'b',
        currentRevision: 'b',
        ...status,
      },
    });
  const PLAIN = { type: 'RollingUpdate' };

  it.each([
    [{}, undefined, 'done', '3 of 3 replicas are updated and ready.'],
    [
      { observedGeneration: undefined },
      undefined,
      'waiting',
      'Its controller has not seen its specification yet.',
    ],
    [{ readyReplicas: 2 }, undefined, 'waiting', '2 of 3 replicas are ready.'],
    [{ updatedReplicas: 2, currentRevision: 'a' }, undefined, 'waiting', '2 of 3 pods are updated.'],
    [
      { updatedReplicas: 1, currentRevision: 'a' },
      { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
      'done',
      '1 of 3 replicas are updated and ready; 2 below the partition keep what they had.',
    ],
    [{ updatedReplicas: 2, currentRevision: 'a' }, PLAIN, 'waiting', 'The new revision has 2 of 3 pods.'],
    [{ currentReplicas: 3 }, PLAIN, 'done', '3 of 3 replicas are updated and ready.'],
    [
      { updatedReplicas: 1, currentRevision: 'a' },
      { type: 'OnDelete' },
      'held',
      '1 of 3 pods are updated; the others when somebody deletes them (OnDelete).',
    ],
    [{}, { type: 'OnDelete' }, 'done', '3 of 3 replicas are updated and ready.'],
    [{ readyReplicas: 1 }, { type: 'OnDelete' }, 'waiting', '1 of 3 replicas are ready.'],
  ] as const)('of %j and %j is %s', (status, strategy, phase, message) => {
    expect(of(status, strategy)).toMatchObject({ phase, message });
  });
});

describe('a DaemonSet', () => {
  const of = (status: object, type = 'RollingUpdate') =>
    judge('apps/v1', 'DaemonSet', {
      spec: { updateStrategy: { type } },
      status: {
        observedGeneration: 2,
        desiredNumberScheduled: 4,
        updatedNumberScheduled: 4,
        numberAvailable: 4,
        ...status,
      },
    });

  it.each([
    [{}, 'RollingUpdate', 'done', '4 of 4 pods are updated and available.'],
    [
      { observedGeneration: 1 },
      'RollingUpdate',
      'waiting',
      'Its controller has not seen its specification yet.',
    ],
    [{ updatedNumberScheduled: 1 }, 'RollingUpdate', 'waiting', '1 of 4 pods are updated.'],
    [{ numberAvailable: 3 }, 'RollingUpdate', 'waiting', '3 of 4 pods are available.'],
    [
      { updatedNumberScheduled: 1 },
      'OnDelete',
      'held',
      '1 of 4 pods are updated; the others when somebody deletes them (OnDelete).',
    ],
  ] as const)('of %j, %s, is %s', (status, type, phase, message) => {
    expect(of(status, type)).toMatchObject({ phase, message });
  });
});

describe('a Job', () => {
  const of = (status: object, spec: object = {}) => judge('batch/v1', 'Job', { spec, status });
  const when = (type: string, more: object = {}) => ({ conditions: [{ type, status: 'True', ...more }] });

  it.each([
    [when('Complete'), {}, 'done', 'It is complete.'],
    [
      when('Failed', {
        reason: 'BackoffLimitExceeded',
        message: 'Job has reached the specified backoff limit',
      }),
      {},
      'failed',
      'It failed (BackoffLimitExceeded): Job has reached the specified backoff limit.',
    ],
    [
      { conditions: [{ type: 'Complete', status: 'False' }], active: 1 },
      {},
      'waiting',
      'Its pods: 1 active, 0 failed.',
    ],
    [{ active: 2, failed: 3 }, {}, 'waiting', 'Its pods: 2 active, 3 failed.'],
    [{}, { suspend: true }, 'held', 'It is suspended.'],
    [when('Suspended'), {}, 'held', 'It is suspended.'],
  ] as const)('of %j and %j is %s', (status, spec, phase, message) => {
    expect(of(status, spec)).toMatchObject({ phase, message });
  });
});

describe('others', () => {
  it.each([
    [
      'v1',
      'Pod',
      { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
      'done',
      'It runs, and is ready.',
    ],
    ['v1', 'Pod', { status: { phase: 'Running' } }, 'waiting', 'It is Running, and not ready.'],
    ['v1', 'Pod', { status: { phase: 'Succeeded' } }, 'done', 'It ended, and succeeded.'],
    ['v1', 'Pod', { status: { phase: 'Failed', reason: 'Evicted' } }, 'failed', 'It failed: Evicted.'],
    [
      'v1',
      'Pod',
      {
        status: {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes' }],
        },
      },
      'waiting',
      'No node takes it: 0/3 nodes.',
    ],
    [
      'apps/v1',
      'ReplicaSet',
      { spec: { replicas: 2 }, status: { observedGeneration: 2, availableReplicas: 1 } },
      'waiting',
      '1 of 2 replicas are available.',
    ],
    [
      'apps/v1',
      'ReplicaSet',
      { status: { observedGeneration: 2, availableReplicas: 1 } },
      'done',
      '1 of 1 replica is available.',
    ],
    ['v1', 'Service', {}, 'done', 'It is there as it was delivered.'],
    [
      'v1',
      'Service',
      { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
      'done',
      'It is there as it was delivered.',
    ],
    ['v1', 'PersistentVolumeClaim', { status: { phase: 'Lost' } }, 'failed', 'Its volume is lost.'],
    [
      'v1',
      'PersistentVolumeClaim',
      { status: { phase: 'Pending' } },
      'done',
      'It is there as it was delivered.',
    ],
    [
      'cert-manager.io/v1',
      'Certificate',
      { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Issuing', message: 'waits' }] } },
      'waiting',
      'It is not ready (Issuing): waits.',
    ],
    [
      'cert-manager.io/v1',
      'Certificate',
      { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      'done',
      'It is there as it was delivered.',
    ],
    [
      'example.com/v1',
      'Thing',
      { status: { observedGeneration: 1 } },
      'waiting',
      'Its controller has not seen its specification yet.',
    ],
    [
      'example.com/v1',
      'Thing',
      { status: { conditions: [{ type: 'Stalled', status: 'True', reason: 'Bad' }] } },
      'failed',
      'It is stalled (Bad).',
    ],
    [
      'argoproj.io/v1alpha1',
      'Rollout',
      { status: { observedGeneration: '2', phase: 'Healthy' } },
      'done',
      'It is Healthy.',
    ],
    [
      'argoproj.io/v1alpha1',
      'Rollout',
      { status: { observedGeneration: '1', phase: 'Healthy' } },
      'waiting',
      'Its controller has not seen its specification yet.',
    ],
    [
      'argoproj.io/v1alpha1',
      'Rollout',
      { status: { observedGeneration: '2', phase: 'Paused', message: 'CanaryPauseStep' } },
      'held',
      'It is Paused: CanaryPauseStep.',
    ],
    [
      'argoproj.io/v1alpha1',
      'Rollout',
      { status: { observedGeneration: '2', phase: 'Degraded' } },
      'failed',
      'It is Degraded.',
    ],
    ['constructor', 'toString', {}, 'done', 'It is there as it was delivered.'],
  ] as const)('%s %s of %j is %s', (apiVersion, kind, of, phase, message) => {
    expect(judge(apiVersion, kind, of)).toMatchObject({ phase, message });
  });
});
