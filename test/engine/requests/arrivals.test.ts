/** Rollbacks that came by pull request are read back as if they had been pushed, whatever the host made of their messages. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { type Proposed, resultOf } from '../../../engine/model/index.ts';
import { createRecorder } from '../../../engine/deployments/rollbacks.ts';
import { createDeploymentCache } from '../../../engine/deployments/store.ts';
import { recordDeployed } from '../../../engine/requests/arrivals/deployed.ts';
import { changeDigest } from '../../../engine/record/change-digest.ts';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import { forge } from '../../helpers/people/forge.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { copyRepo, type Repo } from '../../helpers/repositories/repo.ts';
import {
  API,
  type Branch,
  broughtBy,
  contextOf,
  FOLDER,
  LINK,
  mergeAs,
  type Message,
  moveOn,
  propose,
  rebase,
  stage,
  tell,
  type Told,
  WEB,
  type Wish,
} from './arrived-scene.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const CO_AUTHORS =
  '---------\n\nCo-authored-by: Jane Doe <jane@example.com>\nCo-authored-by: Backtrail <backtrail@localhost>\n';
const plainSquash: Message = ({ subject }) => `${subject} (#7)\n`;
const githubSquash: Message = ({ subject, bodies }) =>
  `${subject} (#7)\n\n${bodies.map((body) => `* ${body}`).join('\n')}\n${CO_AUTHORS}`;
/** One paragraph of trailers from all commits, as a template of a person may have it. */
const mixedSquash: Message = ({ subject, bodies }) =>
  `${subject} (#7)\n\n${bodies.map((body) => body.trimEnd().split('\n\n').at(-1)).join('\n')}\n`;
const merge: Message = ({ subject }) => `Merge pull request #7 from acme/backtrail\n\n${subject}\n`;
const telling: Message = ({ bodies }) => `Merge pull request #7 from acme/backtrail\n\n${bodies[0]}`;

type Way = (repo: Repo, branch: Branch) => Promise<Pick<Told, 'how' | 'commits'>>;
const asOne =
  (how: Told['how'], parents: 1 | 2, message: Message): Way =>
  async (repo, branch) => ({
    how,
    commits: broughtBy(branch, await mergeAs(repo, branch, { parents, message })),
  });

const WAYS: Readonly<Record<string, Way>> = {
  'merged, with a message that says nothing': asOne('merge', 2, merge),
  'merged, with a message that repeats the trailers': asOne('merge', 2, telling),
  'squashed, with the trailers lost': asOne('squash', 1, plainSquash),
  'squashed, with the text of GitHub and co-authors': asOne('squash', 1, githubSquash),
  'squashed, with all trailers in one paragraph': asOne('squash', 1, mixedSquash),
  'squashed by a queue': asOne('queue', 1, githubSquash),
  rebased: async (repo, branch) => {
    const made = await rebase(repo, branch);
    let at = 0;
    const next = () => made[at++] ?? '';
    return {
      how: 'rebase',
      commits: new Map(
        branch.members.map(({ id, deliveryCommit }) => [
          id,
          { commit: next(), deliveryCommit: deliveryCommit && next() },
        ]),
      ),
    };
  },
};

const SCOPES: readonly Wish[] = [
  { scope: 'acme/production' },
  { scope: API },
  { scope: WEB },
  { scope: API, fields: ['image'] },
];

/** What reading says, with names in the place of commits; the host's own words aside. */
async function readBack(repo: Repo) {
  const engine = await engineOf(repo);
  const { rollbacks } = await engine.recorded({ limit: 50 });
  const places = (await repo.git('rev-list', '--first-parent', 'main')).split('\n');
  const names = new Map(rollbacks.map(({ commit, scope }) => [commit, `ROLLBACK-${scope}`]));
  const named = (value: unknown) =>
    JSON.parse(
      [...names].reduce(
        (text, [commit, name]) => text.replaceAll(commit, name).replaceAll(commit.slice(0, 10), name),
        JSON.stringify(value),
      ),
    );
  const scopes = [];
  for (const wish of SCOPES) {
    const { revisions } = await engine.history({ ...wish, limit: 50 });
    const told = revisions.map(({ subject, author, time, ...rest }) =>
      names.has(rest.commit) ? rest : { subject, author, time, ...rest },
    );
    const { revision } = await engine
      .show({ ...wish, revision: 'previous' })
      .catch((error: { message: string }) => ({ revision: error.message }));
    scopes.push({ wish, told, previous: revision });
  }
  const log = rollbacks.map(
    ({ requestId, author, mode, scope, reason, commit, deliveryCommit, problems, record }) => {
      const { base, ...claims } = record;
      const isAfterBase = places.indexOf(base) > places.indexOf(commit);
      const isDelivered = deliveryCommit !== null;
      return { requestId, author, mode, scope, reason, commit, problems, claims, isDelivered, isAfterBase };
    },
  );
  const arrivals = rollbacks.map(({ via, pullRequest, commit, deliveryCommit }) => ({
    via,
    pullRequest,
    commit,
    deliveryCommit,
  }));
  return { same: named({ scopes, log }), arrivals, engine };
}

interface Scene {
  /** Before anything is merged: the branch is proposed, and main has moved on. */
  readonly repo: Repo;
  readonly branch: Branch;
  /** As it is where the same was pushed. */
  readonly pushed: unknown;
}

async function proposed(wishes: readonly Wish[], more: object = {}): Promise<Omit<Scene, 'pushed'>> {
  const repo = await stage(more);
  const branch = await propose(repo, wishes);
  await moveOn(repo);
  return { repo, branch };
}

async function sceneOf(wishes: readonly Wish[]): Promise<Scene> {
  const { repo, branch } = await proposed(wishes);
  const other = await copyRepo(repo);
  const worker = await engineOf(other);
  for (const { id } of branch.members) await worker.requests.executeRequest(id);
  const { same, arrivals } = await readBack(other);
  expect(arrivals.map(({ via }) => via)).toEqual(wishes.map(() => undefined));
  return { repo, branch, pushed: same };
}

async function arrive({ repo, branch }: Omit<Scene, 'pushed'>, way: Way) {
  const copy = await copyRepo(repo);
  const told = await way(copy, branch);
  await tell(copy, branch, told);
  return { repo: copy, told, id: branch.members[0]?.id ?? '' };
}

let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf([{ scope: API }]);
});

describe('a rollback of a service that came by pull request', () => {
  it.each(someOf(Object.entries(WAYS), 2))('is read back as if it had been pushed: %s', async (_, way) => {
    const { repo, told, id } = await arrive(scene, way);
    const { same, arrivals, engine } = await readBack(repo);
    expect(same).toEqual(scene.pushed);
    const { commit = '', deliveryCommit = null } = told.commits.get(id) ?? {};
    expect(arrivals).toEqual([
      { via: told.how, pullRequest: LINK, commit, deliveryCommit: deliveryCommit ?? commit },
    ]);
    expect(await engine.findRequest(id)).toBe(commit);
  });
});

// With others' changes to its file besides, that is proven below.
describe.runIf(isProof)('a rollback of a field that came by pull request', () => {
  let field: Scene;
  beforeAll(async () => {
    field = await sceneOf([{ scope: API, fields: ['image'] }]);
  });

  it.each(['rebased', 'squashed, with the trailers lost'])(
    'is read back as if it had been pushed: %s',
    async (name) => {
      const way = WAYS[name];
      if (way === undefined) throw new Error(name);
      const { repo } = await arrive(field, way);
      expect((await readBack(repo)).same).toEqual(field.pushed);
    },
  );
});

const marks = async (engine: Engine, scope: string) =>
  (await engine.history({ scope, limit: 50 })).revisions.map(({ status, source }) => `${source} ${status}`);

describe('a request that came by pull request', () => {
  it('is not executed again, and is shown as completed with its pull request', async () => {
    const { repo, id, told } = await arrive(scene, asOne('squash', 1, plainSquash));
    const engine = await engineOf(repo);
    const tip = await repo.git('rev-parse', 'main');
    const commit = told.commits.get(id)?.commit;
    const done = { status: 'completed', commit, deliveryCommit: commit };
    expect(await engine.requests.executeRequest(id)).toMatchObject(done);
    const many = await engine.requests.executeRequests([{ id }]);
    expect(many.get(id)).toMatchObject({ status: 'fulfilled', value: done });
    const { target, digest, base } = await engine.requests.show({ id });
    const ask = { id, scope: API, target, digest, base, author: JANE, reason: 'It answers 500' };
    expect(await engine.rollbacks.request(ask)).toMatchObject({ ...done, request: { status: 'completed' } });
    expect(await engine.findRequests([id])).toEqual(new Map([[id, commit]]));
    expect(await engine.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    const rows = await engine.requests.audit({ limit: 10, reader: JANE });
    expect(rows.map(({ event, problems }) => [event, problems])).toEqual(
      ['completed', 'linked', 'proposed', 'opened'].map((event) => [event, []]),
    );
    expect(await engine.requests.list({ reader: JANE })).toMatchObject([
      {
        status: 'completed',
        pullRequest: { ...LINK, state: 'merged', statusChecks: null },
        result: { commit, arrived: { how: 'squash', by: 'bob' } },
      },
    ]);
  });

  it.each(someOf(['', 'file://'], 1))(
    'is seen by an engine that has looked at the ledger before, at %sREPOSITORY',
    async (at) => {
      const repo = await copyRepo(scene.repo);
      const engine = await engineOf(repo, { location: `${at}${repo.folder}` });
      expect(await engine.log({ limit: 5 })).toEqual([]);
      const told = await asOne('squash', 1, plainSquash)(repo, scene.branch);
      expect(await engine.log({ limit: 5 })).toEqual([]);
      await tell(repo, scene.branch, told);
      expect(await engine.log({ limit: 5 })).toMatchObject([{ via: 'squash' }]);
      expect(await marks(engine, API)).toContain('unknown rolledBack');
    },
  );
});

describe('a rollback of a field whose file others have changed while it was proposed', () => {
  it('is read back, though its commit changes the file to what nobody has proposed', async () => {
    const open = await proposed([{ scope: API, fields: ['image'] }]);
    const meanwhile = await open.repo.git('show', `main:${FOLDER}/api/service.yaml`);
    await moveOn(open.repo, {
      [`${FOLDER}/api/service.yaml`]: `${meanwhile.replace('replicas: 3', 'replicas: 9')}\n`,
    });
    const other = await copyRepo(open.repo);
    for (const { id } of open.branch.members) await (await engineOf(other)).requests.executeRequest(id);
    const { repo, id, told } = await arrive(open, asOne('squash', 1, plainSquash));
    const { same, engine } = await readBack(repo);
    expect(same).toEqual((await readBack(other)).same);
    expect(same.log).toHaveLength(1);
    const { commit } = told.commits.get(id) ?? {};
    expect(await engine.requests.executeRequest(id)).toMatchObject({ status: 'completed', commit });
  });
});

describe('the deployment that a rollback is which came by pull request', () => {
  it.runIf(isProof)('is recorded once, as of one that was pushed', async () => {
    const open = await proposed([{ scope: API }], { deployments: { record: 'always' } });
    const { repo, id, told } = await arrive(open, asOne('squash', 1, plainSquash));
    const engine = await engineOf(repo);
    const { scope, base, target, digest } = await engine.requests.show({ id });
    const { commit = '', deliveryCommit = null } = told.commits.get(id) ?? {};
    const result = resultOf({ id, scope, base, target, digest }, 'completed', { commit, deliveryCommit });
    const context = await contextOf(repo);
    const recorder = createRecorder({ context, cache: createDeploymentCache(), scans: new Map() });
    for (let times = 0; times < 2; times += 1)
      expect(await recordDeployed({ recorder }, [result])).toEqual(new Map([[id, []]]));
    const { deployments } = await engine.deployments.list({ reader: JANE });
    expect(deployments).toMatchObject([
      { scope: API, commit, status: 'deployed', source: 'backtrail', requestId: id },
    ]);
  });
});

describe('two rollbacks that a person squashed together', () => {
  it('are each read back, of one commit', async () => {
    const scene = await proposed([{ scope: API }, { scope: WEB }]);
    const { repo, told } = await arrive(scene, asOne('squash', 1, githubSquash));
    const engine = await engineOf(repo);
    const [commit] = [...told.commits.values()].map((each) => each.commit);
    const log = await engine.log({ limit: 5 });
    expect(log.map(({ scope }) => scope).sort()).toEqual([API, WEB]);
    expect(log.map((entry) => [entry.commit, entry.via, entry.problems])).toEqual([
      [commit, 'squash', []],
      [commit, 'squash', []],
    ]);
    for (const scope of [API, WEB])
      expect((await marks(engine, scope)).slice(0, 3)).toEqual([
        'rollback unknown',
        'unknown rolledBack',
        'unknown unknown',
      ]);
    expect((await marks(engine, 'acme/production')).slice(0, 3)).toEqual([
      'rollback unknown',
      'unknown rolledBack',
      'unknown rolledBack',
    ]);
    for (const { id } of scene.branch.members)
      expect(await engine.requests.executeRequest(id)).toMatchObject({ status: 'completed', commit });
  });
});

describe('a ledger that cannot be read', () => {
  it('is named, and histories say what the branch alone says', async () => {
    const { repo, id } = await arrive(scene, asOne('squash', 1, plainSquash));
    const files = { [requestPath(id)]: '{ "arrived": 1 }\n' };
    await forge(repo, { files, author: JANE, message: 'new\n' });
    const engine = await engineOf(repo);
    const { revisions, findings } = await engine.history({ scope: API, limit: 50 });
    expect(revisions.map(({ source }) => source)).not.toContain('rollback');
    expect(findings).toMatchObject([
      { code: 'RECORDS_UNREADABLE', severity: 'warn', message: expect.stringContaining('(LEDGER_TAMPERED)') },
    ]);
    const { plan } = await engine.plan({ scope: API });
    expect(plan.findings.map(({ code }) => code)).toContain('RECORDS_UNREADABLE');
  });
});

describe('what the ledger claims and the branch does not bear out', () => {
  const squash = (repo: Repo) => mergeAs(repo, scene.branch, { parents: 1, message: plainSquash });
  const CASES: Readonly<
    Record<
      string,
      { commit: (repo: Repo, squashed: string) => Promise<string> | string; forged?: Told['forged'] }
    >
  > = {
    'another commit of the branch': { commit: (repo) => moveOn(repo) },
    'a commit that is not on the branch': { commit: () => scene.branch.members[0]?.commit ?? '' },
    'a commit that does not exist': { commit: () => '9'.repeat(40) },
    'a commit that changes something else': {
      commit: (repo) => moveOn(repo, { [`${FOLDER}/api/service.yaml`]: 'image:\n  tag: v7\n' }),
    },
    'a commit of before it was proposed': {
      commit: (_, squashed) => squashed,
      forged: (proposed) => ({ ...proposed, base: scene.branch.members[0]?.commit ?? '' }),
    },
    'a rollback of something else': {
      commit: (_, squashed) => squashed,
      forged: (proposed): Proposed => ({
        ...proposed,
        messages: {
          ...proposed.messages,
          revert: proposed.messages.revert.replace('Service: api', 'Service: web'),
        },
      }),
    },
    'no rollback at all': {
      commit: (_, squashed) => squashed,
      forged: (proposed) => ({ ...proposed, messages: { ...proposed.messages, revert: 'Change\n' } }),
    },
  };

  it.each(someOf(Object.entries(CASES), 3))('is not read back: %s', async (_, { commit, forged }) => {
    const repo = await copyRepo(scene.repo);
    const squashed = await squash(repo);
    const named = await commit(repo, squashed);
    await tell(repo, scene.branch, {
      how: 'squash',
      commits: broughtBy(scene.branch, named),
      ...(forged && { forged }),
    });
    const engine = await engineOf(repo);
    expect(await engine.log({ limit: 5 })).toEqual([]);
    expect(new Set(await marks(engine, API))).toEqual(new Set(['unknown unknown']));
    const [member] = scene.branch.members;
    await expect(engine.requests.executeRequest(member?.id ?? '')).rejects.toMatchObject({
      code: 'LEDGER_TAMPERED',
    });
  });

  it('is not executed as done where the commit does not restore what was asked for', async () => {
    const repo = await copyRepo(scene.repo);
    const files = { [`${FOLDER}/api/service.yaml`]: 'image:\n  tag: v7\n' };
    const [deploy = ''] = await repo.replay([{ files }]);
    const { git } = await contextOf(repo);
    const [written] = await git.inspect([deploy]);
    const whole = changeDigest(git.hasher, written?.changes ?? []);
    await tell(repo, scene.branch, {
      how: 'squash',
      commits: broughtBy(scene.branch, deploy),
      forged: (proposed) => ({ ...proposed, change: { ...proposed.change, whole } }),
    });
    const [member] = scene.branch.members;
    const engine = await engineOf(repo);
    await expect(engine.requests.executeRequest(member?.id ?? '')).rejects.toMatchObject({
      code: 'LEDGER_TAMPERED',
    });
  });
});
