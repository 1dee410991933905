/** Secrets that the server's configuration names by file: one a line, several while one is replaced. */
import { readFile, stat } from 'node:fs/promises';
import { BacktrailError } from '../../engine/index.ts';

const SECRET_BYTES = 4096;

export interface SecretFile {
  /** Full path. */
  readonly path: string;
  /** What it holds, for messages: `the secret of hooks of github.com`. */
  readonly what: string;
  /** The key of docs/serving.md. */
  readonly key: string;
  /** Refused where other users may read it: 0600; or 0440 of another user, as Kubernetes mounts secrets for a group. */
  readonly isPrivate?: boolean;
}

/** @throws INVALID_REQUEST where it cannot be read, is empty or too large, or others may read it */
export async function readSecretFile({
  path,
  what,
  key,
  isPrivate = false,
}: SecretFile): Promise<readonly string[]> {
  const refuse = (why: string, hint = `docs/serving.md describes \`${key}\`.`) =>
    new BacktrailError('INVALID_REQUEST', `The file with ${what} ${why}: ${path}.`, { hint });
  try {
    const { size, mode, uid } = await stat(path);
    if (size > SECRET_BYTES) throw refuse('is larger than 4 KiB');
    const forbidden = uid === process.getuid?.() ? 0o077 : 0o037;
    if (isPrivate && process.getuid !== undefined && (mode & forbidden) !== 0)
      throw refuse(
        'may be read or written by other users',
        `chmod 600 ${path}; replace the secret if others could read it.`,
      );
    const lines = (await readFile(path, 'utf8')).split(/\r?\n/).map((line) => line.trim());
    const given = lines.filter((line) => line !== '');
    if (given.length === 0) throw refuse('is empty');
    return given;
  } catch (error) {
    if (error instanceof BacktrailError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw refuse(`cannot be read (${code})`);
  }
}
