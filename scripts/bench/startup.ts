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
 * with its gits and without those that end by themselves, how many gits there are, and what all of them cost when they are started with
 * the same arguments and input, and nothing else. All of it takes turns on the demo's repository; medians.
 */
export async function benchStartup(rounds: number): Promise<void> {
  if (!existsSync(BUILT))
    throw new Error('`npm run build` first: the command line is measured as it is installed.');
  const folder = mkdtempSync(join(tmpdir(), 'backtrail-bench-startup-'));
  try {
    const place = await makePlace(folder);
    const bare: number[] = [];
    const figures = COMMANDS.map((args) => ({
      args,
      all: [] as number[],
      gits: [] as number[],
      alone: [] as number[],
      count: 0,
    }));
    for (let round = 0; round < rounds; round += 1) {
      bare.push(cpuOf(place, ['-e', '0']));
      for (const figure of figures) {
        figure.all.push(cpuOf(place, [BUILT, ...figure.args]));
        const { counted, alone, count } = gitsOf(place, [BUILT, ...figure.args]);
        figure.gits.push(counted);
        figure.alone.push(alone);
        figure.count = count;
      }
    }
    const one = median(bare);
    say(`node -e 0: 1.00 × (${one.toFixed(0)} ms of CPU)`);
    for (const { args, all, gits, alone, count } of figures) {
      const own = median(all) - median(gits);
      const times = (ms: number) => `${(ms / one).toFixed(2)} × (${ms.toFixed(0)} ms)`;
      say(
        `${args.slice(0, 2).join(' ')}: ${times(median(all))}; without git ${times(own)}; ${count} processes of git, by themselves ${times(median(alone))}`,
      );
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
  // A `git` that notes how the real one is started.
  mkdirSync(join(folder, 'bin'));
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const script = [
    '#!/bin/bash',
    'own="$GITS.$$"',
    // What starts the same again.
    `{ export -p; printf 'cd %q\\n' "$PWD"; printf '%q ' '${real}' "$@"; printf '< %q\\n' "$own.in"; } > "$own.again"`,
    'echo "$own.again" >> "$GITS.list"',
    `tee "$own.in" | '${real}' "$@"`,
    'code=${PIPESTATUS[1]}; echo "$own.again" >> "$GITS.ended"; exit $code\n',
  ].join('\n');
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

/**
 * `counted`: those that end by themselves, which are waited for and part of what a command costs; `alone`: with the reader of objects, which is
 * ended from outside.
 */
function gitsOf(place: Place, args: readonly string[]): { counted: number; alone: number; count: number } {
  const gits = join(place.folder, 'gits');
  for (const file of [`${gits}.list`, `${gits}.ended`]) writeFileSync(file, '');
  cpuOf(place, args, { GITS: gits, PATH: `${join(place.folder, 'bin')}:${place.env['PATH'] ?? ''}` });
  const listed = (name: string) => readFileSync(`${gits}.${name}`, 'utf8').split('\n').filter(Boolean);
  const all = listed('list');
  const ended = new Set(listed('ended'));
  return {
    counted: cpuOfScripts(
      place,
      all.filter((script) => ended.has(script)),
    ),
    alone: cpuOfScripts(place, all),
    count: all.length,
  };
}

/** Milliseconds of what these scripts start, in the repository as the demo begins. */
function cpuOfScripts({ folder, repo, env }: Place, scripts: readonly string[]): number {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  cpSync(repo, copy, { recursive: true });
  const all = 'for each in "$@"; do . "$each" >/dev/null 2>&1; done; times';
  const shell = spawnSync('bash', ['-c', all, 'bash', ...scripts], { cwd: copy, env, encoding: 'utf8' });
  return cpuIn(shell.stdout.trim().split('\n').at(-1) ?? '');
}
