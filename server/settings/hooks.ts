/** `hooks` of the server's configuration: the code hosts that say when something happened to a pull request. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';
import { HOST_KINDS } from '../../engine/model/index.ts';
import type { HookHost } from '../hooks/proof.ts';

const NAME = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;
const SECRET_BYTES = 4096;

/** By name: `github.com: { kind: github, secret: FILE }`. */
export const hooks = z.record(
  z.string().max(260).regex(NAME, 'It is the name of a host, with a port or without.'),
  z.strictObject({ kind: z.enum(HOST_KINDS), secret: z.string().min(1).max(4096) }),
);

/** With their secrets; `folder`: what files are relative to. @throws INVALID_REQUEST where one cannot be read, or is empty */
export async function readHooks(
  configured: z.output<typeof hooks>,
  folder: string,
): Promise<ReadonlyMap<string, HookHost>> {
  const read = new Map<string, HookHost>();
  for (const [name, { kind, secret }] of Object.entries(configured))
    read.set(name.toLowerCase(), { kind, secrets: await readSecrets(resolve(folder, secret), name) });
  return read;
}

/** One a line. */
async function readSecrets(file: string, name: string): Promise<readonly string[]> {
  const refuse = (why: string) =>
    new BacktrailError('INVALID_REQUEST', `The file with the secret of hooks of ${name} ${why}: ${file}.`, {
      hint: 'docs/serving.md describes `hooks`.',
    });
  try {
    const { size } = await stat(file);
    if (size > SECRET_BYTES) throw refuse('is larger than 4 KiB');
    const secrets = (await readFile(file, 'utf8')).split(/\r?\n/).map((line) => line.trim());
    const given = secrets.filter((line) => line !== '');
    if (given.length === 0) throw refuse('is empty');
    return given;
  } catch (error) {
    if (error instanceof BacktrailError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw refuse(`cannot be read (${code})`);
  }
}
