/** An Application of Argo CD, and what is said of it. */
import { expect } from 'vitest';
import { argocd } from '../../../../engine/live/argocd.ts';
import { ADDRESS, commits, found, judged, rule, target } from './seen.ts';

export const of = target({
  rule: rule({ argocd: { application: '{tenant}-{environment}-{service}', namespace: 'argocd' } }),
});

export const { before, ours, later, other, unknown } = commits;

export const operation = (revision: string, more: object = {}) => ({
  phase: 'Succeeded',
  startedAt: '2026-11-20T10:01:00Z',
  finishedAt: '2026-11-20T10:02:00Z',
  syncResult: { revision },
  ...more,
});

export const application = (status: object = {}, spec: object = {}, more: object = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'acme-production-api', namespace: 'argocd' },
  spec: { source: { repoURL: ADDRESS }, syncPolicy: { automated: {} }, ...spec },
  ...more,
  status: {
    reconciledAt: '2026-11-20T10:03:00Z',
    sync: { status: 'Synced', revision: ours },
    health: { status: 'Healthy' },
    operationState: operation(ours),
    ...status,
  },
});

export const judge = async (object: object) => {
  const [observation, ...rest] = await judged(argocd, { of, answers: [found(object)] });
  expect(rest).toEqual([]);
  return observation;
};
