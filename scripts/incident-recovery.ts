/** `npm run incident -- FILE.yaml`: several scopes back to known-good revisions, from a file that can be run again and again. */
import { confirm, isCancel } from '@clack/prompts';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { address } from '../cli/enqueue.ts';
import { type Environment, readEnvironment } from '../cli/environment.ts';
import { printError, printProgress } from '../cli/output.ts';
import { printFindings } from '../cli/print/plan.ts';
import { makeStyle, revisionName, short, table } from '../cli/print/style.ts';
import {
  BacktrailError,
  blockedError,
  confirmPlan,
  deriveRequestId,
  type Engine,
  FAILURES,
  isBlocked,
  isFailure,
  openEngine,
  type Person,
  type Planned,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from '../engine/index.ts';
import { enqueueRollback, followRollback, openQueue, type RollbackQueue } from '../workers/index.ts';

const HELP = `npm run incident -- FILE.yaml [--yes] [--repo PATH|URL]

Plans every rollback of the file, shows them, asks (or --yes), enqueues them and follows them. Run it again after anything went
wrong: what is done already is found on the branch and not repeated. REDIS_URL names the queue; a worker must be running.
Exit code 0: all are completed or unchanged; else the exit code of the first failure, as of \`backtrail rollback\`.

id: inc-2026-11-20            # together with a scope it makes the request id
reason: "v2.1.0 answers 500"
repo: ../config               # path (from this file) or URL; --repo overrides it
config: backtrail.yaml        # optional: a configuration from outside the repository
onFailure: continue           # or stop (default): later rollbacks are not started after one failed
rollbacks:
  - { scope: acme/production/api-gateway }                      # to: previous
  - { scope: globex/production/api-gateway, to: v12 }
  - { scope: acme/staging/web, fields: [ image ] }`;

const text = z.string().trim().min(1).max(1000);
const schema = z.strictObject({
  id: text.max(200),
  reason: text,
  repo: text.optional(),
  config: text.optional(),
  onFailure: z.enum(['continue', 'stop']).default('stop'),
  rollbacks: z
    .array(
      z.strictObject({
        scope: text,
        to: text.default('previous'),
        fields: z.array(text).max(100).default([]),
        allowRemoval: z.boolean().default(false),
      }),
    )
    .min(1)
    .max(500),
});
type Incident = z.infer<typeof schema>;

interface Item {
  readonly wish: Incident['rollbacks'][number];
  readonly id: RequestId;
  planned?: Planned;
  request?: RollbackRequest;
  result?: RollbackResult;
  error?: BacktrailError;
  /** The commit of an earlier run. */
  done?: string;
}

const environment = readEnvironment();
const style = makeStyle(environment.color);
process.exitCode = await main().catch((error: unknown) => printError(error, 'text'));

async function main(): Promise<number> {
  const { file, yes, repo } = readArguments();
  if (file === undefined) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const incident = await readIncident(file);
  const location = locate(repo ?? incident.repo ?? '.', repo === undefined ? dirname(resolve(file)) : '.');
  const config =
    incident.config === undefined ? undefined : await readConfig(resolve(dirname(file), incident.config));
  const { env, cacheFolder, committer, clock } = environment;
  const engine = await openEngine({
    repo: location,
    ...(config && { config }),
    env,
    cacheFolder,
    committer,
    clock,
  });
  try {
    const items = await planAll(engine, incident);
    process.stdout.write(`${planTable(items)}\n`);
    const stopped = incident.onFailure === 'stop' && items.some(({ error }) => error);
    const todo = stopped ? [] : items.filter(({ request }) => request);
    if (stopped)
      printProgress('Nothing was started, because a plan failed and the file says onFailure: stop.');
    if (todo.length > 0) {
      if (!yes) await ask(environment, todo.length);
      await carryOut(todo, { repo: location, ...(config && { config }) }, incident.onFailure);
    }
    process.stdout.write(`\n${resultTable(items)}\n`);
    return exitCode(items);
  } finally {
    await engine.close();
  }
}

function readArguments(): { file?: string; yes: boolean; repo?: string } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { yes: { type: 'boolean' }, repo: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    const [file, surplus] = positionals;
    if (values.help) return { yes: false };
    if (file === undefined || surplus !== undefined) throw new Error('Name one incident file');
    return { file, yes: values.yes ?? false, ...(values.repo !== undefined && { repo: values.repo }) };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw new BacktrailError('INVALID_REQUEST', message.replace(/\.?$/, '.'), {
      hint: 'See `npm run incident -- --help`.',
    });
  }
}

async function readIncident(file: string): Promise<Incident> {
  const hint = 'See `npm run incident -- --help` for the form of the file.';
  let value: unknown;
  try {
    value = parse(await readFile(file, 'utf8'), { maxAliasCount: 20 });
  } catch (cause) {
    throw new BacktrailError('INVALID_REQUEST', `${file} cannot be read as YAML.`, { hint, cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new BacktrailError(
    'INVALID_REQUEST',
    `${file}: ${first?.path.join('.') ?? ''}: ${first?.message ?? 'not valid'}.`,
    { hint },
  );
}

function locate(repo: string, folder: string): string {
  return address(repo) === repo || isAbsolute(repo) ? repo : resolve(folder, repo);
}

async function readConfig(path: string) {
  try {
    return { name: path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw new BacktrailError('CONFIG_MISSING', `The configuration ${path} cannot be read.`, { cause });
  }
}

/** The same file id, scope and fields always ask for the same rollback. */
function requestIdOf(incident: Incident, { scope, fields }: Item['wish']): RequestId {
  return deriveRequestId(
    createHash('sha256')
      .update(JSON.stringify([incident.id, scope, fields]))
      .digest(),
  );
}

async function planAll(engine: Engine, incident: Incident): Promise<Item[]> {
  const author = environment.author ?? (await engine.identity()) ?? environment.account;
  const items: Item[] = incident.rollbacks.map((wish) => ({ wish, id: requestIdOf(incident, wish) }));
  const twice = items.find(({ id }, index) => items.findIndex((other) => other.id === id) !== index);
  if (twice) throw new BacktrailError('INVALID_REQUEST', `${twice.wish.scope} stands twice in the file.`);
  for (const [index, item] of items.entries()) {
    printProgress(`planning ${index + 1}/${items.length} ${item.wish.scope}`);
    await planOne(engine, item, { reason: incident.reason, author });
  }
  return items;
}

async function planOne(
  engine: Engine,
  item: Item,
  { reason, author }: { reason: string; author: Person },
): Promise<void> {
  const { scope, to, fields, allowRemoval } = item.wish;
  try {
    const done = await engine.findRequest(item.id);
    if (done !== null) {
      item.done = done;
      return;
    }
    const planned = await engine.plan({ scope, to, fields, allowRemoval });
    item.planned = planned;
    if (isBlocked(planned.plan)) throw blockedError(planned.plan);
    if (planned.plan.files.length === 0) return;
    item.request = confirmPlan(planned, {
      id: item.id,
      reason,
      author,
      now: environment.clock.now(),
      allowRemoval,
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
    item.error = error;
  }
}

function planTable(items: readonly Item[]): string {
  const rows = items.map(({ wish, planned, error, done }) => {
    const target = planned ? revisionName(planned.plan.target) : wish.to;
    const { impact } = planned?.plan ?? {};
    const what = error
      ? `${error.code}: ${error.message}`
      : done
        ? `done before in ${short(done)}`
        : !impact?.files
          ? 'nothing to do'
          : `${impact.files} files, ${impact.fields} fields: ${impact.services.join(', ')}`;
    return [wish.scope, wish.fields.join(' ') || '-', target, style.paint(error ? 'red' : 'reset', what)];
  });
  const notes = items.flatMap(({ planned, error }) =>
    planned && !error
      ? printFindings(
          style,
          planned.plan.findings.filter(({ severity }) => severity === 'warn'),
        )
      : [],
  );
  return [
    table([['scope', 'fields', 'to', 'plan'].map((head) => style.paint('dim', head)), ...rows]),
    ...notes,
  ].join('\n');
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

type Place = { readonly repo: string; readonly config?: { name: string; text: string } };

/** With `stop` one after the other; with `continue` all at once, as far as there are workers. */
async function carryOut(
  items: readonly Item[],
  place: Place,
  onFailure: Incident['onFailure'],
): Promise<void> {
  const queue = await openQueue({ redisUrl: environment.redisUrl });
  try {
    if (onFailure === 'continue') {
      await Promise.all(items.map((item) => carryOutOne(queue, item, place)));
      return;
    }
    for (const item of items) {
      await carryOutOne(queue, item, place);
      if (item.error) return;
    }
  } finally {
    await queue.close();
  }
}

async function carryOutOne(queue: RollbackQueue, item: Item, { repo, config }: Place): Promise<void> {
  const { request, wish } = item;
  if (!request) return;
  try {
    const { since } = await enqueueRollback(queue, {
      v: 1,
      request,
      repo: address(repo),
      ...(config && { config }),
    });
    item.result = await followRollback(queue, request.id, {
      since,
      onStep: ({ step }) => printProgress(`${wish.scope}: ${step}`),
      onRetry: ({ failure, waitMs }) =>
        printProgress(`${wish.scope}: ${failure.code}, again in ${Math.ceil(waitMs / 1000)} s`),
      onIdle: () =>
        printProgress(`${wish.scope}: no worker is connected; start one with \`backtrail worker\``),
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
    item.error = error;
  }
}

function resultTable(items: readonly Item[]): string {
  const rows = items.map(({ wish, id, result, error, done, request }) => {
    const status = error
      ? 'failed'
      : done
        ? 'completed'
        : (result?.status ?? (request ? 'not started' : 'unchanged'));
    const color = error ? 'red' : status === 'not started' ? 'yellow' : 'green';
    return [
      wish.scope,
      style.paint(color, status),
      short(result?.commit ?? done ?? '') || '-',
      error ? style.paint('reset', `${error.code}: ${error.message}`) : id,
    ];
  });
  return table([
    ['scope', 'status', 'commit', 'request or failure'].map((head) => style.paint('dim', head)),
    ...rows,
  ]);
}

function exitCode(items: readonly Item[]): number {
  const failed = items.find(({ error }) => error);
  if (failed?.error) return FAILURES[failed.error.code].exit;
  return 0;
}
