/** What people do on the command line, once on a repository with a worker beside it and once on a server: the same answers and exit codes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLogger, executeInBatches, startWorker } from '../../workers/index.ts';
import { configOf } from '../helpers/people/requests.ts';
import { backtrail, type Transcript } from '../helpers/program/cli.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { copyRepo, createRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { isProof } from '../helpers/run/proof.ts';
import { closeAfterFile } from '../helpers/run/lifetime.ts';
import { startApi } from '../helpers/servers/api.ts';
import { useRedis } from '../helpers/servers/redis.ts';

const redis = useRedis();

const POLICY = {
  environments: [
    {
      match: 'prod',
      quorum: 1,
      unsignedApprovals: true,
      unsignedRequests: true,
      breakGlass: { allowed: true, longest: '1h' },
    },
  ],
};
const PEOPLE = {
  jane: { name: 'Jane Doe', email: 'jane@example.com' },
  bob: { name: 'Bob', email: 'bob@example.com' },
};
type Who = keyof typeof PEOPLE;
/** One command line of a person; `-o json` comes before it. */
type Run = (who: Who, ...args: string[]) => Promise<Transcript>;

const files = (tag: string) =>
  Object.fromEntries(
    ['dev/api', 'dev/web', 'prod/api', 'prod/web', 'prod/db'].map((scope) => [
      `apps/${scope}/app.yaml`,
      `image: ${tag}\nreplicas: 1\n`,
    ]),
  );

/** Executes what is asked for in either of them. */
function workerOf(repos: readonly Repo[], redisUrl: string): void {
  const worker = startWorker({
    redisUrl,
    execute: executeInBatches((place) => {
      const repo = repos.find(({ folder }) => folder === place);
      return repo
        ? engineOf(repo, { lives: 'file' })
        : Promise.reject(new Error(`It is asked for ${place}.`));
    }),
    logger: createLogger({ name: 'worker', destination: { write: () => undefined } }),
  });
  closeAfterFile(() => worker.close());
}

/** What is done, with what has an id in it; each answer with its exit code. */
async function journey(run: Run, folder: string): Promise<unknown[]> {
  const said: unknown[] = [];
  const take = async (who: Who, ...args: string[]) => {
    const { code, stdout, stderr } = await run(who, ...args);
    const value: unknown = stdout === '' ? null : JSON.parse(stdout);
    // Of one second, they are listed by their ids, which are other ones each time.
    const { requests } = Object(value);
    if (Array.isArray(requests)) requests.sort((one, next) => (scopeIn(one) < scopeIn(next) ? -1 : 1));
    said.push({ who, args: args.map(masked), code, value: withoutPassing(value), stderr: masked(stderr) });
    return value;
  };
  const idIn = (value: unknown) => String(Object(value).requestId);
  await take('jane', 'rollback', 'dev/api', '--reason', 'v2 answers 500', '--yes', '--request-id', 'job-1');
  await take('jane', 'rollback', 'dev/api', '--reason', 'v2 answers 500', '--yes', '--request-id', 'job-1');
  await take('jane', 'rollback', 'dev/api', '--reason', 'Again', '--yes', '--dry-run');
  const id = idIn(await take('jane', 'rollback', 'prod/api', '--reason', 'v2 answers 500', '--yes'));
  await take('jane', 'request', 'approve', id, '--yes');
  await take('bob', 'request', 'list');
  await take('bob', 'request', 'show', id.slice(-8));
  await take('bob', 'request', 'plan', id);
  await take('bob', 'request', 'note', id, 'Seen');
  await take('bob', 'request', 'approve', id, '--yes', '--comment', 'v1 was fine');
  await take('bob', 'request', 'approve', id, '--yes');
  if (!isProof) return said;
  const other = idIn(await take('jane', 'rollback', 'prod/web', '--reason', 'Slow', '--yes'));
  await take('bob', 'request', 'reject', other, '--comment', 'Not the cause');
  await take('jane', 'request', 'cancel', other);
  await take('jane', 'request', 'list', '--all');
  await take('jane', 'request', 'show', 'nothing-here');
  const session = Object(
    await take('jane', 'break-glass', 'open', 'prod', '--reason', 'Payments are down', '--for', '30m'),
  ).id;
  const urgent = idIn(await take('jane', 'rollback', 'prod/db', '--reason', 'Payments are down', '--yes'));
  await take('jane', 'break-glass', 'close', String(session));
  await take('bob', 'break-glass', 'review', urgent, '--comment', 'Right');
  await take('jane', 'deployment', 'record', 'dev/web', '--status', 'deployed');
  await take('jane', 'deployment', 'list');
  await take('jane', 'history', 'prod/api');
  const file = join(folder, 'incident.yaml');
  await writeFile(
    file,
    'id: inc-1\nreason: All of it\nrollbacks:\n  - { scope: dev/web }\n  - { scope: prod/web, to: v1 }\n',
  );
  await take('jane', 'incident', file, '--yes');
  await take('bob', 'request', 'approve', '--incident', 'inc-1', '--yes');
  await take('jane', 'incident', file, '--yes');
  return said;
}

const scopeIn = (request: unknown) => String(Object(request).scopeName);

const masked = (text: string) =>
  text
    .replace(/\b(rbk|dep|bgs|evt)-[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1-…')
    .replace(/\b[0-9A-HJKMNP-TV-Z]{8}\b/g, '…')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:…')
    .replace(/\b[0-9a-f]{40}\b/g, '…')
    .replace(/\b[0-9a-f]{7,10}\b/g, '…')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '…')
    .replace(/\/\S+\/incident\.yaml/g, 'incident.yaml');

/** Without what is another one each time, and what only a server adds. */
function withoutPassing(value: unknown): unknown {
  return JSON.parse(
    masked(
      JSON.stringify(value, (name, each: unknown) =>
        name === 'authenticated' || name === 'destination' || name === 'address' ? undefined : each,
      ) ?? 'null',
    ),
  );
}

it('ends alike on the repository and on a server', async () => {
  const here = await createRepo();
  await here.commit({ '.backtrail/config.yaml': configOf(POLICY), ...files('v1') });
  await here.commit(files('v2'));
  const there = await copyRepo(here);
  const folder = await temporaryFolder();
  workerOf([here, there], redis.url);
  const engine = await engineOf(there, { lives: 'file' });
  const servers = new Map<Who, { readonly url: string; readonly token: string }>();
  for (const who of ['jane', 'bob'] as const)
    servers.set(
      who,
      await startApi(engine, { lives: 'file', person: PEOPLE[who], settings: { redisUrl: redis.url } }),
    );
  const local: Run = (who, ...args) => {
    const { name, email } = PEOPLE[who];
    const env = {
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: name,
      GIT_CONFIG_KEY_1: 'user.email',
      GIT_CONFIG_VALUE_1: email,
    };
    const queue = args[0] === 'rollback' && !args.includes('--dry-run') ? ['--queue'] : [];
    return backtrail(here, ['-o', 'json', ...args, ...queue], { env, redisUrl: redis.url });
  };
  const remote: Run = async (who, ...args) => {
    const { url = '', token = '' } = servers.get(who) ?? {};
    const file = join(folder, `${who}.token`);
    await writeFile(file, token);
    return backtrail(there, ['--server', url, '--token-file', file, '-o', 'json', ...args]);
  };
  const [one, other] = [await journey(local, folder), await journey(remote, folder)];
  for (const [at, each] of one.entries()) expect(other[at]).toEqual(each);
});
