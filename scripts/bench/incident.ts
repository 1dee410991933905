/**
 * An incident as a person has it: `backtrail incident --yes` as it is installed, one real worker, a real queue. From the start of the command
 * until all are completed and shown.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git, megabytes, say, unshared, unsharedOfChildren } from './measure.ts';
import { changedScopes } from './repository.ts';
import type { Bench } from './rollback.ts';

export const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Whoever commits here. */
export const NAMED = {
  GIT_AUTHOR_NAME: 'B',
  GIT_AUTHOR_EMAIL: 'b@example.com',
  GIT_COMMITTER_NAME: 'B',
  GIT_COMMITTER_EMAIL: 'b@example.com',
};

/** An incident of so many, locally and over file://. */
export async function benchIncident(bench: Bench, count: number, url: string): Promise<void> {
  for (const isRemote of [false, true]) await benchPlace(bench, { count, url, isRemote });
}

interface Place {
  readonly count: number;
  readonly url: string;
  readonly isRemote: boolean;
}

async function benchPlace({ folder, repo, size, env }: Bench, { count, url, isRemote }: Place) {
  const copy = join(folder, `incident-${isRemote ? 'remote' : 'local'}.git`);
  const cache = `${copy}-cache`;
  for (const path of [copy, cache]) rmSync(path, { recursive: true, force: true });
  git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', repo, copy]);
  git({ cwd: copy, env }, ['config', 'core.logAllRefUpdates', 'true']);
  const file = `${copy}.yaml`;
  const location = isRemote ? `file://${copy}` : copy;
  const scopes = changedScopes(size, count);
  const rollbacks = scopes.map((scope) => `  - { scope: ${scope} }`).join('\n');
  const text = (id: string) =>
    `id: ${id}\nreason: Benchmark\nrepo: ${location}\nonFailure: continue\nrollbacks:\n${rollbacks}\n`;
  const run = {
    ...env,
    REDIS_URL: url,
    XDG_CACHE_HOME: cache,
    ...NAMED,
  };
  const worker = start(run, ['worker'], process.env['BENCH_LOG'] === undefined ? 'ignore' : 'inherit');
  const most = watchMemory(worker);
  try {
    writeFileSync(file, text('bench'));
    // The index of the line, which the second time finds.
    const cold = await timed(() =>
      finished(start(run, ['incident', file, '--dry-run', '-o', 'json'], 'ignore')),
    );
    const before = git({ cwd: copy, env }, ['rev-parse', 'main']).trim();
    const workerBefore = cpuOf(worker.pid);
    const incident = start(run, ['incident', file, '--yes', '-o', 'json'], 'pipe');
    let output = '';
    incident.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    let incidentCpu = 0;
    const sampling = setInterval(() => (incidentCpu = cpuOf(incident.pid) || incidentCpu), 50);
    const took = await timed(() => finished(incident));
    clearInterval(sampling);
    const parsed: { rollbacks: { status: string }[] } = JSON.parse(output);
    const completed = parsed.rollbacks.filter(({ status }) => status === 'completed').length;
    const moves = git({ cwd: copy, env }, ['reflog', 'show', '--format=%H', 'main'])
      .trim()
      .split('\n').length;
    const commits = Number(git({ cwd: copy, env }, ['rev-list', '--count', `${before}..main`]));
    say(`incident of ${scopes.length}, ${isRemote ? 'a remote over file://' : 'a local repository'}:`);
    say(`  --dry-run first, with nothing in the cache: ${seconds(cold)}`);
    say(
      `  --yes until all are completed: ${seconds(took)}; CPU of the command ${seconds(incidentCpu)}, of the worker ${seconds(cpuOf(worker.pid) - workerBefore)}`,
    );
    say(
      `  ${completed} completed, ${commits} commits, the branch moved ${moves} times; worker and its gits ${megabytes(most())} MB at most`,
    );
  } finally {
    worker.kill();
    await once(worker, 'exit');
  }
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

function start(
  env: Record<string, string>,
  args: string[],
  stdout: 'ignore' | 'pipe' | 'inherit',
): ChildProcess {
  return spawn(
    process.execPath,
    [...(process.env['BENCH_NODE'] ?? '').split(' ').filter(Boolean), BUILT, ...args],
    {
      env,
      stdio: ['ignore', stdout, process.env['BENCH_LOG'] === undefined ? 'ignore' : 'inherit'],
    },
  );
}

async function finished(child: ChildProcess): Promise<void> {
  await once(child, 'exit');
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** The most that it and what it starts had at once. */
function watchMemory({ pid = 0 }: ChildProcess): () => number {
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, (unshared(pid) ?? 0) + unsharedOfChildren(pid));
  }, 200);
  sampling.unref();
  return () => {
    clearInterval(sampling);
    return most;
  };
}

/** Milliseconds of CPU of a process that runs, and of what it has started and waited for. */
function cpuOf(pid = 0): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const own = [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0) * 10, 0);
    const threads = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return threads
      .split(' ')
      .filter(Boolean)
      .reduce((sum, child) => sum + cpuOf(Number(child)), own);
  } catch {
    return 0;
  }
}
