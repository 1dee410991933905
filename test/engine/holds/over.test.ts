/** Holds over holds, parts of holds, holds whose time is over, and holds that people edited. */
import { describe, expect, it } from 'vitest';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { API, app, bare, BOT, codes, holdFiles, marked, publish, repoWith, show } from './held-repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const FIELD = `${API}/app.yaml#/image/tag`;
const REPLICAS = `${API}/app.yaml#/replicas`;

const both = (tag: string) =>
  `a:\n  tag: ${tag} # {"$imagepolicy": "x:a:tag"}\nb:\n  tag: ${tag} # {"$imagepolicy": "x:b:tag"}\n`;

describe('a rollback over a hold', () => {
  it('replaces it in the same commit, and can give back what the older one took away', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const first = await publish(engine, { scope: 'prod/api' });
    await repo.replay([{ files: { [`${API}/app.yaml`]: bare('v3', 2) }, author: BOT }]);
    const second = await publish(engine, {
      scope: 'prod/api',
      fields: [FIELD, REPLICAS],
      to: first.plan.target,
    });
    expect(second.plan.replacesHolds).toEqual([`.backtrail/holds/prod/${first.result.requestId}.yaml`]);
    expect(codes(second.plan)).toEqual(expect.arrayContaining(['HOLD_REPLACED', 'HOLD_PLACED']));
    expect(await holdFiles(repo)).toEqual([`.backtrail/holds/prod/${second.result.requestId}.yaml`]);
    expect(await show(repo, `${API}/app.yaml`)).toBe(bare('v1'));
    await publish(engine, { scope: 'prod/api', resume: true });
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v1'));
  });

  it.runIf(isProof)('without a hold of its own gives back what the older one took away', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const first = await publish(engine, { scope: 'prod/api' });
    await repo.replay([{ files: { [`${API}/app.yaml`]: bare('v3') }, author: BOT }]);
    const ask = { scope: 'prod/api', fields: [FIELD], to: first.plan.target, hold: false };
    const second = await publish(engine, ask);
    expect(second.plan.hold).toBeUndefined();
    expect(await holdFiles(repo)).toEqual([]);
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v1'));
  });

  it('has nothing to do where the same is held already', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const { plan } = await publish(engine, { scope: 'prod/api' });
    const again = await engine.rollbacks.plan({ scope: 'prod/api', to: plan.target, author: JANE });
    expect(again.unchanged).toBe(true);
    expect(codes(again)).toContain('NOTHING_TO_DO');
  });

  it.runIf(isProof)(
    'goes back further than the one that it comes after, also where that was resumed in part',
    async () => {
      const repo = await repoWith((tag) => ({ [`${API}/app.yaml`]: both(tag) }));
      await repo.replay([{ files: { [`${API}/app.yaml`]: both('v3') }, author: BOT }]);
      const engine = await engineOf(repo);
      const first = await publish(engine, { scope: 'prod/api' });
      expect(first.plan.targetVersion).toBe(2);
      const further = async () =>
        (await engine.rollbacks.plan({ scope: 'prod/api', author: JANE })).targetVersion;
      expect(await further()).toBe(1);
      await publish(engine, { scope: 'prod/api', fields: [`${API}/app.yaml#/b/tag`], resume: true });
      expect(await further()).toBe(1);
    },
  );

  it('of one of its fields leaves the others held by the older one', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    await repo.replay([{ files: { [`${API}/app.yaml`]: app('v3', 4) }, author: BOT }]);
    const first = await publish(engine, { scope: 'prod/api', to: 'v1' });
    expect(first.plan.hold?.fields.map(({ selector }) => selector)).toEqual(['/image/tag', '/replicas']);
    await repo.replay([{ files: { [`${API}/app.yaml`]: bare('v1', 9) }, author: BOT }]);
    const second = await publish(engine, {
      scope: 'prod/api',
      fields: [REPLICAS],
      to: first.plan.target,
      hold: true,
    });
    const { holds } = await engine.holds({});
    expect(
      Object.fromEntries(
        holds.map(({ requestId, fields }) => [requestId, fields.map((one) => one.selector)]),
      ),
    ).toEqual({
      [first.result.requestId]: ['/image/tag'],
      [second.result.requestId]: ['/replicas'],
    });
  });
});

describe('a resume', () => {
  it('of one field of several leaves the others held, and keeps what was taken away for them', async () => {
    const repo = await repoWith((tag) => ({ [`${API}/app.yaml`]: both(tag) }));
    const engine = await engineOf(repo);
    const { result } = await publish(engine, { scope: 'prod/api' });
    const resumed = await publish(engine, {
      scope: 'prod/api',
      fields: [`${API}/app.yaml#/b/tag`],
      resume: true,
    });
    expect(resumed.plan.mode).toBe('field');
    expect(await show(repo, `${API}/app.yaml`)).toBe(
      'a:\n  tag: v1\nb:\n  tag: v1 # {"$imagepolicy": "x:b:tag"}\n',
    );
    const { holds } = await engine.holds({ scope: 'prod/api' });
    expect(holds).toMatchObject([
      { requestId: result.requestId, adapters: ['flux'], fields: [{ selector: '/a/tag' }] },
    ]);
    await publish(engine, { scope: 'prod', resume: true });
    expect(await show(repo, `${API}/app.yaml`)).toBe(both('v1'));
    expect(await holdFiles(repo)).toEqual([]);
  });

  it('is right where the field and its lines moved meanwhile', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    await publish(engine, { scope: 'prod/api' });
    const moved = bare('v5')
      .replace('# the service', '# the service\nowner: team-a')
      .replace('  name: api\n', '');
    await repo.replay([{ files: { [`${API}/app.yaml`]: moved } }]);
    await publish(engine, { scope: 'prod/api', resume: true });
    expect(await show(repo, `${API}/app.yaml`)).toBe(
      moved.replace('tag: v5', 'tag: v5 # {"$imagepolicy": "flux-system:api:tag"}').replace('false', 'true'),
    );
  });

  it('is blocked, and writes nothing, where what it would give back has no place any more', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    await publish(engine, { scope: 'prod/api' });
    const [tip] = await repo.replay([
      { files: { [`${API}/app.yaml`]: 'image: {name: api, tag: v5, more: [1]}\n' } },
    ]);
    const plan = await engine.rollbacks.plan({ scope: 'prod/api', resume: true, author: JANE });
    expect(codes(plan)).toContain('HOLD_STUCK');
    await expect(publish(engine, { scope: 'prod/api', resume: true })).rejects.toMatchObject({
      code: 'HOLD_STUCK',
    });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it.runIf(isProof)('is the same request again with the same id, and no rollback', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const { result } = await publish(engine, { scope: 'prod/api' });
    const id = 'rbk-01JD2M00000000000000000000';
    const plan = await engine.rollbacks.plan({ scope: 'prod/api', resume: true, author: JANE });
    const { target, digest, base } = plan;
    const ask = { scope: 'prod/api', resume: true, target, digest, base, reason: 'Fixed', author: JANE, id };
    const done = await engine.rollbacks.request(ask);
    const again = await engine.rollbacks.request(ask);
    expect(again).toMatchObject({ status: 'completed', commit: done.commit, requestId: id });
    const known = await engine.rollbacks.earlier({ scope: 'prod/api', resume: true, author: JANE, id });
    expect(known?.plan.resumes).toEqual([`.backtrail/holds/prod/${result.requestId}.yaml`]);
    const other = await engine.rollbacks.plan({ scope: 'prod/api', to: 'v2', author: JANE });
    await expect(
      engine.rollbacks.request({ ...ask, resume: false, target: other.target, digest: other.digest }),
    ).rejects.toMatchObject({ code: 'REQUEST_EXISTS' });
  });
});

describe('a hold whose time is over', () => {
  it('is expired, whatever became of its fields, and can still be resumed', async () => {
    const repo = await marked();
    let now = Date.now();
    const engine = await engineOf(repo, { clock: { now: () => now, sleep: () => Promise.resolve() } });
    await publish(engine, { scope: 'prod/api', holdFor: '2h' });
    const [before] = (await engine.holds({})).holds;
    expect(Date.parse(before?.until ?? '') - Date.parse(before?.since ?? '')).toBe(7_200_000);
    await repo.replay([{ files: { [`${API}/app.yaml`]: bare('v7') }, author: BOT }]);
    expect((await engine.holds({})).holds).toMatchObject([
      { state: 'broken', fields: [{ held: 'v1', now: 'v7', broken: true }] },
    ]);
    expect((await engine.guard({ head: 'main' })).violations).toHaveLength(1);
    now += 2 * 3_600_000 + 1000;
    expect((await engine.holds({})).holds).toMatchObject([{ state: 'expired' }]);
    expect((await engine.guard({ head: 'main' })).violations).toEqual([]);
    await publish(engine, { scope: 'prod/api', resume: true });
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v7'));
  });
});

describe('a file of a hold that people edited', () => {
  const path = '.backtrail/holds/prod/rbk-01JD2M00000000000000000000.yaml';
  const text = (change: Record<string, unknown>) => {
    const hold = {
      version: 1,
      request: 'rbk-01JD2M00000000000000000000',
      scope: 'prod/api',
      mode: 'service',
      target: '1'.repeat(40),
      since: '2026-11-20T10:00:00Z',
      until: null,
      reason: 'x',
      author: 'jane@example.com',
      fields: [{ path: `${API}/app.yaml`, selector: '/image/tag', held: 'v2' }],
      taken: [],
    };
    return JSON.stringify({ ...hold, ...change });
  };

  it.each(
    someOf(
      [
        ['not YAML', 'a: [', /not valid YAML/],
        ['aliases', `a: &a 1\nb: *a\n`, /aliases/],
        ['an alias bomb', `a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n`, /aliases/],
        ['a key of a prototype', '{"__proto__": {"version": 1}}', /reserved/],
        ['two documents', `${text({})}\n---\n{}\n`, /one YAML document/],
        ['no hold', '[]', /not as Backtrail writes it/],
        ['an unknown key', text({ more: 1 }), /not as Backtrail writes it/],
        ['the scope of another environment', text({ scope: 'dev/api' }), /of the scope "dev\/api"/],
        ['another request', text({ request: 'rbk-01JD2M00000000000000000001' }), /the file of rbk-/],
        [
          'a path above the repository',
          text({ fields: [{ path: '../x', selector: '', held: 'a' }] }),
          /outside/,
        ],
        [
          'a path of another environment',
          text({ fields: [{ path: 'apps/dev/api/app.yaml', selector: '/a', held: 'a' }] }),
          /outside of its scope/,
        ],
        [
          'the configuration',
          text({
            taken: [
              { adapter: 'keys', path: '.backtrail/config.yaml', kind: 'value', selector: '/a', took: 'x' },
            ],
          }),
          /outside/,
        ],
        [
          'a selector that is none',
          text({ fields: [{ path: `${API}/app.yaml`, selector: 'a[', held: 'a' }] }),
          /selector/,
        ],
        ['a time that is none', text({ since: 'yesterday' }), /since/],
      ],
      2,
    ),
  )('holds nothing and is a finding: %s', async (_, content, problem) => {
    const repo = await marked();
    await repo.replay([{ files: { [path]: content } }]);
    const engine = await engineOf(repo);
    const { holds, findings } = await engine.holds({});
    expect(holds).toEqual([]);
    expect(findings).toMatchObject([{ code: 'HOLD_INVALID', path }]);
    expect(findings[0]?.message).toMatch(problem);
    expect(codes(await engine.rollbacks.plan({ scope: 'prod/api', hold: false, author: JANE }))).toContain(
      'HOLD_INVALID',
    );
    await expect(engine.rollbacks.plan({ scope: 'prod/api', resume: true })).rejects.toMatchObject({
      code: 'HOLD_UNKNOWN',
    });
  });

  it('gives nothing back that would bring more along', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const taken = [
      {
        adapter: 'keys',
        path: `${API}/app.yaml`,
        kind: 'value',
        selector: '/replicas',
        put: '1',
        took: '1 # \nevil: true',
      },
    ];
    for (const [kind, took] of [
      ['value', '2\nevil: true'],
      ['value', '[1, 2]'],
      ['line-end', ' # a\nevil: true'],
      ['above', 'evil: true\n'],
    ]) {
      const files = { [path]: text({ taken: taken.map((part) => ({ ...part, kind, took })) }) };
      await repo.replay([{ files }]);
      const plan = await engine.rollbacks.plan({ scope: 'prod/api', resume: true, author: JANE });
      expect([kind, codes(plan)]).toEqual([kind, expect.arrayContaining(['HOLD_STUCK'])]);
    }
  });

  it.runIf(isProof)(
    'that holds a field of an older one is a hold of its own: both are listed, guarded and resumed',
    async () => {
      const repo = await marked();
      const engine = await engineOf(repo);
      await publish(engine, { scope: 'prod/api' });
      await repo.replay([
        {
          files: {
            [path]: text({ fields: [{ path: `${API}/app.yaml`, selector: '/image/tag', held: '"v1"' }] }),
          },
        },
      ]);
      expect((await engine.holds({})).holds.map(({ state }) => state)).toEqual(['active', 'active']);
      await repo.replay([{ files: { [`${API}/app.yaml`]: bare('v9') }, author: BOT }]);
      expect((await engine.guard({ head: 'main' })).violations).toHaveLength(2);
      const { plan } = await publish(engine, { scope: 'prod/api', resume: true });
      expect(plan.resumes).toHaveLength(2);
      expect(await holdFiles(repo)).toEqual([]);
    },
  );
});
