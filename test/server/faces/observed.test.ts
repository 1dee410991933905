/** A revision that an observer saw degrade: the faces say so in the words of Helm and of platforms. */
import { expect, it } from 'vitest';
import { configOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { startApi } from '../../helpers/servers/api.ts';

it('is FAILED once an observer says so, and DEPLOYED where it saw it live', async () => {
  const repo = await createRepo({ bare: true });
  const app = (tag: string) => ({ 'apps/dev/api/app.yaml': `image: registry.example.com/api:${tag}\n` });
  await repo.replay([
    { files: { '.backtrail/config.yaml': configOf({ environments: [] }), ...app('v1') } },
    { files: app('v2') },
  ]);
  const api = await startApi(await engineOf(repo));
  const observed = async (commit: string, status: string) => {
    await api.post('/api/v1/deployments', { scope: 'dev/api', commit, status: 'pending' });
    const seen = { scope: 'dev/api', commit, status, source: 'observer' };
    return (await api.post('/api/v1/deployments', seen)).status;
  };
  const helm = async () =>
    (await api.get('/api/v1/helm/releases/-~dev~api/history')).body.map(
      ({ status }: { status: string }) => status,
    );
  const platform = async () =>
    (await api.get('/api/v1/platform/deployments/history?environment=dev')).body.deployments.map(
      ({ status, configCommit }: { status: string; configCommit: string }) => [configCommit, status],
    );
  await observed('v1', 'deployed');
  await api.post('/api/v1/deployments', { scope: 'dev/api', commit: 'v2', status: 'pending' });
  expect(await helm()).toEqual(['SUPERSEDED', 'PENDING_UPGRADE']);
  await observed('v2', 'failed');
  expect(await helm()).toEqual(['SUPERSEDED', 'FAILED']);
  const [first, second] = (await repo.git('rev-list', '--reverse', 'main')).trim().split('\n');
  expect(await platform()).toEqual([
    [second, 'FAILED'],
    [first, 'DEPLOYED'],
  ]);
});
