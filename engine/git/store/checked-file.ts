/** Files of the cache folder that are either whole and ours, or not there: anything else is not read. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Files in one folder, and how long one that nobody finished stays, in milliseconds. */
const FILES = 40;
const UNFINISHED_MS = 3_600_000;

function headerOf(form: string, parts: readonly Uint8Array[]): string {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part);
  return `backtrail ${form} ${endianness()} ${sum.digest('hex')}\n`;
}

/**
 * null for a file that is not there, that others may write, that is damaged, or of another form. Whoever can write as this user could write
 * anything, git's objects too: the sum protects from accidents.
 */
export async function readChecked(file: string, form: string): Promise<Buffer | null> {
  const handle = await open(file).catch(() => null);
  if (handle === null) return null;
  try {
    const { uid, mode } = await handle.stat();
    if ((process.getuid !== undefined && uid !== process.getuid()) || (mode & 0o022) !== 0) return null;
    const whole = await handle.readFile();
    const content = whole.subarray(whole.indexOf(10) + 1);
    const header = whole.toString('latin1', 0, whole.length - content.length);
    return header === headerOf(form, [content]) ? content : null;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

/** Complete under another name first: another process reads the former file, or this one. */
export async function writeChecked(
  file: string,
  form: string,
  ...parts: readonly Uint8Array[]
): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${randomUUID()}`;
  try {
    await writeFile(unfinished, [Buffer.from(headerOf(form, parts)), ...parts], { mode: 0o600, flag: 'wx' });
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
  await removeOld(folder, basename(file));
}

/** Of the files in a folder that holds nothing else, those that were not written for the longest time go. */
async function removeOld(folder: string, own: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== own);
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      time: (await stat(join(folder, name)).catch(() => null))?.mtimeMs ?? 0,
    })),
  );
  const newest = files.toSorted((a, b) => b.time - a.time);
  for (const [at, { name, time }] of newest.entries())
    if (at >= FILES - 1 || (name.split('.').length > 2 && Date.now() - time > UNFINISHED_MS))
      await rm(join(folder, name), { force: true });
}
