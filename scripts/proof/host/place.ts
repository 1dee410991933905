/** A branch of a real repository that is made for a run, the engines of those who work on it, and the end of all that the run has made there. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { openHost } from '../../../engine/hosts/open.ts';
import { readHosts, readToken } from '../../../engine/hosts/operator.ts';
import { findPlace } from '../../../engine/hosts/place.ts';
import { type Engine, openEngine } from '../../../engine/internal.ts';
import type { CodeHost, MergeSettings } from '../../../engine/model/index.ts';
import type { Proposing } from '../../../test/helpers/people/proposing.ts';
import { environmentOf } from '../../people.ts';

export interface Repository {
  /** As the operator writes it for BACKTRAIL_HOSTS. */
  readonly hostsFile: string;
  /** As git fetches from it, and pushes to it. */
  readonly address: string;
}

export interface Place extends Proposing {
  readonly host: CodeHost;
  readonly settings: MergeSettings;
  /** The branch that is rolled back. */
  readonly branch: string;
  readonly bob: { readonly name: string; readonly email: string };
  /** Another worker, with a cache of its own. */
  another(): Promise<Engine>;
  /** A person's commit on a branch; gives its id. */
  commit(branch: string, files: Readonly<Record<string, string>>, message: string): Promise<string>;
  /** Where a branch is; null where there is none. */
  at(branch: string): Promise<string | null>;
  /** Milliseconds later, for all who look at a clock here. */
  later(milliseconds: number): void;
  /** Closes and deletes what the run has made. Gives what it could not: a sentence each. */
  end(): Promise<readonly string[]>;
}

const JANE = { name: 'Jane of a proof', email: 'jane@example.com' };
const BOB = { name: 'Bob of a proof', email: 'bob@example.com' };
const PASSED_ON = ['SSH_AUTH_SOCK', 'GIT_SSL_CAINFO', 'NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'NO_PROXY'];
const USERS = { github: 'x-access-token', gitlab: 'oauth2', gitea: 'x-access-token' } as const;

/** Environments go their ways; services have a good and a bad revision each. */
const configOf = (prefix: string) => `version: 1
layout: { service: ["apps/{environment}/{service}/app.yaml"] }
ledger: { ref: refs/backtrail/${prefix}-ledger }
deployments: { ref: refs/backtrail/${prefix}-deployments }
publish:
  - { match: auto, via: pull-request, merge: auto }
  - { match: together, via: pull-request, method: merge }
  - { match: "**", via: pull-request }
policy: { environments: [ { match: reviewed, quorum: 1, unsignedRequests: true, unsignedApprovals: true } ] }
`;

/** `scopes`: the services to be there, `<environment>/<service>`. */
export async function openPlace(repository: Repository, scopes: readonly string[]): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'backtrail-proof-'));
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of opened.splice(0).toReversed()) await one();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return await openIn(folder, { repository, scopes, opened, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opening {
  readonly repository: Repository;
  readonly scopes: readonly string[];
  readonly opened: (() => Promise<void>)[];
  readonly close: () => Promise<void>;
}

async function openIn(folder: string, { repository, scopes, opened, close }: Opening): Promise<Place> {
  const { hostsFile } = repository;
  const { address, env } = await signedIn(join(folder, 'home'), repository);
  const prefix = `proof-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  const branch = `backtrail-${prefix}`;
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
  };
  const host = await openHost({
    address,
    naming: { kind: null, repository: null },
    hostsFile,
    env: { ...process.env },
    clock,
  });
  opened.push(() => host.close());
  // It says whether the token sees the repository, before anything is made.
  await host.listOpen();
  const people = join(folder, 'people');
  const git = (...args: string[]) => run(people, env, args);
  await mkdir(people);
  await git('init', '--quiet', '--initial-branch', branch);
  await git('remote', 'add', 'origin', address);
  const write = async (files: Readonly<Record<string, string>>, message: string) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(people, path)), { recursive: true });
      await writeFile(join(people, path), text);
    }
    await git('add', '--all');
    await git('commit', '--quiet', '-m', message);
    return git('rev-parse', 'HEAD');
  };
  const appsOf = (image: string) =>
    Object.fromEntries(scopes.map((scope) => [`apps/${scope}/app.yaml`, `image: ${image}\nreplicas: 1\n`]));
  await write({ '.backtrail/config.yaml': configOf(prefix), ...appsOf('v1') }, 'Start');
  await write(appsOf('v2'), 'Deploy v2');
  const at = async (name: string) => {
    const said = await git('ls-remote', 'origin', name.startsWith('refs/') ? name : `refs/heads/${name}`);
    return said === '' ? null : (said.split('\t')[0] ?? null);
  };
  const end = async (): Promise<readonly string[]> => {
    const left = await cleanUp({ host, git, at, worker: engines[0] ?? null, prefix, branch });
    await close();
    return left;
  };
  const engines: Engine[] = [];
  try {
    await git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    const another = async () => {
      const clone = join(folder, `clone-${engines.length}`);
      await git('clone', '--quiet', '--single-branch', '--branch', branch, address, clone);
      const engine = await openEngine({
        repo: clone,
        env: { ...env, BACKTRAIL_HOSTS: resolve(hostsFile) },
        cacheFolder: join(folder, `cache-${engines.length}`),
        committer: { name: 'Backtrail', email: 'backtrail@localhost' },
        clock,
      });
      engines.push(engine);
      opened.push(() => engine.close());
      return engine;
    };
    const worker = await another();
    return {
      host,
      settings: await host.settings(branch),
      branch,
      worker,
      janes: worker,
      team: { jane: JANE },
      bob: BOB,
      another,
      at,
      later: (ms) => void (offset += ms),
      async commit(onto, files, message) {
        await git('fetch', '--quiet', 'origin', `refs/heads/${onto}`);
        await git('checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD');
        const id = await write(files, message);
        await git('push', '--quiet', 'origin', `HEAD:refs/heads/${onto}`);
        return id;
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A home whose git has the token, in a file of its own, and in no address. */
async function signedIn(home: string, { hostsFile, address }: Repository) {
  const passed = PASSED_ON.flatMap((key) => {
    const value = process.env[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const env = { ...Object.fromEntries(passed), ...environmentOf(home) };
  const settings = [`[user]\n\tname = ${JANE.name}\n\temail = ${JANE.email}\n`];
  const { name, kind, credentials } = findPlace(
    address,
    { kind: null, repository: null },
    await readHosts(hostsFile),
  );
  const isWeb = /^https?:/i.test(address);
  const url = new URL(isWeb ? address : 'https://none');
  if (isWeb && url.password === '' && credentials.kind === 'token') {
    url.username = USERS[kind];
    url.password = await readToken(name, credentials.file);
  }
  if (url.password !== '') {
    await writeFile(join(home, '.git-credentials'), `${new URL('/', url).href}\n`, { mode: 0o600 });
    settings.push('[credential]\n\thelper = store\n');
  }
  await writeFile(join(home, '.gitconfig'), settings.join(''));
  url.username = '';
  url.password = '';
  return { env, address: isWeb ? url.href : address };
}

/** Everything that the run has made has its prefix, or is the branch of a request in its own ledger. */
async function cleanUp({
  host,
  git,
  at,
  worker,
  prefix,
  branch,
}: Pick<Place, 'host' | 'at' | 'branch'> & {
  readonly git: (...args: string[]) => Promise<string>;
  readonly worker: Engine | null;
  readonly prefix: string;
}): Promise<readonly string[]> {
  const left: string[] = [];
  const attempt = (what: string, work: Promise<unknown>) =>
    work.catch((error: unknown) => left.push(`${what} is left behind: ${messageOf(error)}`));
  const remove = async (ref: string) => {
    if ((await at(ref)) !== null) await git('push', '--quiet', 'origin', `:${ref}`);
  };
  const ids = (await worker?.requests.ids({ reader: JANE }).catch(() => null)) ?? null;
  if (ids === null && worker !== null)
    left.push('The branches of its requests may be left behind: its ledger cannot be read.');
  for (const id of ids ?? []) {
    const own = `backtrail/${id}`;
    const close = async () => {
      const pull = await host.find(own);
      if (pull?.state === 'open') await host.closePullRequest(pull.number);
    };
    await attempt(`The pull request of ${own}`, close());
    await attempt(`The branch ${own}`, remove(`refs/heads/${own}`));
  }
  await attempt(`The branch ${branch}`, remove(`refs/heads/${branch}`));
  for (const kind of ['ledger', 'deployments'])
    await attempt(`refs/backtrail/${prefix}-${kind}`, remove(`refs/backtrail/${prefix}-${kind}`));
  return left;
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** What git prints. It runs beside a host that may be in this very process. */
function run(
  folder: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn('git', args, {
      cwd: folder,
      env: { ...env, GIT_TERMINAL_PROMPT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, complaint]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk));
    child.on('error', failed);
    child.on('close', (code) => {
      if (code === 0) done(Buffer.concat(output).toString().trim());
      else
        failed(new Error(`git ${args[0] ?? ''}: ${Buffer.concat(complaint).toString().trim().slice(-500)}`));
    });
  });
}
