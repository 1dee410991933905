/** That a server refused a push because its commits were not signed: kept beside the mirror, as a dry run cannot ask a server for its rules. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isFailure, type UnsignedRefusal } from '../../model/index.ts';

const refusal = z.strictObject({
  branch: z.string().max(1000),
  at: z.iso.datetime(),
  message: z.string().max(4000),
});

const fileIn = (directory: string) => join(directory, 'backtrail-unsigned-refusal.json');

/** Remembers a refusal of what is pushed to the branch, and forgets it with the first push to it that is taken. Best effort. */
export async function rememberRefusal<Value>(
  directory: string,
  branch: string,
  push: () => Promise<Value>,
): Promise<Value> {
  try {
    const value = await push();
    if ((await lastRefusal(directory))?.branch === branch)
      await rm(fileIn(directory), { force: true }).catch(() => undefined);
    return value;
  } catch (error) {
    if (isFailure(error) && error.details['unsigned'] === true) {
      const { message } = error;
      const text = JSON.stringify({ branch, at: new Date().toISOString(), message });
      await writeFile(fileIn(directory), text, { mode: 0o600 }).catch(() => undefined);
    }
    throw error;
  }
}

/** null where there is none, or none that can be read. */
export async function lastRefusal(directory: string): Promise<UnsignedRefusal | null> {
  try {
    return refusal.parse(JSON.parse(await readFile(fileIn(directory), 'utf8')));
  } catch {
    return null;
  }
}
