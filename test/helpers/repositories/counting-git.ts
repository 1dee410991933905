import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Repo, temporaryFolder } from './repo.ts';

/** A PATH with a `git` before the real one that writes down what it is asked. */
export async function countingGit(repo: Repo): Promise<{ path: string; asked: () => Promise<string[]> }> {
  const folder = await temporaryFolder();
  const [script, list] = [join(folder, 'git'), join(folder, 'list')];
  const path = repo.env['PATH'] ?? '';
  await writeFile(script, `#!/bin/sh\necho "$*" >> '${list}'\nPATH='${path}' exec git "$@"\n`);
  await chmod(script, 0o755);
  return {
    path: `${folder}:${path}`,
    asked: async () => (await readFile(list, 'utf8')).trimEnd().split('\n'),
  };
}
