/** What may come next on a command line, from commander's own description of the commands. */
import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What the word under the cursor may be. `scope` and `file` are looked up by the caller. */
export type Expected =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'scope' | 'file'; readonly prefix: string };

/** Values that commander has no choices for, by the option's long name or the argument's name. */
export type Values = Readonly<Record<string, readonly string[]>>;

/** `words`: all behind the program's name, the last one being typed. */
export function expectedAfter(root: Command, words: readonly string[], values: Values): Expected {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const cursor = walk(root, before);
  if (cursor.option !== null) return valueOf(cursor.option, '', values);
  const [, name = ''] = /^(--[^=]+)=/.exec(current) ?? [];
  const given = optionsOf(root, cursor.command).find(({ long }) => long === name);
  if (given !== undefined && !cursor.operandsOnly) return valueOf(given, `${name}=`, values);
  if (current.startsWith('-') && !cursor.operandsOnly) return optionWords(root, cursor.command);
  const { commands, registeredArguments: known } = cursor.command;
  if (commands.length > 0 && cursor.operands === 0) return commandWords(cursor.command);
  const argument = known[cursor.operands] ?? (known.at(-1)?.variadic === true ? known.at(-1) : undefined);
  return argument === undefined ? NOTHING : valueOf(argument, '', values);
}

const NOTHING: Expected = { kind: 'words', words: [] };

interface Cursor {
  readonly command: Command;
  /** Arguments of the command that are given already. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly option: Option | null;
  /** Behind `--`. */
  readonly operandsOnly: boolean;
}

function walk(root: Command, words: readonly string[]): Cursor {
  let cursor: Cursor = { command: root, operands: 0, option: null, operandsOnly: false };
  for (const word of words) cursor = step(root, cursor, word);
  return cursor;
}

function step(root: Command, cursor: Cursor, word: string): Cursor {
  const { command, operands, option, operandsOnly } = cursor;
  const isOption = word.startsWith('-') && word !== '-' && !operandsOnly;
  if (option !== null && !(option.variadic && isOption))
    return { ...cursor, option: option.variadic ? option : null };
  if (word === '--' && !operandsOnly) return { ...cursor, option: null, operandsOnly: true };
  if (isOption) {
    const named = optionsOf(root, command).find(({ long, short }) => word === long || word === short);
    return { ...cursor, option: named?.required === true ? named : null };
  }
  const inner = operands === 0 ? command.commands.find((known) => known.name() === word) : undefined;
  if (inner !== undefined) return { ...cursor, command: inner };
  return { ...cursor, operands: operands + 1 };
}

/** A command takes the options of the program as well. */
function optionsOf(root: Command, command: Command): readonly Option[] {
  const help = command.createHelp();
  return [...new Set([...help.visibleOptions(command), ...help.visibleOptions(root)])];
}

function optionWords(root: Command, command: Command): Expected {
  const words = optionsOf(root, command).map(({ long, short, description }) => ({
    value: long ?? short ?? '',
    description,
  }));
  return { kind: 'words', words: words.filter((word, index) => firstOf(words, word.value) === index) };
}

const firstOf = (words: readonly Candidate[], value: string) =>
  words.findIndex((word) => word.value === value);

function commandWords(command: Command): Expected {
  const words = command
    .createHelp()
    .visibleCommands(command)
    .map((inner) => ({ value: inner.name(), description: inner.description() }));
  return { kind: 'words', words };
}

function valueOf(taker: Option | Argument, prefix: string, values: Values): Expected {
  const name = 'long' in taker ? (taker.long ?? '') : taker.name();
  const shape = 'flags' in taker ? taker.flags : taker.name();
  const words = taker.argChoices ?? values[name];
  if (words !== undefined)
    return { kind: 'words', words: words.map((value) => ({ value: `${prefix}${value}`, description: '' })) };
  if (/\bscope\b/.test(shape) && !shape.includes('=')) return { kind: 'scope', prefix };
  if (/<(file|path-or-url)>/.test(shape)) return { kind: 'file', prefix };
  const revision = /\b(revision|from|to)\b/.test(shape.replace(/^--to/, ''))
    ? (values['<revision>'] ?? [])
    : [];
  return { kind: 'words', words: revision.map((value) => ({ value: `${prefix}${value}`, description: '' })) };
}
