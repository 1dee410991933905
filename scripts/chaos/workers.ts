/** Workers of the built command line, each a host of its own: started again when they end, killed on demand. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { environmentOf } from '../people.ts';

export const WITH_PARENT = fileURLToPath(new URL('with-parent.mjs', import.meta.url));

interface Host {
  readonly name: string;
  readonly cacheHome: string;
  /** Its clock, ahead of this machine's. */
  readonly clockMs: number;
  /** The cache is a file system of so many bytes. */
  readonly diskBytes: number | null;
}

export interface Workers {
  readonly hosts: readonly Host[];
  /** kill -9. */
  kill(pick: number): void;
  /** A worker with a small disk, which is full from now on; gives what makes room again. Null where there is none. */
  fillDisk(): (() => void) | null;
  /** Folders of mirrors, where they can be seen from here. */
  mirrors(): string[];
  /** Ends all in order. Gives what went wrong, in their own time too. */
  stop(): Promise<readonly string[]>;
}

const SKEW_MS = 90_000;

/** bubblewrap gives a process a file system of a fixed size without being root. */
export const hasSmallDisks = (): boolean =>
  spawnSync('bwrap', ['--dev-bind', '/', '/', '--size', '1000000', '--tmpfs', '/tmp', 'true']).status === 0;

export function startWorkers({
  folder,
  count,
  program,
  repo,
  redisUrl,
  allowedSigners,
  diskBytes,
}: {
  readonly folder: string;
  readonly count: number;
  readonly program: string;
  readonly repo: string;
  readonly redisUrl: string;
  readonly allowedSigners: string;
  readonly diskBytes: number | null;
}): Workers {
  const problems: string[] = [];
  const children = new Map<Host, ChildProcess>();
  const killed = new WeakSet<ChildProcess>();
  let stopping = false;
  const hosts = Array.from({ length: count }, (_, index) => hostOf(folder, index, diskBytes));

  const start = (host: Host) => {
    const home = join(folder, `home-${host.name}`);
    const env = {
      ...environmentOf(home),
      XDG_CACHE_HOME: host.cacheHome,
      REDIS_URL: redisUrl,
      BACKTRAIL_ALLOWED_SIGNERS: allowedSigners,
      CHAOS_CLOCK_MS: String(host.clockMs),
    };
    mkdirSync(host.cacheHome, { recursive: true });
    const command = [
      process.execPath,
      '--import',
      WITH_PARENT,
      program,
      '--repo',
      repo,
      'worker',
      '--name',
      host.name,
    ];
    const small = ['bwrap', '--die-with-parent', '--dev-bind', '/', '/'];
    const disk = ['--size', String(host.diskBytes), '--tmpfs', host.cacheHome];
    const [file = '', ...args] = host.diskBytes === null ? command : [...small, ...disk, ...command];
    const log = openSync(join(folder, `${host.name}.log`), 'a');
    const child = spawn(file, args, { env, stdio: ['pipe', log, log], cwd: home });
    child.stdin?.on('error', () => undefined);
    children.set(host, child);
    child.on('exit', (code, signal) => {
      if (stopping) return;
      if (!killed.has(child)) problems.push(`${host.name} ended by itself: ${code ?? signal}`);
      setTimeout(() => stopping || start(host), 300);
    });
  };
  for (const host of hosts) start(host);

  const pidOf = (host: Host): number | null => {
    const pid = children.get(host)?.pid;
    if (pid === undefined || host.diskBytes === null) return pid ?? null;
    try {
      return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]) || null;
    } catch {
      return null;
    }
  };
  const seenFrom = (host: Host): string =>
    host.diskBytes === null ? host.cacheHome : `/proc/${pidOf(host)}/root${host.cacheHome}`;

  return {
    hosts,
    kill(pick) {
      const host = hosts[pick % hosts.length];
      const child = host && children.get(host);
      const pid = host && pidOf(host);
      if (!child || !pid || child.exitCode !== null) return;
      killed.add(child);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    },
    fillDisk() {
      const host = hosts.find((each) => each.diskBytes !== null);
      if (!host?.diskBytes) return null;
      const ballast = join(seenFrom(host), 'ballast');
      fillUp(ballast, host.diskBytes);
      return () => rmSync(ballast, { force: true });
    },
    mirrors: () =>
      hosts.flatMap((host) => {
        const mirrors = join(seenFrom(host), 'backtrail/mirrors');
        try {
          return readdirSync(mirrors)
            .filter((name) => /^[0-9a-f]+\.git$/.test(name))
            .map((name) => join(mirrors, name));
        } catch {
          return [];
        }
      }),
    async stop() {
      stopping = true;
      const ends = [...children].map(async ([host, child]) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        const pid = pidOf(host);
        if (pid !== null) process.kill(pid, 'SIGTERM');
        const late = sleep(30_000, 'late', { ref: false });
        const [code] = await Promise.race([gone, late]).then((end) => (end === 'late' ? [null] : end));
        if (code !== 0) problems.push(`${host.name} did not end in order: ${String(code)}`);
        if (child.exitCode === null) child.kill('SIGKILL');
      });
      await Promise.all(ends);
      return problems;
    },
  };
}

/** The first and every second one after it share a cache and a clock; the others are hosts of their own. */
function hostOf(folder: string, index: number, diskBytes: number | null): Host {
  const name = `worker-${index}`;
  const isShared = index % 2 === 0;
  return {
    name,
    cacheHome: join(folder, isShared ? 'cache-shared' : `cache-${index}`),
    clockMs: isShared ? SKEW_MS : -SKEW_MS,
    diskBytes: isShared ? null : diskBytes,
  };
}

/** Nothing fits on it afterwards. */
function fillUp(path: string, bytes: number): void {
  for (const size of [bytes, 2 ** 20, 2 ** 12].map((each) => Math.max(1, each)))
    try {
      const piece = Buffer.alloc(Math.min(size, 2 ** 20));
      for (let left = bytes; left > 0; left -= piece.length) writeFileSync(path, piece, { flag: 'a' });
    } catch {
      // Full, or the worker is gone.
    }
}
