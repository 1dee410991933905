import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SimpleGit } from 'simple-git';
import { BacktrailError, type ObjectFormat } from '../../model/index.ts';
import { gitFailure, printable } from '../process/failure.ts';
import type { Environment } from '../process/spawn.ts';
import { pastLocks } from './left-locks.ts';

/**
 * Makes and maintains our mirrors, through simple-git, which is used nowhere else (docs/decisions says why). None of its `allowUnsafe…` flags is set:
 * these commands reach no remote, so that they need none of the settings it refuses. They read no configuration but the mirror's own.
 */
export interface Maintenance {
  /** An empty bare repository in `directory`, which is there and empty. @throws GIT_FAILED */
  init(format: ObjectFormat): Promise<void>;
  /** With Bloom filters of changed paths. `split` adds a layer for new commits instead of rewriting the file. */
  writeCommitGraph(options: {
    readonly split: boolean;
    readonly onError?: (chunk: Uint8Array) => void;
  }): Promise<void>;
  collectGarbage(): Promise<void>;
}

export function createMaintenance(setup: {
  readonly directory: string;
  /** The environment that git programs run in elsewhere; only where programs and temporary files are is taken from it. */
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Aborted when the repository is closed. */
  readonly signal: AbortSignal;
}): Maintenance {
  const { directory } = setup;
  return {
    async init(format) {
      const git = await open(setup);
      const args = ['init', '--quiet', '--bare', `--object-format=${format}`, '.'];
      await git.raw(args).catch((cause: unknown) => {
        const why = printable(cause instanceof Error ? cause.message : String(cause));
        throw new BacktrailError('GIT_FAILED', `The mirror could not be made: ${why}`, { cause });
      });
      // Samples of git's own template.
      await rm(join(directory, 'hooks'), { recursive: true, force: true });
    },
    async writeCommitGraph({ split, onError }) {
      const git = await open(setup);
      if (onError) git.outputHandler((_command, _stdout, stderr) => void stderr.on('data', onError));
      const progress = onError ? '--progress' : '--no-progress';
      const args = [...COMMIT_GRAPH, progress, ...(split ? ['--split'] : [])];
      await pastLocks(directory, () =>
        git.raw(args).catch((cause: unknown) => {
          throw gitFailure({
            args,
            code: 128,
            stderr: cause instanceof Error ? cause.message : String(cause),
          });
        }),
      );
    },
    async collectGarbage() {
      await (await open(setup)).raw(CLEAN_UP);
    },
  };
}

const COMMIT_GRAPH = ['commit-graph', 'write', '--reachable', '--changed-paths'];
const CLEAN_UP = [
  ...['gc.auto=6700', 'gc.autoDetach=false', 'gc.writeCommitGraph=false'].flatMap((pair) => ['-c', pair]),
  'gc',
  '--auto',
  '--quiet',
];

const TAKEN = ['PATH', 'LD_LIBRARY_PATH', 'TMPDIR'];

/** Loaded when a mirror is made or has grown: most commands need none of it. */
async function open({
  directory,
  env,
  timeoutMs,
  signal,
}: Parameters<typeof createMaintenance>[0]): Promise<SimpleGit> {
  const { simpleGit } = await import('simple-git');
  const own: Record<string, string> = {
    ...Object.fromEntries(TAKEN.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    // No configuration of the user or the machine: it could name hooks and templates, and pass no check of simple-git.
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_DIR: directory,
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: '/dev/null',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    LC_ALL: 'C.UTF-8',
  };
  return simpleGit({
    baseDir: directory,
    abort: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    // simple-git drops each GIT_* variable that is not named here.
    allowEnvironment: Object.keys(own),
  }).env(own);
}
