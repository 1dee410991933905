import { describe, expect, it } from 'vitest';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { planning, versions, type Planning } from '../../helpers/repositories/plan-repo.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

/** Branch lines of every shape: what counts is the first-parent line, in its own order. */

const CONFIG = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\n';
const FILE = 'apps/production/web/service.yaml';
const SCOPE = 'production/web';

interface Commit {
  readonly mark: number;
  readonly from?: readonly number[];
  readonly image?: string;
  readonly time?: number;
  readonly subject: string;
}

/** Commits in any shape; `main` is the last of them. Gives ids by mark. */
async function shaped(commits: readonly Commit[]): Promise<{ repo: Repo; ids: Map<number, string> }> {
  const repo = await createRepo({ bare: true });
  const parts = commits.map(({ mark, from = [], image, time = 1_767_225_600 + mark, subject }) => {
    const [first, ...others] = from;
    const file = image === undefined ? '' : `M 100644 inline ${FILE}\n${data(`image: ${image}\n`)}`;
    const config = first === undefined ? `M 100644 inline .backtrail/config.yaml\n${data(CONFIG)}` : '';
    return [
      `reset refs/heads/w${mark}\ncommit refs/heads/w${mark}\nmark :${mark}\ncommitter T <t@example.com> ${time} +0000\n${data(subject)}`,
      first === undefined ? '' : `from :${first}\n`,
      others.map((other) => `merge :${other}\n`).join(''),
      config,
      file,
      '\n',
    ].join('');
  });
  const last = commits.at(-1)?.mark ?? 0;
  const input = `${parts.join('')}reset refs/heads/main\nfrom :${last}\n\n`;
  await repo.gitWith({ input }, ['fast-import', '--quiet', '--export-marks=marks']);
  const ids = new Map<number, string>();
  for (const { mark } of commits) ids.set(mark, await repo.git('rev-parse', `refs/heads/w${mark}`));
  return { repo, ids };
}

const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;

const shown = async (repo: Repo) => versions(await engineOf(repo), SCOPE);

describe('merges', () => {
  it('count as the revision that changed the scope; what was merged has no place of its own', async () => {
    const { repo, ids } = await shaped([
      { mark: 1, image: 'v1', subject: 'Start' },
      { mark: 2, from: [1], image: 'v2', subject: 'Topic' },
      { mark: 3, from: [1], subject: 'Main goes on' },
      { mark: 4, from: [3, 2], image: 'v2', subject: 'Merge topic' },
      { mark: 5, from: [4, 1], subject: 'Merge nothing' },
      { mark: 6, from: [5], subject: 'Empty' },
    ]);
    expect(await shown(repo)).toEqual(['v2 Merge topic', 'v1 Start']);
    const engine = await engineOf(repo);
    const topic = ids.get(2) ?? '';
    for (const ask of [
      () => engine.plan({ scope: SCOPE, to: topic }),
      () => engine.show({ scope: SCOPE, revision: topic }),
      () => engine.compare({ scope: SCOPE, from: topic }),
    ])
      await expect(ask()).rejects.toMatchObject({
        code: 'REVISION_NOT_ON_BRANCH',
        hint: expect.stringContaining(`merge ${ids.get(4)?.slice(0, 12)}:`),
      });
    expect((await rollBack(engine, { scope: SCOPE })).target).toBe(ids.get(1));
  });

  it('the wrong way round (foxtrot) leave the old line: its commits are refused, and the merge is named', async () => {
    const { repo, ids } = await shaped([
      { mark: 1, image: 'v1', subject: 'Start' },
      { mark: 2, from: [1], image: 'v2', subject: 'Main before' },
      { mark: 3, from: [1], subject: 'Topic' },
      { mark: 4, from: [3, 2], image: 'v2', subject: 'Merge main into topic' },
      { mark: 5, from: [4], image: 'v3', subject: 'After' },
    ]);
    expect(await shown(repo)).toEqual(['v3 After', 'v2 Merge main into topic', 'v1 Start']);
    const engine = await engineOf(repo);
    await expect(engine.plan({ scope: SCOPE, to: ids.get(2)?.slice(0, 10) ?? '' })).rejects.toMatchObject({
      code: 'REVISION_NOT_ON_BRANCH',
      details: { commit: ids.get(2), merge: ids.get(4) },
    });
    await rollBack(engine, { scope: SCOPE });
    expect(await repo.git('show', `main:${FILE}`)).toBe('image: v2');
  });

  it.runIf(isProof)('of several branches, crossing merges and several roots are one line', async () => {
    const { repo, ids } = await shaped([
      { mark: 1, image: 'v1', subject: 'Start' },
      { mark: 2, from: [1], image: 'v2', subject: 'A' },
      { mark: 3, from: [1], image: 'v3', subject: 'B' },
      { mark: 4, from: [2, 3], image: 'v3', subject: 'A takes B' },
      { mark: 5, from: [3, 2], image: 'v2', subject: 'B takes A' },
      { mark: 6, image: 'foreign', subject: 'Another root' },
      { mark: 7, from: [4, 5, 6], image: 'v7', subject: 'Octopus' },
      { mark: 8, from: [7, 6], subject: 'Foreign again' },
    ]);
    expect(await shown(repo)).toEqual(['v4 Octopus', 'v3 A takes B', 'v2 A', 'v1 Start']);
    const engine = await engineOf(repo);
    const result = await rollBack(engine, { scope: SCOPE, to: 'v1' });
    expect(await repo.git('show', `${result.commit}:${FILE}`)).toBe('image: v1');
    await expect(engine.plan({ scope: SCOPE, to: ids.get(6) ?? '' })).rejects.toMatchObject({
      details: { merge: ids.get(7) },
    });
  });

  it('do not claim a commit that no merge brought in', async () => {
    const { repo } = await shaped([
      { mark: 1, image: 'v1', subject: 'Start' },
      { mark: 2, from: [1], image: 'v2', subject: 'Left alone' },
      { mark: 3, from: [1], image: 'v3', subject: 'Main' },
    ]);
    const engine = await engineOf(repo);
    const failure = engine.plan({ scope: SCOPE, to: await repo.git('rev-parse', 'w2') });
    await expect(failure).rejects.toMatchObject({
      code: 'REVISION_NOT_ON_BRANCH',
      hint: expect.stringContaining('backtrail history'),
    });
  });
});

describe('times', () => {
  const line = (...times: number[]): Commit[] =>
    times.map((time, at) => ({
      mark: at + 1,
      from: at === 0 ? [] : [at],
      image: `v${at + 1}`,
      time,
      subject: `Change ${at + 1}`,
    }));
  const at = (seconds: number) => `@${new Date(seconds * 1000).toISOString()}`;
  const DAY = 86_400;
  const T = 1_767_225_600;

  it.runIf(isProof)('that are all the same, or go backwards, do not change the order', async () => {
    const expected = ['v3 Change 3', 'v2 Change 2', 'v1 Change 1'];
    for (const times of [
      [T, T, T],
      [T + 2 * DAY, T + DAY, T],
    ]) {
      const { repo } = await shaped(line(...times));
      expect(await shown(repo)).toEqual(expected);
      const result = await rollBack(await engineOf(repo), { scope: SCOPE });
      expect(result.target).toBe(await repo.git('rev-parse', 'w2'));
    }
  });

  it('name the newest revision dated before, with a warning where an earlier one is dated later', async () => {
    const { repo, ids } = await shaped(line(T, T + 3 * DAY, T + DAY, T + 4 * DAY));
    const engine = await engineOf(repo);
    const planned = async (seconds: number) => {
      const { plan } = await engine.plan({ scope: SCOPE, to: at(seconds) });
      return [
        plan.target.commit,
        plan.findings.filter(({ severity }) => severity === 'warn').map(({ code }) => code),
      ];
    };
    expect(await planned(T + 2 * DAY)).toEqual([ids.get(3), ['TIMES_DISORDERED']]);
    expect(await planned(T + 3.5 * DAY)).toEqual([ids.get(3), []]);
    expect(await planned(T + DAY)).toEqual([ids.get(1), []]);
  });

  it('beyond every calendar are never before a time', async () => {
    const { repo, ids } = await shaped(line(T, 9_000_000_000_000, T + 2 * DAY));
    const engine = await engineOf(repo);
    const { plan } = await engine.plan({ scope: SCOPE, to: at(T + DAY) });
    expect(plan.target.commit).toBe(ids.get(1));
  });
});

describe('what git would show otherwise', () => {
  it('replace refs and grafts are ignored', async () => {
    const { repo, ids } = await shaped([
      { mark: 1, image: 'v1', subject: 'Start' },
      { mark: 2, from: [1], image: 'v2', subject: 'Two' },
      { mark: 3, from: [2], image: 'v3', subject: 'Three' },
      { mark: 4, image: 'forged', subject: 'Forged' },
      { mark: 5, from: [3], image: 'v5', subject: 'Five' },
    ]);
    const before = await shown(repo);
    const id = (mark: number) => ids.get(mark) ?? '';
    await repo.git('update-ref', `refs/replace/${id(2)}`, id(4));
    await repo.git('replace', '--graft', id(3), id(4));
    expect(await repo.git('log', '--first-parent', '--format=%s', 'main')).not.toContain('Two');
    expect(await shown(repo)).toEqual(before);
    const result = await rollBack(await engineOf(repo), { scope: SCOPE, to: 'v2' });
    expect(
      await repo.gitWith({ env: { GIT_NO_REPLACE_OBJECTS: '1' } }, ['show', `${result.commit}:${FILE}`]),
    ).toBe('image: v2');
  });
});

describe('rollbacks of rollbacks', () => {
  it('by git revert are changes like any other, and a rollback finds its way past them', async () => {
    const made: Planning = await planning(
      [{ [FILE]: 'image: v1\n' }, { [FILE]: 'image: v2\n' }, { [FILE]: 'image: v3\n' }],
      { version: 1, layout: { service: ['apps/{environment}/{service}/**'] } },
    );
    const { engine, repo } = made;
    await rollBack(engine, { scope: SCOPE });
    await repo.replay([{ files: { [FILE]: 'image: v3\n' }, message: 'Revert "Rollback"' }]);
    expect((await versions(engine, SCOPE)).map((line) => line.slice(0, 12))).toEqual([
      'v5 Revert "R',
      'v4 Rollback:',
      'v3 Change',
      'v2 Change',
      'v1 Change',
    ]);
    await rollBack(engine, { scope: SCOPE });
    expect(await repo.git('show', `main:${FILE}`)).toBe('image: v2');
  });
});
