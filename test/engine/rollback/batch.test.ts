import { describe, expect, it } from 'vitest';
import { type RequestId } from '../../../engine/internal.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { type Files } from '../../helpers/repositories/repo.ts';
import { NAMES, stage, askAll, log, countPushes, statusOf, filesAt } from './batch-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const FOUR = NAMES.slice(0, 4);

describe('rollbacks that are executed together', () => {
  it('are one push of a chain, in which each has its own commit, trailers and result', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      FOUR.map((name) => `prod/${name}`),
    );
    const before = await repo.git('rev-parse', 'main');
    const pushes = await countPushes(repo);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    // The branch and the ledger with it.
    expect(await pushes()).toEqual([
      expect.stringMatching(
        /refs\/heads\/main.*refs\/backtrail\/ledger|refs\/backtrail\/ledger.*refs\/heads\/main/,
      ),
    ]);
    const range = `${before}..main`;
    expect(await log(repo, '%(trailers:key=Rollback-Request-ID,valueonly)', range)).toEqual(ids);
    const parents = await log(repo, '%P', range);
    expect(await log(repo, '%(trailers:key=Rollback-Base,valueonly)', range)).toEqual(parents);
    const commits = await log(repo, '%H', range);
    expect([...results.values()].map((each) => each.status === 'fulfilled' && each.value.commit)).toEqual(
      commits,
    );
    const changed = await log(repo, '', range).then(() =>
      repo.git('log', '--reverse', '--name-only', '--format=', range),
    );
    expect(changed.split('\n')).toEqual(FOUR.map((name) => `apps/prod/${name}/app.yaml`));
    expect(await repo.git('diff', '--stat', 'main', 'main~5', '--', 'apps/prod/svc-0[0-3]')).toBe('');
    const views = await engine.requests.list({ reader: JANE });
    expect(new Set(views.map(({ status }) => status))).toEqual(new Set(['completed']));
  });

  it('fail alone: one is blocked, one is unknown, one was executed before', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01', 'prod/svc-02', 'prod/svc-03']);
    const [first, second] = ids;
    if (!first || !second) throw new Error('there are four');
    await engine.requests.executeRequest(first);
    await repo.replay([{ files: { 'apps/prod/svc-01/app.yaml': 'image: v3\n' } }]);
    const unknown = 'rbk-00000000000000000000000001' as RequestId;
    const results = await engine.requests.executeRequests([...ids, unknown].map((id) => ({ id })));
    expect([...ids, unknown].map((id) => statusOf(results.get(id)))).toEqual([
      'completed',
      'PLAN_CHANGED',
      'completed',
      'completed',
      'REQUEST_UNKNOWN',
    ]);
    expect(await repo.git('show', 'main:apps/prod/svc-01/app.yaml')).toBe('image: v3');
    expect((await engine.requests.show({ id: second })).status).toBe('failed');
  });

  it('fail together: one commit of the ledger and one push say so, in turn, although they will be tried again', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01', 'prod/svc-02', 'prod/svc-03']);
    const files = ids.map((_, index) => [`apps/prod/svc-0${index}/app.yaml`, 'image: v3\n'] as const);
    await repo.replay([{ files: Object.fromEntries(files) }]);
    const pushes = await countPushes(repo);
    let turns = 0;
    const results = await engine.requests.executeRequests(
      ids.map((id) => ({ id, willRetry: true })),
      { turn: () => Promise.resolve(void (turns += 1)) },
    );
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'PLAN_CHANGED'));
    expect({ pushes: (await pushes()).length, turns }).toEqual({ pushes: 1, turns: 1 });
    expect(await repo.git('log', '-1', '--format=%s', 'refs/backtrail/ledger')).toMatch(
      /4 events: 4 failed$/,
    );
    const views = await engine.requests.list({ reader: JANE });
    expect(views.map(({ status }) => status)).toEqual(ids.map(() => 'failed'));
  });

  it('go ahead only where each of them may', async () => {
    const { repo, engine } = await stage(filesAt, {
      policy: { environments: [{ match: 'prod', quorum: 1, unsignedRequests: true }] },
    });
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01']);
    const tip = await repo.git('rev-parse', 'main');
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['AWAITING_APPROVAL', 'AWAITING_APPROVAL']);
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it('land but for the one that a hook refuses', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.map((name) => `prod/${name}`),
    );
    const refuses = `new=$(echo "$refs" | grep refs/heads/main | cut -d' ' -f2)\n[ -z "$new" ] || git show "$new:apps/prod/svc-03/app.yaml" | grep -q v2 || { echo 'svc-03 is frozen' >&2; exit 1; }`;
    const pushes = await countPushes(repo, refuses);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    const refused = ids.filter((id) => results.get(id)?.status === 'rejected');
    expect(refused).toEqual([ids[3]]);
    expect(await repo.git('show', 'main:apps/prod/svc-03/app.yaml')).toBe('image: v2');
    expect(await repo.git('show', 'main:apps/prod/svc-06/app.yaml')).toBe('image: v1');
    // Halves of eight: four do not land, two do, two do not, one does and one does not, four do.
    const landed = (await pushes()).filter((line) => line.includes(' refs/heads/main'));
    expect(landed.length).toBeLessThan(12);
    expect(await repo.git('rev-list', '--count', 'main')).toBe('9');
  });

  it('of parts of one file are planned one on top of the other', async () => {
    const values = (version: string): Files => ({
      'values/prod.yaml': FOUR.map((name) => `${name}:\n  # owner of ${name}\n  image: ${version}\n`).join(
        '',
      ),
    });
    const { repo, engine } = await stage(values);
    const ids = await askAll(
      engine,
      FOUR.map((name) => `prod/${name}`),
    );
    const pushes = await countPushes(repo);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    expect(await pushes()).toHaveLength(1);
    expect(await repo.git('diff', '--stat', 'main', 'main~5', '--', 'values')).toBe('');
    expect(await log(repo, '%(trailers:key=Rollback-Base,valueonly)', 'main~4..main')).toEqual(
      await log(repo, '%P', 'main~4..main'),
    );
  });

  it.runIf(isProof)(
    'of an environment and of a service in it come one after the other, and the later one has nothing left to do',
    async () => {
      const { repo, engine } = await stage();
      const ids = await askAll(engine, ['prod', 'prod/svc-05']);
      const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
      expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['completed', 'unchanged']);
      expect(await repo.git('rev-list', '--count', 'main')).toBe('3');
    },
  );
});
