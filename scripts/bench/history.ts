import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../engine/internal.ts';
import { buildLine, lines } from './lines.ts';
import { git, median, megabytes, say, time } from './measure.ts';
import { serviceName, tenantName } from './repository.ts';
import type { Bench } from './rollback.ts';

/** Our history of a service against the one `git log` that its Bloom filters answer. */
export async function benchHistory(
  engine: Engine,
  { repo, env, size, rounds }: Bench,
  { name, file }: { readonly name: string; readonly file: string },
): Promise<void> {
  const ours: number[] = [];
  const logs: number[] = [];
  for (let round = -2; round < Math.max(5, rounds / 3); round += 1) {
    const tenant = tenantName((round + 2) % size.tenants);
    const service = serviceName((round + 2) % size.services);
    const start = performance.now();
    await engine.history({ scope: `${tenant}/production/${service}`, limit: 20 });
    const elapsed = performance.now() - start;
    const path = `tenants/${tenant}/production/${service}${file}`;
    const options = ['--first-parent', '--raw', '--no-abbrev', '--format=%H', '-n', '20'];
    const log = time(() => git({ cwd: repo, env }, ['log', ...options, 'main', '--', path]));
    if (round < 0) continue;
    ours.push(elapsed);
    logs.push(log);
  }
  const [mine, theirs] = [median(ours), median(logs)];
  say(
    `${name}: ${mine.toFixed(1)} ms, one git log with Bloom filters ${theirs.toFixed(1)} ms   ${(mine / theirs).toFixed(2)} x`,
  );
}

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * History, plan and environments of whole environments, by the built command line, beside one `git log --raw` of the line and one of the
 * scope's paths. Cold: with an empty cache folder; warm: once more.
 */
export async function benchLines(options: {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly commits: number;
  readonly only: readonly string[];
}): Promise<void> {
  if (!existsSync(BUILT))
    throw new Error('`npm run build` first: the command line is measured as it is installed.');
  const { folder, env, commits, only } = options;
  for (const line of lines(commits)) {
    if (only.length > 0 && !only.includes(line.name)) continue;
    const repo = await buildLine(folder, line, env);
    const log = ['log', '--first-parent', '--raw', '--no-abbrev', '--format=%H', 'main'];
    const whole = median([0, 1, 2].map(() => time(() => git({ cwd: repo, env }, log))));
    const paths = median(
      [0, 1, 2].map(() => time(() => git({ cwd: repo, env }, [...log, '--', ...line.paths]))),
    );
    say(`${line.name}: git log --raw of the line ${ms(whole)}, of the scope's paths ${ms(paths)}`);
    for (const args of [['history', line.scope, '--limit', '1'], ['plan', line.scope], ['environments']]) {
      const cache = join(folder, 'line-cache');
      rmSync(cache, { recursive: true, force: true });
      const place = { repo, env: { ...env, XDG_CACHE_HOME: cache } };
      const [cold, warm] = [await measured(place, args), await measured(place, args)];
      say(
        `  ${(args[0] ?? '').padEnd(12)} cold ${ms(cold.wall)} (${(cold.wall / whole).toFixed(2)} x the line, ${(cold.wall / paths).toFixed(2)} x the paths), warm ${ms(warm.wall)}, at most ${megabytes(Math.max(cold.memory, warm.memory))} MB`,
      );
    }
  }
}

const ms = (milliseconds: number) => `${milliseconds.toFixed(0)} ms`;

async function measured(
  { repo, env }: { readonly repo: string; readonly env: Record<string, string> },
  args: readonly string[],
): Promise<{ readonly wall: number; readonly memory: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [BUILT, '--repo', repo, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let memory = 0;
  const sampling = setInterval(() => (memory = Math.max(memory, highWater(child.pid ?? 0))), 20);
  const ended = await once(child, 'exit');
  clearInterval(sampling);
  const code: unknown = ended[0];
  if (code !== 0 && code !== 3) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  return { wall: performance.now() - start, memory };
}

/** The most memory that a process has had, in bytes; 0 where the system does not tell. */
function highWater(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
