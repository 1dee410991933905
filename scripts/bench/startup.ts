import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFixturesRepo } from '../build-fixtures-repo.ts';
import { benchEnvironment, cpuIn, median, say } from './measure.ts';

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const GATEWAY = 'acme/production/api-gateway';

const COMMANDS: readonly (readonly string[])[] = [
  ['--version'],
  ['--help'],
  ['plan', '--bogus'],
  ['environments'],
  ['history', GATEWAY],
  ['plan', GATEWAY],
  ['request', 'list'],
  ['rollback', GATEWAY, '--reason', 'bench', '--yes'],
];

/**
 * What a start costs: CPU (user and system, all threads, start and end of the process included) as a multiple of a bare `node -e 0`,
 * that of its gits apart, and how many of them there are. All of it takes turns on the demo's repository; medians.
 */
export async function benchStartup(rounds: number): Promise<void> {
  if (!existsSync(BUILT))
    throw new Error('`npm run build` first: the command line is measured as it is installed.');
  const folder = mkdtempSync(join(tmpdir(), 'backtrail-bench-startup-'));
  try {
    const place = await makePlace(folder);
    const bare: number[] = [];
    const figures = COMMANDS.map((args) => ({ args, all: [] as number[], gits: [] as number[], count: 0 }));
    for (let round = 0; round < rounds; round += 1) {
      bare.push(cpuOf(place, ['-e', '0']));
      for (const figure of figures) {
        figure.all.push(cpuOf(place, [BUILT, ...figure.args]));
        const { cpu, count } = gitsOf(place, [BUILT, ...figure.args]);
        figure.gits.push(cpu);
        figure.count = count;
      }
    }
    const one = median(bare);
    say(`node -e 0: 1.00 × (${one.toFixed(0)} ms of CPU)`);
    for (const { args, all, gits, count } of figures) {
      const [own, git] = [median(all) - median(gits), median(gits)];
      const times = (ms: number) => `${(ms / one).toFixed(2)} × (${ms.toFixed(0)} ms)`;
      say(`${args.slice(0, 2).join(' ')}: ${times(own)}, and ${count} processes of git, ${times(git)}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly folder: string;
  /** As the demo begins. */
  readonly repo: string;
  readonly env: Readonly<Record<string, string>>;
}

async function makePlace(folder: string): Promise<Place> {
  const repo = join(folder, 'repo');
  await buildFixturesRepo(repo);
  // A `git` that notes what the real one costs.
  mkdirSync(join(folder, 'bin'));
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/bash\nprintf x >> "$GITS.count"\n'${real}' "$@"\ncode=$?\ntimes >> "$GITS"\nexit $code\n`;
  writeFileSync(join(folder, 'bin/git'), script, { mode: 0o755 });
  const person = { GIT_AUTHOR_NAME: 'Bench', GIT_AUTHOR_EMAIL: 'bench@example.com' };
  return { folder, repo, env: { ...benchEnvironment(folder), ...person } };
}

/** Milliseconds of a run of node, with those of everything that it waits for. */
function cpuOf(
  { folder, repo, env }: Place,
  args: readonly string[],
  more: Record<string, string> = {},
): number {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  // Each rollback finds the repository as it was.
  cpSync(repo, copy, { recursive: true });
  const script = '"$@" >/dev/null 2>&1; times';
  const shell = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...args], {
    cwd: copy,
    env: { ...env, ...more },
    encoding: 'utf8',
  });
  return cpuIn(shell.stdout.trim().split('\n').slice(1).join('\n'));
}

/** One that is ended from outside, as the reader of objects is, is counted; what it costs is not told apart. */
function gitsOf(place: Place, args: readonly string[]): { cpu: number; count: number } {
  const list = join(place.folder, 'gits');
  for (const file of [list, `${list}.count`]) writeFileSync(file, '');
  cpuOf(place, args, { GITS: list, PATH: `${join(place.folder, 'bin')}:${place.env['PATH'] ?? ''}` });
  // Two lines a process: the shell's own, and that of its child.
  const lines = readFileSync(list, 'utf8').trim().split('\n').filter(Boolean);
  const count = readFileSync(`${list}.count`, 'utf8').length;
  return { cpu: cpuIn(lines.filter((_, index) => index % 2 === 1).join('\n')), count };
}
