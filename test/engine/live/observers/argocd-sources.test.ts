import { describe, expect, it } from 'vitest';
import { ADDRESS } from './seen.ts';
import { before, ours, other, operation, application, judge } from './argocd-cases.ts';

describe('an Application with several sources', () => {
  const CHART = { repoURL: 'https://charts.example', chart: 'api', targetRevision: '1.2.3' };
  const several = (revisions: readonly string[], sources: readonly object[]) =>
    application(
      {
        sync: { status: 'Synced', revisions, comparedTo: { sources } },
        operationState: operation('', { syncResult: { revisions, sources } }),
      },
      { source: undefined, sources },
    );

  it('is judged by the commit of the source that is ours', async () => {
    const sources = [CHART, { repoURL: ADDRESS }];
    expect(await judge(several(['1.2.3', ours], sources))).toMatchObject({ state: 'live', revision: ours });
    expect(await judge(several(['1.2.3', before], sources))).toMatchObject({ state: 'pending' });
    // That of another repository says nothing.
    expect(await judge(several([ours, before], sources))).toMatchObject({ state: 'pending' });
  });

  it('is judged by the oldest where several are ours', async () => {
    const sources = [{ repoURL: ADDRESS }, { repoURL: ADDRESS }];
    expect(await judge(several([ours, before], sources))).toMatchObject({
      state: 'pending',
      revision: before,
    });
    expect(await judge(several([ours, ours], sources))).toMatchObject({ state: 'live' });
  });

  it('is not confirmed where none is ours, or its revision is missing', async () => {
    expect(await judge(several(['1.2.3'], [CHART]))).toMatchObject({
      state: 'unconfirmed',
      code: 'SOURCE_ELSEWHERE',
    });
    expect(await judge(several(['1.2.3'], [CHART, { repoURL: ADDRESS }]))).toMatchObject({
      state: 'pending',
    });
  });

  it('is judged by what was compared and applied, where its sources were changed since', async () => {
    const object = several(['1.2.3', ours], [CHART, { repoURL: ADDRESS }]);
    expect(await judge({ ...object, spec: { sources: [{ repoURL: ADDRESS }, CHART] } })).toMatchObject({
      state: 'live',
      revision: ours,
    });
  });
});

describe('an Application that is hydrated', () => {
  it('is judged by the commit that was rendered', async () => {
    const sourceHydrator = { lastSuccessfulOperation: { drySHA: ours, hydratedSHA: other } };
    const status = { operationState: operation(other), sync: { status: 'Synced', revision: other } };
    expect(await judge(application({ ...status, sourceHydrator }))).toMatchObject({
      state: 'live',
      revision: ours,
    });
  });
});
