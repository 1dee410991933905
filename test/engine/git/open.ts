import { MODE } from '../../../engine/model/index.ts';
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

/** A commit on top of another that nobody sees yet. */
export async function stage(
  git: GitRepository,
  parent: string,
  files: Readonly<Record<string, string>> = { a: 'next' },
): Promise<string> {
  const writes = Object.entries(files).map(([path, text]) => ({
    path,
    after: { mode: MODE.file, id: '', content: Buffer.from(text) },
  }));
  const commit = {
    parent,
    author: PERSON,
    committer: SERVICE,
    time: '2026-03-04T05:06:07Z',
    message: 'Next\n',
    writes,
  };
  const [id = ''] = await git.writeCommits({ requestId: REQUEST, commits: [commit] });
  return id;
}
