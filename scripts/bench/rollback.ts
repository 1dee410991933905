import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  confirmPlan,
  type Engine,
  makeRequestId,
  type Planned,
  type RollbackRequest,
  type RollbackResult,
} from '../../engine/internal.ts';
import { git, median, PERSON, say, time } from './measure.ts';
import { serviceName, type Size, tenantName } from './repository.ts';

export interface Bench {
  readonly folder: string;
  readonly repo: string;
  readonly size: Size;
  readonly env: Record<string, string>;
  readonly rounds: number;
}

/** Rollback, raw fast-import and the user's way take turns, so that a slow moment of the machine meets all of them. */
export async function benchRollback(engine: Engine, bench: Bench): Promise<void> {
  const { folder, repo, size, env } = bench;
  const ours: number[] = [];
  const execution: number[] = [];
  const raw: number[] = [];
  const user: number[] = [];
  const worktree = join(folder, 'worktree');
  rmSync(worktree, { recursive: true, force: true });
  const cloning = time(() =>
    git({ cwd: folder, env }, ['clone', '--quiet', '--shared', '--branch', 'main', repo, worktree]),
  );
  for (
    let number = 0, measured = -WARM_UP;
    measured < bench.rounds && number < 10 * bench.rounds;
    number += 1
  ) {
    const scope = `${tenantName((number * 7) % size.tenants)}/production/${serviceName(number % size.services)}`;
    const base = git({ cwd: repo, env }, ['rev-parse', 'main']).trim();
    const start = performance.now();
    // Not every service has an earlier revision.
    const planned = await engine.plan({ scope }).catch(() => null);
    if (planned === null || planned.plan.files.length === 0) continue;
    const request = confirmed(planned);
    const middle = performance.now();
    const result = await engine.execute(request);
    const end = performance.now();
    const rawTime = rawImport(bench, result, base);
    const userTime = time(() =>
      usersWay({ cwd: worktree, env }, { path: `tenants/${scope}`, target: result.target }),
    );
    measured += 1;
    if (measured <= 0) continue;
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

const WARM_UP = 3;

export function confirmed(planned: Planned): RollbackRequest {
  const now = Date.now();
  return confirmPlan(planned, {
    id: makeRequestId(now, crypto.getRandomValues(new Uint8Array(10))),
    reason: 'Benchmark',
    author: PERSON,
    now,
  });
}

/** The commit that the engine made, made again by one plain process on a ref of its own; milliseconds of that process. */
function rawImport({ repo, env }: Bench, { commit, target }: RollbackResult, base: string): number {
  if (commit === null) throw new Error('The rollback made no commit.');
  const place = { cwd: repo, env };
  const changed = git(place, ['diff-tree', '-r', '--no-commit-id', '--name-only', base, commit]);
  const path = changed.split('\n', 1)[0]?.split('/').slice(0, 4).join('/') ?? '';
  const tree = git(place, ['rev-parse', `${target}:${path}`]).trim();
  const stream = `commit refs/bench/raw\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 6\nBench\n\nfrom ${base}\nM 040000 ${tree} ${path}\n`;
  const args = ['-c', 'core.fsync=all', 'fast-import', '--quiet', '--force'];
  const start = performance.now();
  const done = spawnSync('git', args, { ...place, input: stream });
  const elapsed = performance.now() - start;
  if (done.status !== 0) throw new Error(done.stderr.toString());
  return elapsed;
}

function usersWay(
  place: { readonly cwd: string; readonly env: Record<string, string> },
  { path, target }: { readonly path: string; readonly target: string },
): void {
  git(place, ['checkout', '--quiet', target, '--', path]);
  const identity = ['-c', 'user.name=U', '-c', 'user.email=u@example.com'];
  git(place, [...identity, 'commit', '--quiet', '--allow-empty', '-m', 'Roll back']);
}
