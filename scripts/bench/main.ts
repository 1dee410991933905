/** `npm run bench [-- --size r2] [-- --keep FOLDER]`: everything side by side in one run, as ratios. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  confirmPlan,
  type Engine,
  makeRequestId,
  openEngine,
  type RollbackResult,
} from '../../engine/index.ts';
import { buildRepository, CONFIG_TWO_PATTERNS, serviceName, SIZES, tenantName } from './repository.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'r1' },
    rounds: { type: 'string', default: '21' },
    keep: { type: 'string' },
  },
});
const size = SIZES[values.size] ?? unknownSize();
const rounds = Number(values.rounds);
const folder =
  values.keep === undefined ? mkdtempSync(join(tmpdir(), 'backtrail-bench-')) : resolve(values.keep);
const repo = join(folder, `${values.size}.git`);
const env: Record<string, string> = {
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  GIT_CONFIG_NOSYSTEM: '1',
  LC_ALL: 'C.UTF-8',
};
const PERSON = { name: 'Bench', email: 'bench@example.com' };

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  try {
    if (!existsSync(join(repo, 'bench-complete'))) {
      say(
        `building ${values.size}: ${size.tenants * 3 * size.services * 3} files, ${size.commits} commits …`,
      );
      await buildRepository(repo, size, env);
    }
    const clock = {
      now: () => Date.now(),
      sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
    };
    const open = (config?: string) =>
      openEngine({
        repo,
        env,
        cacheFolder: join(folder, 'cache'),
        committer: PERSON,
        clock,
        ...(config !== undefined && { config: { name: 'bench', text: config } }),
      });
    const engine = await open();
    const two = await open(CONFIG_TWO_PATTERNS);
    try {
      await benchRollback(engine);
      await benchHistory(engine, 'history, newest 20 of a service', 1);
      await benchHistory(two, 'history, the same with two patterns a service', 2);
      say(
        `resident memory: this process ${megabytes(rss('self'))} MB, its git children ${megabytes(children())} MB`,
      );
    } finally {
      await engine.close();
      await two.close();
    }
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Rollback, raw fast-import and the user's way take turns, so that a slow moment of the machine meets all of them. */
async function benchRollback(engine: Engine): Promise<void> {
  const ours: number[] = [];
  const execution: number[] = [];
  const raw: number[] = [];
  const user: number[] = [];
  const worktree = join(folder, 'worktree');
  rmSync(worktree, { recursive: true, force: true });
  const cloning = time(() => git(folder, ['clone', '--quiet', '--shared', repo, worktree]));
  for (let round = -3; round < rounds; round += 1) {
    const number = round + 3;
    const scope = `${tenantName((number * 7) % size.tenants)}/production/${serviceName(number % size.services)}`;
    const base = git(repo, ['rev-parse', 'main']).trim();
    const start = performance.now();
    const planned = await engine.plan({ scope }).catch(() => null);
    if (planned === null || planned.plan.files.length === 0) continue;
    const now = Date.now();
    const request = confirmPlan(planned, {
      id: makeRequestId(now, new Uint8Array(10).fill(number)),
      reason: 'Benchmark',
      author: PERSON,
      now,
    });
    const middle = performance.now();
    const result = await engine.execute(request);
    const end = performance.now();
    const rawTime = time(() => rawImport(result, base));
    const userTime = time(() => usersWay(worktree, { path: `tenants/${scope}`, target: result.target }));
    if (round < 0) continue;
    ours.push(end - start);
    execution.push(end - middle);
    raw.push(rawTime);
    user.push(userTime);
  }
  const reference = median(raw);
  say(`one service rollback, warm, median of ${ours.length}:`);
  say(`  raw git fast-import, core.fsync=all   ${reference.toFixed(1)} ms   1.00 x`);
  for (const [name, times] of [
    ['confirmed plan to published ref', execution],
    ['with history and plan before it', ours],
    ['the user: checkout and commit', user],
  ] as const) {
    say(`  ${name.padEnd(37)} ${median(times).toFixed(1)} ms   ${(median(times) / reference).toFixed(2)} x`);
  }
  say(`  (the user's clone took ${(cloning / 1000).toFixed(1)} s before)`);
}

/** The commit that the engine made, made again by one plain process on a ref of its own. */
function rawImport({ commit, target }: RollbackResult, base: string): void {
  if (commit === null) throw new Error('The rollback made no commit.');
  const [change = ''] = git(repo, ['diff-tree', '-r', '--no-commit-id', '--name-only', base, commit]).split(
    '\n',
  );
  const path = change.split('/').slice(0, 4).join('/');
  const tree = git(repo, ['rev-parse', `${target}:${path}`]).trim();
  const stream = `commit refs/bench/raw\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 6\nBench\n\nfrom ${base}\nM 040000 ${tree} ${path}\n`;
  const start = performance.now();
  const done = spawnSync('git', ['-c', 'core.fsync=all', 'fast-import', '--quiet', '--force'], {
    cwd: repo,
    env,
    input: stream,
  });
  lastRaw = performance.now() - start;
  if (done.status !== 0) throw new Error(done.stderr.toString());
}

let lastRaw = 0;

function usersWay(worktree: string, { path, target }: { path: string; target: string }): void {
  git(worktree, ['checkout', '--quiet', target, '--', path]);
  git(worktree, [
    '-c',
    'user.name=U',
    '-c',
    'user.email=u@example.com',
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    'Roll back',
  ]);
}

async function benchHistory(engine: Engine, name: string, patterns: number): Promise<void> {
  const ours: number[] = [];
  const logs: number[] = [];
  for (let round = -2; round < Math.max(5, rounds / 3); round += 1) {
    const tenant = tenantName((round + 2) % size.tenants);
    const service = serviceName((round + 2) % size.services);
    const start = performance.now();
    await engine.history({ scope: `${tenant}/production/${service}`, limit: 20 });
    const elapsed = performance.now() - start;
    const path = `tenants/${tenant}/production/${service}${patterns === 2 ? '/service.yaml' : ''}`;
    const log = time(() =>
      git(repo, [
        'log',
        '--first-parent',
        '--raw',
        '--no-abbrev',
        '--format=%H',
        '-n',
        '20',
        'main',
        '--',
        path,
      ]),
    );
    if (round < 0) continue;
    ours.push(elapsed);
    logs.push(log);
  }
  say(
    `${name}: ${median(ours).toFixed(1)} ms, one git log with Bloom filters ${median(logs).toFixed(1)} ms   ${(median(ours) / median(logs)).toFixed(2)} x`,
  );
}

function unknownSize(): never {
  throw new Error(`--size is one of ${Object.keys(SIZES).join(', ')}`);
}

function git(cwd: string, args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 1e8,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Milliseconds; where the work times its own inner part, that. */
function time(work: () => void): number {
  lastRaw = 0;
  const start = performance.now();
  work();
  return lastRaw || performance.now() - start;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const megabytes = (kilobytes: number) => (kilobytes / 1024).toFixed(0);

/** Resident kilobytes of a process that it does not share with others, where the system tells. */
function rss(pid: string): number {
  try {
    const fields = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(
      /^Private_(?:Clean|Dirty):\s+(\d+) kB/gm,
    );
    return [...fields].reduce((sum, match) => sum + Number(match[1]), 0);
  } catch {
    return process.memoryUsage().rss / 1024;
  }
}

function children(): number {
  try {
    const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean);
    return pids.reduce((sum, pid) => sum + rss(pid), 0);
  } catch {
    return 0;
  }
}

await main();
