/** A completed rollback records itself, together with what it publishes, and never in the way of it. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { openGit } from '../../../engine/git/open.ts';
import { publishWith } from '../../../engine/rollback/records.ts';
import { configOf, newId } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const REF = 'refs/backtrail/deployments';
const reader = JANE;
const NO_POLICY = { environments: [] };
const QUIET = { checks: { IMAGE_MUTABLE: 'off', IMAGE_UNCHECKED: 'off' } };
/** In two parts, so that no scanner takes it for one that is in use. */
const TOKEN = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');

const SERVICES = ['a', 'b', 'c'];
const app = (tag: string) =>
  Object.fromEntries(SERVICES.map((name) => [`apps/prod/${name}/app.yaml`, `image: ${name}:${tag}\n`]));

async function repoWith(options: { bare?: boolean; first?: Record<string, string> } = {}): Promise<Repo> {
  const repo = await createRepo({ bare: options.bare ?? true });
  const config = { '.backtrail/config.yaml': configOf(NO_POLICY, QUIET) };
  const steps = [{ ...config, ...app('v1'), ...options.first }, app('v2')];
  if (options.bare ?? true) await repo.replay(steps.map((files) => ({ files })));
  else for (const files of steps) await repo.commit(files);
  return repo;
}

const record = (engine: Engine, scope: string, commit?: string) =>
  engine.deployments.record({ scope, status: 'deployed', actor: JANE, ...(commit && { commit }) });

async function rollBack(engine: Engine, scope: string) {
  const plan = await engine.rollbacks.plan({ scope });
  const { target, digest, base } = plan;
  return engine.rollbacks.request({ scope, target, digest, base, reason: 'It answers 500', author: JANE });
}

const all = async (engine: Engine) => (await engine.deployments.list({ reader })).deployments;

describe('a completed rollback', () => {
  it('makes no ref where nobody records deployments, unless the configuration says so', async () => {
    const repo = await repoWith();
    const engine = await engineOf(repo);
    await rollBack(engine, 'prod/a');
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
    await repo.replay([
      { files: { '.backtrail/config.yaml': configOf(NO_POLICY, { deployments: { record: 'always' } }) } },
    ]);
    await rollBack(engine, 'prod/b');
    expect(await all(engine)).toMatchObject([{ scope: 'prod/b', source: 'backtrail', version: 3 }]);
    await repo.replay([
      { files: { '.backtrail/config.yaml': configOf(NO_POLICY, { deployments: { record: 'never' } }) } },
    ]);
    await rollBack(engine, 'prod/c');
    expect(await all(engine)).toHaveLength(1);
  });

  it.runIf(isProof)('marks nothing else where what it replaces was marked before', async () => {
    const engine = await engineOf(await repoWith());
    const old = await record(engine, 'prod/a', 'v1');
    const bad = await record(engine, 'prod/a');
    await engine.deployments.record({ scope: 'prod/a', status: 'rolled_back', id: bad.id, actor: JANE });
    await rollBack(engine, 'prod/a');
    expect((await all(engine)).map(({ id, status, version }) => [id, status, version])).toEqual([
      [expect.any(String), 'deployed', 3],
      [bad.id, 'rolled_back', 2],
      [old.id, 'deployed', 1],
    ]);
  });

  it.each(
    someOf(
      [
        ['where the refs move together', { bare: true }],
        ['where files follow the branch', { bare: false }],
      ],
      1,
    ),
  )('records what it deployed, and marks what it replaced, %s', async (_where, options) => {
    const repo = await repoWith(options);
    const engine = await engineOf(repo);
    const old = await record(engine, 'prod/a', 'v1');
    const bad = await record(engine, 'prod/a');
    const other = await record(engine, 'prod/b');
    const waiting = await engine.deployments.record({ scope: 'prod/a', status: 'pending', actor: JANE });
    const done = await rollBack(engine, 'prod/a');
    expect(done).toMatchObject({ status: 'completed', findings: [] });
    const [made, ...others] = await all(engine);
    expect(made).toMatchObject({
      scope: 'prod/a',
      commit: done.commit,
      version: 3,
      status: 'deployed',
      source: 'backtrail',
      images: ['a:v1'],
      rollbackOf: { commit: old.commit, version: 1 },
      requestId: done.requestId,
      id: done.requestId.replace('rbk', 'dep'),
    });
    const found = new Map(others.map((each) => [each.id, each]));
    expect(found.get(waiting.id)).toMatchObject({ status: 'superseded', supersededBy: made?.id });
    expect(found.get(bad.id)).toMatchObject({ status: 'rolled_back', rolledBackBy: made?.id });
    expect(found.get(bad.id)?.times).toHaveProperty('rolled_back');
    expect([found.get(old.id), found.get(other.id)]).toEqual([old, other]);
    const { revisions } = await engine.history({ scope: 'prod/a', limit: 5 });
    expect(revisions.map(({ status, eligible }) => [status, eligible])).toEqual([
      ['deployed', true],
      ['rolledBack', false],
      ['deployed', true],
    ]);
    expect(await repo.git('for-each-ref', 'refs/backtrail/staging')).toBe('');
  });

  it('of a remote records it in the same push', async () => {
    const repo = await repoWith();
    const location = `file://${repo.folder}`;
    const engine = await engineOf(repo, { location });
    const bad = await record(engine, 'prod/a');
    const done = await rollBack(engine, 'prod/a');
    const fresh = await engineOf(repo, { location });
    expect(await fresh.deployments.show({ id: bad.id, reader })).toMatchObject({ status: 'rolled_back' });
    expect((await all(fresh))[0]).toMatchObject({ requestId: done.requestId, commit: done.commit });
  });

  it.runIf(isProof)('is recorded with all others of its push in one commit', async () => {
    const repo = await repoWith();
    const engine = await engineOf(repo);
    for (const name of SERVICES) await record(engine, `prod/${name}`);
    const before = Number(await repo.git('rev-list', '--count', REF));
    const asks = [];
    for (const name of SERVICES) {
      const scope = `prod/${name}`;
      const { target, digest, base } = await engine.rollbacks.plan({ scope });
      asks.push({ scope, target, digest, base, reason: 'x', author: JANE, id: newId(), ledger: true });
    }
    const opened = await engine.rollbacks.requestMany(asks);
    expect(opened.filter(({ status }) => status === 'rejected')).toEqual([]);
    const results = await engine.rollbacks.executeMany(asks.map(({ id }) => ({ id })));
    expect([...results.values()].filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(Number(await repo.git('rev-list', '--count', REF))).toBe(before + 1);
    const made = await all(engine);
    expect(made.map(({ status }) => status)).toEqual([
      'deployed',
      'deployed',
      'deployed',
      'rolled_back',
      'rolled_back',
      'rolled_back',
    ]);
    // Once more, it is said that they are done, and nothing is written.
    for (const { id } of asks) await engine.rollbacks.execute(id);
    expect(Number(await repo.git('rev-list', '--count', REF))).toBe(before + 1);
  });

  it('is left out of the records where its state holds a raw secret, and completed', async () => {
    const repo = await repoWith({ first: { 'apps/prod/a/env.yaml': `token: ${TOKEN}\n` } });
    await repo.replay([{ files: { 'apps/prod/a/env.yaml': 'token: from-vault\n' } }]);
    const engine = await engineOf(repo);
    const bad = await record(engine, 'prod/a');
    const override = ['RAW_SECRET'];
    const plan = await engine.rollbacks.plan({ scope: 'prod/a', to: 'v1', override });
    const { target, digest, base } = plan;
    const ask = { scope: 'prod/a', target, digest, base, reason: 'x', author: JANE, override };
    const done = await engine.rollbacks.request(ask);
    expect(done.status).toBe('completed');
    expect(done.findings).toContainEqual(
      expect.objectContaining({ code: 'RECORD_LEFT_OUT', path: 'apps/prod/a/env.yaml' }),
    );
    expect(JSON.stringify(done)).not.toContain(TOKEN);
    expect(await all(engine)).toMatchObject([{ id: bad.id, status: 'rolled_back', rolledBackBy: null }]);
    await expect(record(engine, 'prod/a')).rejects.toMatchObject({ code: 'RAW_SECRET' });
  });
});

describe('records that are elsewhere by now', () => {
  it.each(
    someOf(
      [
        ['in the repository itself', ''],
        ['at a remote', 'file://'],
      ],
      1,
    ),
  )('keep no branch from moving, %s', async (_where, scheme) => {
    const repo = await repoWith();
    const engine = await engineOf(repo);
    await record(engine, 'prod/a', 'v1');
    const stale = await repo.git('rev-parse', REF);
    const git = await openGit({
      location: `${scheme}${repo.folder}`,
      env: repo.env,
      cacheFolder: await temporaryFolder(),
    });
    try {
      const [event] = [
        { author: JANE, time: '2026-11-01T00:00:00Z', message: 'x\n', writes: [], sign: false },
      ];
      const committer = JANE;
      await git.ledger.tip(REF);
      const prepared = await git.ledger.prepare({ ref: REF, parent: stale, events: [event], committer });
      await record(engine, 'prod/a');
      const moved = await repo.git('rev-parse', REF);
      const base = await repo.git('rev-parse', 'main');
      const next = (
        await git.writeCommits({
          requestId: newId(),
          commits: [{ parent: base, author: JANE, committer, time: event.time, message: 'y\n', writes: [] }],
        })
      ).at(-1);
      let outcome = '';
      const end = async (ended: 'moved' | 'discarded') => {
        outcome = ended;
        await git.ledger.finish(prepared, ended);
      };
      await publishWith(git, { branch: 'main', expected: base, next: next ?? '' }, [
        { move: prepared.move, yields: true, end },
      ]);
      expect(await repo.git('rev-parse', 'main')).toBe(next);
      expect(await repo.git('rev-parse', REF)).toBe(moved);
      expect(outcome).toBe('discarded');
    } finally {
      await git.close();
    }
  });
});
