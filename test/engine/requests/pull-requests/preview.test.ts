import { describe, expect, it } from 'vitest';
import {
  BacktrailError,
  type CodeHost,
  type CodeHosts,
  type MergeSettings,
} from '../../../../engine/model/index.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import {
  configOf,
  createTeam,
  newId,
  POLICY,
  policedRepo,
  stageOf,
} from '../../../helpers/people/requests.ts';

const team = createTeam();
const ALL: MergeSettings = {
  methods: ['merge', 'rebase', 'squash'],
  hasQueue: false,
  mayBypass: null,
  hasDrafts: true,
};

const notAsked = () => Promise.reject(new Error('Only its settings are asked for.'));

/** A host of which a plan asks nothing but its settings. */
function hostsWith(settings: Partial<MergeSettings> | BacktrailError) {
  const asked: string[] = [];
  const host: CodeHost = {
    kind: 'github',
    name: 'git.example.com',
    repository: 'acme/config',
    settings: (into) => {
      asked.push(into);
      return settings instanceof Error ? Promise.reject(settings) : Promise.resolve({ ...ALL, ...settings });
    },
    find: notAsked,
    listOpen: notAsked,
    read: notAsked,
    create: notAsked,
    update: notAsked,
    setDraft: notAsked,
    closePullRequest: notAsked,
    reopenPullRequest: notAsked,
    merge: notAsked,
    close: () => Promise.resolve(),
  };
  const hosts: CodeHosts = { open: () => Promise.resolve(host), close: () => Promise.resolve() };
  return { hosts, asked };
}

const configWith = (rule: object, policy: object = {}) =>
  configOf(policy, { publish: [{ match: 'prod', ...rule }] });

async function planned(
  rule: object,
  { hosts, ...ask }: { hosts?: CodeHosts; scope?: string; pushTest?: 'here' } = {},
) {
  const repo = await policedRepo(configWith(rule));
  const { jane } = await team;
  const engine = await engineOf(repo, hosts ? { hosts } : {});
  return engine.rollbacks.plan({ scope: 'prod/api', author: jane, ...ask });
}

type Plan = Awaited<ReturnType<typeof planned>>;
const found = ({ findings }: Plan) => findings.map(({ code, severity }) => `${code} ${severity}`);
const saying = ({ findings }: Plan) => findings.map(({ message }) => message).join('\n');

describe('a plan of what is not pushed', () => {
  it('says that it will be a pull request, and has a record', async () => {
    const { hosts } = hostsWith({ methods: ['rebase', 'squash'] });
    const plan = await planned({ via: 'pull-request', merge: 'auto', labels: ['rollback'] }, { hosts });
    expect(plan.publish).toEqual({
      via: 'pull-request',
      merge: 'auto',
      method: 'rebase',
      labels: ['rollback'],
    });
    expect(plan.gate).toMatchObject({ ledgered: true, needsApproval: false });
    expect(found(plan)).toEqual(['PULL_REQUEST info']);
    expect(saying(plan)).toContain('a pull request into main, merged by a worker');
    expect(saying(plan)).toContain('(rebase)');
  });

  it('says that a branch alone will be pushed', async () => {
    const plan = await planned({ via: 'branch' });
    expect(plan.publish).toEqual({ via: 'branch', merge: 'manual', method: null, labels: [] });
    expect(plan.gate.ledgered).toBe(true);
    expect(found(plan)).toEqual(['PULL_REQUEST info']);
  });

  it('says nothing of it where rollbacks are pushed', async () => {
    const plan = await planned({ via: 'pull-request' }, { scope: 'dev/api' });
    expect(plan).not.toHaveProperty('publish');
    expect(plan.gate.ledgered).toBe(false);
    expect(plan.findings).toEqual([]);
  });

  it('is blocked where the host does not allow the method', async () => {
    const { hosts } = hostsWith({ methods: ['merge'] });
    const plan = await planned({ via: 'pull-request', method: 'squash' }, { hosts });
    expect(found(plan)).toContain('METHOD_REFUSED block');
    expect(plan.gate.may.request).toMatchObject({ allowed: false, code: 'METHOD_REFUSED' });
  });

  it('is blocked where the host would rebase what it takes signed alone', async () => {
    const { hosts } = hostsWith({ methods: ['merge', 'squash'], requiresSignatures: true });
    const plan = await planned({ via: 'pull-request', method: 'rebase' }, { hosts });
    expect(found(plan)).toContain('METHOD_REFUSED block');
    expect(saying(plan)).toContain('takes signed commits alone and does not sign what it rebases');
  });

  it('says that a merge queue leaves it to a person', async () => {
    const { hosts } = hostsWith({ hasQueue: true });
    const plan = await planned({ via: 'pull-request', merge: 'auto' }, { hosts });
    expect(plan.publish).toMatchObject({ merge: 'manual' });
    expect(saying(plan)).toContain('A merge queue merges into main');
  });

  it('is not blocked by a host that is not listed or does not answer', async () => {
    const elsewhere = await planned({ via: 'pull-request' });
    expect(found(elsewhere)).toEqual(['PULL_REQUEST info', 'HOST_NOT_ALLOWED info']);
    expect(elsewhere.gate.may.execute.allowed).toBe(true);
    const here = await planned({ via: 'pull-request' }, { pushTest: 'here' });
    expect(found(here)).toContain('HOST_NOT_ALLOWED warn');
    const { hosts } = hostsWith(new BacktrailError('HOST_UNAVAILABLE', 'It does not answer.'));
    const silent = await planned({ via: 'pull-request', method: 'squash' }, { hosts });
    expect(found(silent)).toContain('HOST_UNAVAILABLE warn');
    expect(silent.publish).toMatchObject({ method: 'squash' });
  });

  it('asks the host once for many plans', async () => {
    const { hosts, asked } = hostsWith({});
    const repo = await policedRepo(configWith({ via: 'pull-request' }));
    const { jane } = await team;
    const engine = await engineOf(repo, { hosts });
    const asks = ['v1', 'previous'].map((to) => ({ scope: 'prod/api', to, id: newId() }));
    const plans = await engine.rollbacks.planMany(asks, jane);
    expect(plans.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(asked).toEqual(['main']);
  });

  it('says that break-glass does not get past the host', async () => {
    const { hosts } = hostsWith({});
    const stage = await stageOf(team, configWith({ via: 'pull-request' }, POLICY));
    await stage.janes.requests.openSession({ scope: 'prod', holder: stage.jane, reason: 'It burns' });
    const options = { hosts, allowedSigners: stage.signers, env: stage.jane.env };
    const engine = await engineOf(stage.repo, options);
    const plan = await engine.rollbacks.plan({ scope: 'prod/api', author: stage.jane });
    expect(found(plan)).toEqual(['BREAK_GLASS warn', 'BREAK_GLASS warn', 'PULL_REQUEST info']);
  });

  it('cannot be of a group that is published in one push', async () => {
    const repo = await policedRepo(configWith({ via: 'pull-request' }));
    const { jane } = await team;
    const engine = await engineOf(repo);
    const asks = [];
    for (const scope of ['prod/api', 'dev/api']) {
      const { target, digest, base } = await engine.rollbacks.plan({ scope, author: jane });
      asks.push({ scope, target, digest, base, author: jane, reason: 'r', id: newId(), incident: 'inc-1' });
    }
    const results = await engine.rollbacks.requestMany(asks, { atomic: true });
    for (const each of results)
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'PLAN_BLOCKED' } });
  });
});
