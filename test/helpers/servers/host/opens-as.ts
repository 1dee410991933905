import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../repositories/repo.ts';

/**
 * Settings with which git opens a folder where it is told an address, by half as many processes as over HTTP: for tests
 * whose subject is what the host says, not how git gets there. git is never told an address with a login in it.
 */
export async function opensAs(address: string, repository: string): Promise<Record<string, string>> {
  const file = join(await temporaryFolder(), 'system.gitconfig');
  await writeFile(file, `[url "file://${repository}"]\n\tinsteadOf = ${address}\n`);
  return { GIT_CONFIG_NOSYSTEM: '0', GIT_CONFIG_SYSTEM: file };
}
