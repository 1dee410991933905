/** What every figure is made with: git as a plain child process, clocks, and the memory of processes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const PERSON = { name: 'Bench', email: 'bench@example.com' };

export const say = (line: string) => process.stdout.write(`${line}\n`);

/** The environment of every git here: the settings of this machine's user would be measured otherwise. */
export function benchEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C.UTF-8',
  };
}

export function git(
  place: { readonly cwd: string; readonly env: Record<string, string> },
  args: readonly string[],
) {
  return execFileSync('git', args, {
    ...place,
    encoding: 'utf8',
    maxBuffer: 1e8,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Milliseconds. */
export function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Bytes of memory that a process does not share with others; null where the system does not tell. */
export function unshared(pid: number | 'self'): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(
      /^Private_(?:Clean|Dirty):\s+(\d+) kB/gm,
    );
    return [...fields].reduce((sum, match) => sum + Number(match[1]) * 1024, 0);
  } catch {
    return null;
  }
}

/**
 * The same of everything that a process has started and that still runs, without the other side of a fetch or push: over file:// that is started
 * here as well, elsewhere it is a server's.
 */
export function unsharedOfChildren(pid: number): number {
  try {
    const threads = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const pids = threads.split(' ').filter(Boolean).map(Number).filter(isOurSide);
    return pids.reduce((sum, child) => sum + (unshared(child) ?? 0) + unsharedOfChildren(child), 0);
  } catch {
    return 0;
  }
}

const isOurSide = (pid: number) =>
  !/(receive|upload)-pack/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));

/** Seconds of CPU of a process, of what it has waited for, and of what it has started and still runs; null where the system does not tell. */
export function cpuOfAll(pid: number): number | null {
  try {
    // After the name, which may hold blanks: state is the third field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.filter(Boolean).reduce((sum, child) => sum + (cpuOfAll(Number(child)) ?? 0), own);
  } catch {
    return null;
  }
}

export const megabytes = (bytes: number | null) => (bytes === null ? '?' : (bytes / 1024 / 1024).toFixed(0));

/** Milliseconds of CPU in what bash's `times` writes: `0m0.083s 0m0.012s`. */
export const cpuIn = (text: string) =>
  [...text.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (total, [, minutes, seconds]) => total + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
