import { openGit } from '../../../engine/git/open.ts';
import type { GitRepository, OpenOptions } from '../../../engine/git/open.ts';
import { closeAfterTest } from '../../helpers/run/lifetime.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';

/** Opens a repository for one test. */
export async function open(
  repo: Pick<Repo, 'folder' | 'env'>,
  options: Partial<Omit<OpenOptions, 'env'>> = {},
): Promise<GitRepository> {
  const { location = repo.folder, timeoutMs = 30_000 } = options;
  const cacheFolder = options.cacheFolder ?? (await temporaryFolder());
  const git = await openGit({ ...options, location, env: repo.env, cacheFolder, timeoutMs });
  closeAfterTest(() => git.close());
  return git;
}

export const REQUEST = 'rbk-01JD2M00000000000000000000';
export const PERSON = { name: 'Jane Doe', email: 'jane@example.com' };
export const SERVICE = { name: 'Backtrail', email: 'backtrail@example.com' };
