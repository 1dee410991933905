import { describe, expect, it } from 'vitest';
import { HOST_KINDS, MERGE_METHODS } from '../../../../engine/model/index.ts';
import { isProof, runs } from '../../../helpers/run/proof.ts';
import { askFor, createScene, lookOf, proposeFor } from './scene.ts';

/** The other hosts' own ways are in other-hosts.test.ts. */
const KINDS = HOST_KINDS.slice(0, runs(HOST_KINDS.length, 1));

describe.each(KINDS)('a rollback where the branch takes no push, on %s', (kind) => {
  it('is proposed, opened as a pull request, merged by a person, and completed', async () => {
    const scene = await createScene({ overHttp: true, kind });
    const { worker, host, repo } = scene;
    const before = await repo.git('rev-parse', 'main');
    const id = await askFor(scene);
    const result = await worker.rollbacks.execute(id);
    expect(result).toMatchObject({
      status: 'proposed',
      proposed: { via: 'pull-request', branch: `backtrail/${id}`, into: 'main' },
      pullRequest: { state: 'open', number: 1 },
      findings: [],
    });
    expect(await repo.git('rev-parse', 'main')).toBe(before);
    expect(await repo.git('rev-parse', `backtrail/${id}`)).toBe(result.commit);
    const pull = await host.pull(1);
    expect(pull).toMatchObject({ state: 'open', into: 'main', branch: `backtrail/${id}` });
    expect(pull.title).toContain('Rollback:');
    expect(pull.body).toContain('v2 answers 500');
    expect(await worker.requests.show({ id })).toMatchObject({
      status: 'approved',
      proposed: { commit: result.commit },
      link: { number: 1 },
    });
    // Nothing waits for a worker.
    expect(await worker.requests.reconcile()).toMatchObject({ repairs: [], waiting: [] });

    await host.merge(1, { by: 'ada', method: 'merge' });
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'completed' }] });
    expect(await scene.show('apps/prod/api/app.yaml')).toContain('v1');
    const tip = await repo.git('rev-parse', 'main');
    expect(await worker.requests.show({ id })).toMatchObject({
      status: 'completed',
      result: { commit: tip, arrived: { how: 'merge', by: 'ada', link: { number: 1 } } },
    });
    expect(await scene.branches()).toEqual(['main']);
    expect(await worker.rollbacks.execute(id)).toMatchObject({ status: 'completed', commit: tip });
  });
});

it.runIf(isProof).each(MERGE_METHODS)('is merged by a worker, by %s, where it may', async (method) => {
  const scene = await createScene({ rule: { merge: 'auto', method }, settings: { methods: [method] } });
  const { id } = await proposeFor(scene);
  await lookOf(scene);
  await lookOf(scene);
  expect(await scene.worker.requests.show({ id })).toMatchObject({
    status: 'completed',
    result: { arrived: { how: method } },
  });
  expect(await scene.show('apps/prod/api/app.yaml')).toContain('v1');
  const [newest] = (await scene.worker.history({ scope: 'prod/api', limit: 1 })).revisions;
  expect(newest).toMatchObject({ source: 'rollback' });
});
