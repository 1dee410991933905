import { execFile } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { NewEvent } from '../../../engine/git/ledger.ts';
import type { GitRepository } from '../../../engine/git/open.ts';
import { openPlace } from '../../../engine/git/open.ts';
import { isFailure, MODE } from '../../../engine/model/index.ts';
import { serveGit } from '../../helpers/git-http.ts';
import { cloneRepo, createRepo, temporaryFolder } from '../../helpers/repo.ts';
import type { Repo } from '../../helpers/repo.ts';
import { allowedSigners, createIdentity } from '../../helpers/signing.ts';
import { open, PERSON, SERVICE } from './open.ts';

const REF = 'refs/backtrail/ledger';
const TIME = '2026-03-04T05:06:07Z';

let made = 0;

function event(more: Partial<NewEvent> & { path?: string } = {}): NewEvent {
  made += 1;
  const { path = `requests/${made}.json`, ...rest } = more;
  const writes = [
    { path, after: { mode: MODE.file, id: '', content: Buffer.from(`{ "event": ${made} }\n`) } },
  ];
  return { author: PERSON, time: TIME, message: `Event ${made}\n`, writes, sign: false, ...rest };
}

const append = (git: GitRepository, parent: string | null, events = [event()], ref = REF) =>
  git.ledger.append({ ref, parent, events, committer: SERVICE });

/** As a client does it: reads, appends, and does both again when somebody else was first. */
async function appendSurely(git: GitRepository, added: NewEvent): Promise<number> {
  for (let tries = 1; ; tries += 1)
    try {
      await append(git, await git.ledger.tip(REF), [added]);
      return tries;
    } catch (error) {
      if (!isFailure(error) || !/^(BRANCH_MOVED|REPOSITORY_LOCKED)$/.test(error.code)) throw error;
    }
}

const history = async (repo: Repo, ref = REF) =>
  (await repo.git('log', '--reverse', '--format=%s|%an <%ae>|%cn <%ce>|%at|%ct|%p', ref)).split('\n');

const staged = (repo: Repo) => repo.git('for-each-ref', 'refs/backtrail/staging');

async function remote(): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.replay([{ files: { a: '1' } }]);
  return repo;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(repo: Repo): Promise<string> {
  await repo.git('config', 'http.receivepack', 'true');
  const server = await serveGit({ root: dirname(repo.folder), env: repo.env });
  closing.push(() => server.close());
  return `${server.url}/repo`;
}

async function openClone(repo: Repo, env = repo.env): Promise<GitRepository> {
  const clone = await cloneRepo(repo);
  const cacheFolder = await temporaryFolder();
  const place = await openPlace({ location: clone.folder, env, cacheFolder, timeoutMs: 30_000 });
  const git = await place.throughUpstream('main');
  closing.push(() => git.close());
  expect(git.kind).toBe('clone');
  return git;
}

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
    return { git: await openClone(home), home };
  },
};

describe.each(Object.entries(PLACES))('the ledger of %s', (_, place) => {
  test('begins, goes on, and is read where the repository lives', async () => {
    const { git, home } = await place();
    expect(await git.ledger.tip(REF)).toBeNull();
    const [first = '', second = ''] = await append(git, null, [event(), event()]);
    expect(await git.ledger.tip(REF)).toBe(second);
    const [third = ''] = await append(git, second, [event({ author: SERVICE })]);
    expect(await git.ledger.tip(REF)).toBe(third);
    expect(await home.git('rev-parse', REF)).toBe(third);
    const seconds = Date.parse(TIME) / 1000;
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
  test('ten in one repository: every event is there, in one line', async () => {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const gits = await Promise.all(Array.from({ length: 10 }, () => open(repo, { cacheFolder })));
    const from = made;
    await Promise.all(
      gits.map(async (git) => {
        for (let count = 0; count < 3; count += 1) await appendSurely(git, event());
      }),
    );
    expect(await subjects(repo)).toEqual(eventsSince(from, 30));
    expect(await faults(repo, 30)).toEqual([]);
  });

  test.each(['file', 'http'])('two mirrors of one remote over %s', async (kind) => {
    const repo = await remote();
    const location = kind === 'file' ? `file://${repo.folder}` : await serve(repo);
    const gits = await Promise.all([open(repo, { location }), open(repo, { location })]);
    const from = made;
    await Promise.all(
      gits.map(async (git) => {
        for (let count = 0; count < 4; count += 1) await appendSurely(git, event());
      }),
    );
    expect(await subjects(repo)).toEqual(eventsSince(from, 8));
    expect(await faults(repo, 8)).toEqual([]);
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

describe('a ledger that was forced back', () => {
  async function seen(kind: 'local' | 'remote') {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const location = kind === 'local' ? repo.folder : `file://${repo.folder}`;
    const anew = () => open(repo, { location, cacheFolder });
    const git = await anew();
    const [first = ''] = await append(git, null);
    const [second = ''] = await append(git, first);
    return { repo, cacheFolder, git, anew, first, second };
  }

  test.each(['local', 'remote'] as const)('is noticed, in whatever process: %s', async (kind) => {
    const { repo, git, anew, first, second } = await seen(kind);
    await repo.git('update-ref', REF, first);
    for (const each of [git, await anew()])
      await expect(each.ledger.tip(REF)).rejects.toMatchObject({
        code: 'LEDGER_REWOUND',
        message: expect.stringMatching(
          new RegExp(`${first.slice(0, 12)}.*${second.slice(0, 12)}`),
        ) as unknown,
        hint: expect.stringContaining(`${second}:${REF}`) as unknown,
      });
    await repo.git('update-ref', REF, second);
    expect(await git.ledger.tip(REF)).toBe(second);
  });

  test.each(['local', 'remote'] as const)('is noticed when it is gone: %s', async (kind) => {
    const { repo, git, anew } = await seen(kind);
    await repo.git('update-ref', '-d', REF);
    for (const each of [git, await anew()])
      await expect(each.ledger.tip(REF)).rejects.toMatchObject({
        code: 'LEDGER_REWOUND',
        message: expect.stringContaining('is gone') as unknown,
      });
    await expect(append(git, null)).resolves.toHaveLength(1);
    await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
  });

  test.each(['local', 'remote'] as const)('comes back by what the hint says: %s', async (kind) => {
    const { repo, git, first, second } = await seen(kind);
    await repo.git('update-ref', REF, first);
    const error: unknown = await git.ledger.tip(REF).catch((error: unknown) => error);
    const command = isFailure(error) ? (/`git ([^`]+)`/.exec(error.hint)?.[1] ?? '') : '';
    await repo.git(...command.split(' '));
    expect(await git.ledger.tip(REF)).toBe(second);
  });

  test('is noticed by a mirror that was removed and fetched anew, which lacks what was seen', async () => {
    const { repo, cacheFolder, git, anew, first, second } = await seen('remote');
    await git.close();
    await repo.git('update-ref', REF, first);
    await rm(join(cacheFolder, 'mirrors'), { recursive: true });
    const again = await anew();
    await expect(again.ledger.tip(REF)).rejects.toMatchObject({
      code: 'LEDGER_REWOUND',
      hint: expect.stringContaining('from a copy that has it') as unknown,
    });
    expect(await again.objects.commit(second).catch(() => null)).toBeNull();
  });

  test('is trusted as it is where the file that the hint names was removed', async () => {
    const { repo, git, first } = await seen('local');
    await repo.git('update-ref', REF, first);
    const error: unknown = await git.ledger.tip(REF).catch((error: unknown) => error);
    const file = isFailure(error) ? String(error.details['file']) : '';
    expect(isFailure(error) && error.hint).toContain(file);
    await rm(file);
    expect(await git.ledger.tip(REF)).toBe(first);
  });

  test('is remembered outside the repository, readable for its user alone, without a password', async () => {
    const repo = await remote();
    const location = (await serve(repo)).replace('http://', 'http://me:s3cret@');
    const cacheFolder = await temporaryFolder();
    const git = await open(repo, { location, cacheFolder });
    const [first = ''] = await append(git, null);
    const folder = join(cacheFolder, 'ledgers');
    const names = await readdir(folder);
    expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
    const file = join(folder, names[0] ?? '');
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toMatchObject({ ref: REF, tip: first });
    expect(text).not.toContain('s3cret');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    // Another password is no other repository.
    const other = await open(repo, { location: location.replace('s3cret', 'other'), cacheFolder });
    await repo.git('update-ref', '-d', REF);
    await expect(other.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
  });

  test('is the same for each way to a repository: a folder in it, a linked worktree', async () => {
    const repo = await createRepo();
    await repo.commit({ 'dir/a': '1' });
    const linked = join(await temporaryFolder(), 'linked');
    await repo.git('worktree', 'add', '-q', '--detach', linked);
    const cacheFolder = await temporaryFolder();
    await append(await open(repo, { cacheFolder }), null);
    await repo.git('update-ref', '-d', REF);
    for (const location of [join(repo.folder, 'dir'), linked]) {
      const git = await open(repo, { location, cacheFolder });
      await expect(git.ledger.tip(REF)).rejects.toMatchObject({ code: 'LEDGER_REWOUND' });
    }
  });

  test('is not what others append while somebody looks', async () => {
    const repo = await remote();
    const cacheFolder = await temporaryFolder();
    const writer = await open(repo, { cacheFolder });
    const readers = await Promise.all([open(repo, { cacheFolder }), open(repo, { cacheFolder })]);
    const writing = (async () => {
      for (let count = 0; count < 25; count += 1) await appendSurely(writer, event());
    })();
    let looks = 0;
    const over = writing.then(() => 'over');
    const reading = readers.map(async ({ ledger }) => {
      while ((await Promise.race([over, ledger.tip(REF)])) !== 'over') looks += 1;
    });
    await Promise.all([...reading, writing]);
    expect(looks).toBeGreaterThan(10);
  });
});

describe('what no ledger can stand on is refused', () => {
  test.each([
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
  ])('%j', async (ref) => {
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

const JANE = { name: 'Jane Doe', email: 'jane@example.com' };

/** A repository whose user signs, opened. */
async function signing() {
  const jane = await createIdentity(JANE);
  const repo = await remote();
  const git = await open({ folder: repo.folder, env: { ...repo.env, ...jane.env } });
  return { jane, repo, git };
}

const states = async (git: GitRepository, ids: readonly string[], list: string | null) => {
  const found = await git.ledger.signatures(ids, list);
  return ids.map((id) => found.get(id)?.state);
};

describe('signed events', () => {
  test.each(['local', 'mirror', 'clone'] as const)(
    'keep everything else as it is, in a %s, and those after them follow',
    async (kind) => {
      const jane = await createIdentity(JANE);
      const repo = await remote();
      const env = { ...repo.env, ...jane.env };
      const git =
        kind === 'clone'
          ? await openClone(repo, env)
          : await open(
              { folder: repo.folder, env },
              { location: kind === 'local' ? repo.folder : `file://${repo.folder}` },
            );
      expect(await git.ledger.signs()).toBe(true);
      const message = 'Approve #1\n\n# no comment\n    Ünï  \n\nEvent: approved\nActor: J <j@x>\n';
      const ids = await append(git, null, [
        event(),
        event({ sign: true, message }),
        event(),
        event({ sign: true, author: SERVICE }),
      ]);
      expect(await repo.git('rev-parse', REF)).toBe(ids.at(-1));
      expect(await repo.git('rev-list', '--reverse', REF)).toBe(ids.join('\n'));
      const list = await allowedSigners([jane]);
      expect(await states(git, ids, list)).toEqual(['none', 'good', 'none', 'good']);
      const seconds = Date.parse(TIME) / 1000;
      const [, id = ''] = ids;
      const raw = await repo.git('cat-file', 'commit', id);
      expect(raw.replace(/^gpgsig (.*\n )*.*\n/m, '')).toBe(
        [
          `tree ${await repo.git('rev-parse', `${id}^{tree}`)}`,
          `parent ${ids[0] ?? ''}`,
          `author Jane Doe <jane@example.com> ${seconds} +0000`,
          `committer Backtrail <backtrail@example.com> ${seconds} +0000`,
          '',
          message.trimEnd(),
        ].join('\n'),
      );
      expect((await repo.git('ls-tree', '-r', '--name-only', REF)).split('\n')).toHaveLength(4);
      const verified = await git.ledger.signatures([id], list);
      expect(verified.get(id)).toEqual({
        state: 'good',
        principals: ['jane@example.com'],
        key: jane.fingerprint,
      });
      await repo.git('fsck', '--strict');
    },
  );

  test('are not signed where the user does not sign, whatever the repository says', async () => {
    const [nobody, jane] = await Promise.all([
      createIdentity({ ...JANE, signs: false }),
      createIdentity(JANE),
    ]);
    const repo = await remote();
    await repo.git('config', 'gpg.format', 'ssh');
    await repo.git('config', 'user.signingKey', jane.keyFile);
    const git = await open({ folder: repo.folder, env: { ...repo.env, ...nobody.env } });
    expect(await git.ledger.signs()).toBe(false);
    const ids = await append(git, null, [event({ sign: true })]);
    expect(await states(git, ids, await allowedSigners([jane]))).toEqual(['none']);
  });

  test.each(['local', 'clone'] as const)(
    'are signed with the key of the repository where the user signs: %s',
    async (kind) => {
      const [jane, work] = await Promise.all([createIdentity(JANE), createIdentity(JANE)]);
      const repo = await remote();
      const clone = await cloneRepo(repo);
      await clone.git('config', 'user.signingKey', work.keyFile);
      const env = { ...repo.env, ...jane.env };
      const cacheFolder = await temporaryFolder();
      const place = await openPlace({ location: clone.folder, env, cacheFolder });
      const git = kind === 'local' ? place.git : await place.throughUpstream('main');
      closing.push(() => git.close());
      const ids = await append(git, null, [event({ sign: true })]);
      expect(await states(git, ids, await allowedSigners([work]))).toEqual(['good']);
      expect(await states(git, ids, await allowedSigners([jane]))).toEqual(['unknown']);
    },
  );

  test('say in one sentence why they cannot be signed, and leave nothing', async () => {
    const { jane, repo, git } = await signing();
    await rm(jane.keyFile);
    await rm(`${jane.keyFile}.pub`);
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      message: `The event could not be signed: Couldn't load public key ${jane.keyFile}: No such file or directory.`,
    });
    await writeFile(jane.keyFile, 'no \u001b[31mkey');
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      message: expect.stringMatching(/^The event could not be signed: \P{Cc}+\.$/u) as unknown,
    });
    expect(await git.ledger.tip(REF)).toBeNull();
    expect(await staged(repo)).toBe('');
  });

  test('ask for no passphrase: a locked key is a reason', async () => {
    const { jane, git } = await signing();
    await promisify(execFile)('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', jane.keyFile]);
    await expect(append(git, null, [event({ sign: true })])).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      message: expect.stringMatching(/passphrase/) as unknown,
    });
  });

  test('run no program that the repository names, also one named after it was opened', async () => {
    const { jane, repo, git } = await signing();
    const trap = join(await temporaryFolder(), 'trap');
    const script = join(dirname(trap), 'script');
    await writeFile(script, `#!/bin/sh\ntouch '${trap}'\nexit 1\n`, { mode: 0o755 });
    const set = async () => {
      for (const key of ['gpg.program', 'gpg.ssh.program', 'gpg.openpgp.program', 'gpg.x509.program'])
        await repo.git('config', key, script);
      await repo.git('config', 'gpg.ssh.defaultKeyCommand', script);
      await repo.git('config', 'gpg.format', 'openpgp');
      await repo.git('config', 'i18n.commitEncoding', 'ISO-8859-1');
      await repo.git('config', 'commit.gpgSign', 'true');
    };
    await set();
    const env = { ...repo.env, ...jane.env };
    for (const each of [git, await open({ folder: repo.folder, env })]) {
      const ids = await append(each, await each.ledger.tip(REF), [event({ sign: true }), event()]);
      const forged = await forge(repo, ids[0] ?? '', (text) =>
        text.replace(
          /^gpgsig (.*\n )*.*$/m,
          'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----',
        ),
      );
      const list = await allowedSigners([jane]);
      expect(await states(each, [...ids, forged], list)).toEqual(['good', 'none', 'unknown']);
      expect(await repo.git('cat-file', 'commit', ids[0] ?? '')).not.toContain('encoding');
    }
    expect(await stat(trap).catch(() => null)).toBeNull();
  });
});

/** Another commit object, made of one that is there. */
async function forge(repo: Repo, id: string, change: (text: string) => string): Promise<string> {
  const text = await repo.git('cat-file', 'commit', id);
  const changed = change(text);
  expect(changed).not.toBe(text);
  return repo.gitWith({ input: `${changed}\n` }, [
    'hash-object',
    '-t',
    'commit',
    '-w',
    '--literally',
    '--stdin',
  ]);
}

describe('who signed', () => {
  test('is known by the keys of the list alone: another key, and no list, are unknown', async () => {
    const { jane, git } = await signing();
    const bob = await createIdentity({ name: 'Bob', email: 'bob@example.com' });
    const [signed = '', plain = ''] = await append(git, null, [event({ sign: true }), event()]);
    const none = { state: 'none', principals: [], key: null };
    for (const list of [await allowedSigners([bob]), null]) {
      const found = await git.ledger.signatures([signed, plain], list);
      expect(found.get(signed)).toEqual({ state: 'unknown', principals: [], key: jane.fingerprint });
      expect(found.get(plain)).toEqual(none);
    }
  });

  test('is never what the repository itself says', async () => {
    const { jane, repo, git: first } = await signing();
    const list = await allowedSigners([jane]);
    const ids = await append(first, null, [event({ sign: true })]);
    await repo.git('config', 'gpg.ssh.allowedSignersFile', list);
    const revoked = join(await temporaryFolder(), 'revoked');
    await writeFile(revoked, `${jane.publicKey}\n`);
    await repo.git('config', 'gpg.ssh.revocationFile', revoked);
    for (const git of [first, await open(repo)]) {
      expect(await states(git, ids, null)).toEqual(['unknown']);
      expect(await states(git, ids, list)).toEqual(['good']);
    }
    await writeFile(jane.globalConfig, `[gpg "ssh"]\n\trevocationFile = ${revoked}\n`);
    const strict = await open({ folder: repo.folder, env: { ...repo.env, ...jane.env } });
    expect(await states(strict, ids, list)).toEqual(['unknown']);
  });

  test('is nobody where the commit was changed afterwards, in whatever part', async () => {
    const { jane, repo, git } = await signing();
    const [before = '', id = ''] = await append(git, null, [event({ sign: true }), event({ sign: true })]);
    const list = await allowedSigners([jane]);
    const changes: ((text: string) => string)[] = [
      (text) => text.replace(/^Event /m, 'Even '),
      (text) => text.replace('author Jane', 'author Joan'),
      (text) => text.replace(/^committer .*$/m, 'committer X <x@x> 1 +0000'),
      (text) => text.replace(/^parent .*\n/m, ''),
      (text) => text.replace(/^tree .*$/m, 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904'),
      (text) => text.replace('U1NIU0lH', 'AAAAU0lH'),
      (text) => text.replace(/(BEGIN SSH SIGNATURE-----\n )\w+/, '$1'),
    ];
    for (const change of changes)
      expect(await states(git, [await forge(repo, id, change)], list)).toEqual(['bad']);
    // A signature of another commit.
    const other = /^gpgsig (.*\n )*.*$/m.exec(await repo.git('cat-file', 'commit', before))?.[0] ?? '';
    const moved = await forge(repo, id, (text) => text.replace(/^gpgsig (.*\n )*.*$/m, other));
    const removed = await forge(repo, id, (text) => text.replace(/^gpgsig (.*\n )*.*\n/m, ''));
    expect(await states(git, [moved, removed, id], list)).toEqual(['bad', 'none', 'good']);
  });

  test('is unknown for every other kind of signature, and none spoils the answer for others', async () => {
    const { jane, repo, git } = await signing();
    const [id = ''] = await append(git, null, [event({ sign: true })]);
    const kinds = [
      '-----BEGIN PGP SIGNATURE-----',
      '-----BEGIN SIGNED MESSAGE-----',
      '-----BEGIN PGP MESSAGE-----',
      'x',
      '-',
    ];
    const forged: string[] = [];
    for (const kind of kinds)
      forged.push(await forge(repo, id, (text) => text.replace('-----BEGIN SSH SIGNATURE-----', kind)));
    const second = await forge(repo, id, (text) => text.replace(/^gpgsig /m, 'gpgsig x\ngpgsig '));
    const list = await allowedSigners([jane]);
    expect(await states(git, [...forged, second, id], list)).toEqual([
      ...kinds.map(() => 'unknown'),
      'unknown',
      'good',
    ]);
  });

  test('goes by every name that the list has for the key, in lower case, but by no pattern', async () => {
    const { jane, git } = await signing();
    const ids = await append(git, null, [event({ sign: true })]);
    const file = join(await temporaryFolder(), 'list');
    const principals = async (...lines: string[]) => {
      await writeFile(file, `# a comment\n\n${lines.join('\n')}\n`);
      const found = await git.ledger.signatures(ids, file);
      return [...found.values()].map(({ state, principals }) => [state, ...principals]);
    };
    const key = jane.publicKey;
    expect(await principals(`Jane@Example.com,jane.doe@example.com ${key} comment here`)).toEqual([
      ['good', 'jane@example.com', 'jane.doe@example.com'],
    ]);
    expect(await principals(`a@x namespaces="git" ${key}`, `b@x ${key}`)).toEqual([['good', 'a@x', 'b@x']]);
    expect(await principals(`a@x ${key}`, `b@x namespaces="file" ${key}`)).toEqual([['good', 'a@x']]);
    expect(await principals(`a@x ${key}`, `b@x valid-before="20200101" ${key}`)).toEqual([['good', 'a@x']]);
    expect(await principals(`a@x,!b@x,b@x ${key}`)).toEqual([['good', 'a@x']]);
    expect(await principals(`*@example.com ${key}`)).toEqual([['good']]);
    expect(await principals(`a@x namespaces="file" ${key}`)).toEqual([['unknown']]);
    expect(await principals(`a@x valid-before="20200101" ${key}`)).toEqual([['unknown']]);
    expect(await principals(`a@x cert-authority ${key}`)).toEqual([['unknown']]);
    expect(await principals('')).toEqual([['unknown']]);
  });

  test('is not guessed where the list or ssh-keygen is missing', async () => {
    const { jane, repo, git } = await signing();
    const ids = await append(git, null, [event({ sign: true })]);
    await expect(git.ledger.signatures(ids, '/nonexistent/list')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('/nonexistent/list') as unknown,
    });
    const list = await allowedSigners([jane]);
    await repo.git('config', 'gpg.ssh.program', 'x');
    const settings = join(await temporaryFolder(), 'gitconfig');
    await writeFile(settings, '[gpg "ssh"]\n\tprogram = /nonexistent/ssh-keygen\n');
    const without = await open({ folder: repo.folder, env: { ...repo.env, GIT_CONFIG_GLOBAL: settings } });
    await expect(without.ledger.signatures(ids, list)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });
});
