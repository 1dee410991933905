/** The folder with what a server keeps besides Git: `--state`. */
import { lstat, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { BacktrailError } from '../../engine/index.ts';

/** Where none is named: `backtrail` in XDG_STATE_HOME, or in ~/.local/state. */
export const defaultState = (env: Readonly<Record<string, string | undefined>>): string =>
  join(env['XDG_STATE_HOME'] || join(env['HOME'] || homedir(), '.local/state'), 'backtrail');

/**
 * Makes it where it is not there, for its owner alone. Gives its full path.
 *
 * @throws INVALID_REQUEST where it cannot be made, or others may look into it
 */
export async function openState(folder: string): Promise<string> {
  const path = resolve(folder);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new BacktrailError('INVALID_REQUEST', `The state folder ${path} cannot be made.`, {
      hint: 'Name another one with --state.',
      cause,
    });
  }
  await requirePrivate(path);
  return path;
}

/**
 * That it is this user's, and that no one else may read or write it; nothing of what is not there.
 *
 * @throws INVALID_REQUEST
 */
export async function requirePrivate(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  const refuse = (why: string, hint: string) =>
    new BacktrailError('INVALID_REQUEST', `${path} ${why}.`, { hint });
  if (found.isSymbolicLink())
    throw refuse('is a symbolic link', 'Name the folder itself, and keep files in it.');
  const own = process.getuid?.();
  if (own !== undefined && found.uid !== own)
    throw refuse('belongs to another user', `Give it to the one that this runs as: chown ${own} ${path}`);
  if ((found.mode & 0o077) !== 0)
    throw refuse(
      'may be read or written by other users',
      `chmod ${found.isDirectory() ? '700' : '600'} ${path}; revoke the tokens in it if others could read it.`,
    );
}
