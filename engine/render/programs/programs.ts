/** Runs renderers that are programs of others: with little to see, nothing of the user's to use, and limits. */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { BacktrailError, type ProgramResult, type Programs, type ProgramTask } from '../../model/index.ts';
import { type Child, type Environment, killGroup, start } from '../../git/process/spawn.ts';
import { type Confinement, confinementOf, isInstalled, type Sandbox } from './confine.ts';
import { type Folder, inFolder } from './folder.ts';

export interface Limits {
  readonly timeMs: number;
  /** Of all programs that one rollback runs. */
  readonly totalMs: number;
  /** Bytes of standard output. */
  readonly outputBytes: number;
  /** Resident bytes of the program and its children, watched where the system has /proc. */
  readonly memoryBytes: number;
  /** Processes at a time. */
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
  /** Whether what runs is confined: see `confinementOf`. */
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
    return inFolder(task.files, (folder) =>
      run({ task, folder, kept, env: environment(lookup, folder), limits: { ...all, timeMs }, signal }),
    );
  };
  const programs: Programs = {
    allows: (argv) =>
      allowed === 'all' ||
      allowed.includes(argv[0] ?? '') ||
      (isPlain(argv) && allowed.includes(argv.join(' '))),
    run: (task) => runFor(task, all.timeMs),
    together: () => {
      const end = performance.now() + all.totalMs;
      const within = async (task: ProgramTask) => {
        const left = end - performance.now();
        const late = `The renderings together took longer than ${all.totalMs / 1000} s.`;
        if (left <= 0) throw failed(late);
        try {
          return await runFor(task, Math.min(left, all.timeMs));
        } catch (error) {
          // Cut short by what was left for all of them.
          throw left < all.timeMs && performance.now() >= end ? failed(late, error) : error;
        }
      };
      return { ...programs, run: within };
    },
    confinement,
  };
  return programs;
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
  readonly kept: Confinement;
  readonly env: Environment;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

const STDERR_LIMIT = 64 * 1024;
/** A helper in a session of its own may hold the pipes open after the program has ended. */
const PIPES_MS = 500;
const WATCH_MS = 50;

function run({ task, folder, kept, env, limits, signal }: Running): Promise<ProgramResult | null> {
  const [program = ''] = task.argv;
  if (!isInstalled(program, env['PATH'] ?? '')) return Promise.resolve(null);
  const [command = '', ...args] = kept.wrap(task.argv, folder);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(interrupted(program));
      return;
    }
    const child = start({ program: command, args, cwd: folder.tree, env });
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
    const watch = watchUse(child, ({ bytes, processes }) => {
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

interface Use {
  readonly bytes: number;
  readonly processes: number;
}

function watchUse({ pid }: Child, look: (use: Use) => void): NodeJS.Timeout {
  let busy = false;
  const once = async () => {
    if (busy || pid === undefined) return;
    busy = true;
    look(await useOf(pid));
    busy = false;
  };
  return setInterval(() => void once(), WATCH_MS);
}

/** Processes that are counted: more are too many anyway. */
const COUNTED = 1000;

/** Resident memory of a process and all that it started, by /proc; nothing where the system has none. */
async function useOf(pid: number): Promise<Use> {
  const found = new Set([pid]);
  let bytes = 0;
  for (const each of found) {
    if (found.size > COUNTED) break;
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
