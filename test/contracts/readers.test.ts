import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectId } from '../../engine/model/index.ts';
import { READERS } from '../helpers/readers.ts';
import { cloneRepo, copyRepo, createRepo, type Repo } from '../helpers/repo.ts';
import { HEADERS, manyKinds as buildManyKinds, MESSAGES } from './odd-history.ts';
import { runs } from '../helpers/proof.ts';

let built: Promise<Repo> | undefined;
const manyKinds = async () => copyRepo(await (built ??= buildManyKinds()));

const ids = (commits: readonly { id: string }[]) => commits.map(({ id }) => id);

describe.each(READERS)('the reader %s', (_, open) => {
  test('gives trees, commits and blobs as git prints them', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const tip = await git.tip('main');
    const { tree, parents } = await git.objects.commit(tip);
    expect([tree, ...parents].join(' ')).toBe(await repo.git('log', '-1', '--format=%T %P', tip));
    const listed = await repo.git('-c', 'core.quotePath=false', 'ls-tree', '-z', tip);
    const types: Record<string, string> = { '040000': 'tree', '160000': 'commit' };
    const entries = await git.objects.tree(tree);
    expect(
      entries.map(({ mode, id, name }) => `${mode} ${types[mode] ?? 'blob'} ${id}\t${name}\0`).join(''),
    ).toBe(listed);
    for (const { id } of entries.filter(({ mode }) => types[mode] === undefined)) {
      const bytes = Buffer.from(await git.objects.blob(id));
      expect(git.hasher.blobId(bytes)).toBe(id);
    }
  });

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

  test('tells an object that is missing, of another type, or too large', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a', 'big.bin': randomBytes(8 * 1024 * 1024 + 1) });
    const git = await open(repo);
    const { tree } = await git.objects.commit(tip);
    const big = await repo.git('rev-parse', 'HEAD:big.bin');
    await expect(git.objects.blob(big)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await expect(git.objects.blob('1'.repeat(40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(git.objects.tree(tip)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(git.objects.commit(tree)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    for (const id of ['HEAD', tip.slice(0, 12), '../../config', ''])
      await expect(git.objects.commit(id)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  test('sees what is written and packed after it was opened', async () => {
    const repo = await createRepo();
    const first = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo);
    await expect(git.objects.commit('2'.repeat(40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const second = await repo.commit({ 'a.txt': 'b' });
    await repo.git('gc', '--quiet');
    expect((await git.objects.commit(second)).parents).toEqual([first]);
    expect(await git.tip('main')).toBe(second);
  });

  test('reads branches loose, packed and symbolic, and takes names as names', async () => {
    const repo = await createRepo();
    const old = await repo.commit({ a: '1' });
    await repo.git('branch', 'packed/one');
    await repo.git('pack-refs', '--all');
    const tip = await repo.commit({ a: '2' });
    await repo.git('branch', 'feature/ü-1');
    await repo.git('symbolic-ref', 'refs/heads/alias', 'refs/heads/packed/one');
    const git = await open(repo);
    expect(await git.tip('main')).toBe(tip);
    expect(await git.tip('feature/ü-1')).toBe(tip);
    expect(await git.tip('packed/one')).toBe(old);
    expect(await git.tip('alias')).toBe(old);
    for (const name of ['packed', 'one', 'main^', '../../HEAD', 'HEAD', '--all', '', tip, 'absent'])
      await expect(git.tip(name)).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    expect(await git.head()).toEqual({ branch: 'main', commit: null });
    await repo.git('checkout', '--quiet', '--detach', old);
    expect(await git.head()).toEqual({ branch: null, commit: old });
    await expect(git.defaultBranch()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    await repo.write({ '.git/HEAD': `${'4'.repeat(40)}\n` });
    await expect(git.head()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
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

  test('reads the upstream and the identity that the repository is configured with', async () => {
    const repo = await createRepo();
    await repo.commit({ a: '1' });
    const clone = await cloneRepo(repo);
    await clone.git('config', 'user.name', 'Jane "J" Doe; #1');
    await clone.git('config', 'user.email', 'jane@example.com');
    await clone.git('config', 'branch.with.dots"and\\quotes.remote', 'origin');
    await clone.git('config', 'branch.with.dots"and\\quotes.merge', 'refs/heads/main');
    const git = await open(clone);
    const preview = (branch: string) => git.preview({ branch, base: '', paths: [] });
    const notRead = [
      { code: 'UPSTREAM_NOT_READ', message: expect.stringContaining('main at origin') as unknown },
    ];
    expect(await preview('main')).toMatchObject(notRead);
    expect(await preview('with.dots"and\\quotes')).toMatchObject(notRead);
    expect(await preview('other')).toMatchObject([{ code: 'UPSTREAM_NOT_UPDATED', severity: 'warn' }]);
    expect(await git.identity()).toEqual({ name: 'Jane "J" Doe; #1', email: 'jane@example.com' });
  });

  test('is found from a folder of the worktree, from the git directory and in a bare repository', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a/b/c.txt': 'c\n' });
    const bare = await cloneRepo(repo, { bare: true });
    const places = [
      [repo.folder, repo.folder],
      [join(repo.folder, 'a/b'), repo.folder],
      [repo.gitDir, null],
      [join(repo.gitDir, 'objects'), null],
      [bare.folder, null],
    ] as const;
    for (const [location, worktree] of places) {
      const git = await open(repo, location);
      expect([await git.tip('main'), git.worktree]).toEqual([tip, worktree]);
    }
  });
});

describe('both readers', () => {
  test('say the same of messages, names, times and encodings of every odd kind', async () => {
    const repo = await createRepo({ bare: true });
    const tree = await repo.gitWith({ input: '' }, ['mktree']);
    let tip = '';
    for (const raw of [...MESSAGES, ...HEADERS]) {
      const parent = tip === '' ? '' : `parent ${tip}\n`;
      const input = Buffer.concat([Buffer.from(`tree ${tree}\n${parent}`), Buffer.from(raw, 'latin1')]);
      tip = await repo.gitWith({ input }, ['hash-object', '-w', '-t', 'commit', '--literally', '--stdin']);
    }
    const [native, second] = await both(repo);
    expect(await second.history.log({ tip, path: '' })).toEqual(await native.history.log({ tip, path: '' }));
    expect(await second.history.recorded(tip)).toEqual(await native.history.recorded(tip));
  });

  test('say the same of any message', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        'Key: value',
        'Other-Key : x',
        'Rollback-Request-ID: rbk-1',
        'Delivery-Of: x',
        '# note',
      ),
      fc.constantFrom('', ' ', '\t', ' folded', '\tfolded:too', 'no trailer', 'A key: with a blank', ': x'),
      fc.constantFrom('Signed-off-by: A <a@b>', '(cherry picked from commit 1)', 'Conflicts:', 'x:y', '\r'),
      fc.constantFrom(
        'Key:   long  ',
        '  fold  ',
        'K:',
        '\tname',
        '#: x',
        '\u00e9: x',
        'a\u00a0',
        '\f',
        ' f\r',
      ),
      fc.constantFrom('# ------------------------ >8 ------------------------', 'url: https://x:1', '---'),
      fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
    );
    const message = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 20, maxLength: 40 }), async (messages) => {
        const repo = await createRepo({ bare: true });
        const tip = (await repo.replay(messages.map((message) => ({ message, files: {} })))).at(-1) ?? '';
        const [native, second] = await both(repo);
        expect(await second.history.log({ tip, path: '' })).toEqual(
          await native.history.log({ tip, path: '' }),
        );
        expect(await second.history.recorded(tip)).toEqual(await native.history.recorded(tip));
      }),
      { numRuns: runs(15, 5) },
    );
  });

  test('say the same of any small history, packed or not', async () => {
    const name = fc.constantFrom(
      'a',
      'a-b',
      'a.b',
      'a0',
      'b',
      'ü',
      '\u{1f600}',
      '\ufb01',
      'x y',
      '\udcff',
      '\udcc3z',
      'q"',
      'n\nl',
    );
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    const content = fc.constantFrom(
      '1',
      '2',
      '3\n'.repeat(200),
      '3\n'.repeat(201),
      null,
      { link: 'a' },
      { executable: '1' },
    );
    const commit = fc.record({
      files: fc.dictionary(path, content, { maxKeys: 4 }),
      seconds: fc.nat(10_000),
    });
    const history = fc.array(commit, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), async (commits, packed) => {
        const repo = await createRepo({ bare: true });
        const made = await repo.replay(
          commits.map(({ files, seconds }) => ({ files, date: timeAt(seconds) })),
        );
        if (packed) await repo.git('gc', '--quiet');
        const { native, second } = await answersOf(repo, made, [
          '',
          'a',
          'a/a',
          'b',
          'ü',
          'n\nl/a',
          '\udcff',
        ]);
        expect(second).toEqual(native);
      }),
      { numRuns: runs(15, 5) },
    );
  });

  test('say the same of merges, foxtrot merges too', async () => {
    const repo = await manyKinds();
    const tip = await repo.git('rev-parse', 'main');
    const paths = ['', 'a', 'a/x.yaml', 'b', 'kind', 'vendored', 'names'];
    const { native, second } = await answersOf(repo, [tip], paths);
    expect(second).toEqual(native);
  });

  const real = process.env['BACKTRAIL_REAL_REPOS'];
  test.skipIf(real === undefined).each(['flux2-kustomize-helm-example', 'kubernetes-management'])(
    'say the same of the last thousand commits of %s',
    async (name) => {
      const repo = await createRepo({ bare: true });
      await repo.git('fetch', '--quiet', join(real ?? '', `${name}.bundle`), 'main:main');
      const tip = await repo.git('rev-parse', 'main');
      const after = (await repo.git('rev-list', '--first-parent', tip)).split('\n')[1000];
      const [native, second] = await both(repo);
      for (const path of ['', 'clusters', 'config', 'apps']) {
        const query = { tip, path, ...(after !== undefined && { after }) };
        expect(await second.history.log(query)).toEqual(await native.history.log(query));
      }
    },
  );
});

const timeAt = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString();

async function both(repo: Pick<Repo, 'folder' | 'env'>) {
  const [[, native], [, second]] = READERS;
  return Promise.all([native(repo), second(repo)]);
}

/** What each reader says of the line, the paths and the tree of each tip. */
async function answersOf(repo: Repo, tips: readonly ObjectId[], paths: readonly string[]) {
  const [native, second] = await Promise.all(
    (await both(repo)).map(async ({ history, objects }) => {
      const answers: unknown[] = [];
      const walk = async (id: ObjectId): Promise<void> => {
        const entries = await objects.tree(id);
        answers.push(entries);
        for (const entry of entries) {
          if (entry.mode === '040000') await walk(entry.id);
          else if (entry.mode !== '160000') answers.push(Buffer.from(await objects.blob(entry.id)));
        }
      };
      for (const tip of tips) {
        answers.push(await history.firstParents(tip), await history.findCommit(tip.slice(0, 10)));
        for (const path of paths) answers.push(await history.log({ tip, path }));
        for (const seconds of [0, 3000, 6000, 10_000])
          answers.push(await history.firstParentBefore(tip, timeAt(seconds)));
        await walk((await objects.commit(tip)).tree);
      }
      return answers;
    }),
  );
  return { native, second };
}

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
