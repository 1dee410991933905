/** Who may move what is held, and who may lift a hold. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import type { CommitOptions, Files, Repo } from '../../helpers/repositories/repo.ts';
import { API, app, bare, BOT, CONFIG, holdFiles, marked, publish, repoWith, show } from './held-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const FILE = `${API}/app.yaml`;

/** A rollback with a hold, and the commit before whatever comes next. */
async function held(): Promise<{ repo: Repo; engine: Engine; id: string; path: string; base: string }> {
  const repo = await marked();
  const engine = await engineOf(repo);
  const { result } = await publish(engine, { scope: 'prod/api' });
  const id = result.requestId;
  return {
    repo,
    engine,
    id,
    path: `.backtrail/holds/prod/${id}.yaml`,
    base: await repo.git('rev-parse', 'main'),
  };
}

const byBot = (files: Files, more: CommitOptions = {}) => ({ files, author: BOT, ...more });
const byJane = (files: Files, more: CommitOptions = {}) => ({ files, author: JANE, ...more });

async function violations(engine: Engine, base: string, head = 'main') {
  const { violations: found } = await engine.guard({ base, head });
  return found.map(({ selector, now, author }) => [selector, now, author.email]);
}

describe('guard', () => {
  it('names the field, what it is now, the commit, its author, the hold, and what restores it', async () => {
    const { repo, engine, id, path, base } = await held();
    const [, commit] = await repo.replay([byJane({ 'README.md': 'x\n' }), byBot({ [FILE]: bare('v3', 2) })]);
    const { violations: found } = await engine.guard({ base, head: 'main' });
    expect(found).toEqual([
      {
        hold: path,
        requestId: id,
        path: FILE,
        selector: '/image/tag',
        held: 'v1',
        now: 'v3',
        commit,
        author: BOT,
        restore: expect.stringMatching(
          new RegExp(
            `^backtrail rollback prod/api --to [0-9a-f]{40} --field '${FILE}#/image/tag' --hold --reason 'Restore what ${id} holds' --yes$`,
          ),
        ),
      },
    ]);
    expect((await engine.guard({ head: 'main' })).violations).toEqual(found);
    expect((await engine.guard({ base: 'main', head: 'main' })).violations).toEqual([]);
  });

  it('lets a person move it who lifts the hold in the same commit, and no bot of the configuration', async () => {
    const { repo, engine, path, base } = await held();
    await repo.replay([byJane({ [FILE]: bare('v3'), [path]: null })]);
    expect(await violations(engine, base)).toEqual([]);
    const other = await held();
    await other.repo.replay([byBot({ [FILE]: bare('v3'), [other.path]: null })]);
    expect(await violations(other.engine, other.base)).toEqual([['/image/tag', 'v3', BOT.email]]);
  });

  it('lets no bot lift a hold at all: not first, not by what it says, not by an end that is over', async () => {
    const { repo, engine, path, base } = await held();
    const text = await show(repo, path);
    const changes: Files[] = [
      { [path]: null },
      {
        [path]: text
          .replace('until: null', 'until: "2020-01-01T00:00:00Z"')
          .replace('held: "v1"', 'held: "v3"'),
      },
      { [path]: 'nothing: left\n' },
    ];
    for (const change of changes) {
      await repo.git('update-ref', 'refs/heads/main', base);
      await repo.replay([byBot(change), byBot({ [FILE]: bare('v3') })]);
      expect(await violations(engine, base)).toEqual([['/image/tag', 'v3', BOT.email]]);
    }
  });

  it('passes what a rollback and a resume do, where their trailers and paths agree', async () => {
    const { repo, engine, base, path, id } = await held();
    await repo.replay([byBot({ [FILE]: bare('v3') })]);
    const { plan } = await publish(engine, { scope: 'prod/api', fields: [`${FILE}#/image/tag`], to: 'v1' });
    expect(plan.replacesHolds).toEqual([path]);
    expect(await violations(engine, base)).toEqual([]);
    const [now = ''] = await holdFiles(repo);
    await publish(engine, { scope: 'prod/api', resume: true });
    await repo.replay([byBot({ [FILE]: app('v4') })]);
    expect(await violations(engine, base)).toEqual([]);
    // The same message above other paths is none.
    const message = await repo.git('log', '-1', '--format=%B', '--grep=^Resume-Hold', 'main');
    await repo.git('update-ref', 'refs/heads/main', base);
    await repo.replay([
      { ...byBot({ [FILE]: bare('v3'), [path]: null }), message: message.replaceAll(now, path) },
    ]);
    expect(await violations(engine, base)).toEqual([['/image/tag', 'v3', BOT.email]]);
    await repo.git('update-ref', 'refs/heads/main', base);
    await repo.replay([
      { ...byJane({ [FILE]: bare('v3'), [path]: null }), message: `x\n\nRollback-Request-ID: ${id}` },
    ]);
    expect(await violations(engine, base)).toEqual([['/image/tag', 'v3', JANE.email]]);
  });

  it('lets no bot lift a hold by the trailers of a rollback or of a resume', async () => {
    const { repo, engine, base, path } = await held();
    await publish(engine, { scope: 'prod/api', resume: true });
    const [given, resumed] = [await show(repo, FILE), await repo.git('log', '-1', '--format=%B', 'main')];
    await repo.git('update-ref', 'refs/heads/main', base);
    await publish(engine, { scope: 'prod/api', to: 'v2', hold: false });
    const rolledBack = await repo.git('log', '-1', '--format=%B', 'main');
    const claims = [
      { ...byBot({ [FILE]: bare('v3'), [path]: null }), message: rolledBack },
      { ...byBot({ [FILE]: given, [path]: null }), message: resumed },
    ];
    for (const claim of claims) {
      await repo.git('update-ref', 'refs/heads/main', base);
      await repo.replay([claim, byBot({ [FILE]: bare('v3') })]);
      expect(await violations(engine, base)).toEqual([['/image/tag', 'v3', BOT.email]]);
    }
  });

  it.runIf(isProof)(
    'says nothing of what was moved back, of quotes and comments, and of other fields',
    async () => {
      const { repo, engine, base } = await held();
      await repo.replay([
        byBot({ [FILE]: bare('v3') }),
        byBot({ [FILE]: bare('"v1"', 7) }),
        byBot({ [FILE]: `# new\n${bare('v1 # note', 8)}` }),
      ]);
      expect(await violations(engine, base)).toEqual([]);
      await repo.replay([byBot({ [FILE]: bare('v1', 8).replace('tag: v1', 'tag: [v1]') })]);
      expect(await violations(engine, base)).toHaveLength(1);
      await repo.replay([byBot({ [FILE]: null })]);
      expect(await violations(engine, base)).toEqual([['/image/tag', null, BOT.email]]);
    },
  );

  it('judges a pull request by the holds that came to the branch meanwhile', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const before = await repo.git('rev-parse', 'main');
    await publish(engine, { scope: 'prod/api' });
    await repo.git('update-ref', 'refs/heads/topic', before);
    await repo.replay([byJane({ 'docs.md': 'x\n' })], 'topic');
    expect(await violations(engine, 'main', 'topic')).toEqual([]);
    await repo.replay([byBot({ [FILE]: app('v3') })], 'topic');
    expect(await violations(engine, 'main', 'topic')).toEqual([['/image/tag', 'v3', BOT.email]]);
  });

  it.runIf(isProof)('knows a secret that was moved, and shows none', async () => {
    const secret = (tag: string) => `database:\n  password: hunter-${tag}\n`;
    const repo = await repoWith((tag) => ({ [FILE]: secret(tag) }));
    const engine = await engineOf(repo);
    const { plan, result } = await publish(engine, { scope: 'prod/api', hold: true });
    const base = await repo.git('rev-parse', 'main');
    expect(await show(repo, `.backtrail/holds/prod/${result.requestId}.yaml`)).not.toContain('hunter');
    expect(JSON.stringify(plan)).not.toContain('hunter');
    expect((await engine.holds({})).holds).toMatchObject([
      { state: 'active', fields: [{ held: '***', now: '***' }] },
    ]);
    await repo.replay([byBot({ [FILE]: secret('v9') })]);
    expect(await violations(engine, base)).toEqual([['/database/password', '***', BOT.email]]);
    expect(JSON.stringify(await engine.holds({}))).not.toContain('hunter');
  });

  it('holds a file that came back, and one without fields, as a whole', async () => {
    const repo = await repoWith((tag) =>
      tag === 'v1'
        ? { [`${API}/run.sh`]: 'a\n', [FILE]: 'a: 1\n' }
        : { [`${API}/run.sh`]: 'b\n', [FILE]: null },
    );
    const engine = await engineOf(repo);
    const { plan } = await publish(engine, { scope: 'prod/api', hold: true });
    expect(plan.hold?.fields.map(({ path, selector }) => [path, selector])).toEqual([
      [FILE, ''],
      [`${API}/run.sh`, ''],
    ]);
    const base = await repo.git('rev-parse', 'main');
    await repo.replay([byBot({ [`${API}/run.sh`]: 'c\n' })]);
    const { violations: found } = await engine.guard({ base, head: 'main' });
    expect(found).toMatchObject([
      { path: `${API}/run.sh`, selector: '', restore: expect.not.stringContaining('--field') },
    ]);
    await expect(engine.guard({ base: 'nothing' })).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
  });
});

describe('guard of a push', () => {
  const ZERO = '0'.repeat(40);
  const line = (old: string, next: string, ref = 'refs/heads/main') => `${old} ${next} ${ref}\n`;

  it.runIf(isProof)(
    'goes by the configuration and the holds of the old value, and by the branch alone',
    async () => {
      const { repo, engine, base } = await held();
      const config = `${JSON.stringify({ ...CONFIG, holds: {} })}\n`;
      const [, next = ''] = await repo.replay([
        byBot({ '.backtrail/config.yaml': config }),
        byBot({ [FILE]: bare('v3') }),
      ]);
      expect((await engine.guardPush(line(base, next))).violations).toHaveLength(1);
      for (const other of [
        line(base, next, 'refs/heads/topic'),
        line(base, next, 'refs/tags/main'),
        line(ZERO, next),
        line(base, ZERO),
        '',
      ])
        expect((await engine.guardPush(other)).violations).toEqual([]);
      await expect(engine.guardPush('main is moved\n')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    },
  );

  it.runIf(isProof)('judges a line that was forced by all that it moves', async () => {
    const { repo, engine, base } = await held();
    await repo.git('update-ref', 'refs/heads/main', 'main~1');
    const [next = ''] = await repo.replay([byBot({ [FILE]: app('v8') })]);
    expect((await engine.guardPush(line(base, next))).violations).toMatchObject([
      { selector: '/image/tag', now: 'v8' },
    ]);
  });

  it('lets in what mends a configuration that cannot be read', async () => {
    const { repo, engine } = await held();
    const [broken = ''] = await repo.replay([byJane({ '.backtrail/config.yaml': '{' })]);
    const [mended = ''] = await repo.replay([
      byJane({ '.backtrail/config.yaml': `${JSON.stringify(CONFIG)}\n` }),
    ]);
    expect((await engine.guardPush(line(broken, mended))).violations).toEqual([]);
    const [worse = ''] = await repo.replay([byBot({ [FILE]: bare('v3') })]);
    expect((await engine.guardPush(line(broken, worse))).violations).toHaveLength(1);
  });
});
