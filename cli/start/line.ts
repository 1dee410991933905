/** Parses a command line with the table of commands, without loading their code, and reports usage errors. */
import { type Command, CommanderError } from 'commander';
import { BacktrailError, FAILURES, isFailure } from '../../engine/model/failure.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import { printError, printErrorDocument } from '../terminal/output.ts';
import { type Format, FORMATS } from './formats.ts';
import { createRoot } from './root.ts';
import { addUsage, type Usage } from './usage.ts';

/** All commands as the table has them, where the line means one; else the exit code: help was given, or the line is wrong. */
export async function readLine(argv: readonly string[], usage: Usage): Promise<Command | number> {
  const asked = createRoot(usage.version);
  let meant = false;
  addUsage(asked, usage.commands, { words: argv, run: () => (meant = true) });
  try {
    await asked.parseAsync([...argv]);
    return meant ? asked : 0;
  } catch (error) {
    return endWith(error, asked, argv);
  }
}

/** Prints an error in the format that was asked for; gives the exit code. */
export async function endWith(error: unknown, root: Command, argv: readonly string[]): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const failure: unknown =
    error instanceof CommanderError ? usageError(error, root, argv) : withOwnHelp(error, root);
  const format = formatOf(root, argv);
  await printErrorDocument(failure, format);
  const code = await printError(failure, format);
  return error instanceof Interrupted ? error.exitCode : code;
}

/** commander's complaint as one of ours. */
function usageError(error: CommanderError, root: Command, argv: readonly string[]): BacktrailError {
  const help = `See \`backtrail${commandOf(root)} --help\`.`;
  const unknown = error.code === 'commander.help' ? argumentOfHelp(root) : undefined;
  if (unknown !== undefined)
    return new BacktrailError('INVALID_REQUEST', `Unknown command '${unknown}'.`, { hint: help });
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

/** The usual hint speaks of any command; whoever reads it ran this one. */
function withOwnHelp(error: unknown, root: Command): unknown {
  if (!isFailure(error) || error.hint !== FAILURES.INVALID_REQUEST.hint) return error;
  const { code, message, details } = error;
  const hint = `See \`backtrail${commandOf(root)} --help\`.`;
  return new BacktrailError(code, message, { hint, details, cause: error });
}

/** `nope` of `request help nope`. */
function argumentOfHelp({ args }: Command): string | undefined {
  const at = args.indexOf('help');
  const named = at < 0 ? undefined : args[at + 1];
  return named === 'help' ? undefined : named;
}

/** ` request note`: the leading words that name commands. */
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
