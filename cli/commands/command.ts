/** What the commands share: options, and running one. */
import type { Command } from 'commander';
import type { Environment } from '../environment.ts';
import { type Output, printError, printOutput } from '../terminal/output.ts';
import { makeStyle, type Style } from '../print/style.ts';
import { type GlobalOptions, type Session, type SessionHow, startSession } from '../session.ts';

export { positive } from '../start/parsers.ts';

export interface Context {
  readonly session: Session;
  readonly style: Style;
}

/** Gives the exit code where it is not 0. */
export type Run = (context: Context) => Promise<Output>;

export interface Program {
  readonly root: Command;
  /** Every command with its options, for completion. */
  readonly all: Command;
  readonly environment: Environment;
  setExitCode(code: number): void;
}

/** Starts a session with the options given before and after the command's name, runs, prints. */
export async function runCommand(program: Program, run: Run, how?: SessionHow): Promise<void> {
  const session = await startSession(program.environment, program.root.opts<GlobalOptions>(), how);
  const { full = false, stat = false, pager: wanted } = program.root.opts<GlobalOptions>();
  const { columns = null, pager = null } = program.environment;
  const style = makeStyle(program.environment.color && session.format === 'text', { full, stat, columns });
  const output = await run({ session, style });
  const offline = session.offline();
  const { asOf, message } = offline ?? {};
  const value =
    offline === null
      ? output.value
      : { ...Object(output.value), offline: { ...(asOf !== undefined && { asOf }), message } };
  const { format } = output;
  // What is asked for in a format of its own is read by programs.
  const isPaged = wanted && format === undefined;
  await printOutput({ ...output, value }, format ?? session.format, isPaged ? pager : null);
  if (output.exitCode !== undefined) program.setExitCode(output.exitCode);
  if (output.error) program.setExitCode(await printError(output.error, session.format));
}

export const SCOPE = '[tenant/]environment[/service], for example acme/production/api-gateway';
export const STATE =
  'the folder with what a server keeps besides Git (default: backtrail in XDG_STATE_HOME or ~/.local/state)';
export const ID = 'rbk-… of the request, or six or more characters of its end';
export const REVISION =
  'v12, a commit id, a tag or branch, HEAD~1, previous, last-successful, @2026-11-20T10:00Z or @2h';
export const WHOLE_FILE =
  'restore files that hold selected parts as whole files, with everything else in them';
export const OVERRIDE =
  'go ahead although this check blocks it (docs/checks.md); may be repeated, is recorded, and needs the permission `deploy`';
export const SIGN =
  "sign the commits with your SSH key (git's user.signingKey), as `commit.sign` of the configuration does; a worker signs with its own";
export const FIELD =
  'a short name of the configuration, or path#selector (path#/values|/tag goes on in a string that holds YAML); may be repeated';
