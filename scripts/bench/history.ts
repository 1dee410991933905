import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../engine/internal.ts';
import { buildLine, lines } from './lines.ts';
import { cpuIn, git, median, megabytes, say, time } from './measure.ts';
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
 * scope's paths. Cold: with an empty cache folder; warm: once more. CPU of everything that is started; seconds pass as the machine likes.
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
  const cache = join(folder, 'line-cache');
  for (const line of lines(commits)) {
    if (only.length > 0 && !only.includes(line.name)) continue;
    const repo = await buildLine(folder, line, env);
    const run = (program: string, args: readonly string[]) =>
      measured({ cwd: repo, env: { ...env, XDG_CACHE_HOME: cache } }, [program, ...args]);
    const log = ['log', '--first-parent', '--raw', '--no-abbrev', '--format=%H', 'main'];
    const whole = await run('git', log);
    const paths = await run('git', [...log, '--', ...line.paths]);
    say(`${line.name}: git log --raw of the line ${told(whole)}, of the scope's paths ${told(paths)}`);
    for (const args of [['history', line.scope, '--limit', '1'], ['plan', line.scope], ['environments']]) {
      rmSync(cache, { recursive: true, force: true });
      const ours = () => run(process.execPath, [BUILT, ...args]);
      const [cold, warm] = [await ours(), await ours()];
      const ratio = `${(cold.cpu / whole.cpu).toFixed(2)} x the line, ${(cold.cpu / paths.cpu).toFixed(2)} x the paths`;
      const memory = `at most ${megabytes(Math.max(cold.memory, warm.memory))} MB`;
      say(`  ${(args[0] ?? '').padEnd(12)} cold ${told(cold)} (${ratio}), warm ${told(warm)}, ${memory}`);
    }
  }
}

interface Measured {
  /** Milliseconds. */
  readonly cpu: number;
  readonly wall: number;
  /** The most that the process itself has had, in bytes; 0 where the system does not tell. */
  readonly memory: number;
}

const told = ({ cpu, wall }: Measured) => `${cpu.toFixed(0)} ms of CPU (${wall.toFixed(0)} ms)`;

async function measured(
  place: { readonly cwd: string; readonly env: Record<string, string> },
  command: readonly string[],
): Promise<Measured> {
  const script = '"$@" >/dev/null & echo $!; wait $!; code=$?; times; exit $code';
  const start = performance.now();
  const shell = spawn('bash', ['-c', script, 'bash', ...command], {
    ...place,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  let memory = 0;
  const sampling = setInterval(() => (memory = Math.max(memory, highWater(Number.parseInt(output, 10)))), 20);
  const ended = await once(shell, 'close');
  clearInterval(sampling);
  const code: unknown = ended[0];
  if (code !== 0 && code !== 3) throw new Error(`${command.join(' ')} ended with ${String(code)}`);
  return { cpu: cpuIn(output), wall: performance.now() - start, memory };
}

function highWater(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
