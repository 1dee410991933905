import { isFailure } from '../model/index.ts';
import type { Progress } from '../model/index.ts';
import type { ProcessEnvironment } from './process/spawn.ts';
import { openClone } from './local/clone.ts';
import { openLocal } from './local/local.ts';
import { parseLocation } from './remote/location.ts';
import { requireVersion } from './process/program.ts';
import { openRemote } from './remote/remote.ts';
import type { KnownLines } from './history/line-cache.ts';
import type { GitRepository } from './repository.ts';

export type { Destination, LedgerFetch, Offline } from '../model/index.ts';
export type { GitRepository } from './repository.ts';
export type { KnownLines } from './history/line-cache.ts';

export interface OpenOptions {
  /** Path or URL as the user typed it. */
  readonly location: string;
  /** The process environment: PATH, HOME, the ssh agent, the user's own settings of git. */
  readonly env: ProcessEnvironment;
  /** Mirrors of remote repositories live here, below `mirrors/`; what was seen of ledgers, below `ledgers/`. */
  readonly cacheFolder: string;
  /** Milliseconds for one command of git. Two minutes where absent; half an hour for a fetch or push. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds that a remote may say nothing. A minute where absent; 20 s for a question that the mirror can answer. Over
   * http the user's own `http.lowSpeedTime` goes before it.
   */
  readonly silenceMs?: number;
  /** Questions are answered from the mirror where the remote cannot be reached: see `GitRepository.look`. */
  readonly offline?: boolean | undefined;
  /** Reads what a push brings, in a pre-receive hook: git's variables of the quarantine hold. */
  readonly quarantine?: boolean | undefined;
  /** Fetches the mirror anew, as it was found damaged. */
  readonly renew?: boolean | undefined;
  /** Bytes of all mirrors together: beyond it those that were not used for the longest time go. */
  readonly cacheLimit?: number | undefined;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
  /** Sign commits with the user's own SSH key, whatever the configuration says. */
  readonly sign?: boolean | undefined;
  /** What is remembered of the lines of repositories; of this one alone where absent. */
  readonly lines?: KnownLines | undefined;
}

/** An opened repository, and the way to its upstream. */
export interface Opened {
  readonly git: GitRepository;
  /**
   * The same, read and published through the upstream of the branch: a clone, which closes `git` with it. `git` itself where
   * there is no such upstream. Fails as opening a remote does; REPOSITORY_UNKNOWN for an address that git must not follow.
   */
  readonly throughUpstream: (branch: string) => Promise<GitRepository>;
}

/**
 * Opens a repository. A remote is fetched first. Without git on PATH a local one is only read, where isomorphic-git can
 * (`requireWriting`). REPOSITORY_UNKNOWN, REPOSITORY_UNTRUSTED, SHA256_UNSUPPORTED, GIT_MISSING, and for a remote
 * REMOTE_DENIED or REMOTE_UNAVAILABLE.
 */
export async function openPlace(options: OpenOptions): Promise<Opened> {
  const { location, env } = options;
  const timeoutMs = options.timeoutMs ?? 120_000;
  const transportTimeoutMs = options.timeoutMs ?? 1_800_000;
  const place = await parseLocation(location);
  const lines = options.lines ?? new Map();
  const through = { ...options, lines, timeoutMs, transportTimeoutMs };
  const alone = (git: GitRepository): Opened => ({ git, throughUpstream: () => Promise.resolve(git) });
  if (place.kind === 'remote') {
    await requireVersion(env, timeoutMs);
    return alone(await openRemote({ ...through, url: place.url }));
  }
  try {
    // Its own first command shows whether there is a git, and its answer whether that may be too old.
    const local = await openLocal({ ...through, folder: place.folder });
    return { git: local, throughUpstream: (branch) => openClone({ ...through, local, branch }) };
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_MISSING' || error.details['version'] !== undefined)
      throw error;
    const { openReadOnly } = await import('./reader/open.ts');
    return alone(await openReadOnly({ location, folder: place.folder, env }));
  }
}

/**
 * A git directory of this machine, read through isomorphic-git; null where it is larger than `limit` bytes of packs. For an audit, which does
 * not trust the reader that wrote.
 *
 * @throws as `openReadOnly`
 */
export async function openSecondReader(
  folder: string,
  env: ProcessEnvironment,
  limit: number,
): Promise<GitRepository | null> {
  const { openReadOnly, packSize } = await import('./reader/open.ts');
  if ((await packSize(folder)) > limit) return null;
  return openReadOnly({ location: folder, folder, env });
}

/** The same for whoever works on the repository itself, not on its upstream. */
export async function openGit(options: OpenOptions): Promise<GitRepository> {
  return (await openPlace(options)).git;
}

/** The same for every way to name it: the top folder of a worktree, else the git directory; a URL as it was typed. */
export function locationOf(git: GitRepository): string {
  return git.kind === 'local' ? (git.worktree ?? git.directory) : git.location;
}
