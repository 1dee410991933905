import { describe, expect, it } from 'vitest';
import { argocd } from '../../../../engine/live/argocd.ts';
import { context, found, judged, rule } from './seen.ts';
import { of, ours, operation, application, judge } from './argocd-cases.ts';

describe('queries', () => {
  it('asks for the Application that the template names', async () => {
    expect(await argocd.queries(of, context())).toEqual([
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        namespace: 'argocd',
        name: 'acme-production-api',
      },
    ]);
  });

  it.each([
    [
      '{tenant}_{service}',
      {},
      'The template {tenant}_{service} gives "acme_api", which is not a valid name in Kubernetes.',
    ],
    [
      '{service}',
      { service: '--all' },
      'The template {service} gives "--all", which is not a valid name in Kubernetes.',
    ],
    [
      'x-{service}',
      { service: 'a/b' },
      'The template x-{service} gives "x-a/b", which is not a valid name in Kubernetes.',
    ],
  ])('asks for nothing by the template %s of %j', async (template, coordinates, message) => {
    const odd = {
      ...of,
      ...coordinates,
      rule: rule({ argocd: { application: template, namespace: 'argocd' } }),
    };
    expect(await argocd.queries(odd, context())).toEqual([]);
    expect(await judged(argocd, { of: odd, answers: [] })).toMatchObject([
      { state: 'unconfirmed', code: 'NAME_INVALID', message },
    ]);
  });

  it('says which part of a template nothing fills', async () => {
    const { service: _, ...environment } = of;
    expect(await argocd.queries(environment, context())).toEqual([]);
    expect(await judged(argocd, { of: environment, answers: [] })).toMatchObject([
      {
        state: 'unconfirmed',
        message:
          'The template {tenant}-{environment}-{service} names {service}, and there is no service here.',
      },
    ]);
  });
});

describe('no Application', () => {
  it('is not confirmed, and says which is missing', async () => {
    expect(await judged(argocd, { of, answers: [found()] })).toMatchObject([
      {
        state: 'unconfirmed',
        code: 'OBJECT_MISSING',
        message:
          'Argo CD has no Application acme-production-api in argocd, which the template {tenant}-{environment}-{service} of `live` names.',
      },
    ]);
  });

  it('is not confirmed where it could not be asked', async () => {
    const problem = { code: 'CLUSTER_AWAY', message: 'prod-eu does not answer.' } as const;
    expect(await judged(argocd, { of, answers: [{ objects: null, problem }] })).toMatchObject([
      { state: 'unconfirmed', ...problem },
    ]);
  });
});

describe('what an Application writes', () => {
  it('is one short line without secrets', async () => {
    const message = `\u001b[31mno\u202e\n  https://u:hunter2@git.example PASSWORD=abcdef ${'x'.repeat(9000)}`;
    const observation = await judge(
      application({ operationState: operation(ours, { phase: 'Failed', message }) }),
    );
    expect(observation?.message).toMatch(
      /^The operation failed: \[31mno https:\/\/\*\*\*@git\.example PASSWORD=\*\*\* x+…$/,
    );
    expect(observation?.message).toHaveLength(300);
  });

  it.each([
    {},
    { status: 7, spec: [] },
    { status: { operationState: 'x', sync: [], health: null, resources: {}, conditions: 1 } },
    { spec: { sources: 'x' }, status: { sync: { revisions: 'x', revision: {} } } },
    { status: { operationState: { finishedAt: 'yesterday' } } },
  ])('is understood for what it is: %j', async (object) => {
    expect((await judge(object))?.state).toMatch(/pending|unconfirmed|progressing/);
  });
});
