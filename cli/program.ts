/** The command line: global options, commands, and how errors end. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { BacktrailError } from '../engine/index.ts';
import type { Program } from './commands/command.ts';
import { addAudit } from './commands/audit.ts';
import { addBreakGlass } from './commands/break-glass.ts';
import { addCompare } from './commands/compare.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEnvironments } from './commands/environments.ts';
import { addHistory } from './commands/history.ts';
import { addIncident } from './commands/incident.ts';
import { addInit } from './commands/init/index.ts';
import { addLog } from './commands/log.ts';
import { addPlan } from './commands/plan.ts';
import { addReconcile } from './commands/reconcile.ts';
import { addRequest } from './commands/request/index.ts';
import { addRollback } from './commands/rollback.ts';
import { addShow } from './commands/show.ts';
import { addWorker } from './commands/worker.ts';
import type { Environment } from './environment.ts';
import { Interrupted } from './interrupt.ts';
import { type Format, FORMATS, printError, printErrorDocument } from './output.ts';

const HELP = `
A scope is [tenant/]environment[/service]. A revision is v12, a commit id, a tag or branch, HEAD~1,
previous, last-successful, @2026-11-20T10:00Z or @2h.
Exit codes: 0 done, 1 unexpected, 2 invalid request or not confirmed, 3 blocked by a check,
4 the plan changed, 5 awaiting approval, 6 remote or queue unavailable.`;

/** Runs one command line and gives its exit code. */
export async function runProgram(argv: readonly string[], environment: Environment): Promise<number> {
  let exitCode = 0;
  const root = new Command('backtrail')
    .description(
      'Rolls a GitOps repository back: a tenant-environment, a service or single fields, as one provable commit.',
    )
    .version(version())
    .option('--repo <path-or-url>', 'the repository (default: this folder)')
    .option(
      '--config <file>',
      'a configuration for a repository that has none of its own; what it says to render with is run',
    )
    .addOption(
      new Option('-o, --output <format>', 'how results and errors are printed')
        .choices(FORMATS)
        .default('text'),
    )
    .option('--full', 'show each part of files that are added or removed, and nothing cut')
    .option('--stat', 'show only how much changes in each file')
    .option('--no-pager', 'print long results without BACKTRAIL_PAGER, PAGER or less')
    .addHelpText('after', HELP)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  const program: Program = { root, environment, setExitCode: (code) => (exitCode = code) };
  for (const add of [
    addInit,
    addEnvironments,
    addHistory,
    addShow,
    addCompare,
    addPlan,
    addRollback,
    addIncident,
    addLog,
    addReconcile,
    addRequest,
    addBreakGlass,
    addAudit,
    addWorker,
    addDoctor,
  ])
    add(program);
  try {
    await root.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const failure: unknown = error instanceof CommanderError ? usageError(error, root, argv) : error;
    const format = formatOf(root, argv);
    printErrorDocument(failure, format);
    const code = printError(failure, format);
    return error instanceof Interrupted ? error.exitCode : code;
  }
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
