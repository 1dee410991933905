/** The commands: runs the one that a command line names. The build bundles this file separately from the parser of the command line. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Program } from '../commands/command.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { endWith, readLine } from './line.ts';
import { type AddCommand, COMMANDS } from './registry.ts';
import { createRoot } from './root.ts';
import { type Usage, usageOf } from './usage.ts';

/** Runs one command line and gives its exit code. The table of commands is read off the commands, which loads them all. */
export async function runProgram(argv: readonly string[], environment: Environment): Promise<number> {
  const line = await readLine(argv, await readUsage(environment));
  return typeof line === 'number' ? line : runCommand(argv, line, environment);
}

/** Runs the command that a line means, as `readLine` found; gives the exit code. Loads the code of that command. */
export async function runCommand(
  argv: readonly string[],
  all: Command,
  environment: Environment = readEnvironment(),
): Promise<number> {
  const load = COMMANDS[all.args[0] ?? ''];
  if (load === undefined) return 0;
  const root = createRoot(all.version() ?? '');
  let exitCode = 0;
  const program: Program = { root, all, environment, setExitCode: (code) => (exitCode = code) };
  try {
    (await load())(program);
    await root.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    return endWith(error, root, argv);
  }
}

/** The table, read off the commands themselves. */
export async function readUsage(environment: Environment): Promise<Usage> {
  return { version: version(), commands: usageOf(await createProgram(environment)).commands };
}

/** Every command with its options, as commander has them. Nothing is run: the commands only say what they take. */
export async function createProgram(environment: Environment): Promise<Command> {
  const adds: readonly AddCommand[] = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const root = createRoot(version());
  for (const add of new Set(adds)) add({ root, all: root, environment, setExitCode: () => undefined });
  return root;
}

function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const value: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (typeof value === 'object' && value !== null && 'version' in value) return String(value.version);
    } catch {
      // the built file lies one folder deeper than the source
    }
  }
  return 'unknown';
}
