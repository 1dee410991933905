import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LedgerText } from '../../model/index.ts';

/** A text of ours in the cache folder, under its checksum: what was cut off or changed is as good as none. Nothing here fails. */
export const indexIn = (fileOf: (ref: string) => string): LedgerText => ({
  async read(ref) {
    const text = await readFile(fileOf(ref), 'utf8').catch(() => '');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    return end > 0 && text.slice(0, end) === sumOf(body) ? body : null;
  },
  async write(ref, body) {
    const file = fileOf(ref);
    const unfinished = `${file}.${randomUUID()}`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(unfinished, `${sumOf(body)}\n${body}`, { mode: 0o600 });
      await rename(unfinished, file);
    } catch {
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  },
});

const sumOf = (body: string) => createHash('sha256').update(body).digest('hex');
