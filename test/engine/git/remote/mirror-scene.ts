/** What a remote and its mirror are made of. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { serveGit } from '../../../helpers/servers/git-http.ts';
import type { Fate } from '../../../helpers/servers/git-http.ts';
import { createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import type { Repo } from '../../../helpers/repositories/repo.ts';
import { open } from '../open.ts';

export interface Remote {
  readonly repo: Repo;
  readonly root: string;
  readonly base: string;
  readonly url: string;
  readonly cacheFolder: string;
}

export async function remote(): Promise<Remote> {
  const root = await temporaryFolder();
  const repo = await createRepo({ bare: true, folder: join(root, 'x.git') });
  const [, base = ''] = await repo.replay([{ files: { a: '0', b: '0' } }, { files: { a: '1' } }]);
  return { repo, root, base, url: `file://${repo.folder}`, cacheFolder: await temporaryFolder() };
}

/** The same over http; `fate` decides about each request. */
export async function httpRemote(
  options: { fate?: (request: { url: string }) => Fate; login?: boolean } = {},
): Promise<Remote> {
  const made = await remote();
  const server = await serveGit({
    root: made.root,
    env: made.repo.env,
    ...(options.fate && { fate: options.fate }),
    ...(options.login === true && { login: { user: 'jane', password: 'p4ss' } }),
  });
  onTestFinished(() => server.close());
  return { ...made, url: `${server.url}/x.git` };
}

export const openRemote = ({ repo, url, cacheFolder }: Remote, options: { timeoutMs?: number } = {}) =>
  open(repo, { location: url, cacheFolder, ...options });

export const hook = (repo: Repo, name: string, script: string) =>
  mkdir(join(repo.gitDir, 'hooks'), { recursive: true }).then(() =>
    writeFile(join(repo.gitDir, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
  );
