/**
 * The command line as a table: what `--help` says of each command, and what it takes. The table is read off the commands themselves
 * (`usageOf`), when the program is built; a tree that is made of it answers `--version`, `--help` and whatever cannot be read, so that
 * none of them loads a command.
 */
import { EventEmitter } from 'node:events';
import { Argument, type Command, Option } from 'commander';
import { parserName, PARSERS } from './parsers.ts';

export interface Usage {
  readonly version: string;
  readonly commands: readonly CommandUsage[];
}

export interface CommandUsage {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly ArgumentUsage[];
  readonly options: readonly OptionUsage[];
  /** What follows its help; empty where nothing does. */
  readonly after: string;
  /** Left out of the help. */
  readonly hidden?: true;
  readonly commands: readonly CommandUsage[];
}

interface ArgumentUsage {
  /** With its brackets: `<scope>`. */
  readonly name: string;
  readonly description: string;
  readonly choices?: readonly string[];
}

interface OptionUsage {
  readonly flags: string;
  readonly description: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  /** One of PARSERS. */
  readonly parser?: string;
}

export function usageOf(command: Command): CommandUsage {
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map(argumentUsage),
    options: command.options.map(optionUsage),
    after: helpAfter(command),
    commands: command.commands.map((inner) => ({
      ...usageOf(inner),
      ...(!command.createHelp().visibleCommands(command).includes(inner) && { hidden: true as const }),
    })),
  };
}

function argumentUsage(argument: Argument): ArgumentUsage {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  const { description, argChoices, required } = argument;
  return {
    name: required ? `<${name}>` : `[${name}]`,
    description,
    ...(argChoices && { choices: argChoices }),
  };
}

function optionUsage({ flags, description, defaultValue, argChoices, parseArg }: Option): OptionUsage {
  const parser = parserName(parseArg);
  return {
    flags,
    description,
    ...(defaultValue !== undefined && { default: defaultValue as unknown }),
    ...(argChoices && { choices: argChoices }),
    ...(parser !== undefined && { parser }),
  };
}

/** commander keeps such a text as a listener that writes it, and its types do not say that it is an emitter. */
function helpAfter(command: Command): string {
  let text = '';
  EventEmitter.prototype.emit.call(command, 'afterHelp', {
    error: false,
    command,
    write: (part: string) => (text += part),
  });
  return text.replace(/\n$/, '');
}

/**
 * Adds commands that only note that they were meant: `run` is called where the whole command line could be read. Those that no word of
 * the command line names are only listed, which takes less.
 */
export function addUsage(
  to: Command,
  commands: readonly CommandUsage[],
  { words, run }: { readonly words: readonly string[]; readonly run: () => void },
): void {
  for (const usage of commands) {
    const command = to.command(usage.name, { hidden: usage.hidden === true }).description(usage.description);
    for (const { name, description, choices } of usage.arguments) {
      const argument = new Argument(name, description);
      command.addArgument(choices ? argument.choices(choices) : argument);
    }
    const isMeant = words.includes(usage.name);
    // A list says of a command whether it has options.
    for (const option of isMeant ? usage.options : usage.options.slice(0, 1))
      command.addOption(toOption(option));
    if (!isMeant) continue;
    if (usage.after !== '') command.addHelpText('after', usage.after);
    if (usage.commands.length === 0) command.action(run);
    else addUsage(command, usage.commands, { words, run });
  }
}

function toOption({ flags, description, default: value, choices, parser }: OptionUsage): Option {
  const option = new Option(flags, description);
  if (choices) option.choices(choices);
  PARSERS[parser ?? '']?.(option);
  // `--no-x` makes its own default.
  if (value !== undefined && !option.negate) option.default(value);
  return option;
}
