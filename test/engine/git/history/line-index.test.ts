/** The index of a line, beside what `git log` says of each path. */
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogCommit } from '../../../../engine/model/index.ts';
import { runs, someOf } from '../../../helpers/run/proof.ts';
import { createRepo, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { open } from '../open.ts';

const PATHS = ['a', 'a/b', 'a/b/c', 'ab', 'a b/ü.yaml', 'x/y/z', 'x', '*', 'a/*'];
const MODES = ['100644', '100755', '120000', '160000'];
const MESSAGES = [
  'Change',
  'Subject\n\nBody\n',
  'Roll back\n\nRollback-Request-ID: rbk-1\nMode: full\n',
  `Revert\n\nThis reverts commit ${'1'.repeat(40)}.\n`,
  '',
];

interface Step {
  readonly branch: number;
  readonly merges: number | null;
  readonly message: number;
  readonly files: readonly (readonly [path: number, mode: number, content: number | null])[];
}

const content = fc.option(fc.nat(3), { freq: 4 });
const step: fc.Arbitrary<Step> = fc.record({
  branch: fc.nat(2),
  merges: fc.option(fc.nat(2), { freq: 3 }),
  message: fc.nat(MESSAGES.length - 1),
  files: fc.array(
    fc.tuple(fc.nat(PATHS.length - 1), fc.integer({ min: 0, max: MODES.length - 1 }), content),
    { maxLength: 3 },
  ),
});

/** One fast-import of steps on three branches: merges, moves, removals, files that become folders, links, submodules. */
async function play(repo: Repo, steps: readonly Step[]): Promise<void> {
  const tips = await branchesOf(repo);
  const begun = new Set(tips.keys());
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const stream = steps.map(({ branch, merges, message, files }, index) => {
    const [own, other] = [`b${branch}`, `b${merges ?? branch}`];
    const from = tips.get(own);
    const lines = [
      `commit refs/heads/${own}\nmark :${index + 1}\ncommitter ü <a@b> ${1_700_000_000 + index * 60} +0000\n${data(MESSAGES[message] ?? '')}`,
      from === undefined ? '' : `from ${from}\n`,
      other !== own && begun.has(other) ? `merge ${tips.get(other) ?? ''}\n` : '',
      ...files.map(([path, mode, content]) => {
        const name = JSON.stringify(PATHS[path] ?? '');
        const [kind = ''] = MODES.slice(mode);
        if (content === null) return `D ${name}\n`;
        if (kind === '160000') return `M ${kind} ${String(content).repeat(40)} ${name}\n`;
        return `M ${kind} inline ${name}\n${data(`content ${content}`)}`;
      }),
    ];
    tips.set(own, `:${index + 1}`);
    begun.add(own);
    return lines.join('');
  });
  await repo.gitWith({ input: stream.join('') }, ['fast-import', '--quiet', '--force']);
}

async function branchesOf(repo: Repo): Promise<Map<string, string>> {
  const refs = await repo.git('for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/heads');
  return new Map(
    refs
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']),
  );
}

/** A commit whatever it was read from, without changes that lie elsewhere. */
const plain = ({ id, parents, author, time, subject, trailers, reverts, changes }: LogCommit) => ({
  id,
  parents,
  author,
  time,
  subject,
  trailers,
  reverts,
  changes: changes.map(({ path, before, after }) => ({ path, before, after })),
});

const byPath = (commit: ReturnType<typeof plain>) => ({
  ...commit,
  changes: commit.changes.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
});

async function linesCompared(repo: Repo, cacheFolder: string): Promise<number> {
  const git = await open(repo, { cacheFolder });
  const branches = await branchesOf(repo);
  for (const tip of branches.values()) {
    // Of the whole tree it is asked of the index, which is there from then on.
    const all = (await git.history.changed({ tip, paths: [''] })).map(plain);
    const logged = (await git.history.log({ tip, path: '' })).filter(({ changes }) => changes.length > 0);
    expect(all).toEqual(logged.map(plain));
    for (const path of PATHS) {
      const found = (await git.history.changed({ tip, paths: [path] })).map(plain);
      expect(found).toEqual((await git.history.log({ tip, path })).map(plain));
      const ids = await repo.git('log', '--first-parent', '--format=%H', tip, '--', `:(literal)${path}`);
      expect(found.map(({ id }) => id).join('\n')).toBe(ids);
    }
    // Few paths that no index is asked for, and the same from the index.
    const walked = await open(repo, { cacheFolder: await temporaryFolder() });
    const paths = ['a/b', 'x', 'ab'];
    expect((await git.history.changed({ tip, paths })).map(plain).map(byPath)).toEqual(
      (await walked.history.changed({ tip, paths })).map(plain).map(byPath),
    );
    await walked.close();
    expect(await git.history.firstParents(tip)).toEqual(
      (await repo.git('rev-list', '--first-parent', tip)).split('\n'),
    );
  }
  await git.close();
  return branches.size;
}

describe('what changed a path', () => {
  test('is what git log says, whatever the history, also where a line goes on, back, or is another', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: runs(25, 10) }),
        fc.array(step, { minLength: 1, maxLength: 8 }),
        async (steps, more) => {
          const repo = await createRepo({ bare: true });
          const cacheFolder = await temporaryFolder();
          await play(repo, steps);
          expect(await linesCompared(repo, cacheFolder)).toBeGreaterThan(0);
          await play(repo, more);
          expect(await linesCompared(repo, cacheFolder)).toBeGreaterThan(0);
        },
      ),
      { numRuns: runs(100, 1) },
    );
  });

  test('is found in a handle that stays open while the branch moves on, back and elsewhere', async () => {
    const repo = await createRepo({ bare: true });
    const ids = await repo.replay(
      Array.from({ length: 30 }, (_, index) => ({ files: { [`f${index % 4}`]: `${index}` } })),
    );
    const git = await open(repo);
    const other = await repo.gitWith({}, [
      'commit-tree',
      '-p',
      ids[10] ?? '',
      '-m',
      'Elsewhere',
      `${ids[20] ?? ''}^{tree}`,
    ]);
    for (const tip of [ids[12], ids[29], ids[20], other, ids[29], ids[0]]) {
      const found = await git.history.changed({ tip: tip ?? '', paths: ['', 'f1'] });
      expect(found.map(plain)).toEqual((await git.history.log({ tip: tip ?? '', path: '' })).map(plain));
    }
  });
});

describe('what changed a path since a commit', () => {
  test('is what git log says, for every two commits, in any order, on the line or beside it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 6, maxLength: runs(25, 11) }),
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(PATHS.length)), {
          minLength: 20,
          maxLength: 30,
        }),
        async (steps, questions) => {
          const repo = await createRepo({ bare: true });
          await play(repo, steps);
          const ids = (await repo.git('rev-list', '--all')).split('\n');
          const git = await open(repo);
          for (const [one, other, place] of questions) {
            const [tip = '', after = '', path = ''] = [
              ids[one % ids.length],
              ids[other % ids.length],
              PATHS[place],
            ];
            const found = await git.history.log({ tip, after, path });
            const only = path === '' ? [] : [`:(literal)${path}`];
            const format = ['--first-parent', '--format=%H %P'];
            expect(found.map(({ id, parents }) => `${id} ${parents.join(' ')}`).join('\n')).toBe(
              await repo.git('log', ...format, tip, `^${after}`, '--', ...only),
            );
            const besides = found.filter(({ changes }) => path !== '' && changes.length === 0);
            expect(besides).toEqual([]);
          }
          await git.close();
        },
      ),
      { numRuns: runs(60, 1) },
    );
  });

  test('is read once for many scopes, and goes on from there when the branch moves', async () => {
    const repo = await createRepo({ bare: true });
    const ids = await repo.replay(
      Array.from({ length: 40 }, (_, index) => ({ files: { [`f${index % 8}`]: `${index}` } })),
    );
    const folder = await temporaryFolder();
    const path = repo.env['PATH'] ?? '';
    await writeFile(
      join(folder, 'git'),
      `#!/bin/sh\nPATH='${path}'\ncase "$*" in *'-- f'*) echo one;; *--raw*) echo all;; esac >> '${folder}/logs'\nexec git "$@"\n`,
    );
    await chmod(join(folder, 'git'), 0o755);
    const git = await open({ ...repo, env: { ...repo.env, PATH: `${folder}:${path}` } });
    // Each scope was looked at at another commit.
    for (const newest of [30, 36, 39])
      for (let scope = 0; scope < 8; scope += 1) {
        const after = ids[10 + scope] ?? '';
        const found = await git.history.log({ tip: ids[newest] ?? '', after, path: `f${scope}` });
        const expected = ids.filter(
          (_, index) => index > 10 + scope && index <= newest && index % 8 === scope,
        );
        expect(found.map(({ id }) => id)).toEqual(expected.toReversed());
      }
    await git.close();
    const logs = (await readFile(join(folder, 'logs'), 'utf8')).trim().split('\n');
    expect(logs.filter((log) => log === 'one')).toHaveLength(4);
    // The first of all, one for each move, and one further down, for the scopes that were asked for by themselves before.
    expect(logs.filter((log) => log === 'all')).toHaveLength(4);
  });
});

describe('the file of an index', () => {
  /** Long enough for a file, and what it says of one path. */
  async function indexed(folder = 'd') {
    const repo = await createRepo({ bare: true });
    await repo.replay(
      Array.from({ length: 600 }, (_, index) => ({ files: { [`${folder}/f${index % 7}`]: `${index}` } })),
    );
    const cacheFolder = await temporaryFolder();
    const tip = await repo.git('rev-parse', 'main');
    const look = async () => {
      const git = await open(repo, { cacheFolder });
      const found = (
        await git.history.changed({ tip: await repo.git('rev-parse', 'main'), paths: ['', 'd/f3'] })
      ).map(plain);
      await git.close();
      return found;
    };
    const expected = await look();
    const [name = '', ...others] = await readdir(join(cacheFolder, 'lines'));
    expect(others).toEqual([]);
    return { repo, cacheFolder, tip, look, expected, file: join(cacheFolder, 'lines', name) };
  }

  /** How many commits git is asked for while something is done. */
  async function commitsRead(repo: Repo, task: (watched: Repo) => Promise<unknown>): Promise<number> {
    const folder = await temporaryFolder();
    const path = repo.env['PATH'] ?? '';
    await writeFile(
      join(folder, 'git'),
      `#!/bin/sh\nPATH='${path}'\ncase "$*" in *--no-walk*) tee -a '${folder}/read' | git "$@";; *) exec git "$@";; esac\n`,
    );
    await chmod(join(folder, 'git'), 0o755);
    await task({ ...repo, env: { ...repo.env, PATH: `${folder}:${path}` } });
    return (await readFile(join(folder, 'read'), 'utf8').catch(() => '')).split('\n').length - 1;
  }

  test('answers for the next process, which reads only the newest commits', async () => {
    const { repo, cacheFolder, tip, expected } = await indexed();
    const read = await commitsRead(repo, async (watched) => {
      const git = await open(watched, { cacheFolder });
      expect((await git.history.changed({ tip, paths: [''] })).map(plain)).toEqual(expected);
      expect((await git.history.changed({ tip, paths: [''] })).map(plain)).toEqual(expected);
    });
    expect(read).toBe(200);
    await repo.replay([{ files: { 'd/new': '1' } }]);
    const more = await commitsRead(repo, async (watched) => {
      const git = await open(watched, { cacheFolder });
      const next = await repo.git('rev-parse', 'main');
      const found = await git.history.changed({ tip: next, paths: [''] });
      expect(found).toHaveLength(601);
      expect(found.slice(1).map(plain)).toEqual(expected);
    });
    expect(more).toBe(201);
  });

  const other = async (file: string) => {
    const foreign = await indexed('elsewhere');
    await cp(foreign.file, file);
  };
  test.each(
    someOf<[string, (file: string) => Promise<unknown>]>(
      [
        ['is cut off', async (file) => writeFile(file, (await readFile(file)).subarray(0, -1))],
        [
          'has another byte in it',
          async (file) => {
            const content = await readFile(file);
            content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
            await writeFile(file, content);
          },
        ],
        ['is empty', (file) => writeFile(file, '')],
        [
          'is of another version',
          async (file) => {
            const text = (await readFile(file)).toString('latin1');
            expect(text).toContain('line 2');
            await writeFile(file, text.replace('line 2', 'line 1'), 'latin1');
          },
        ],
        ['is that of another line', other],
        ['can be written by others', (file) => chmod(file, 0o666)],
        [
          'is a folder',
          async (file) => {
            await rm(file);
            await mkdir(file);
          },
        ],
        ['was flushed', (file) => rm(join(file, '..'), { recursive: true })],
      ],
      2,
    ),
  )('that %s is not believed', async (what, damage) => {
    const { repo, look, expected, file } = await indexed();
    await damage(file);
    expect(await look()).toEqual(expected);
    expect(await look()).toEqual(expected);
    if (what === 'is a folder') return;
    // It was made anew: the next one reads it.
    const read = await commitsRead(repo, async (watched) => {
      const git = await open(watched, { cacheFolder: join(file, '../..') });
      await git.history.changed({ tip: await repo.git('rev-parse', 'main'), paths: [''] });
    });
    expect(read).toBe(200);
  });

  test('is whole, whichever of two processes writes it last', async () => {
    const { look, expected, file } = await indexed();
    await rm(file);
    expect(await Promise.all([look(), look(), look()])).toEqual([expected, expected, expected]);
    expect(await readdir(join(file, '..'))).toHaveLength(1);
    expect(await look()).toEqual(expected);
  });
});
