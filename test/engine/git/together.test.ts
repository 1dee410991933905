/** A branch and the ledger in one step: one transaction of refs, or one atomic push. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GitRepository } from '../../../engine/git/open.ts';
import type { PreparedEvents } from '../../../engine/model/index.ts';
import { MODE } from '../../../engine/model/index.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { append, cloneOf, event, openClone, REF, remote, serve, staged } from './ledger-events.ts';
import { open, PERSON, REQUEST, SERVICE } from './open.ts';

interface Scene {
  readonly git: GitRepository;
  readonly home: Repo;
  readonly base: string;
  /** A commit on the branch, and an event, that are both written and not moved. */
  readonly next: string;
  readonly prepared: PreparedEvents;
}

async function scene(git: GitRepository, home: Repo): Promise<Scene> {
  const base = await home.git('rev-parse', 'main');
  const [parent = ''] = await append(git, null);
  const next = await commit(git, base);
  const events = [event(), event()];
  const prepared = await git.ledger.prepare({ ref: REF, parent, events, committer: SERVICE });
  return { git, home, base, next, prepared };
}

async function commit(git: GitRepository, parent: string): Promise<string> {
  const writes = [{ path: 'a', after: { mode: MODE.file, id: '', content: Buffer.from(parent) } }];
  // Asked for long ago: what is staged for it must not be swept as abandoned when events are prepared.
  const time = '2026-03-04T05:06:07Z';
  const made = { parent, author: PERSON, committer: SERVICE, time, message: 'Next\n', writes };
  const [id = ''] = await git.writeCommits({ requestId: REQUEST, commits: [made] });
  return id;
}

const publish = ({ git, base, next, prepared }: Scene) =>
  git.publish({ branch: 'main', expected: base, next, requestId: REQUEST, also: [prepared.move] });

const at = async ({ home }: Scene) => [await home.git('rev-parse', 'main'), await home.git('rev-parse', REF)];

const PLACES: Record<string, () => Promise<{ git: GitRepository; home: Repo }>> = {
  'a bare repository': async () => {
    const home = await remote();
    return { git: await open(home), home };
  },
  'a worktree that has another branch checked out': async () => {
    const home = await createRepo();
    await home.commit({ a: '1' });
    await home.git('checkout', '-q', '-b', 'other');
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

describe.each(Object.entries(PLACES))('the branch and the ledger of %s', (_, place) => {
  const opened = async () => {
    const { git, home } = await place();
    return scene(git, home);
  };

  test('move together, and the ledger goes on from there', async () => {
    const made = await opened();
    const { git, home, next, prepared } = made;
    expect(await publish(made)).toEqual([]);
    expect(await at(made)).toEqual([next, prepared.commits[1]]);
    await git.ledger.finish(prepared, 'moved');
    await git.deleteStaging(REQUEST);
    expect(await staged(home)).toBe('');
    expect(await git.readBack('main')).toBe(next);
    expect(await git.ledger.tip(REF)).toBe(prepared.move.next);
    const [onward] = await append(git, prepared.move.next);
    expect(await home.git('rev-parse', `${onward}^`)).toBe(prepared.move.next);
    await home.git('fsck', '--strict');
  });

  test('stay both where another event was faster, which is named', async () => {
    const made = await opened();
    const { git, base, prepared } = made;
    const [faster] = await append(git, prepared.move.expected);
    await expect(publish(made)).rejects.toMatchObject({ code: 'BRANCH_MOVED', details: { ref: REF } });
    expect(await at(made)).toEqual([base, faster]);
    await git.ledger.finish(prepared, 'discarded');
    expect(await git.ledger.tip(REF)).toBe(faster);
    expect((await staged(made.home)).includes('ledger-')).toBe(false);
  });

  test('stay both where another commit was faster, which is named', async () => {
    const made = await opened();
    const { home, base, prepared } = made;
    const tree = await home.git('rev-parse', `${base}^{tree}`);
    const other = await home.git('commit-tree', '-p', base, '-m', 'A bot', tree);
    await home.git('update-ref', 'refs/heads/main', other);
    await expect(publish(made)).rejects.toMatchObject({
      code: 'BRANCH_MOVED',
      details: { ref: 'refs/heads/main' },
    });
    expect(await at(made)).toEqual([other, prepared.move.expected]);
  });
});

/** What a server says to a push: a hook of it, by its name. */
async function hook(home: Repo, name: string, script: string): Promise<void> {
  const file = join(home.gitDir, 'hooks', name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

const pushed = async (home: Repo) => {
  const git = await open(home, { location: `file://${home.folder}` });
  return scene(git, home);
};

/** What a hook has written down. */
const noted = (home: Repo) => readFile(join(home.gitDir, 'noted'), 'utf8');

describe('a server', () => {
  test('gets both in one push', async () => {
    const home = await remote();
    const made = await pushed(home);
    await hook(home, 'post-receive', 'echo $(while read old new ref; do echo $ref; done | sort) >> noted');
    expect(await publish(made)).toEqual([]);
    expect(await noted(home)).toBe(`${REF} refs/heads/main\n`);
  });

  test('that has no atomic pushes gets the branch alone, and the records are left to whoever writes them', async () => {
    const home = await remote();
    const made = await pushed(home);
    await home.git('config', 'receive.advertiseAtomic', 'false');
    expect(await publish(made)).toEqual([made.prepared.move]);
    expect(await at(made)).toEqual([made.next, made.prepared.move.expected]);
  });

  test.each([
    ['the ledger', 'update', 'echo $1 >> noted; case $1 in refs/heads/*) ;; *) exit 1 ;; esac'],
    [
      'every push with the ledger in it',
      'pre-receive',
      'tee -a noted | grep -q backtrail && exit 1 || exit 0',
    ],
  ])('that refuses %s gets the branch alone, and is not asked again', async (_, name, script) => {
    const home = await remote();
    const made = await pushed(home);
    await hook(home, name, script);
    const { git, next, prepared } = made;
    expect(await publish(made)).toEqual([prepared.move]);
    expect(await at(made)).toEqual([next, prepared.move.expected]);
    const further = await commit(git, next);
    const edit = { branch: 'main', expected: next, next: further, also: [prepared.move] };
    expect(await git.publish(edit)).toEqual([prepared.move]);
    expect(await at(made)).toEqual([further, prepared.move.expected]);
    expect((await noted(home)).match(/refs\/backtrail/g)).toHaveLength(1);
  });

  test('whose rule refuses the branch is asked once, and nothing moves', async () => {
    const home = await remote();
    const made = await pushed(home);
    await hook(home, 'update', 'echo $1 >> noted; case $1 in refs/heads/*) exit 1 ;; esac');
    await expect(publish(made)).rejects.toMatchObject({ code: 'REMOTE_REJECTED' });
    expect(await at(made)).toEqual([made.base, made.prepared.move.expected]);
    expect((await noted(home)).match(/refs\/heads/g)).toHaveLength(1);
  });
});

test('where files follow the branch it moves alone, and the records are left', async () => {
  const home = await createRepo();
  await home.commit({ a: '1' });
  const made = await scene(await open(home), home);
  const { git, prepared, next } = made;
  expect(await publish(made)).toEqual([prepared.move]);
  expect(await at(made)).toEqual([next, prepared.move.expected]);
  await git.ledger.finish(prepared, 'discarded');
});
