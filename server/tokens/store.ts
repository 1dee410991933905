/** API tokens in the state folder, `tokens.json`: written by `backtrail token`, read by running servers. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BacktrailError, PERMISSIONS } from '../../engine/index.ts';
import { withLock } from '../../engine/git/remote/lock.ts';
import { requirePrivate } from '../settings/state.ts';

const time = z.iso.datetime();
const stored = z.strictObject({
  id: z.string().regex(/^[0-9a-z]{16}$/),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().max(200).nullable(),
  person: z.strictObject({ name: z.string().max(200), email: z.string().max(320) }),
  scope: z.strictObject({
    allow: z.array(z.enum(PERMISSIONS)).min(1),
    in: z.array(z.string().min(1).max(1000)).min(1).max(100),
  }),
  createdAt: time,
  expiresAt: time,
  revokedAt: time.nullable(),
});
const file = z.strictObject({ version: z.literal(1), tokens: z.array(stored) });

export type StoredToken = Readonly<z.output<typeof stored>>;

/** So many that are neither revoked nor expired. */
const MOST = 10_000;
/** Milliseconds for which one that has ended is still listed. */
const KEPT_MS = 90 * 24 * 3_600_000;
const FILE_BYTES = 16 * 1024 * 1024;

const pathIn = (folder: string) => join(folder, 'tokens.json');

/** Oldest first; none where there is no file. @throws INVALID_REQUEST where others may read the file, or it is not what we write */
export async function readTokens(folder: string): Promise<readonly StoredToken[]> {
  const path = pathIn(folder);
  await requirePrivate(path);
  const found = await stat(path).catch(() => null);
  if (found === null) return [];
  const parsed = found.size > FILE_BYTES ? null : file.safeParse(parseJson(await readFile(path, 'utf8')));
  if (parsed?.success) return parsed.data.tokens;
  throw new BacktrailError('INVALID_REQUEST', `${path} is not in the form that Backtrail writes.`, {
    hint: 'Put it aside, and create new tokens with `backtrail token create`.',
  });
}

/**
 * Replaces the tokens by what `change` makes of them. Writers wait for each other, and readers see all of a change or nothing.
 *
 * @throws INVALID_REQUEST as `readTokens`, and where there are too many; REPOSITORY_LOCKED
 */
export async function changeTokens(
  folder: string,
  now: number,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<void> {
  const path = pathIn(folder);
  const { signal } = new AbortController();
  await withLock(`${path}.lock`, { waitMs: 30_000, signal }, async () => {
    const changed = change(await readTokens(folder)).filter((token) => endOf(token) > now - KEPT_MS);
    if (changed.filter((token) => endOf(token) > now).length > MOST)
      throw new BacktrailError('INVALID_REQUEST', `There are ${MOST} tokens already.`, {
        hint: 'Revoke those that nobody needs with `backtrail token revoke`.',
      });
    const unfinished = `${path}.${randomUUID()}`;
    const text = `${JSON.stringify({ version: 1, tokens: changed }, null, 2)}\n`;
    await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: true });
    await rename(unfinished, path);
  });
}

/** When it ended, or will; milliseconds since 1970. */
export const endOf = ({ expiresAt, revokedAt }: StoredToken): number =>
  Math.min(Date.parse(expiresAt), revokedAt === null ? Infinity : Date.parse(revokedAt));

/** Reads the file again when it has changed: what was created or revoked counts at once. */
export function watchTokens(folder: string): () => Promise<ReadonlyMap<string, StoredToken>> {
  let seen = '';
  let known: ReadonlyMap<string, StoredToken> = new Map();
  return async () => {
    const found = await stat(pathIn(folder), { bigint: true }).catch(() => null);
    const now = found === null ? 'none' : `${found.ino}-${found.size}-${found.mtimeNs}-${found.mode}`;
    if (now !== seen) {
      known = new Map((await readTokens(folder)).map((token) => [token.id, token]));
      seen = now;
    }
    return known;
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
