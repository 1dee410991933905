/** Holds and resumes through the ledger: asked for, voted on, executed by workers. */
import { describe, expect, it } from 'vitest';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import { fileOf, forge, print } from '../../helpers/people/forge.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { createTeam, engineFor, newId } from '../../helpers/people/requests.ts';
import {
  API,
  app,
  bare,
  BOT,
  CONFIG,
  codes,
  holdFiles,
  marked,
  publish,
  repoWith,
  show,
} from './held-repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const team = createTeam();

async function stage() {
  const { jane, bob, signers } = await team;
  const policy = { environments: [{ match: 'prod', quorum: 1 }] };
  const repo = await repoWith((tag) => ({ [`${API}/app.yaml`]: app(tag) }), { ...CONFIG, policy });
  const options = { allowedSigners: signers };
  const [janes, bobs, worker] = await Promise.all([
    engineFor(repo, jane, options),
    engineFor(repo, bob, options),
    engineOf(repo, options),
  ]);
  return { repo, jane, bob, janes, bobs, worker };
}

type Stage = Awaited<ReturnType<typeof stage>>;

async function asked({ janes, jane }: Stage, ask: { resume?: boolean; holdFor?: string }) {
  const plan = await janes.rollbacks.plan({ scope: 'prod/api', author: jane, ...ask });
  const { target, digest, base } = plan;
  const { request } = await janes.rollbacks.request({
    scope: 'prod/api',
    ...ask,
    target,
    digest,
    base,
    reason: '500s',
    author: jane,
  });
  if (request === null) throw new Error('it is in the ledger');
  return request;
}

const trailer = (repo: Repo, key: string) =>
  repo.git('log', '-1', `--format=%(trailers:key=${key},valueonly)`, 'main');

describe('a request', () => {
  it('carries the terms of its hold, and a resume is one of its own kind: both need the approval of others', async () => {
    const set = await stage();
    const { repo, jane, bob, bobs, worker } = set;
    const first = await asked(set, { holdFor: '7d' });
    expect(first).toMatchObject({ status: 'pending', hold: { seconds: 604_800 } });
    await expect(worker.rollbacks.execute(first.id)).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
    await bobs.requests.approve({ id: first.id, actor: bob });
    const held = await worker.rollbacks.execute(first.id);
    expect(held.status).toBe('completed');
    expect(await show(repo, `${API}/app.yaml`)).toBe(bare('v1'));
    expect((await trailer(repo, 'Rollback-Hold')).trim()).toBe(`.backtrail/holds/prod/${first.id}.yaml`);
    const resume = await asked(set, { resume: true });
    expect(resume).toMatchObject({
      status: 'pending',
      resume: true,
      message: 'Resume automation of prod/api',
    });
    const seen = await bobs.requests.plan({ id: resume.id, reader: bob });
    expect(seen.changed).toBe(false);
    expect(seen.plan.resumes).toEqual([`.backtrail/holds/prod/${first.id}.yaml`]);
    await bobs.requests.approve({ id: resume.id, actor: bob });
    const done = await worker.rollbacks.execute(resume.id);
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v1'));
    expect((await trailer(repo, 'Approval')).trim()).toContain('bob@example.com');
    expect((await trailer(repo, 'Resume-Ledger')).trim()).toMatch(/^[0-9a-f]{40}$/);
    expect((await worker.recorded({ scope: 'prod', limit: 9 })).resumes).toMatchObject([
      { requestId: resume.id, commit: done.commit, scope: 'prod/api', problems: [] },
    ]);
    expect(await worker.log({ limit: 9 })).toMatchObject([{ requestId: first.id, problems: [] }]);
    // Whoever executes it once more finds it on the branch.
    expect(await worker.rollbacks.execute(resume.id)).toMatchObject({
      status: 'completed',
      commit: done.commit,
    });
    expect((await worker.requests.show({ id: resume.id })).status).toBe('completed');
    const said = await repo.git('log', '--format=%s', 'refs/backtrail/ledger');
    expect(said.split('\n')).toEqual([
      expect.stringMatching(new RegExp(` resumed automation of prod/api in ${done.commit?.slice(0, 7)}$`)),
      `${bob.email} approves the resume of prod/api (1/1)`,
      `${jane.email} asks for a resume of prod/api`,
      expect.stringMatching(/ rolled back prod\/api to v1 \([0-9a-f]{7}\) in [0-9a-f]{7}$/),
      expect.stringMatching(/ approves the rollback of prod\/api to v1 /),
      expect.stringMatching(/ asks for a rollback of prod\/api to v1 /),
    ]);
  });

  it('for a resume is no forgery where it says what versions before said of one, and is where it says anything else', async () => {
    const set = await stage();
    const { repo, jane, bob, bobs, worker } = set;
    const first = await asked(set, {});
    await bobs.requests.approve({ id: first.id, actor: bob });
    await worker.rollbacks.execute(first.id);
    const resume = await asked(set, { resume: true });
    const message = await repo.git('log', '-1', '--format=%B', 'refs/backtrail/ledger');
    const parents = [await repo.git('rev-parse', 'refs/backtrail/ledger~1')];
    const files = { [requestPath(resume.id)]: print(await fileOf(repo, resume.id)) };
    const problems = async (subject: string) => {
      const said = message.replace(/^.*/, subject);
      await forge(repo, { files, parents, author: jane, key: jane, message: said, date: resume.createdAt });
      const engine = await engineOf(repo, { allowedSigners: (await team).signers });
      const { ledger } = await engine.audit.verify({});
      const [newest] = await engine.requests.audit({ limit: 1, reader: jane });
      return [...ledger.problems.map(({ code }) => code), ...(newest?.problems ?? ['none'])];
    };
    const former = `${jane.email} asks for a rollback of prod/api to v${resume.targetVersion} (${resume.target.slice(0, 7)})`;
    expect(await problems(former)).toEqual([]);
    expect(await problems(former.replace('prod/api', 'prod/web'))).toEqual([
      'EVENT_DIFFERS',
      'The commit message says something else than the event: subject.',
    ]);
  });

  it.runIf(isProof)('for a resume asks reviewers again where the hold is another one by then', async () => {
    const set = await stage();
    const { repo, bob, bobs, worker } = set;
    const first = await asked(set, {});
    await bobs.requests.approve({ id: first.id, actor: bob });
    await worker.rollbacks.execute(first.id);
    const resume = await asked(set, { resume: true });
    await bobs.requests.approve({ id: resume.id, actor: bob });
    const path = `.backtrail/holds/prod/${first.id}.yaml`;
    await repo.replay([
      { files: { [path]: (await show(repo, path)).replace('until: null', 'until: "2030-01-01T00:00:00Z"') } },
    ]);
    await expect(worker.rollbacks.execute(resume.id)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    expect((await worker.requests.show({ id: resume.id })).status).toBe('pending');
  });

  it.runIf(isProof)(
    'is found completed on the branch by a reconciler, whatever of the ledger was lost',
    async () => {
      const set = await stage();
      const { repo, bob, bobs, worker } = set;
      const first = await asked(set, {});
      await bobs.requests.approve({ id: first.id, actor: bob });
      await worker.rollbacks.execute(first.id);
      const resume = await asked(set, { resume: true });
      await bobs.requests.approve({ id: resume.id, actor: bob });
      const before = await repo.git('rev-parse', 'refs/backtrail/ledger');
      await worker.rollbacks.execute(resume.id);
      await repo.git('update-ref', 'refs/backtrail/ledger', before);
      const fresh = await engineOf(repo, { allowedSigners: (await team).signers });
      const { repairs } = await fresh.requests.reconcile();
      expect(repairs).toMatchObject([{ requestId: resume.id, action: 'completed' }]);
    },
  );

  it.runIf(isProof)('does not count as executed by a commit that holds something else', async () => {
    const set = await stage();
    const { repo, bob, bobs, worker } = set;
    const first = await asked(set, {});
    await bobs.requests.approve({ id: first.id, actor: bob });
    await worker.rollbacks.execute(first.id);
    const message = await repo.git('log', '-1', '--format=%B', 'main');
    const path = `.backtrail/holds/prod/${first.id}.yaml`;
    const hold = (await show(repo, path)).replace('held: "v1"', 'held: "v9"');
    const file = await show(repo, `${API}/app.yaml`);
    const ledger = await repo.git('rev-parse', 'refs/backtrail/ledger~1');
    await repo.git('update-ref', 'refs/heads/main', 'main~1');
    await repo.git('update-ref', 'refs/backtrail/ledger', ledger);
    await repo.replay([{ files: { [path]: hold, [`${API}/app.yaml`]: file }, message }]);
    const fresh = await engineOf(repo, { allowedSigners: (await team).signers });
    await expect(fresh.rollbacks.execute(first.id)).rejects.toMatchObject({ code: 'LEDGER_TAMPERED' });
  });
});

describe('a resume during a freeze', () => {
  const at = (time: string) => ({ clock: { now: () => Date.parse(time), sleep: () => Promise.resolve() } });
  it.each(
    someOf<[string, string, boolean]>(
      [
        ['exempt', 'info', true],
        ['bound', 'block', false],
      ],
      1,
    ),
  )('where rollbacks are %s is a finding of severity %s', async (rollbacks, severity, allowed) => {
    const windows = [{ match: 'prod', cron: '0 18 * * FRI', duration: '62h', rollbacks }];
    const repo = await repoWith((tag) => ({ [`${API}/app.yaml`]: app(tag) }), {
      ...CONFIG,
      policy: { windows },
    });
    await publish(await engineOf(repo, at('2026-11-25T12:00:00Z')), { scope: 'prod/api', hold: true });
    const engine = await engineOf(repo, at('2026-11-28T12:00:00Z'));
    const ask = { scope: 'prod/api', resume: true, author: JANE };
    const plan = await engine.rollbacks.plan(ask);
    expect(plan.findings).toContainEqual(expect.objectContaining({ code: 'WINDOW_CLOSED', severity }));
    expect(plan.gate.may.request.allowed).toBe(allowed);
    const { result } = await publish(engine, { ...ask, override: ['WINDOW_CLOSED'] });
    expect(result.status).toBe('completed');
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v1'));
  });
});

describe('many at once', () => {
  it.runIf(isProof)('are one push with a hold each, and lifted in one as well', async () => {
    const services = ['a', 'b', 'c'];
    const repo = await repoWith((tag) =>
      Object.fromEntries(services.map((name) => [`apps/prod/${name}/app.yaml`, app(tag)])),
    );
    const engine = await engineOf(repo);
    const askAll = async (resume: boolean) => {
      const asks = [];
      for (const name of services) {
        const { scope, target, digest, base } = await engine.rollbacks.plan({
          scope: `prod/${name}`,
          resume,
          author: JANE,
        });
        asks.push({ scope, resume, target, digest, base, reason: '500s', author: JANE, id: newId() });
      }
      const opened = await engine.rollbacks.requestMany(asks);
      expect(opened.map(({ status }) => status)).toEqual(services.map(() => 'fulfilled'));
      const results = await engine.rollbacks.executeMany(asks.map(({ id }) => ({ id })));
      expect([...results.values()]).toMatchObject(
        services.map(() => ({ status: 'fulfilled', value: { status: 'completed' } })),
      );
      return asks.map(({ id }) => id);
    };
    await engine.deployments.record({ scope: 'prod/a', status: 'deployed', actor: JANE });
    const ids = await askAll(false);
    expect(await holdFiles(repo)).toEqual(ids.map((id) => `.backtrail/holds/prod/${id}.yaml`).sort());
    await repo.replay([{ files: { 'apps/prod/a/app.yaml': bare('v4') }, author: BOT }]);
    expect((await engine.guard({ head: 'main' })).violations.map(({ requestId }) => requestId)).toEqual([
      ids[0],
    ]);
    await askAll(true);
    expect(await holdFiles(repo)).toEqual([]);
    expect(await show(repo, 'apps/prod/b/app.yaml')).toBe(app('v1'));
    expect(await show(repo, 'apps/prod/a/app.yaml')).toBe(app('v4'));
    // A resume deploys nothing, and undoes nothing.
    const { deployments } = await engine.deployments.list({ reader: JANE });
    expect(deployments.filter(({ source }) => source === 'backtrail')).toHaveLength(services.length);
    const { revisions } = await engine.history({ scope: 'prod/b', limit: 2 });
    expect(revisions).toMatchObject([{ undoneBy: null }, { source: 'rollback', undoneBy: null }]);
  });

  it.runIf(isProof)(
    'in one scope follow each other: the later one replaces the hold of the earlier',
    async () => {
      const repo = await marked();
      const engine = await engineOf(repo);
      const plan = await engine.rollbacks.plan({ scope: 'prod/api', author: JANE });
      expect(codes(plan)).toContain('HOLD_PLACED');
      const field = { scope: 'prod/api', fields: [`${API}/app.yaml#/image/tag`], hold: true };
      const other = await engine.rollbacks.plan({ ...field, author: JANE });
      const asks = [
        { scope: 'prod/api', target: plan.target, digest: plan.digest, id: newId() },
        { ...field, target: other.target, digest: other.digest, id: newId() },
      ].map((ask) => ({ ...ask, base: plan.base, reason: '500s', author: JANE }));
      await engine.rollbacks.requestMany(asks);
      const results = await engine.rollbacks.executeMany(asks.map(({ id }) => ({ id })));
      expect(
        [...results.values()].map((each) =>
          each.status === 'fulfilled' ? each.value.status : each.reason.code,
        ),
      ).toEqual(['completed', 'unchanged']);
      expect(await holdFiles(repo)).toHaveLength(1);
    },
  );
});
