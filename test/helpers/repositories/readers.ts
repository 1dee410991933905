import { openReadOnly } from '../../../engine/git/reader/open.ts';
import { type GitRepository, openGit } from '../../../engine/git/open.ts';
import { closeAfterTest } from '../run/lifetime.ts';
import { type Repo, temporaryFolder } from './repo.ts';

type Open = (repo: Pick<Repo, 'folder' | 'env'>, location?: string) => Promise<GitRepository>;

const native: Open = async ({ folder, env }, location = folder) =>
  kept(await openGit({ location, env, cacheFolder: await temporaryFolder(), timeoutMs: 60_000 }));

const second: Open = async ({ folder, env }, location = folder) =>
  kept(await openReadOnly({ location, folder: location, env }));

function kept(git: GitRepository): GitRepository {
  closeAfterTest(() => git.close());
  return git;
}

/** Both readers of a local repository, closed after the test. */
export const READERS = [
  ['git', native],
  ['isomorphic-git', second],
] as const;
