/** Runs renderers that are programs of others: with little to see, nothing of the user's to use, and limits. */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { BacktrailError, type ProgramResult, type Programs, type ProgramTask } from '../model/index.ts';
import { type Child, type Environment, killGroup, start } from '../git/spawn.ts';
import { type Folder, inFolder } from './folder.ts';

export interface Limits {
  readonly timeMs: number;
  /** Bytes of standard output. */
  readonly outputBytes: number;
  /** Resident bytes of the program itself, watched where the system has /proc. */
  readonly memoryBytes: number;
}

const LIMITS: Limits = { timeMs: 30_000, outputBytes: 32 * 1024 * 1024, memoryBytes: 1024 * 1024 * 1024 };

export interface ProgramOptions {
  /** Where programs are looked up; relative folders in it are left out. */
  readonly path: string;
  /**
   * What commands of a repository's configuration may run: one word is a program with any arguments, several are exactly this
   * command. `all` where the configuration is the user's own.
   */
  readonly allowed: readonly string[] | 'all';
  /** Aborted: what runs is ended, and its folder removed. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
}

export function createPrograms({ path, allowed, signal, limits }: ProgramOptions): Programs {
  const lookup = path
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .join(':');
  return {
    allows: (argv) =>
      allowed === 'all' ||
      allowed.includes(argv[0] ?? '') ||
      (isPlain(argv) && allowed.includes(argv.join(' '))),
    run: (task) =>
      inFolder(task.files, (folder) =>
        run({ task, folder, env: environment(lookup, folder), limits: { ...LIMITS, ...limits }, signal }),
      ),
  };
}

/** Words with blanks in them could be put together in several ways. */
const isPlain = (argv: readonly string[]) => argv.every((word) => /^\S+$/.test(word));

/** No credentials, no proxy, no configuration of the user's; whoever tries the network all the same meets a closed port. */
function environment(path: string, { home }: Folder): Environment {
  const nowhere = 'http://127.0.0.1:9';
  return {
    PATH: path,
    HOME: home,
    TMPDIR: home,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_TERMINAL_PROMPT: '0',
    // Go collects its garbage harder from here on; the hard limit is watched.
    GOMEMLIMIT: '512MiB',
  };
}

interface Running {
  readonly task: ProgramTask;
  readonly folder: Folder;
  readonly env: Environment;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

const STDERR_LIMIT = 64 * 1024;
/** A helper in a session of its own may hold the pipes open after the program has ended. */
const PIPES_MS = 500;
const WATCH_MS = 50;

function run({ task, folder, env, limits, signal }: Running): Promise<ProgramResult | null> {
  const [program = '', ...args] = task.argv;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(interrupted(program));
      return;
    }
    const child = start({ program, args, cwd: folder.tree, env });
    const stdout: Buffer[] = [];
    let stderr = '';
    let size = 0;
    let stopped: BacktrailError | null = null;
    const stop = (reason: BacktrailError) => {
      stopped ??= reason;
      killGroup(child);
    };
    const timer = setTimeout(
      () => stop(failed(`${program} took longer than ${limits.timeMs / 1000} s.`)),
      limits.timeMs,
    );
    const watch = watchMemory(child, limits.memoryBytes, () =>
      stop(failed(`${program} used more than ${megabytes(limits.memoryBytes)} of memory.`)),
    );
    const abort = () => stop(interrupted(program));
    signal.addEventListener('abort', abort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      clearInterval(watch);
      signal.removeEventListener('abort', abort);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limits.outputBytes) stdout.push(chunk);
      else stop(failed(`${program} printed more than ${megabytes(limits.outputBytes)}.`));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = `${stderr}${text}`.slice(-STDERR_LIMIT);
    });
    child.on('error', (error) => {
      settle();
      if ('code' in error && error.code === 'ENOENT') resolve(null);
      else reject(failed(`${program} could not be started.`, error));
    });
    child.on('exit', () => {
      killGroup(child);
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, PIPES_MS).unref();
    });
    child.on('close', (code) => {
      settle();
      if (stopped !== null) reject(stopped);
      else
        resolve({
          code: code ?? 128,
          stdout: Buffer.concat(stdout),
          stderr: stderr.replaceAll(`${folder.tree}/`, '').replaceAll(folder.tree, '.'),
        });
    });
    child.stdin.end();
  });
}

function watchMemory({ pid }: Child, limit: number, exceeded: () => void): NodeJS.Timeout {
  const look = async () => {
    const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    if (kilobytes * 1024 > limit) exceeded();
  };
  return setInterval(() => void look(), WATCH_MS);
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

const failed = (message: string, cause?: unknown) =>
  new BacktrailError('RENDER_FAILED', message, cause === undefined ? {} : { cause });

const interrupted = (program: string) =>
  new BacktrailError('INTERRUPTED', `${program} was stopped: the repository was closed.`);
