/** The command line: reads it by the table of commands, loads the command that is meant, and says how errors end. */
import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { BacktrailError } from '../../engine/model/failure.ts';
import type { Program } from '../commands/command.ts';
import type { Environment } from '../environment.ts';
import { type Format, FORMATS } from './formats.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import { printError, printErrorDocument } from '../terminal/output.ts';
import { type AddCommand, COMMANDS } from './registry.ts';
import { createRoot } from './root.ts';
import { addUsage, type Usage, usageOf } from './usage.ts';

/**
 * Runs one command line and gives its exit code. `usage` is the table of all commands, as the built program has it beside its code;
 * where it is absent, as in the sources, it is read off the commands, which loads them all. `prepare` comes before a command is loaded.
 */
export async function runProgram(
  argv: readonly string[],
  environment: Environment,
  { usage, prepare }: { readonly usage?: Usage | undefined; readonly prepare?: () => Promise<void> } = {},
): Promise<number> {
  const table = usage ?? (await readUsage(environment));
  const asked = createRoot(table.version);
  let meant = false;
  addUsage(asked, table.commands, { words: argv, run: () => (meant = true) });
  let root = asked;
  let exitCode = 0;
  try {
    await asked.parseAsync([...argv]);
    const load = COMMANDS[asked.args[0] ?? ''];
    if (!meant || load === undefined) return exitCode;
    await prepare?.();
    root = createRoot(table.version);
    const program: Program = { root, all: asked, environment, setExitCode: (code) => (exitCode = code) };
    (await load())(program);
    await root.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const failure: unknown = error instanceof CommanderError ? usageError(error, root, argv) : error;
    const format = formatOf(root, argv);
    await printErrorDocument(failure, format);
    const code = await printError(failure, format);
    return error instanceof Interrupted ? error.exitCode : code;
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

/** commander's complaint as one of ours. */
function usageError(error: CommanderError, root: Command, argv: readonly string[]): BacktrailError {
  const help = `See \`backtrail${commandOf(root)} --help\`.`;
  if (error.code === 'commander.help')
    return new BacktrailError('INVALID_REQUEST', 'No command was given.', { hint: help });
  const sentence = error.message.replace(/^error: /, '').replace(/\s*\n[^]*$/, '');
  const message = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`.replace(/\.?$/, '.');
  const swallowed = error.code === 'commander.missingArgument' && argv.includes('--field');
  const [meant] = /Did you mean [^\n]+\?/.exec(error.message) ?? [];
  const hint = swallowed
    ? 'Write the scope before --field, which takes every word behind it.'
    : [meant, help].filter((part) => part !== undefined).join(' ');
  return new BacktrailError('INVALID_REQUEST', message, { hint });
}

/** ` request note`: as far as the words name commands. */
function commandOf(root: Command): string {
  let [names, command]: [string, Command | undefined] = ['', root];
  for (const word of root.args) {
    command = command.commands.find((known) => known.name() === word);
    if (command === undefined) break;
    names += ` ${word}`;
  }
  return names;
}

/** The format asked for, also where the command line could not be read to its end. */
function formatOf(root: Command, argv: readonly string[]): Format {
  const given = argv.findIndex((argument) => argument === '-o' || argument === '--output');
  const named = FORMATS.find(
    (format) =>
      format === argv[given + 1] || argv.includes(`--output=${format}`) || argv.includes(`-o${format}`),
  );
  return (
    (given >= 0 ? named : undefined) ??
    FORMATS.find((format) => format === root.opts<{ output: string }>().output) ??
    'text'
  );
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
