/** `hooks` of the server's configuration: the code hosts that say when something happened to a pull request. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { HOST_KINDS } from '../../engine/model/index.ts';
import type { HookHost } from '../hooks/proof.ts';
import { readSecretFile } from './secret-file.ts';

const NAME = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

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
    read.set(name.toLowerCase(), {
      kind,
      secrets: await readSecretFile({
        path: resolve(folder, secret),
        what: `the secret of hooks of ${name}`,
        key: 'hooks',
      }),
    });
  return read;
}
