import { describe, expect, test } from 'vitest';
import type { ObjectId } from '../../engine/model/index.ts';
import { READERS } from '../helpers/repositories/readers.ts';
import { cloneRepo, copyRepo, createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { manyKinds as buildManyKinds } from './odd-history.ts';

let built: Promise<Repo> | undefined;
const manyKinds = async () => copyRepo(await (built ??= buildManyKinds()));
const ids = (commits: readonly { id: string }[]) => commits.map(({ id }) => id);
interface Change {
  readonly path: string;
  readonly before: Side;
  readonly after: Side;
}
type Side = { readonly mode: string; readonly id: string } | null;
/** As `git log --raw -z` has it, without the letter of the status. */
function rawLine({ path, before, after }: Change): string {
  const absent = { mode: '000000', id: '0'.repeat(40) };
  const [a, b] = [before ?? absent, after ?? absent];
  return `:${a.mode} ${b.mode} ${a.id} ${b.id}\0${path}\0`;
}
async function rawOf(repo: Repo, id: string, args: readonly string[]): Promise<string> {
  const plain = ['log', '-1', '--format=', '--raw', '-z', '--no-abbrev', '--no-renames', '--root'];
  const raw = await repo.git(...plain, '--diff-merges=first-parent', id, ...args);
  return raw.replace(/^\n/, '').replace(/ [A-Z]\0/g, '\0');
}
describe.each(READERS)('the reader %s', (_, open) => {
  test('walks the first-parent line of a path, with what changed against the first parent', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const tip = await git.tip('main');
    for (const path of [
      '',
      'a',
      'a/x.yaml',
      'b',
      'moved',
      'kind',
      'kind/inner',
      'vendored',
      'absent',
      'a*',
    ]) {
      const log = await git.history.log({ tip, path });
      const args = path === '' ? [] : ['--', `:(literal)${path}`];
      expect(ids(log).join('\n')).toBe(await repo.git('log', '--first-parent', '--format=%H', tip, ...args));
      for (const { id, changes } of log)
        expect(changes.map(rawLine).join('')).toBe(await rawOf(repo, id, args));
    }
    expect((await git.history.firstParents(tip)).join('\n')).toBe(
      await repo.git('rev-list', '--first-parent', tip),
    );
  });

  test('knows what is on the line, and what only a merge brought in', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const tip = await repo.git('rev-parse', 'main');
    const line = (await repo.git('rev-list', '--first-parent', tip)).split('\n');
    const all = (await repo.git('rev-list', '--all')).split('\n');
    expect(all.length).toBeGreaterThan(line.length);
    for (const commit of all) expect(await git.history.isOnLine(tip, commit)).toBe(line.includes(commit));
  });

  test('leaves out what comes before a commit, also where it stands on a merged branch', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const tip = await git.tip('main');
    for (const after of ['main~2', 'side', 'main']) {
      const id = await repo.git('rev-parse', after);
      const log = await git.history.log({ tip, path: '', after: id });
      const expected = await repo.git('log', '--first-parent', '--format=%H', tip, `^${after}`);
      expect(ids(log).join('\n')).toBe(expected);
    }
  });

  test('gives as many of the newest commits as are asked for', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const tip = await git.tip('main');
    for (const path of ['', 'b']) {
      const all = await git.history.log({ tip, path });
      for (const limit of [1, 2, all.length + 1])
        expect(await git.history.log({ tip, path, limit })).toEqual(all.slice(0, limit));
    }
  });

  test('finds commits by time, by abbreviation, and no other object', async () => {
    const repo = await createRepo({ bare: true });
    const made = await repo.replay(Array.from({ length: 800 }, (_, i) => ({ files: { a: `${i}` } })));
    const [first = '', tip = ''] = [made[0], made.at(-1)];
    await repo.git('update-ref', `refs/heads/${tip.slice(0, 8)}`, first);
    const { history } = await open(repo);
    for (const id of [tip, tip.toUpperCase(), tip.slice(0, 12)])
      expect(await history.findCommit(id)).toBe(tip);
    for (const id of ['deadbeef', 'f'.repeat(40), await repo.git('rev-parse', `${tip}^{tree}`)])
      expect(await history.findCommit(id)).toBeNull();
    const counted = new Map<string, number>();
    for (const id of made) counted.set(id.slice(0, 4), (counted.get(id.slice(0, 4)) ?? 0) + 1);
    const twice = [...counted].find(([, count]) => count > 1)?.[0] ?? '';
    for (const text of [twice, 'HEAD', 'abc', `${tip}0`, ''])
      await expect(history.findCommit(text)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
    const time = await repo.git('log', '-1', '--format=%cI', made[400] ?? '');
    expect(await history.firstParentBefore(tip, time)).toBe(made[400]);
    expect(await history.firstParentBefore(tip, '1960-01-01T00:00Z')).toBeNull();
    await expect(history.firstParentBefore(tip, 'yesterday')).rejects.toMatchObject({
      code: 'REVISION_INVALID',
    });
    await expect(history.log({ tip: 'main', path: '' })).rejects.toMatchObject({ code: 'REVISION_INVALID' });
  });

  test('invents nothing at the cut of a shallow clone', async () => {
    const repo = await createRepo();
    const first = await repo.commit({ a: '1', 'b/c': 'same' });
    const cut = await repo.commit({ a: '2' });
    const tip = await repo.commit({ a: '3' });
    const { history, objects, shallow } = await open(
      await cloneRepo(repo, { args: ['--depth=2', '--no-local'] }),
    );
    expect([shallow, history.shallow]).toEqual([true, true]);
    expect(await history.firstParents(tip)).toEqual([tip, cut]);
    expect(ids(await history.log({ tip, path: '' }))).toEqual([tip]);
    expect(await history.log({ tip, path: 'b' })).toEqual([]);
    const refused = { code: 'SHALLOW_TARGET' };
    await expect(history.findCommit(first)).rejects.toMatchObject(refused);
    await expect(history.firstParentBefore(tip, '2025-01-01T00:00Z')).rejects.toMatchObject(refused);
    await expect(objects.commit(first)).rejects.toMatchObject(refused);
    // A history that ends by itself within the depth has a true beginning.
    const deep = await open(await cloneRepo(repo, { args: ['--depth=3', '--no-local'] }));
    expect(ids(await deep.history.log({ tip, path: 'b' }))).toEqual([first]);
  });

  test('finds a file that moved without a change', async () => {
    const repo = await createRepo();
    const from = await repo.commit({ 'old/a.yaml': '1', 'old/b.yaml': '1', 'old/c.yaml': '2', kept: '2' });
    const to = await repo.commit({ old: null, 'new/b.yaml': '1', 'new/z.yaml': '1', 'c.yaml': '2' });
    const { history } = await open(repo);
    expect(Object.fromEntries(await history.renames(from, to))).toEqual({
      'c.yaml': 'old/c.yaml',
      'new/b.yaml': 'old/b.yaml',
      'new/z.yaml': 'old/a.yaml',
    });
  });

  test('answers what an audit asks: who descends from whom, what differs, what a commit says and changes', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const all = (await repo.git('rev-list', '--all')).split('\n');
    const tip = await repo.git('rev-parse', 'main');
    const inspected = await git.inspect(all);
    expect(ids(inspected)).toEqual(all);
    for (const { id, changes } of inspected)
      expect(changes.map(rawLine).join('')).toBe(await rawOf(repo, id, []));
    const messages = await git.messages(all);
    for (const { id, trailers } of inspected) expect(messages.get(id)).toEqual({ trailers });
    for (const id of all) {
      const reached = (await repo.git('rev-list', id)).split('\n');
      expect(await git.isAncestor(id, tip)).toBe(true);
      expect(await git.isAncestor(tip, id)).toBe(reached.includes(tip));
      const differing = await repo.git(
        'diff-tree',
        '-r',
        '--raw',
        '-z',
        '--no-renames',
        '--no-abbrev',
        id,
        tip,
      );
      expect((await git.diffPaths(id, tip)).map(rawLine).join('')).toBe(differing.replace(/ [A-Z]\0/g, '\0'));
    }
  });

  test('finds the oldest commit after the base that executes a request, and none that names two', async () => {
    const repo = await createRepo({ bare: true });
    const [id, other] = ['rbk-01JD2M00000000000000000001', 'rbk-01JD2M00000000000000000002'];
    const line = await repo.replay(
      [
        'Start',
        `One\n\nRollback-Request-ID: ${id}`,
        `Quoted ${id}\n\nSee: it`,
        `Again\n\nRollback-Request-ID: ${id}`,
        `Two\n\nRollback-Request-ID: ${other}\nRollback-Request-ID: ${id}`,
      ].map((message) => ({ message, files: {} })),
    );
    const git = await open(repo);
    const [first = '', one = '', , again = '', tip = ''] = line;
    const find = (base: ObjectId | null, requestId: string) => git.findRequest({ tip, base, requestId });
    expect(await find(first, id)).toBe(one);
    expect(await find(null, id)).toBe(one);
    expect(await find(one, id)).toBe(again);
    expect(await find(again, id)).toBeNull();
    expect(await find(null, other)).toBeNull();
    expect(await find('3'.repeat(40), id)).toBe(one);
  });

  test('lets no replace ref and no graft change a history', async () => {
    const repo = await createRepo();
    const one = await repo.commit({ a: '1' });
    const two = await repo.commit({ a: '2' });
    const three = await repo.commit({ a: '3' });
    await repo.git('replace', three, one);
    await repo.write({ '.git/info/grafts': `${three} ${one}\n` });
    const { history } = await open(repo);
    expect(await history.firstParents(three)).toEqual([three, two, one]);
  });
});
