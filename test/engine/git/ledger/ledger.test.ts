import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { GitRepository } from '../../../../engine/git/open.ts';
import { compiled } from '../../../helpers/program/compiled.ts';
import { isProof, runs, someOf } from '../../../helpers/run/proof.ts';
import type { Fate } from '../../../helpers/servers/git-http.ts';
import { cloneRepo, createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import type { Repo } from '../../../helpers/repositories/repo.ts';
import { createIdentity } from '../../../helpers/people/signing.ts';
import {
  append,
  appendSurely,
  cloneOf,
  event,
  eventCount,
  openClone,
  REF,
  remote,
  serve,
  staged,
  TIME,
} from './ledger-events.ts';
import { open, PERSON, REQUEST, SERVICE } from '../open.ts';

const history = async (repo: Repo) =>
  (await repo.git('log', '--reverse', '--format=%s|%an <%ae>|%cn <%ce>|%at|%ct|%p', REF)).split('\n');

/** Each kind of repository, and where its ledger must end up. */
const PLACES: Record<string, () => Promise<{ git: GitRepository; home: Repo }>> = {
  'a worktree': async () => {
    const home = await createRepo();
    await home.commit({ a: '1' });
    return { git: await open(home), home };
  },
  'a bare repository': async () => {
    const home = await remote();
    return { git: await open(home), home };
  },
  'a repository without any commit': async () => {
    const home = await createRepo({ bare: true });
    return { git: await open(home), home };
  },
  'a repository with SHA-256 ids': async () => {
    const home = await createRepo({ bare: true, format: 'sha256' });
    return { git: await open(home), home };
  },
  'a remote over file://': async () => {
    const home = await remote();
    return { git: await open(home, { location: `file://${home.folder}` }), home };
  },
  'a remote over http': async () => {
    const home = await remote();
    return { git: await open(home, { location: await serve(home) }), home };
  },
  'a clone': async () => {
    const home = await remote();
    return { git: await openClone(await cloneOf(home)), home };
  },
};

describe.each(someOf(Object.entries(PLACES), 1))('the ledger of %s', (_, place) => {
  test('begins, goes on, and is read where the repository lives', async () => {
    const { git, home } = await place();
    expect(await git.ledger.tip(REF)).toBeNull();
    const [first = '', second = ''] = await append(git, null, [event(), event()]);
    expect(await git.ledger.tip(REF)).toBe(second);
    const [third = ''] = await append(git, second, [event({ author: SERVICE })]);
    expect(await git.ledger.tip(REF)).toBe(third);
    expect(await home.git('rev-parse', REF)).toBe(third);
    const [seconds, made] = [Date.parse(TIME) / 1000, eventCount()];
    const [jane, service] = ['Jane Doe <jane@example.com>', 'Backtrail <backtrail@example.com>'];
    const short = async (id: string) => home.git('rev-parse', '--short', id);
    expect(await history(home)).toEqual([
      `Event ${made - 2}|${jane}|${service}|${seconds}|${seconds}|`,
      `Event ${made - 1}|${jane}|${service}|${seconds}|${seconds}|${await short(first)}`,
      `Event ${made}|${service}|${service}|${seconds}|${seconds}|${await short(second)}`,
    ]);
    expect(await home.git('ls-tree', '-r', '--name-only', REF)).toBe(
      [made - 2, made - 1, made].map((number) => `requests/${number}.json`).join('\n'),
    );
    expect(await staged(home)).toBe('');
    await home.git('fsck', '--strict');
  });

  test('refuses to append to another tip than the present one, also where there should be none', async () => {
    const { git, home } = await place();
    const [first = ''] = await append(git, null);
    const [second = ''] = await append(git, first);
    for (const parent of [null, first])
      await expect(append(git, parent)).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
    expect(await home.git('rev-parse', REF)).toBe(second);
    expect(await git.ledger.tip(REF)).toBe(second);
    expect(await staged(home)).toBe('');
  });

  test('stands on a branch where the configuration says so', async () => {
    const { git, home } = await place();
    const ref = 'refs/heads/backtrail/ledger';
    const [first = ''] = await append(git, null, [event()], ref);
    const [second = ''] = await append(git, first, [event()], ref);
    expect(await git.ledger.tip(ref)).toBe(second);
    expect(await home.git('rev-parse', ref)).toBe(second);
    expect(await git.ledger.tip(REF)).toBeNull();
  });
});

describe('appending at the same time', () => {
  test('many in one repository: every event is there, in one line', async () => {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const gits = await Promise.all(Array.from({ length: runs(10, 5) }, () => open(repo, { cacheFolder })));
    const from = eventCount();
    await Promise.all(
      gits.map(async (git) => {
        for (let count = 0; count < 3; count += 1) await appendSurely(git, event());
      }),
    );
    expect(await subjects(repo)).toEqual(eventsSince(from, gits.length * 3));
    expect(await faults(repo, gits.length * 3)).toEqual([]);
  });

  test.runIf(isProof).each(someOf(['file', 'http'], 1))('two mirrors of one remote over %s', async (kind) => {
    const repo = await remote();
    const location = kind === 'file' ? `file://${repo.folder}` : await serve(repo);
    const gits = await Promise.all([open(repo, { location }), open(repo, { location })]);
    const from = eventCount();
    await Promise.all(
      gits.map(async (git) => {
        for (let count = 0; count < 4; count += 1) await appendSurely(git, event());
      }),
    );
    expect(await subjects(repo)).toEqual(eventsSince(from, 8));
    expect(await faults(repo, 8)).toEqual([]);
  });

  test.runIf(isProof)(
    'nobody of one cache folder appends in vain where each waits for their turn',
    async () => {
      const repo = await remote();
      const cacheFolder = await temporaryFolder();
      const gits = await Promise.all(Array.from({ length: 6 }, () => open(repo, { cacheFolder })));
      const from = eventCount();
      // A tip that moved in between would end this with BRANCH_MOVED.
      const once = (git: GitRepository) =>
        git.ledger.inTurn(REF, async () => append(git, await git.ledger.tip(REF)));
      await Promise.all([...gits, ...gits].map(once));
      expect(await subjects(repo)).toEqual(eventsSince(from, 12));
    },
  );

  test('a turn costs nobody their own: not one that fails, nor where no turn can be taken', async () => {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const git = await open(repo, { cacheFolder });
    await expect(git.ledger.inTurn(REF, () => Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(await git.ledger.inTurn(REF, () => Promise.resolve('next'))).toBe('next');
    await writeFile(join(cacheFolder, 'file'), '');
    const nowhere = await open(repo, { cacheFolder: join(cacheFolder, 'file') });
    let times = 0;
    const count = () => Promise.resolve((times += 1));
    expect(await nowhere.ledger.inTurn(REF, count)).toBe(1);
  });

  test('the first event is written once, whoever else wants to begin', async () => {
    const repo = await remote();
    const location = `file://${repo.folder}`;
    const gits = await Promise.all([
      open(repo),
      open(repo),
      open(repo, { location }),
      open(repo, { location }),
    ]);
    const all = await Promise.allSettled(gits.map((git) => append(git, null)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const codes = all.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.code)] : []));
    expect(codes.filter((code) => code !== 'BRANCH_MOVED' && code !== 'REPOSITORY_LOCKED')).toEqual([]);
    expect(await history(repo)).toHaveLength(1);
  });
});

const eventsSince = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `Event ${from + index + 1}`).toSorted();

const subjects = async (repo: Repo) =>
  (await repo.git('log', '--first-parent', '--format=%s', REF)).split('\n').toSorted();

/** What is wrong with a ledger that should hold so many files, in one line of commits. */
async function faults(repo: Repo, count: number): Promise<string[]> {
  const merges = await repo.git('rev-list', '--min-parents=2', REF);
  const files = (await repo.git('ls-tree', '-r', '--name-only', REF)).split('\n').length;
  const left = await staged(repo);
  const broken = await repo.git('fsck', '--strict').then(
    () => '',
    (error: unknown) => String(error),
  );
  return [merges, files === count ? '' : `${files} files`, left, broken].filter(Boolean);
}

describe('what no ledger can stand on is refused', () => {
  test.each(
    someOf(
      [
        'refs/tags/ledger',
        'refs/remotes/origin/main',
        'refs/backtrail/',
        'refs/backtrail/staging/x',
        'refs/backtrail/Staging/x',
        'refs/backtrail/remote/ledger',
        'refs/heads/../../config',
        'refs/heads/a b',
        'refs/heads/a\nb',
        `refs/heads/a\0delete refs/heads/main`,
        'refs/heads/a:refs/heads/main',
        'refs/heads/*',
        'refs/heads/x.lock',
        '--upload-pack=x',
        '+refs/heads/main',
        'HEAD',
        'main',
        '',
        `refs/heads/${'x'.repeat(300)}`,
        'refs/heads/\u001b[31m/',
      ],
      3,
    ),
  )('%j', async (ref) => {
    const repo = await remote();
    const git = await open(repo);
    const before = await repo.git('for-each-ref');
    const refused = {
      code: 'CONFIG_INVALID',
      message: expect.not.stringMatching(/\p{Cc}/u) as unknown,
    };
    await expect(git.ledger.tip(ref)).rejects.toMatchObject(refused);
    await expect(append(git, null, [event()], ref)).rejects.toMatchObject(refused);
    expect(await repo.git('for-each-ref')).toBe(before);
  });

  test('a branch that is checked out: its files would not follow', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const git = await open(repo);
    await expect(append(git, base, [event()], 'refs/heads/main')).rejects.toMatchObject({
      code: 'BRANCH_CHECKED_OUT',
    });
    expect(await repo.git('rev-parse', 'HEAD')).toBe(base);
    expect(await staged(repo)).toBe('');
  });

  test('a ref that stands for another one, or is at no commit', async () => {
    const repo = await remote();
    const base = await repo.git('rev-parse', 'main');
    const git = await open(repo);
    await repo.git('symbolic-ref', REF, 'refs/heads/main');
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_TAMPERED' });
    await expect(append(git, base)).rejects.toMatchObject({ code: 'LEDGER_TAMPERED' });
    expect(await repo.git('rev-parse', 'main')).toBe(base);
    await repo.git('symbolic-ref', '-d', REF);
    await repo.git('update-ref', REF, `${base}^{tree}`);
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_TAMPERED' });
  });

  test('a ref of a longer name is not taken for the one that is missing', async () => {
    const repo = await remote();
    const git = await open(repo);
    for (const folder of ['refs/heads', 'refs/tags'])
      await repo.git('update-ref', `${folder}/${REF}`, await repo.git('rev-parse', 'main'));
    expect(await git.ledger.tip(REF)).toBeNull();
    await append(git, null);
    expect(await history(repo)).toHaveLength(1);
  });

  test('a repository whose next fetch would take the ledger away', async () => {
    const repo = await remote();
    const mirror = await cloneRepo(repo, { bare: true, args: ['--mirror'] });
    const git = await open(mirror);
    await expect(append(git, null)).rejects.toMatchObject({ code: 'REPOSITORY_MIRRORS' });
    expect(await git.ledger.tip(REF)).toBeNull();
  });
});

describe('what is written and not moved', () => {
  test('by a process that is killed in between is seen by nobody, and swept after a day', async () => {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const jane = await createIdentity(PERSON);
    const go = join(cacheFolder, 'go');
    const program = join(cacheFolder, 'sign');
    await writeFile(program, `#!/bin/sh\nuntil [ -e '${go}' ]; do sleep 0.05; done\nexit 1\n`, {
      mode: 0o755,
    });
    await appendFile(jane.globalConfig, `[gpg "ssh"]\n\tprogram = ${program}\n`);
    const argument = JSON.stringify({ location: repo.folder, cacheFolder });
    const child = spawn(process.execPath, [compiled('test/helpers/people/ledger-process.ts'), argument], {
      env: { ...repo.env, ...jane.env },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    while ((await staged(repo)) === '' && child.exitCode === null) await sleep(10);
    child.kill('SIGKILL');
    await ended;
    await writeFile(go, '');
    const left = (await staged(repo)).split(/\s/)[2] ?? '';
    expect(left).toMatch(/^refs\/backtrail\/staging\/ledger-/);
    const git = await open(repo, { cacheFolder });
    expect(await git.ledger.tip(REF)).toBeNull();
    const [first = ''] = await append(git, null);
    // It may be at work still, whatever time its event has.
    expect((await staged(repo)).split(/\s/)[2]).toBe(left);
    const old = left.replace(/ledger-\d+/, `ledger-${Date.now() - 2 * 86_400_000}`);
    await repo.git('update-ref', old, left);
    await repo.git('update-ref', '-d', left);
    // One that was opened long ago looks for them once an hour.
    await append(await open(repo, { cacheFolder }), first);
    expect(await staged(repo)).toBe('');
    expect(await history(repo)).toHaveLength(2);
  });

  test.runIf(isProof)('is swept by the next rollback too', async () => {
    const repo = await remote();
    const base = await repo.git('rev-parse', 'main');
    const old = `refs/backtrail/staging/ledger-${Date.now() - 2 * 86_400_000}-x/1`;
    const fresh = `refs/backtrail/staging/ledger-${Date.now()}-x/1`;
    for (const ref of [old, fresh]) await repo.git('update-ref', ref, base);
    const git = await open(repo);
    const { writes, author, time } = event();
    const commit = { parent: base, author, committer: SERVICE, time, message: 'Next\n', writes };
    await git.writeCommits({ requestId: REQUEST, commits: [commit] });
    await git.deleteStaging(REQUEST);
    expect((await staged(repo)).split(/\s/)[2]).toBe(fresh);
  });
});

describe('a push that does not go through', () => {
  /** A ledger of one event at a server that does something before it takes a push. */
  async function before(act: (repo: Repo, first: string) => Promise<Fate>, begun = true) {
    const repo = await remote();
    const [first = '', other = ''] = begun
      ? await append(await open(repo), null, [event(), event()])
      : ['', await repo.git('rev-parse', 'main')];
    if (begun) await repo.git('update-ref', REF, first);
    let pushed = false;
    const location = await serve(repo, async ({ method, url }) => {
      if (method !== 'POST' || !url.endsWith('git-receive-pack') || pushed) return 'serve';
      pushed = true;
      return act(repo, other);
    });
    return { repo, other, git: await open(repo, { location }) };
  }

  test.each(someOf([true, false], 1))(
    'because another one was first in between is a moved ref; begun: %s',
    async (begun) => {
      const { repo, other, git } = await before(async (repo, other) => {
        await repo.git('update-ref', REF, other);
        return 'serve';
      }, begun);
      const parent = await git.ledger.tip(REF);
      await expect(append(git, parent)).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
      expect(await repo.git('rev-parse', REF)).toBe(other);
      const [next = ''] = await append(git, await git.ledger.tip(REF));
      expect(await repo.git('rev-parse', REF)).toBe(next);
    },
  );

  test('because the ref was deleted in between is a moved ref', async () => {
    const { git } = await before(async (repo) => {
      await repo.git('update-ref', '-d', REF);
      return 'serve';
    });
    const parent = await git.ledger.tip(REF);
    await expect(append(git, parent)).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
  });

  test('as far as its answer tells did: the event is not told to have failed, nor written twice', async () => {
    const { repo, git } = await before(() => Promise.resolve('drop-answer'));
    const parent = await git.ledger.tip(REF);
    const [next = ''] = await append(git, parent);
    expect(await repo.git('rev-parse', REF)).toBe(next);
    expect(await append(git, next)).toHaveLength(1);
    expect(await history(repo)).toHaveLength(3);
  });

  test('because the server hides such refs says to take a branch', async () => {
    const repo = await remote();
    await repo.git('config', 'receive.hideRefs', 'refs/backtrail');
    const git = await open(repo, { location: `file://${repo.folder}` });
    await expect(append(git, null)).rejects.toMatchObject({
      code: 'REMOTE_REJECTED',
      hint: expect.stringContaining('ledger.ref: refs/heads/') as unknown,
    });
    expect(await git.ledger.tip(REF)).toBeNull();
  });

  test.each(someOf(['local', 'remote'], 1))(
    'because another ref has its place is no race: %s',
    async (kind) => {
      const repo = await remote();
      const location = kind === 'local' ? repo.folder : `file://${repo.folder}`;
      const git = await open(repo, { location });
      const failing = append(git, null, [event()], 'refs/heads/main/ledger');
      await expect(failing).rejects.toMatchObject({
        code: expect.stringMatching(/^(REMOTE_REJECTED|GIT_FAILED)$/) as unknown,
        message: expect.stringContaining("'refs/heads/main' exists") as unknown,
      });
    },
  );
});
