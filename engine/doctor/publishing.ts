/** May a rollback be published here, and who decides that? */
import { join } from 'node:path';
import { quotePath } from '../model/index.ts';
import { type Check, isFailure, shellWord } from '../model/index.ts';
import { type Health, isWritable } from '../git/local/health.ts';
import type { GitRepository } from '../git/open.ts';
import { samePlace } from '../git/local/worktree.ts';
import { count, some } from './tree/index.ts';
import { attempt, settled } from './attempt.ts';
import { command } from './command.ts';

const publishing = (
  name: string,
  status: Check['status'],
  said: Omit<Check, 'area' | 'name' | 'status'>,
): Check => ({ area: 'publishing', name, status, ...said });

export async function checkPublishing(place: Place): Promise<Check[]> {
  // Without git nothing is published, as the check of git says.
  if ('error' in (await settled((async () => place.git.requireWriting())()))) return [];
  return [
    ...(await attempt('publishing', 'push', () => checkPush(place))),
    ...(await attempt('publishing', 'worktree', () => checkWorktree(place))),
    ...(await attempt('publishing', 'upstream', () => checkUpstream(place))),
  ];
}

interface Place {
  readonly git: GitRepository;
  readonly health: Health | null;
  readonly branch: string;
}

/** A dry run asks the server who we are; what it would say to this branch it says to a real push only. */
async function checkPush({ git, health, branch }: Place): Promise<Check[]> {
  const asked = await git.tryPush(await git.tip(branch)).catch((error: unknown) => {
    if (!isFailure(error)) throw error;
    return error;
  });
  if (asked === null) return health ? [await checkWritable(health)] : [];
  if (asked instanceof Error)
    return [
      publishing('push', 'fail', {
        message: asked.message,
        hint:
          asked.code === 'REMOTE_DENIED'
            ? 'It can be read but not pushed to: use credentials that may write (a deploy key with write access, a token with that right).'
            : asked.hint,
        details: { code: asked.code },
      }),
    ];
  return [
    publishing('push', 'ok', {
      message: `The server lets us push. Its rules for ${branch} (protection, hooks) cannot be asked by a dry run: a real push may still be refused, and then changes nothing.`,
    }),
    asked.atomic
      ? publishing('atomic', 'ok', { message: 'The server moves several refs all or none.' })
      : publishing('atomic', 'warn', {
          message:
            'The server does not move several refs all or none. A rollback moves one branch, which is all or nothing anyway.',
          hint: 'Where the server is yours: git config receive.advertiseAtomic true, in its repository.',
        }),
  ];
}

async function checkWritable({ directory, common }: Health): Promise<Check> {
  const inside = ['objects', 'refs/heads', 'refs/backtrail/staging'].map((name) => join(common, name));
  const folders = [...new Set([directory, ...inside])];
  const writable = await Promise.all(folders.map(isWritable));
  const closed = folders.filter((_, index) => writable[index] !== true);
  if (closed.length === 0)
    return publishing('push', 'ok', { message: `Commits and branches can be written in ${common}.` });
  return publishing('push', 'fail', {
    message: `Rollbacks cannot be written: this account can make no files in ${some(closed)}.`,
    hint: `Run Backtrail as the owner; let no file or ref stand in the place of a folder; or open it to the owner: chmod -R u+rwX ${shellWord(common)}`,
    details: { folders: closed },
  });
}

async function checkWorktree({ git, health, branch }: Place): Promise<Check | null> {
  if (!health) return null;
  const place = await health.checkedOutIn(branch);
  const { worktree } = git;
  if (place === null) return publishing('worktree', 'ok', { message: `${branch} is checked out nowhere.` });
  if (worktree === null || !(await samePlace(place, worktree)))
    // A clone is published at its upstream all the same.
    return publishing('worktree', git.kind === 'clone' ? 'warn' : 'fail', {
      message: `${branch} is checked out in ${quotePath(place)}, and its files would not follow.`,
      hint: `Run it there (--repo ${shellWord(place)}), or check another branch out there: ${command(place, 'switch OTHER')}`,
      details: { worktree: place },
    });
  const changed = await health.changedIn(worktree);
  if (changed === 0)
    return publishing('worktree', 'ok', { message: `${branch} is checked out here, without local changes.` });
  return publishing('worktree', 'warn', {
    message: `${count(changed, 'path')} of the worktree ${changed === 1 ? 'has' : 'have'} local changes: a rollback of the same paths is refused.`,
    hint: `Commit them, or put them aside: ${command(worktree, 'stash')}`,
    details: { changed },
  });
}

/** What whoever confirms a plan would be told about the upstream. */
async function checkUpstream({ git, branch }: Place): Promise<Check[]> {
  // As for a rollback of a path that no one has.
  const found = await git.preview({ branch, base: await git.tip(branch), paths: ['.backtrail/doctor'] });
  const told = found.map(({ severity, message, hint }) =>
    publishing('upstream', severity === 'info' ? 'ok' : 'warn', {
      message,
      ...(hint !== undefined && { hint }),
    }),
  );
  if (git.kind !== 'clone' || told.length > 0) return told;
  const message = `Rollbacks are published at the upstream of ${branch}; this clone follows.`;
  return [publishing('upstream', 'ok', { message })];
}
