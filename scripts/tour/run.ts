/** Runs commands as people would type them, shows what they print, and checks how they end. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say, typed } from '../narrate.ts';
import type { Somebody } from '../people.ts';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Stage {
  /** The repository stands in it as `config`. */
  readonly folder: string;
}

/** `backtrail --repo config …` by someone, in a process of its own; gives everything that it prints. */
export function backtrail(stage: Stage, who: Somebody, exit: number, ...args: string[]): string {
  const words = ['--repo', 'config', ...args];
  typed(['backtrail', ...words], who.account);
  const { code, output } = run(stage, who.env, process.execPath, [MAIN, ...words]);
  say(`${withoutRepeats(output.trimEnd())}\n`);
  claim(code === exit, `${args.slice(0, 2).join(' ')} ended with exit code ${code}, not ${exit}`);
  return output;
}

const shown = new Set<string>();

/** A plan is worth reading once. */
function withoutRepeats(output: string): string {
  return output.replace(/^Rollback of [^]*?^digest (\S+)$/m, (plan, digest: string) => {
    if (!shown.has(digest)) return shown.add(digest) && plan;
    return `[the plan, as above: ${digest.slice(0, 19)}…]`;
  });
}

/** The same for a question of the tour's own, which is not shown. */
export function ask(stage: Stage, who: Somebody, exit: number, ...args: string[]): unknown {
  const { code, output } = run(stage, who.env, process.execPath, [
    MAIN,
    '--repo',
    'config',
    ...args,
    '-o',
    'json',
  ]);
  claim(code === exit, `${args.join(' ')} failed: ${output}`);
  return JSON.parse(output);
}

export function git(stage: Stage, who: Somebody, ...args: string[]): string {
  return shell(stage, who, 'git', '-C', 'config', ...args);
}

/** Any other program. */
export function shell(stage: Stage, who: Somebody, program: string, ...args: string[]): string {
  typed([program, ...args], who.account);
  const { code, output } = run(stage, who.env, program, args);
  // Paths of the tour's own folder tell no one anything.
  if (output !== '') say(`${output.trimEnd().replaceAll(stage.folder, '…')}\n`);
  claim(code === 0, `${program} ${args[0] ?? ''} failed: ${output}`);
  return output.trimEnd();
}

/** Both streams go to one file, so that their lines stay in order. */
function run({ folder }: Stage, env: NodeJS.ProcessEnv, program: string, args: readonly string[]) {
  const file = join(folder, 'output');
  const output = openSync(file, 'w');
  try {
    const { status, error } = spawnSync(program, args, {
      cwd: folder,
      env,
      stdio: ['ignore', output, output],
    });
    if (error) throw error;
    return { code: status, output: readFileSync(file, 'utf8') };
  } finally {
    closeSync(output);
  }
}

/** What the tour says must be so. */
export function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(`${otherwise}.`);
}
