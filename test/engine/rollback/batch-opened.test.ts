import { describe, expect, it } from 'vitest';
import { makeRequestId } from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { stage, askAll, countPushes, statusOf, filesAt } from './batch-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

describe('requests that are opened together', () => {
  it('are one commit of the ledger and one push; what is wrong with one of them is said of it alone', async () => {
    const { repo, engine } = await stage();
    const pushes = await countPushes(repo);
    const asks = [];
    for (const scope of ['prod/svc-00', 'prod/svc-01', 'prod/svc-02']) {
      const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE });
      asks.push({ scope, target, digest, author: JANE, reason: 'v2 answers 500' });
    }
    const [first, second, third] = asks;
    if (!first || !second || !third) throw new Error('three were planned');
    const wrong = { ...second, digest: `sha256:${'0'.repeat(64)}` };
    const results = await engine.rollbacks.requestMany([first, wrong, third]);
    expect(results.map(statusOf)).toEqual(['approved', 'PLAN_CHANGED', 'approved']);
    expect(await pushes()).toEqual([expect.stringContaining('refs/backtrail/ledger')]);
    expect(await repo.git('rev-list', '--count', 'refs/backtrail/ledger')).toBe('1');
    const views = await engine.requests.list({ reader: JANE });
    expect(views.map(({ scopeName }) => scopeName).toSorted()).toEqual(['prod/svc-00', 'prod/svc-02']);
  });

  it.runIf(isProof)(
    'have one time where opening them took longer than a second, and one no earlier than what is in the ledger',
    async () => {
      const { repo } = await stage(filesAt, {
        policy: { environments: [{ match: 'prod', quorum: 1, unsignedRequests: true, expiry: '1h' }] },
      });
      let now = Date.now() + 30_000;
      const sleep = () => Promise.resolve();
      const location = `file://${repo.folder}`;
      const slow = await engineOf(repo, { location, clock: { now: () => (now += 1000), sleep } });
      const first = await askAll(slow, ['prod/svc-00', 'prod/svc-01', 'prod/svc-02']);
      const behind = await engineOf(repo, { location });
      const second = await askAll(behind, ['prod/svc-03']);
      const views = await Promise.all([...first, ...second].map((id) => behind.requests.show({ id })));
      expect(new Set(views.map(({ createdAt }) => createdAt)).size).toBe(1);
      for (const { createdAt, expiresAt } of views)
        expect(Date.parse(expiresAt ?? '') - Date.parse(createdAt)).toBe(3_600_000);
    },
  );

  it.runIf(isProof)('are each answered for themselves where two have one id', async () => {
    const { engine } = await stage();
    const asks = [];
    for (const scope of ['prod/svc-00', 'prod/svc-01', 'prod/svc-02']) {
      const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE });
      asks.push({ scope, target, digest, author: JANE, reason: 'v2 answers 500' });
    }
    const id = makeRequestId(Date.now(), new Uint8Array(10));
    const results = await engine.rollbacks.requestMany(
      asks.map((ask, index) => (index < 2 ? { ...ask, id } : ask)),
    );
    expect(results.map(statusOf)).toEqual(['approved', 'REQUEST_EXISTS', 'approved']);
  });

  it.runIf(isProof)(
    'of one scope follow each other: the later one takes the place of the earlier',
    async () => {
      const { engine } = await stage(filesAt, {
        policy: { environments: [{ match: 'prod', quorum: 1, unsignedRequests: true }] },
      });
      const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01', 'prod/svc-00']);
      const statuses = ids.map(async (id) => (await engine.requests.show({ id })).status);
      expect(await Promise.all(statuses)).toEqual(['superseded', 'pending', 'pending']);
    },
  );
});
