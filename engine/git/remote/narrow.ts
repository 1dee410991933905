/**
 * Remotes with more branches than anyone needs here: git writes a file for each, and fetches what only they hold. Of such a remote a mirror
 * has the branches that were asked for, and our own refs.
 */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFailure } from '../../model/index.ts';
import { run } from '../process/spawn.ts';
import type { Environment } from '../process/spawn.ts';
import { isBranchName } from '../store/refs.ts';
import { telling } from '../process/progress.ts';
import { type Fetch, fetchInto, reach } from './mirror-fetch.ts';
import { REMOTE } from './push.ts';

export const TRACKING = 'refs/remotes/origin';

/** More branches than this are not all fetched. */
const MANY = 1_000;
const MARK = 'backtrail-narrow';

export const isNarrow = async (directory: string) =>
  (await stat(join(directory, MARK)).catch(() => null)) !== null;

/**
 * Makes a new mirror narrow where the remote has many branches: gives those to fetch; null where all are. `counted`: how many it has, where a
 * clone knows; else the remote is asked.
 */
export async function narrow(
  context: Fetch,
  { branch, counted }: { readonly branch: string | null; readonly counted: number | null },
): Promise<readonly string[] | null> {
  const { transport, directory, url, silenceMs } = context;
  const query = async (args: readonly string[]) => {
    const ask = () => transport.git(['ls-remote', ...args], { silence: { ms: silenceMs } });
    return (await telling('asking', context.onProgress, () => reach(url, ask))).stdout;
  };
  // What cannot be listed cannot be fetched either: the fetch says why.
  if ((counted ?? (await query(['--heads', REMOTE])).split('\n').length) <= MANY) return null;
  const head = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(await query(['--symref', REMOTE, 'HEAD']))?.[1];
  await writeFile(join(directory, MARK), '', { mode: 0o600 });
  const wanted = branch ?? head;
  return wanted !== undefined && isBranchName(wanted) ? [wanted] : [];
}

/** Fetches the branches that a narrow mirror has; one that is gone there goes here. */
export async function fetchTracked(
  context: Fetch,
  { env, options }: { readonly env: Environment; readonly options: readonly string[] },
  wanted: readonly string[] | null = null,
): ReturnType<typeof fetchInto> {
  const { directory } = context;
  const git = async (args: readonly string[], input?: string) =>
    (await run({ args, cwd: directory, env: { ...env, GIT_DIR: directory }, ...(input && { input }) }))
      .stdout;
  const tracked = async () => {
    const listed = (await git(['for-each-ref', '--format=%(refname)', `${TRACKING}/`])).toString('utf8');
    return listed.split('\n').flatMap((ref) => (ref === '' ? [] : [ref.slice(TRACKING.length + 1)]));
  };
  const branches = wanted ?? (await tracked());
  const refspecs = branches.map((branch) => `+refs/heads/${branch}:${TRACKING}/${branch}`);
  try {
    return await fetchInto(context, [...options, ...refspecs]);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'BRANCH_UNKNOWN') throw error;
    const heads = branches.map((branch) => `refs/heads/${branch}`);
    const { stdout } = await context.transport.git(['ls-remote', REMOTE, ...heads], {
      silence: { ms: context.silenceMs },
    });
    const there = new Set(stdout.split('\n').map((line) => line.split('\t')[1]));
    const gone = branches.filter((branch) => !there.has(`refs/heads/${branch}`));
    if (gone.length === 0) throw error;
    await git(['update-ref', '--stdin'], gone.map((branch) => `delete ${TRACKING}/${branch}\n`).join(''));
    return fetchTracked(
      context,
      { env, options },
      branches.filter((branch) => !gone.includes(branch)),
    );
  }
}
