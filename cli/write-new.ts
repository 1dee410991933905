import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BacktrailError } from '../engine/index.ts';

/** Never overwrites an existing file: people edit it, or keep it. @throws INVALID_REQUEST */
export async function writeNew(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const message = exists ? `The file ${file} is there already.` : `The file ${file} cannot be written.`;
    throw new BacktrailError('INVALID_REQUEST', message, {
      hint: exists
        ? 'Name another file, or remove that one.'
        : 'Name a file in a folder that you may write to.',
      cause,
    });
  }
}
