/** `incident`: several scopes back to known-good revisions, from a file that can be run again and again. */
import { dirname, isAbsolute, resolve } from 'node:path';
import { BacktrailError, type Engine, type RequestView } from '../../engine/index.ts';
import { confirmGoing } from '../terminal/ask.ts';
import { Interrupted, interruptible } from '../terminal/interrupt.ts';
import { isRemote } from '../remote/incident.ts';
import { address } from '../repo-address.ts';
import { type Output, printProgress } from '../terminal/output.ts';
import { type GlobalOptions, startSession } from '../session.ts';
import { type Context, type Program, runCommand, SIGN } from './command.ts';
import { handOverMany, openQueue } from '../../workers/index.ts';
import {
  exitCodeOf,
  type Incident,
  incidentValue,
  isOpen,
  prepareIncident,
  runIncident,
} from '../../workers/incident/index.ts';
import { readIncident } from './incident/file.ts';
import { planTable, resultTable } from './incident/tables.ts';

export function addIncident(program: Program): void {
  program.root
    .command('incident')
    .description('restore several scopes to earlier revisions, from a file that can be run again')
    .argument('<file>', 'what to roll back, as YAML')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show the plans, and do nothing')
    .option('--sign', SIGN)
    .addHelpText('after', HELP)
    .action((file: string, { yes = false, dryRun = false, sign }: Options) =>
      runCommand(program, (context) => recover(program, context, { file, yes, dryRun, sign })),
    );
}

interface Options {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly sign?: boolean;
}

const HELP = `
Plans every rollback of the file, shows them, and asks (or --yes). Each becomes a request in the ledger; those that need no
approval are enqueued and followed. Run it again after anything went wrong, or after others have approved: what is done or asked
for already is not repeated. REDIS_URL names the queue; a worker must be running.
Others approve all of them at once: backtrail request approve --incident ID
With atomic: true all are published in one push, or none: not before all are approved, and none where one is blocked, refused or rejected, or
its plan has changed.
Exit code 0: all are completed or unchanged; 3 where one is blocked; else that of the first failure, as of \`backtrail rollback\`; 6 where
none failed and no worker took one; 5 where some await approval.

id: inc-2026-11-20            # together with a scope it makes the request id
reason: "v2.1.0 answers 500"
repo: ../config               # path (from this file) or URL; --repo overrides it; without both: this folder
atomic: true                  # all in one push, or none; else each for itself (default)
onFailure: continue           # all at once, in few pushes; or stop (default): one after the other, a push each, until one fails
rollbacks:
  - { scope: acme/production/api-gateway }                      # to: previous
  - { scope: globex/production/api-gateway, to: v12 }
  - { scope: acme/staging/web, fields: [ image ] }
  - { scope: acme/staging/db, override: [ DESTRUCTIVE ] }       # docs/checks.md
  - { scope: acme/staging/api, digest: "sha256:…" }              # that plan, as --dry-run -o json gives it, or none
  - { scope: "*/production/checkout" }                          # each that there is on the branch`;

interface Asked {
  readonly file: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly sign: boolean | undefined;
}

async function recover(
  { root, environment }: Program,
  { session: named, style }: Context,
  { file, yes, dryRun, sign }: Asked,
): Promise<Output> {
  if (named.config !== null)
    throw new BacktrailError(
      'FORBIDDEN',
      'The rollbacks of an incident are executed by workers, which know the configuration of the branch alone.',
      { hint: 'Commit the configuration as .backtrail/config.yaml, and run it without --config.' },
    );
  const incident = await readIncident(file);
  const options = root.opts<GlobalOptions>();
  const session = await startSession(
    environment,
    { ...options, repo: placeOf(incident, file, options.repo) },
    { sign },
  );
  const isText = session.format === 'text';
  const use = async (engine: Engine): Promise<Output> => {
    const author = await session.author(engine);
    const print = (line: string) => void (isText && printProgress(line));
    const prepared = await prepareIncident(engine, incident, { reader: author, print });
    const { items, findings, stoppedBy } = prepared;
    if (isText) process.stdout.write(`${planTable(style, items, findings)}\n`);
    const todo = stoppedBy !== null || dryRun ? [] : items.filter(isOpen);
    if (stoppedBy !== null && !dryRun)
      print(`Nothing was started, because a plan failed and the file says ${stoppedBy}.`);
    const runHere = async (signal: AbortSignal) => {
      const queue = await openQueue({ redisUrl: environment.redisUrl });
      const follow = (requests: readonly RequestView[]) =>
        handOverMany(requests, { engine, queue, wait: true, print, signal });
      try {
        await runIncident(todo, { engine, incident, author, follow });
      } finally {
        await queue.close();
      }
      signal.throwIfAborted();
    };
    if (todo.length > 0) {
      if (!yes) await ask(session.environment.interactive && isText, todo.length);
      if (isRemote(engine)) await engine.recover(incident, todo);
      else await interruptible(runHere, (signal) => Promise.reject(noLongerFollowed(signal, incident)));
    }
    const exitCode = exitCodeOf(items);
    return {
      value: incidentValue(incident.id, items, { findings, plans: dryRun }),
      text: () => (dryRun ? '' : `\n${resultTable(style, items)}`),
      ...(exitCode !== 0 && { exitCode }),
    };
  };
  return session.withEngine(use, dryRun ? {} : { stopped: goesOn(incident) });
}

function noLongerFollowed(signal: Interrupted['signal'], incident: Incident): Interrupted {
  return new Interrupted(signal, `Stopped by ${signal}.`, goesOn(incident));
}

const goesOn = ({ id }: Incident) =>
  `What was enqueued goes on: \`backtrail request list --incident ${id} --all\` shows it. Run the same file again: nothing is asked for twice.`;

/** Paths in the file are relative to it; one on the command line, to the current folder. */
function placeOf(incident: Incident, file: string, repo: string | undefined): string {
  const named = repo ?? incident.repo ?? '.';
  const folder = repo === undefined && incident.repo !== undefined ? dirname(resolve(file)) : '.';
  return address(named) === named || isAbsolute(named) ? named : resolve(folder, named);
}

async function ask(interactive: boolean, count: number): Promise<void> {
  if (!interactive)
    throw new BacktrailError('CONFIRMATION_REQUIRED', 'There is no terminal to confirm these rollbacks on.');
  await confirmGoing(`Roll ${count} back?`);
}
