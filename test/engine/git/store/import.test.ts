import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewCommit } from '../../../../engine/model/index.ts';
import { isSafePath, MODE } from '../../../../engine/model/index.ts';
import type { Write } from '../../../../engine/model/index.ts';
import { createRepo } from '../../../helpers/repositories/repo.ts';
import type { Repo } from '../../../helpers/repositories/repo.ts';
import { open, PERSON, REQUEST, SERVICE } from '../open.ts';
import { isProof, runs, someOf } from '../../../helpers/run/proof.ts';
import { anyCharacter } from '../../../helpers/trees/any-character.ts';

const TIME = '2026-03-04T05:06:07Z';

function commit(parent: string | null, writes: readonly Write[], more: Partial<NewCommit> = {}): NewCommit {
  return { parent, author: PERSON, committer: SERVICE, time: TIME, message: 'Test\n', writes, ...more };
}

const file = (path: string, text: string): Write => ({
  path,
  after: { mode: MODE.file, id: '', content: Buffer.from(text) },
});

const list = (repo: Repo, id: string) =>
  repo.git('-c', 'core.quotePath=false', 'ls-tree', '-r', '--name-only', id);

describe('writing commits', () => {
  test('sets whole folders, existing files and new ones, and removes; the rest stays', async () => {
    const repo = await createRepo({ bare: true });
    const [old = '', base = ''] = await repo.replay([
      { files: { 'env/a/x': '1', 'env/a/y': '1', 'env/b/x': '1', top: '1' } },
      { files: { 'env/a/x': '2', 'env/a/y': null, 'env/a/z': '2', 'env/c/x': '2', 'env/b/run': '2' } },
    ]);
    const git = await open(repo);
    const folder = await repo.git('rev-parse', `${old}:env/a`);
    const blob = await repo.git('rev-parse', `${old}:top`);
    const [id = ''] = await git.writeCommits({
      requestId: REQUEST,
      commits: [
        commit(base, [
          { path: 'env/a', after: { mode: MODE.tree, id: folder } },
          { path: 'env/b/x', after: { mode: MODE.executable, id: blob } },
          file('env/new/deep/file', 'new\r\n'),
          { path: 'env/c', after: null },
        ]),
      ],
    });
    expect(await list(repo, id)).toBe('env/a/x\nenv/a/y\nenv/b/run\nenv/b/x\nenv/new/deep/file\ntop');
    expect(await repo.git('rev-parse', `${id}:env/a`)).toBe(folder);
    expect(await repo.git('ls-tree', id, 'env/b/x')).toContain('100755');
    expect(await repo.git('cat-file', 'blob', `${id}:env/new/deep/file`)).toBe('new\r');
    expect(await repo.git('log', '-1', '--format=%P|%an|%ae|%cn|%ce|%aI|%cI|%B', id)).toBe(
      `${base}|Jane Doe|jane@example.com|Backtrail|backtrail@example.com|2026-03-04T05:06:07+00:00|2026-03-04T05:06:07+00:00|Test\n`,
    );
    expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(await git.tip('main')).toBe(base);
    await git.deleteStaging(REQUEST);
    await git.deleteStaging(REQUEST);
    expect(await repo.git('for-each-ref', 'refs/backtrail/')).toBe('');
  });

  test('what other requests staged more than a day ago is swept with the next one, and nothing younger', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    const others = ['A', 'B', 'C'].map((end) => `${REQUEST.slice(0, -1)}${end}`);
    const staged = [];
    for (const [index, hours] of [1, 25, 9_000].entries()) {
      const killed = await open(repo);
      const commits = [commit(base, [file('a', `${index}`)], { time: at(hours) })];
      staged.push(...(await killed.writeCommits({ requestId: others[index] ?? '', commits })));
    }
    // Not ours: neither a commit nor a place of a request.
    const blob = await repo.git('rev-parse', `${base}:a`);
    await repo.git('update-ref', 'refs/backtrail/staging/blob', blob);
    const git = await open(repo);
    const old = [commit(base, [file('a', 'own')], { time: at(50) })];
    const [own = ''] = await git.writeCommits({ requestId: REQUEST, commits: old });
    const left = async () =>
      new Set((await repo.git('for-each-ref', '--format=%(objectname)', 'refs/backtrail/')).split('\n'));
    expect(await left()).toEqual(new Set([staged[0], blob, own]));
    await git.deleteStaging(REQUEST);
    expect(await left()).toEqual(new Set([staged[0], blob]));
    expect(await git.tip('main')).toBe(base);
  });

  test.runIf(isProof)('what cannot be swept is in the way of nothing', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const killed = await open(repo);
    const commits = [commit(base, [file('a', '2')])];
    await killed.writeCommits({ requestId: `${REQUEST.slice(0, -1)}A`, commits });
    const [ref = ''] = (await repo.git('for-each-ref', '--format=%(refname)', 'refs/backtrail/')).split('\n');
    await writeFile(join(repo.gitDir, `${ref}.lock`), '');
    const git = await open(repo);
    const [next = ''] = await git.writeCommits({
      requestId: REQUEST,
      commits: [commit(base, [file('a', '3')])],
    });
    await git.publish({ branch: 'main', expected: base, next, requestId: REQUEST });
    expect(await repo.git('for-each-ref', '--format=%(refname)', 'refs/backtrail/')).toBe(ref);
    expect(await git.tip('main')).toBe(next);
  });

  test('a file takes the place of a folder, and a folder that of a file', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { 'a/b': '1', c: '1' } }]);
    const git = await open(repo);
    const writes = [
      file('a', 'file'),
      file('c/d', 'folder'),
      { path: 'a', after: null },
      { path: 'c', after: null },
    ];
    const [id = ''] = await git.writeCommits({ requestId: REQUEST, commits: [commit(base, writes)] });
    expect(await list(repo, id)).toBe('a\nc/d');
  });

  test('chains commits, and keeps those that do not follow each other', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    const made = await git.writeCommits({
      requestId: REQUEST,
      commits: [
        commit(base, [file('a', '2')]),
        commit(null, [file('b', '2')]),
        commit(base, [file('c', '2')]),
      ],
    });
    expect(await repo.git('rev-list', '--parents', '--no-walk=unsorted', ...made)).toBe(
      `${made[0]} ${base}\n${made[1]} ${made[0]}\n${made[2]} ${base}`,
    );
    const refs = await repo.git(
      'for-each-ref',
      '--format=%(objectname)',
      `refs/backtrail/staging/${REQUEST}`,
    );
    expect(refs.split('\n')).toEqual([made[1], made[2]]);
    expect(await git.writeCommits({ requestId: REQUEST, commits: [] })).toEqual([]);
  });

  test('the same input gives the same ids, in another repository too', async () => {
    const make = async () => {
      const repo = await createRepo({ bare: true });
      const [base = ''] = await repo.replay([{ files: { a: '1' }, date: '2026-01-01T00:00:00Z' }]);
      const git = await open(repo);
      const again = () =>
        git.writeCommits({
          requestId: REQUEST,
          commits: [commit(base, [file('b', 'x')]), commit(null, [file('c', 'y')])],
        });
      return [await again(), await again()];
    };
    const [[one, two], [three]] = [await make(), await make()];
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });

  test('any safe name and any message come back as they were', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    const segment = fc
      .oneof(
        fc.string({ unit: anyCharacter, minLength: 1, maxLength: 12 }),
        fc.constantFrom('"', '\n', 'a\tb', "'", ' ', '-', 'D x', '\u007f'),
      )
      .filter((name) => isSafePath(name));
    const paths = fc.uniqueArray(
      fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
      {
        minLength: 1,
        maxLength: 4,
        comparator: (one, other) => `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`),
      },
    );
    const message = fc.string({ unit: anyCharacter, maxLength: 80 }).map((text) => text.replaceAll('\0', ''));
    await fc.assert(
      fc.asyncProperty(paths, message, async (names, message) => {
        const writes = names.map((path) => file(path, path));
        const [id = ''] = await git.writeCommits({
          requestId: REQUEST,
          commits: [commit(base, writes, { message })],
        });
        const changes = await git.diffPaths(base, id);
        expect(changes.map(({ path }) => path).sort()).toEqual(names.toSorted());
        const raw = await repo.git('cat-file', 'commit', id);
        // The helper takes the last newline away.
        expect(raw.slice(`${raw}\n`.indexOf('\n\n') + 2)).toBe(message.replace(/\n$/, ''));
      }),
      { numRuns: runs(25, 3) },
    );
  });

  test.each(
    someOf(
      [
        '../x',
        'a/../../x',
        '/etc/passwd',
        '.git/config',
        'a/.GIT/hooks/post-merge',
        'a/.git.',
        'git~1/config',
        '.g\u200cit/x',
        'a\\..\\x',
        '.git::$INDEX_ALLOCATION/x',
        'a//b',
        './a',
        'a\0b',
        '',
        'a/\ud800',
      ],
      3,
    ),
  )('refuses the path %j', async (path) => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    for (const write of [file(path, 'x'), { path, after: null }]) {
      const writing = git.writeCommits({ requestId: REQUEST, commits: [commit(base, [write])] });
      await expect(writing).rejects.toMatchObject({ code: 'PATH_UNSAFE' });
    }
    expect(await repo.git('for-each-ref', 'refs/backtrail/')).toBe('');
  });

  test('names and addresses cannot forge a header', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    for (const [name, email, expected] of [
      [
        'Eve <evil@x> 1 +0000\ncommitter Eve',
        'e@x>\nfrom main',
        'Eve evil@x 1 +0000 committer Eve <e@xfrommain>',
      ],
      ['', 'a@b', 'a@b <a@b>'],
      ['\n', '', 'unknown <>'],
      ['Zoë 🙂', 'zoe@example.com', 'Zoë 🙂 <zoe@example.com>'],
    ]) {
      const author = { name: name ?? '', email: email ?? '' };
      const [id = ''] = await git.writeCommits({
        requestId: REQUEST,
        commits: [commit(base, [file('b', '')], { author })],
      });
      expect(await repo.git('log', '-1', '--format=%an <%ae>', id)).toBe(expected);
      expect(await repo.git('rev-parse', `${id}^`)).toBe(base);
    }
    expect(await repo.git('fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('what git refuses writes nothing and leaves nothing behind', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    const absent = '3'.repeat(40);
    const before = await readdir(repo.gitDir);
    for (const bad of [
      commit(absent, [file('b', '')]),
      commit(base, [{ path: 'b', after: { mode: MODE.tree, id: absent } }]),
      commit(base, [{ path: 'b', after: { mode: MODE.file, id: absent } }]),
    ])
      await expect(git.writeCommits({ requestId: REQUEST, commits: [bad] })).rejects.toMatchObject({
        code: 'GIT_FAILED',
      });
    const invalid = git.writeCommits({ requestId: REQUEST, commits: [commit(base, [], { time: 'soon' })] });
    await expect(invalid).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const mode = git.writeCommits({
      requestId: REQUEST,
      commits: [commit(base, [{ path: 'b', after: { mode: '100666\nD a', id: base } }])],
    });
    await expect(mode).rejects.toMatchObject({ code: 'PATH_UNSAFE' });
    for (const requestId of ['../../heads/main', 'x', `${REQUEST}/x`, ''])
      await expect(git.writeCommits({ requestId, commits: [commit(base, [])] })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      });
    await expect(git.deleteStaging('*')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await repo.git('for-each-ref', 'refs/backtrail/')).toBe('');
    expect(await readdir(repo.gitDir)).toEqual(before);
  });

  test.runIf(isProof)('five hundred commits in one call', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    const commits = Array.from({ length: 500 }, (_, i) =>
      commit(i === 0 ? base : null, [file(`f${i}`, `${i}`)]),
    );
    const made = await git.writeCommits({ requestId: REQUEST, commits });
    expect(await repo.git('rev-list', '--count', `${base}..${made.at(-1)}`)).toBe('500');
  });
});
