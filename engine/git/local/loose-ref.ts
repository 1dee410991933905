import { constants, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isFailure, isObjectId } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import type { NativeObjects } from '../store/objects.ts';

/** An id of SHA-256 and a line break. */
const LONGEST = 65;

interface LooseRefs {
  /** The git directory that linked worktrees share. */
  readonly folder: string;
  readonly objects: Pick<NativeObjects, 'type'>;
}

/**
 * The commit that a ref is at by its own file (gitrepository-layout(5)), without a process; null where no file has it, nor can have;
 * undefined where only git can tell: it may be packed, symbolic, at something else than a commit, or a file that cannot be read.
 */
export async function readLoose(
  { folder, objects }: LooseRefs,
  ref: string,
): Promise<ObjectId | null | undefined> {
  const text = await textOf(join(folder, ref));
  // In this order: a ref that is packed meanwhile is in the one file before it leaves the other.
  if (text === null) return (await isAbsent(join(folder, 'packed-refs'))) ? null : undefined;
  const id = text.replace(/\n$/, '');
  if (!text.endsWith('\n') || !isObjectId(id)) return undefined;
  const type = await objects.type(id).catch((error: unknown) => {
    if (isFailure(error)) return null;
    throw error;
  });
  return type === 'commit' ? id : undefined;
}

/** null where there is nothing of this name; '' for anything but a short plain file: a link is a symbolic ref, too. */
async function textOf(file: string): Promise<string | null> {
  if (await isAbsent(file)) return null;
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      return found.isFile() && found.size <= LONGEST ? await handle.readFile('latin1') : '';
    } finally {
      await handle.close();
    }
  } catch {
    return '';
  }
}

const isAbsent = (file: string): Promise<boolean> =>
  lstat(file).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  );
