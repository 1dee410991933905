/**
 * Writes docs/cli.md from the commands themselves, as commander has them:
 *
 *     npm run docs:cli
 */
import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Argument, Command, Option } from 'commander';
import { readEnvironment } from '../cli/environment.ts';
import { createProgram } from '../cli/start/program.ts';
import { FAILURES } from '../engine/index.ts';
import { NOTES } from './cli/examples.ts';

const INTRODUCTION = `# Command line

Every command, with its arguments, options and exit codes. This page is generated from the commands (\`npm run docs:cli\`);
\`backtrail COMMAND --help\` prints the same on a terminal.

A scope is \`[tenant/]environment[/service]\`. A revision is \`v12\`, a commit id, a tag or branch (\`tag:v12\` where both exist), \`HEAD~3\`,
\`previous\`, \`last-successful\`, \`@2026-11-20T10:00Z\`, \`@2h\` or \`@yesterday\`; it has to be on the branch's first-parent line.

With \`-o json\` or \`-o yaml\`, standard output is exactly one document (except for \`--help\` and \`--version\`), with \`error\` as a key where
something failed. Long results go through \`BACKTRAIL_PAGER\`, \`PAGER\` or \`less -FRX\` on a terminal.

## Exit codes

| code | meaning |
|---|---|
| 0 | done, or nothing to do |
| 1 | unexpected error; an approval is saved and its rollback failed (\`EXECUTION_FAILED\`) |
| 2 | invalid request, or not confirmed |
| 3 | blocked by a check, or not permitted; what was asked about is not as it should be (\`guard\`, \`audit\`, \`status\`, \`drift\`) |
| 4 | the plan changed since it was confirmed, or the request is no longer open |
| 5 | awaiting approval, or to be merged; not live yet (\`status\`) |
| 6 | remote, queue or code host unavailable; it could not be asked whether it is live (\`status\`) |
| 130, 143 | stopped by a signal before anything was published |
`;

/** The text of docs/cli.md. */
export async function cliReference(): Promise<string> {
  const root = await createProgram(readEnvironment());
  const sections = visible(root).flatMap((command) => section(command, []));
  return `${[INTRODUCTION, globalOptions(root), '## Commands\n', ...sections, errorCodes()].join('\n').trimEnd()}\n`;
}

/** Every command that can be run, by its words. */
export function commandNames(command: Command, before: readonly string[] = []): string[] {
  return visible(command).flatMap((inner) => {
    const words = [...before, inner.name()];
    return inner.commands.length > 0 ? commandNames(inner, words) : [words.join(' ')];
  });
}

const visible = (command: Command) =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');

function globalOptions(root: Command): string {
  return `## Global options\n\nThey may come before or after the command.\n\n${optionTable(root)}`;
}

function section(command: Command, before: readonly string[]): string[] {
  const words = [...before, command.name()];
  const name = words.join(' ');
  const notes = NOTES[name];
  const isGroup = command.commands.length > 0;
  const help = helpNotes(command);
  const parts = [
    `### ${name}\n`,
    `${sentence(command.description())}\n`,
    ...(isGroup ? [] : [`\`\`\`\nbacktrail ${name} ${command.usage()}\n\`\`\`\n`.replace(' \n', '\n')]),
    ...(command.registeredArguments.length > 0 ? [argumentTable(command.registeredArguments)] : []),
    ...(optionsOf(command).length > 0 ? [optionTable(command)] : []),
    ...help,
    ...(notes === undefined || help.join('').includes('\nExamples:\n')
      ? []
      : [`Example:\n\n\`\`\`sh\n${notes.example}\n\`\`\`\n`]),
    ...(notes === undefined ? [] : [`Exit codes: ${notes.exits.join(', ')}.\n`]),
  ];
  return [parts.join('\n'), ...visible(command).flatMap((inner) => section(inner, words))];
}

function argumentTable(args: readonly Argument[]): string {
  const rows = args.map((argument) => [
    `\`${argument.required ? `<${argument.name()}>` : `[${argument.name()}]`}\``,
    withChoices(argument.description, argument.argChoices),
  ]);
  return table(['argument', 'meaning'], rows);
}

const optionsOf = (command: Command) =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');

function optionTable(command: Command): string {
  const row = ({ flags, description, argChoices, defaultValue, negate }: Option) => [
    `\`${flags}\``,
    withChoices(description, argChoices),
    defaultValue === undefined || negate ? '' : `\`${String(defaultValue)}\``,
  ];
  return table(['option', 'meaning', 'default'], optionsOf(command).map(row));
}

const withChoices = (text: string, choices: readonly string[] | undefined) =>
  choices === undefined ? text : `${text}: ${choices.map((choice) => `\`${choice}\``).join(', ')}`;

/** What help says below the options, as it is printed there. */
function helpNotes(command: Command): string[] {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  const notes = text.slice(command.helpInformation().length).trim();
  return notes === '' ? [] : [`\`\`\`text\n${notes}\n\`\`\`\n`];
}

function errorCodes(): string {
  const rows = Object.entries(FAILURES).map(([code, { exit, hint }]) => [`\`${code}\``, String(exit), hint]);
  return `## Error codes\n\nEvery error has one of these codes. The hint is the usual one; the error itself may have a closer one.\n\n${table(['code', 'exit', 'hint'], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`;
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  writeFileSync(new URL('../docs/cli.md', import.meta.url), await cliReference());
