/** The root command: the program's name, its global options, and its usage errors. */
import { Command, Option } from 'commander';
import { FORMATS } from './formats.ts';

const HELP = `
A scope is [tenant/]environment[/service]. A revision is v12, a commit id, a tag or branch, HEAD~1,
previous, last-successful, @2026-11-20T10:00Z or @2h.
Exit codes: 0 done, 1 unexpected, 2 invalid request or not confirmed, 3 blocked by a check,
4 the plan changed, 5 awaiting approval or a merge, 6 remote, queue or code host unavailable.`;

/** It throws a CommanderError instead of ending the process, and prints no error itself. */
export function createRoot(version: string): Command {
  return new Command('backtrail')
    .description(
      'Rolls a GitOps repository back: a tenant-environment, a service or single fields, as one provable commit.',
    )
    .version(version)
    .option('--repo <path-or-url>', 'the repository (default: this folder)')
    .option('--server <url>', 'ask a server (`backtrail serve`) in place of a repository')
    .option('--token-file <file>', 'with --server: the file that holds your token')
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
}
