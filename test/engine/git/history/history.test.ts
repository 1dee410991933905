import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cloneRepo, createRepo } from '../../../helpers/repositories/repo.ts';
import { open, REQUEST } from '../open.ts';
import { runs } from '../../../helpers/run/proof.ts';
import { anyCharacter } from '../../../helpers/trees/any-character.ts';

const rollback = (id: string) => `Rollback: x\n\n    text\n\nMode: full\nRollback-Request-ID: ${id}\n`;
const ids = (commits: readonly { id: string }[]) => commits.map(({ id }) => id);

describe('the log of a path', () => {
  test('is the first-parent line of that path, as git has it, with what changed', async () => {
    const repo = await createRepo();
    await repo.commit({ 'a/x.yaml': '1\n', 'b/y.yaml': '1\n' });
    await repo.git('checkout', '--quiet', '-b', 'side');
    await repo.commit({ 'a/x.yaml': '2\n' });
    await repo.commit({ 'a/z.yaml': '1\n' });
    await repo.git('checkout', '--quiet', 'main');
    await repo.commit({ 'b/y.yaml': '2\n' });
    await repo.git('merge', '--quiet', '--no-ff', '-m', 'Merge side', 'side');
    await repo.commit({ 'a/x.yaml': null, 'a/moved.yaml': '2\n' });
    const tip = await repo.git('rev-parse', 'HEAD');
    const git = await open(repo);

    for (const path of ['', 'a', 'a/x.yaml', 'b', 'absent']) {
      const log = await git.history.log({ tip, path });
      const args = path === '' ? [] : ['--', path];
      const plain = await repo.git('log', '--first-parent', '--format=%H', ...args);
      expect(ids(log).join('\n')).toBe(plain);
    }
    const [removal, merge, root] = await git.history.log({ tip, path: 'a' });
    expect(
      removal?.changes.map(({ path, before, after }) => [path, before !== null, after !== null]),
    ).toEqual([
      ['a/moved.yaml', false, true],
      ['a/x.yaml', true, false],
    ]);
    expect(merge?.subject).toBe('Merge side');
    expect(merge?.parents).toHaveLength(2);
    expect(merge?.changes.map(({ path }) => path)).toEqual(['a/x.yaml', 'a/z.yaml']);
    expect(root?.changes.map(({ path, before }) => [path, before])).toEqual([['a/x.yaml', null]]);
    expect(ids(await git.history.log({ tip, path: 'a', after: root?.id ?? '' }))).toEqual([
      removal?.id,
      merge?.id,
    ]);
    const shown = [removal, merge, root].flatMap((commit) => (commit === undefined ? [] : [commit.id]));
    expect(ids(await git.inspect(shown))).toEqual(shown);
    const [whole] = await git.history.log({ tip, path: '' });
    expect(await git.inspect([tip])).toEqual([whole]);
    expect([...(await git.history.renames(merge?.id ?? '', tip))]).toEqual([['a/moved.yaml', 'a/x.yaml']]);
    expect(await git.diffPaths(merge?.id ?? '', tip)).toEqual(removal?.changes);
    expect((await git.history.firstParents(tip)).join('\n')).toBe(
      await repo.git('rev-list', '--first-parent', tip),
    );
  });

  test('paths are literal: a pattern or magic in a name names that file only', async () => {
    const repo = await createRepo({ bare: true });
    const [one = '', two = '', three = ''] = await repo.replay([
      { files: { 'a*.yaml': '1' } },
      { files: { 'ab.yaml': '1' } },
      { files: { ':(top)x': '1', '-x': '1' } },
    ]);
    const git = await open(repo);
    expect(ids(await git.history.log({ tip: three, path: 'a*.yaml' }))).toEqual([one]);
    expect(ids(await git.history.log({ tip: three, path: 'ab.yaml' }))).toEqual([two]);
    expect(ids(await git.history.log({ tip: three, path: ':(top)x' }))).toEqual([three]);
    expect(ids(await git.history.log({ tip: three, path: '-x' }))).toEqual([three]);
    expect(ids(await git.history.log({ tip: three, path: ':/' }))).toEqual([]);
  });

  test('whatever a commit says comes back whole, and forges no other commit', async () => {
    const word = fc.string({ unit: anyCharacter, maxLength: 40 }).map((text) => text.replaceAll('\0', ''));
    const line = fc.oneof(
      word,
      fc.constantFrom(`:100644 100644 ${'1'.repeat(40)} ${'2'.repeat(40)} M`, '1'.repeat(40), '---'),
    );
    const hostile = fc.array(
      fc.record({
        subject: line,
        body: line,
        path: line.map((text) => `f-${text.replaceAll('/', '_').slice(0, 60)}`),
      }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (written) => {
        const repo = await createRepo({ bare: true });
        const commits = written.map(({ subject, body, path }, index) => ({
          files: { [path]: `${index}`, 'always.txt': `${index}` },
          message: `${subject}\n\n${body}\n\nKey: value ${index}\n`,
        }));
        const made = await repo.replay(commits);
        const git = await open(repo);
        const log = await git.history.log({ tip: made.at(-1) ?? '', path: '' });
        expect(ids(log)).toEqual(made.toReversed());
        for (const [index, { subject, changes, trailers }] of log.toReversed().entries()) {
          expect(subject).toBe(await repo.git('log', '-1', '--format=%s', made[index] ?? ''));
          expect(changes.map(({ path }) => path)).toContain(written[index]?.path);
          expect(trailers.filter((line) => line.startsWith('Key:')).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: runs(15, 3) },
    );
  });

  test('the configuration of the repository changes nothing in it', async () => {
    const repo = await createRepo();
    await repo.commit({ 'a.txt': '1\n'.repeat(20), 'sub/b.txt': '1' }, { message: 'One\n\nKey: value\n' });
    const tip = await repo.commit({ 'a.txt': null, 'b.txt': '1\n'.repeat(20) });
    const git = await open(repo);
    const before = await git.history.log({ tip, path: '' });
    for (const [key, value] of [
      ['log.showRoot', 'false'],
      ['log.follow', 'true'],
      ['log.showSignature', 'true'],
      ['log.diffMerges', 'combined'],
      ['diff.renames', 'copies'],
      ['diff.relative', 'true'],
      ['diff.orderFile', '/nowhere'],
      ['diff.noprefix', 'true'],
      ['diff.external', 'false'],
      ['core.abbrev', '5'],
      ['core.quotePath', 'true'],
      ['core.commentChar', 'K'],
      ['trailer.separators', '='],
      ['format.pretty', 'oneline'],
      ['format.notes', '*'],
      ['color.ui', 'always'],
      ['i18n.logOutputEncoding', 'UTF-16'],
      ['log.date', 'relative'],
    ])
      await repo.git('config', key ?? '', value ?? '');
    expect(await (await open(repo)).history.log({ tip, path: '' })).toEqual(before);
    expect(
      await (await open(repo, { location: join(repo.folder, 'sub') })).history.log({ tip, path: '' }),
    ).toEqual(before);
  });

  test('is the same with and without a commit-graph', async () => {
    const repo = await createRepo({ bare: true });
    const made = await repo.replay(
      Array.from({ length: 60 }, (_, i) => ({ files: { [`d${i % 7}/f${i % 3}`]: `${i}` } })),
    );
    const tip = made.at(-1) ?? '';
    const read = async () => {
      const git = await open(repo);
      return Promise.all(['d1', 'd2/f0', 'd3/f1'].map((path) => git.history.log({ tip, path })));
    };
    const before = await read();
    await repo.git('commit-graph', 'write', '--reachable', '--changed-paths');
    expect(await read()).toEqual(before);
  });

  test('times that no calendar holds do not end it', async () => {
    const repo = await createRepo({ bare: true });
    const tree = await repo.gitWith({ input: '' }, ['mktree']);
    const input = `tree ${tree}\nauthor A <a> 1 +0000\ncommitter A <a> 99999999999999 +0000\n\nx\n`;
    const tip = await repo.gitWith({ input }, [
      'hash-object',
      '-w',
      '-t',
      'commit',
      '--literally',
      '--stdin',
    ]);
    const [commit] = await (await open(repo)).history.log({ tip, path: '' });
    expect(commit?.id).toBe(tip);
    expect(Date.parse(commit?.time ?? '')).not.toBeNaN();
  });
});

describe('finding commits', () => {
  test('by time: the newest on the line at or before it', async () => {
    const repo = await createRepo({ bare: true });
    const [one = '', two = ''] = await repo.replay([
      { files: { a: '1' }, date: '2026-01-01T00:00:00Z' },
      { files: { a: '2' }, date: '2026-01-02T00:00:00Z' },
    ]);
    const { history } = await open(repo);
    expect(await history.firstParentBefore(two, '2025-12-31T23:59:59Z')).toBeNull();
    expect(await history.firstParentBefore(two, '2026-01-01T00:00:00Z')).toBe(one);
    expect(await history.firstParentBefore(two, '2026-01-01T23:59Z')).toBe(one);
    expect(await history.firstParentBefore(two, '2030-01-01T00:00Z')).toBe(two);
    expect(await history.firstParentBefore(two, '1960-01-01T00:00Z')).toBeNull();
    await expect(history.firstParentBefore(two, 'yesterday')).rejects.toMatchObject({
      code: 'REVISION_INVALID',
    });
  });

  test('in a shallow clone, what is not there may lie beyond the cut', async () => {
    const repo = await createRepo();
    const ids = [];
    for (const [index, text] of ['1', '2', '3'].entries())
      ids.push(await repo.commit({ a: text, 'b/c': 'same' }, { date: `2026-01-0${index + 1}T00:00:00Z` }));
    const [first = '', cut = '', tip = ''] = ids;
    const clone = await cloneRepo(repo, { args: ['--depth=2', '--no-local'] });
    const { history } = await open(clone);
    expect(history.shallow).toBe(true);
    expect(await history.firstParents(tip)).toEqual([tip, cut]);
    // The commit at the cut added nothing: its parent is not known.
    for (const path of ['', 'a'])
      expect((await history.log({ tip, path })).map(({ id }) => id)).toEqual([tip]);
    expect(await history.log({ tip, path: 'b' })).toEqual([]);
    const refused = { code: 'SHALLOW_TARGET' };
    for (const id of [first, first.slice(0, 10)])
      await expect(history.findCommit(id)).rejects.toMatchObject(refused);
    for (const time of ['2026-01-01T12:00:00Z', '1960-01-01T00:00:00Z'])
      await expect(history.firstParentBefore(tip, time)).rejects.toMatchObject(refused);
    expect(await history.findCommit(cut)).toBe(cut);
    expect(await history.firstParentBefore(tip, '2026-01-02T12:00:00Z')).toBe(cut);
    // A history that ends by itself within the depth has a true beginning.
    const deep = await open(await cloneRepo(repo, { args: ['--depth=3', '--no-local'] }));
    expect((await deep.history.log({ tip, path: 'b' })).map(({ id }) => id)).toEqual([first]);
  });

  test('by abbreviation: objects only, never a ref of that name', async () => {
    const repo = await createRepo({ bare: true });
    const made = await repo.replay(Array.from({ length: 800 }, (_, i) => ({ files: { a: `${i}` } })));
    const tip = made.at(-1) ?? '';
    const [first = ''] = made;
    const { history } = await open(repo);
    for (const name of ['deadbeef', tip.slice(0, 8)])
      await repo.git('update-ref', `refs/heads/${name}`, first);
    await repo.git('update-ref', `refs/tags/${tip}`, first);
    expect(await history.findCommit('deadbeef')).toBeNull();
    expect(await history.findCommit(tip.slice(0, 8))).toBe(tip);
    expect(await history.findCommit(tip)).toBe(tip);
    expect(await history.findCommit(tip.toUpperCase())).toBe(tip);
    expect(await history.findCommit('f'.repeat(40))).toBeNull();
    expect(await history.findCommit(await repo.git('rev-parse', `${tip}^{tree}`))).toBeNull();
    const counted = new Map<string, number>();
    for (const id of made) counted.set(id.slice(0, 4), (counted.get(id.slice(0, 4)) ?? 0) + 1);
    const twice = [...counted].find(([, count]) => count > 1)?.[0] ?? '';
    await expect(history.findCommit(twice)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
    for (const name of ['HEAD', 'main', 'abc', '--all', 'main@{u}', `${tip}^`, `^${tip}`, '', `${tip}0`])
      await expect(history.findCommit(name)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
  });

  test('nothing but full ids is ever a revision', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ a: '1' });
    const git = await open(repo);
    for (const bad of ['HEAD', '--output=/tmp/backtrail-canary', 'main', tip.slice(0, 10)]) {
      await expect(git.history.log({ tip: bad, path: '' })).rejects.toMatchObject({
        code: 'REVISION_INVALID',
      });
      await expect(git.history.firstParents(bad)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
      await expect(git.diffPaths(bad, tip)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
      await expect(git.messages([bad])).rejects.toMatchObject({ code: 'REVISION_INVALID' });
      await expect(git.isAncestor(bad, tip)).rejects.toMatchObject({ code: 'REVISION_INVALID' });
    }
  });
});

describe('the record in the messages', () => {
  const other = REQUEST.replace(/.$/, '1');

  test('trailers are those that git reads; one call for many commits', async () => {
    const repo = await createRepo({ bare: true });
    const made = await repo.replay([
      { files: { a: '1' }, message: 'Plain' },
      { files: { a: '2' }, message: rollback(REQUEST) },
      { files: { a: '3' }, message: 'S\n\nKey: long\n  folded\nZ: last\n' },
    ]);
    const read = await (await open(repo)).messages(made);
    expect(made.map((id) => read.get(id)?.trailers)).toEqual([
      [],
      ['Mode: full', `Rollback-Request-ID: ${REQUEST}`],
      ['Key: long folded', 'Z: last'],
    ]);
    expect(await (await open(repo)).messages([])).toEqual(new Map());
  });

  test('a request is found by its trailer after the base, not by its text', async () => {
    const repo = await createRepo({ bare: true });
    const [base = '', , found = '', ...later] = await repo.replay([
      { files: { a: '1' }, message: 'Base' },
      { files: { a: '2' }, message: `Speaks of Rollback-Request-ID: ${REQUEST}\n\nand more\n` },
      { files: { a: '3' }, message: rollback(REQUEST) },
      { files: { a: '4' }, message: rollback(other) },
      { files: { a: '5' }, message: `X\n\nRollback-Request-ID: ${other}\nRollback-Request-ID: ${REQUEST}\n` },
    ]);
    const tip = later.at(-1) ?? '';
    const git = await open(repo);
    expect(await git.findRequest({ tip, base, requestId: REQUEST })).toBe(found);
    expect(await git.findRequest({ tip, base: null, requestId: REQUEST })).toBe(found);
    expect(await git.findRequest({ tip, base: found, requestId: REQUEST })).toBeNull();
    expect(await git.findRequest({ tip, base: tip, requestId: REQUEST })).toBeNull();
    expect(await git.findRequest({ tip, base, requestId: REQUEST.replace(/.$/, '2') })).toBeNull();
    expect(ids(await git.history.recorded(tip))).toEqual([...later.toReversed(), found]);
  });

  test('a base that is not on the line does not hide a request', async () => {
    const repo = await createRepo();
    await repo.commit({ a: '1' });
    await repo.git('checkout', '--quiet', '-b', 'elsewhere');
    const base = await repo.commit({ a: 'elsewhere' });
    await repo.git('checkout', '--quiet', 'main');
    const found = await repo.commit({ a: '2' }, { message: rollback(REQUEST) });
    const older = await repo.git('rev-parse', 'HEAD~1');
    const tip = await repo.commit({ a: '3' });
    const git = await open(repo);
    expect(await git.findRequest({ tip, base, requestId: REQUEST })).toBe(found);
    expect(await git.findRequest({ tip, base: 'e'.repeat(40), requestId: REQUEST })).toBe(found);
    // The branch was taken back to before the base.
    expect(await git.findRequest({ tip: found, base: tip, requestId: REQUEST })).toBe(found);
    expect(await git.findRequest({ tip: older, base: tip, requestId: REQUEST })).toBeNull();
  });

  test('a request that was merged from a side branch is not on the line', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    await repo.git('checkout', '--quiet', '-b', 'side');
    await repo.commit({ b: '2' }, { message: rollback(REQUEST) });
    await repo.git('checkout', '--quiet', 'main');
    await repo.git('merge', '--quiet', '--no-ff', '-m', 'Merge', 'side');
    const git = await open(await cloneRepo(repo));
    expect(await git.findRequest({ tip: await git.tip('main'), base, requestId: REQUEST })).toBeNull();
  });
});
