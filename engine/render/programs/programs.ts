/** Runs external renderers with restricted input, without the user's credentials, and with limits. */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { BacktrailError, type ProgramResult, type Programs, type ProgramTask } from '../../model/index.ts';
import { type Child, collectOutput, type Environment, killGroup, start } from '../../git/process/spawn.ts';
import { type Confinement, confinementOf, isInstalled, type Sandbox } from './isolation.ts';
import { type PrivateFolder, withPrivateFolder } from './folder.ts';

interface Limits {
  readonly timeMs: number;
  /** Milliseconds for all programs of one rollback. */
  readonly totalMs: number;
  /** Bytes of standard output. */
  readonly outputBytes: number;
  /** Resident bytes of the program and its children; enforced where /proc exists. */
  readonly memoryBytes: number;
  /** Number of concurrent processes. */
  readonly processes: number;
}

const LIMITS: Limits = {
  timeMs: 30_000,
  totalMs: 180_000,
  outputBytes: 32 * 1024 * 1024,
  memoryBytes: 1024 * 1024 * 1024,
  processes: 200,
};

export interface ProgramOptions {
  /** Search path for programs; relative folders are ignored. */
  readonly path: string;
  /**
   * Allowed commands of a repository's configuration: an entry of one word allows a program with any arguments, of several words exactly
   * this command. `all` if the configuration is the user's own.
   */
  readonly allowed: readonly string[] | 'all';
  /** When aborted, running programs are killed and their folders removed. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
  /** Isolation: see `confinementOf`. */
  readonly sandbox?: Sandbox;
}

export function createPrograms({
  path,
  allowed,
  signal,
  limits,
  sandbox = 'auto',
}: ProgramOptions): Programs {
  const lookup = path
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .join(':');
  let asked: Promise<Confinement> | null = null;
  const confinement = () => (asked ??= confinementOf(lookup, sandbox));
  const all: Limits = { ...LIMITS, ...limits };
  const runFor = async (task: ProgramTask, timeMs: number) => {
    const kept = await confinement();
    if (sandbox === 'require' && !kept.confined)
      throw failed(`${task.argv[0] ?? ''} would not be confined: ${kept.how}.`);
    return withPrivateFolder(task.files, (folder) =>
      run({ task, folder, kept, env: environment(lookup, folder), limits: { ...all, timeMs }, signal }),
    );
  };
  const programs: Programs = {
    allows: (argv) =>
      allowed === 'all' ||
      allowed.includes(argv[0] ?? '') ||
      (isPlain(argv) && allowed.includes(argv.join(' '))),
    run: (task) => runFor(task, all.timeMs),
    withSharedTimeLimit: () => {
      const end = performance.now() + all.totalMs;
      const within = async (task: ProgramTask) => {
        const left = end - performance.now();
        const late = `The renderings together took longer than ${all.totalMs / 1000} s.`;
        if (left <= 0) throw failed(late);
        try {
          return await runFor(task, Math.min(left, all.timeMs));
        } catch (error) {
          // Stopped by the shared time limit.
          throw left < all.timeMs && performance.now() >= end ? failed(late, error) : error;
        }
      };
      return { ...programs, run: within };
    },
    confinement,
  };
  return programs;
}

/** Arguments with spaces could be joined to the same text in several ways. */
const isPlain = (argv: readonly string[]) => argv.every((word) => /^\S+$/.test(word));

/** No credentials, proxy or configuration of the user; network access goes to a closed port. */
function environment(path: string, { home }: PrivateFolder): Environment {
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
    // Soft limit for Go's garbage collector; the hard limit is `memoryBytes`.
    GOMEMLIMIT: '512MiB',
  };
}

interface RunInput {
  readonly task: ProgramTask;
  readonly folder: PrivateFolder;
  readonly kept: Confinement;
  readonly env: Environment;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** A helper in its own session may keep the pipes open after the program ended. */
const PIPES_MS = 500;
const WATCH_MS = 50;

function run({ task, folder, kept, env, limits, signal }: RunInput): Promise<ProgramResult | null> {
  const [program = ''] = task.argv;
  if (!isInstalled(program, env['PATH'] ?? '')) return Promise.resolve(null);
  const [command = '', ...args] = kept.wrap(task.argv, folder);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(interrupted(program));
      return;
    }
    const child = start({ program: command, args, cwd: folder.tree, env });
    let stopped: BacktrailError | null = null;
    const stop = (reason: BacktrailError) => {
      stopped ??= reason;
      killGroup(child);
    };
    const timer = setTimeout(
      () => stop(failed(`${program} took longer than ${limits.timeMs / 1000} s.`)),
      limits.timeMs,
    );
    const watch = watchResources(child, ({ bytes, processes }) => {
      if (bytes > limits.memoryBytes)
        stop(failed(`${program} used more than ${megabytes(limits.memoryBytes)} of memory.`));
      if (processes > limits.processes)
        stop(failed(`${program} started more than ${limits.processes} processes.`));
    });
    const abort = () => stop(interrupted(program));
    signal.addEventListener('abort', abort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      clearInterval(watch);
      signal.removeEventListener('abort', abort);
    };
    const output = collectOutput(child, limits.outputBytes, () =>
      stop(failed(`${program} printed more than ${megabytes(limits.outputBytes)}.`)),
    );
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
      const { stdout, stderr } = output();
      if (stopped !== null) reject(stopped);
      else
        resolve({
          code: code ?? 128,
          stdout,
          stderr: stderr.replaceAll(`${folder.tree}/`, '').replaceAll(folder.tree, '.'),
        });
    });
    child.stdin.end();
  });
}

interface ResourceUse {
  readonly bytes: number;
  readonly processes: number;
}

function watchResources({ pid }: Child, look: (use: ResourceUse) => void): NodeJS.Timeout {
  let busy = false;
  const once = async () => {
    if (busy || pid === undefined) return;
    busy = true;
    look(await resourceUse(pid));
    busy = false;
  };
  return setInterval(() => void once(), WATCH_MS);
}

/** Maximum number of processes counted; more exceed the limit anyway. */
const MAX_COUNTED = 1000;

/** Resident memory of a process and its descendants, from /proc; 0 if there is no /proc. */
async function resourceUse(pid: number): Promise<ResourceUse> {
  const found = new Set([pid]);
  let bytes = 0;
  for (const each of found) {
    if (found.size > MAX_COUNTED) break;
    const status = await readFile(`/proc/${each}/status`, 'latin1').catch(() => '');
    bytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    const children = await readFile(`/proc/${each}/task/${each}/children`, 'latin1').catch(() => '');
    for (const child of children.split(' ').filter(Boolean)) found.add(Number(child));
  }
  return { bytes, processes: found.size };
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

const failed = (message: string, cause?: unknown) =>
  new BacktrailError('RENDER_FAILED', message, cause === undefined ? {} : { cause });

const interrupted = (program: string) =>
  new BacktrailError('INTERRUPTED', `${program} was stopped: the repository was closed.`);
