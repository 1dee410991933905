/** The commands: runs the one that a command line names. The build bundles this file separately from the parser of the command line. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Program } from '../commands/command.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { BacktrailError } from '../../engine/model/failure.ts';
import type { GlobalOptions } from '../session.ts';
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
    requireAskable(all);
    (await load())(program);
    await root.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    return endWith(error, root, argv);
  }
}

/** What a server can be asked; all else is done where the repository is. */
const ASKABLE: ReadonlySet<string> = new Set([
  'environments',
  'history',
  'show',
  'compare',
  'plan',
  'rollback',
  'log',
  'incident',
  'status',
  'drift',
  'request',
  'break-glass',
  'holds',
  'resume',
  'deployment',
  'mcp',
]);

/** @throws INVALID_REQUEST for `--server` where it has no meaning */
function requireAskable(all: Command): void {
  const { server, repo, config, tokenFile } =
    all.opts<Pick<GlobalOptions, 'server' | 'repo' | 'config' | 'tokenFile'>>();
  const [command = ''] = all.args;
  if (server === undefined && tokenFile === undefined) return;
  if (server === undefined) throw new BacktrailError('INVALID_REQUEST', '--token-file needs --server.');
  if (repo !== undefined || config !== undefined)
    throw new BacktrailError(
      'INVALID_REQUEST',
      '--server knows its own repository and configuration: name it alone.',
    );
  if (ASKABLE.has(command)) return;
  const hint =
    command === 'audit'
      ? "An audit runs on the auditor's machine, on a clone of their own: it is not to trust the server."
      : 'Run it where the repository is.';
  throw new BacktrailError('INVALID_REQUEST', `A server cannot be asked for \`${command}\`.`, { hint });
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
