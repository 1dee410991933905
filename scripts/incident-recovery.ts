/** `npm run incident -- FILE.yaml`: several scopes back to known-good revisions, from a file that can be run again and again. */
import { confirm, isCancel } from '@clack/prompts';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { address } from '../cli/enqueue.ts';
import { type Environment, readEnvironment } from '../cli/environment.ts';
import { outliveReaders, printError, printProgress } from '../cli/terminal/output.ts';
import { makeStyle } from '../cli/print/style.ts';
import { BacktrailError, type EngineOptions, openEngine } from '../engine/index.ts';
import { carryOut } from './incident/carry-out.ts';
import { type Incident, readConfig, readIncident } from './incident/file.ts';
import { isOpen, planAll } from './incident/plan.ts';
import { exitCodeOf, planTable, resultTable } from './incident/tables.ts';

const HELP = `npm run incident -- FILE.yaml [--yes] [--repo PATH|URL]

Plans every rollback of the file, shows them, and asks (or --yes). Each becomes a request in the ledger; those that need no
approval are enqueued and followed. Run it again after anything went wrong, or after others have approved: what is done or asked
for already is not repeated. REDIS_URL names the queue; a worker must be running.
Exit code 0: all are completed or unchanged; else that of the first failure, as of \`backtrail rollback\`; 5 where none failed and
some await approval.

id: inc-2026-11-20            # together with a scope it makes the request id
reason: "v2.1.0 answers 500"
repo: ../config               # path (from this file) or URL; --repo overrides it; without both: this folder
config: backtrail.yaml        # optional: a configuration from outside the repository
onFailure: continue           # or stop (default): later rollbacks are not started after one failed
rollbacks:
  - { scope: acme/production/api-gateway }                      # to: previous
  - { scope: globex/production/api-gateway, to: v12 }
  - { scope: acme/staging/web, fields: [ image ] }`;

outliveReaders();
process.exitCode = await main(readEnvironment()).catch((error: unknown) => printError(error, 'text'));

async function main(environment: Environment): Promise<number> {
  const { file, yes, repo } = readArguments();
  if (file === undefined) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const incident = await readIncident(file);
  const place = await placeOf(incident, { file, repo });
  const { env, cacheFolder, cacheLimit, committer, clock, random, allowedSigners } = environment;
  const engine = await openEngine({
    ...place,
    env,
    cacheFolder,
    cacheLimit,
    committer,
    clock,
    random,
    allowedSigners,
  });
  const style = makeStyle(environment.color);
  try {
    const author = environment.author ?? (await engine.identity()) ?? environment.account;
    const items = await planAll(engine, incident, author);
    process.stdout.write(`${planTable(style, items)}\n`);
    const stopped = incident.onFailure === 'stop' && items.some(({ error }) => error);
    const todo = stopped ? [] : items.filter(isOpen);
    if (stopped)
      printProgress('Nothing was started, because a plan failed and the file says onFailure: stop.');
    if (todo.length > 0) {
      if (!yes) await ask(environment, todo.length);
      await carryOut(todo, { engine, incident, author, redisUrl: environment.redisUrl });
    }
    process.stdout.write(`\n${resultTable(style, items)}\n`);
    return exitCodeOf(items);
  } finally {
    await engine.close();
  }
}

interface Arguments {
  readonly file: string | undefined;
  readonly yes: boolean;
  readonly repo: string | undefined;
}

function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { yes: { type: 'boolean' }, repo: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    const [file, surplus] = positionals;
    if (!values.help && (file === undefined || surplus !== undefined))
      throw new Error('Name one incident file');
    return { file: values.help ? undefined : file, yes: values.yes ?? false, repo: values.repo };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw new BacktrailError('INVALID_REQUEST', message.replace(/\.?$/, '.'), {
      hint: 'See `npm run incident -- --help`.',
    });
  }
}

/** Paths in the file are relative to it; one on the command line, to where the user stands. */
async function placeOf(
  incident: Incident,
  { file, repo }: Pick<Arguments, 'repo'> & { file: string },
): Promise<Pick<EngineOptions, 'repo' | 'config'>> {
  const folder = dirname(resolve(file));
  const named = repo ?? incident.repo ?? '.';
  const location = locate(named, repo === undefined && incident.repo !== undefined ? folder : '.');
  if (incident.config === undefined) return { repo: location };
  return { repo: location, config: await readConfig(resolve(folder, incident.config)) };
}

function locate(repo: string, folder: string): string {
  return address(repo) === repo || isAbsolute(repo) ? repo : resolve(folder, repo);
}

async function ask({ interactive }: Environment, count: number): Promise<void> {
  if (!interactive)
    throw new BacktrailError('CONFIRMATION_REQUIRED', 'There is no terminal to confirm these rollbacks on.');
  const go = await confirm({ message: `Roll ${count} back?`, initialValue: false, output: process.stderr });
  if (isCancel(go) || !go)
    throw new BacktrailError(
      'CONFIRMATION_REQUIRED',
      'The rollbacks were not confirmed; nothing was changed.',
    );
}
