/**
 * `npm run tour:pull-request`: rollbacks of a branch that takes no push. Every command is the real command line in a process of its own; the code
 * host is that of the tests, which refuses pushes and merges by real git; every claim is checked.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { say, title } from './narrate.ts';
import { allowedSigners, letTrust, makeSomebody, type Somebody } from './people.ts';
import type { Act } from './tour/host.ts';
import { backtrail, claim, git, shell } from './tour/run.ts';

const API = 'acme/production/api-gateway';
const WEB = 'acme/production/web';
const LIVE = 'acme/live/web';
const REASON = 'v2 answers 500';
const CONFIG = `version: 1
layout: { service: [ "tenants/{tenant}/{environment}/{service}/**" ] }
`;
const PUBLISH = `publish:
  - { match: "*/*", via: pull-request, merge: manual }
host: { kind: github, repository: acme/config }
policy:
  environments: [ { match: "*/live", quorum: 1 } ]
`;

const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-'));
const stage = { folder };
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const fileOf = (scope: string) => `tenants/${scope}/service.yaml`;
const rollback = (who: Somebody, exit: number, scope: string) =>
  backtrail(stage, who, exit, 'rollback', scope, '--reason', REASON, '--yes');
const reconcile = (jane: Somebody) => backtrail(stage, jane, 0, 'reconcile');
const show = (jane: Somebody, id: string) => backtrail(stage, jane, 0, 'request', 'show', id);

const hello = z.object({
  name: z.string(),
  authenticated: z.string(),
  url: z.string(),
  api: z.string(),
  token: z.string(),
});
const answer = z.object({ error: z.string().optional() });

try {
  await tour();
  say(
    `\nEvery step did what it says. Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`,
  );
} catch (error) {
  process.stderr.write(`\ntour:pull-request: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function tour(): Promise<void> {
  const [jane, bob] = [person('jane', 'Jane Doe'), person('bob', 'Bob Miller')];
  buildRepository(jane);
  const script = fileURLToPath(new URL('tour/host.ts', import.meta.url));
  const host = fork(script, [join(folder, 'host.git')], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, TMPDIR: folder },
  });
  try {
    const [said] = await once(host, 'message');
    const { name, authenticated, url, api, token } = hello.parse(said);
    writeFileSync(join(folder, 'token'), `${token}\n`);
    writeFileSync(join(folder, 'hosts.yaml'), `"${name}": { kind: github, api: "${api}", token: token }\n`);
    // As a person has it: the token is in git's own store, and in no address.
    const signers = join(folder, 'allowed_signers');
    writeFileSync(signers, allowedSigners([jane, bob]));
    for (const somebody of [jane, bob]) {
      const home = join(folder, somebody.account);
      writeFileSync(join(home, '.git-credentials'), `${new URL('/', authenticated).href}\n`);
      appendFileSync(join(home, '.gitconfig'), '[credential]\n\thelper = store\n');
      letTrust(somebody, signers);
    }
    shell(stage, jane, 'git', 'clone', '--quiet', url, 'config');
    const listing = (who: Somebody) => ({
      ...who,
      env: { ...who.env, BACKTRAIL_HOSTS: join(folder, 'hosts.yaml') },
    });
    const operator = listing(jane);
    refuse(operator);
    configure(operator);
    await merged(operator, host);
    await closed(operator, host);
    moved(operator, listing(bob));
  } finally {
    host.disconnect();
  }
}

/** On the host's page. */
async function onHost(host: ChildProcess, what: string, act: Act): Promise<void> {
  say(`[on the host: ${what}]\n`);
  host.send(act);
  const [said] = await once(host, 'message');
  const { error } = answer.parse(said);
  claim(error === undefined, `The host did not do that: ${error ?? ''}`);
}

function write(path: string, text: string): void {
  const full = join(folder, 'config', path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}

function person(account: string, name: string): Somebody {
  return makeSomebody(join(folder, account), { name, email: `${account}@example.com`, signs: true });
}

function buildRepository(jane: Somebody): void {
  title('1. A repository on a code host, its branch protected; v2 of two services is bad');
  mkdirSync(join(folder, 'config'));
  git(stage, jane, 'init', '--quiet', '--initial-branch=main');
  write('.backtrail/config.yaml', CONFIG);
  for (const version of ['v1', 'v2']) {
    for (const scope of [API, WEB, LIVE]) write(fileOf(scope), `image: acme:${version}\nreplicas: 2\n`);
    git(stage, jane, 'add', '--all');
    git(stage, jane, 'commit', '--quiet', '-m', `Deploy ${version}`);
  }
  shell(stage, jane, 'git', 'clone', '--quiet', '--bare', 'config', 'host.git');
  rmSync(join(folder, 'config'), { recursive: true });
}

function refuse(jane: Somebody): void {
  title('2. Pushed, it is refused: the answer names the setting');
  const refused = rollback(jane, 3, API);
  claim(refused.includes('via: pull-request'), 'The refused push does not name the setting');
}

/** By whoever administers the host, past the protection: the last push of this kind. */
function configure(jane: Somebody): void {
  title('3. The setting');
  write('.backtrail/config.yaml', CONFIG + PUBLISH);
  say(PUBLISH);
  git(stage, jane, 'commit', '--quiet', '-a', '-m', 'Publish by pull requests');
  past(jane);
}

function past(jane: Somebody): void {
  shell(stage, jane, 'git', '-C', 'host.git', 'fetch', '--quiet', '../config', 'main:main');
  git(stage, jane, 'fetch', '--quiet');
}

/** Asks, and gives the id of the request and the number of its pull request. */
function propose(jane: Somebody, scope: string): { readonly id: string; readonly number: number } {
  const said = rollback(jane, 5, scope);
  const id = /rbk-[0-9A-Z]{26}/.exec(said)?.[0];
  const number = /\/pull\/(\d+)/.exec(said)?.[1];
  claim(id !== undefined && number !== undefined, 'The answer names no request, or no pull request');
  return { id, number: Number(number) };
}

async function merged(jane: Somebody, host: ChildProcess): Promise<void> {
  title('4. By pull request: opened, checked, merged by a person, found on the branch by its change');
  backtrail(stage, jane, 0, 'plan', API);
  const { id, number } = propose(jane, API);
  await onHost(host, 'the check starts', { act: 'checks', number, state: 'pending' });
  show(jane, id);
  await onHost(host, 'the check passes', { act: 'checks', number, state: 'green' });
  await onHost(host, 'Ada merges by squash', { act: 'merge', number, by: 'ada' });
  reconcile(jane);
  const after = show(jane, id);
  claim(after.includes('completed') && after.includes('squash'), 'The merge was not recorded');
  const history = backtrail(stage, jane, 0, 'history', API);
  claim(history.includes('rolled back by'), 'The history does not know the rollback');
  const record = backtrail(stage, jane, 0, 'log', API);
  claim(record.includes(REASON), 'The log does not know the rollback');
}

async function closed(jane: Somebody, host: ChildProcess): Promise<void> {
  title('5. Another is closed without a merge: it has failed, and is retried');
  const { id, number } = propose(jane, WEB);
  await onHost(host, 'Ada closes it', { act: 'close', number });
  reconcile(jane);
  claim(show(jane, id).includes('PULL_REQUEST_CLOSED'), 'The closed pull request was not noticed');
  backtrail(stage, jane, 5, 'request', 'retry', id, '--here', '--yes');
  claim(reconcile(jane).includes('waits to be merged'), 'What waits was not said');
  backtrail(stage, jane, 0, 'request', 'cancel', id, '--reason', 'Shown enough');
}

function moved(jane: Somebody, bob: Somebody): void {
  title(
    '6. Where approvals are needed: approved, opened; then the branch moves inside its scope, and people are asked anew',
  );
  const id = /rbk-[0-9A-Z]{26}/.exec(rollback(jane, 5, LIVE))?.[0];
  claim(id !== undefined, 'The answer names no request');
  const opened = backtrail(stage, bob, 5, 'request', 'approve', id, '--here', '--yes');
  claim(opened.includes('/pull/3'), 'The approved rollback has no pull request');
  git(stage, jane, 'pull', '--quiet');
  write(fileOf(LIVE), 'image: acme:v3\nreplicas: 2\n');
  git(stage, jane, 'commit', '--quiet', '-a', '-m', 'Deploy v3');
  past(jane);
  claim(reconcile(jane).includes('asked for again'), 'It is not said that people are asked again');
  claim(show(jane, id).includes('pending'), 'It is not asked about anew');
}
