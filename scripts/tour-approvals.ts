/**
 * `npm run tour:approvals`: a rollback that needs another person's approval, and one through break-glass, by people with SSH
 * keys of their own. Every command is the real command line in a process of its own; every claim is checked.
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { buildFixturesRepo } from './build-fixtures-repo.ts';
import { say, title, typed } from './narrate.ts';
import { allowedSigners, letTrust, makeSomebody, type Somebody } from './people.ts';
import { LOCAL_KINDS, withRedis } from './redis.ts';
import { ask, backtrail, claim, git, shell } from './tour/run.ts';
import { startWorker, type Worker } from './tour/worker.ts';

const SCOPE = 'acme/production/api-gateway';
const POLICY = `policy:
  environments:
    - { match: "*/production", quorum: 1, approvers: { groups: [sre] }, breakGlass: { allowed: true, longest: 1h } }
  groups: { sre: [jane@example.com, bob@example.com] }
`;

const requestShape = z.looseObject({
  status: z.string(),
  result: z.looseObject({ commit: z.string().nullable().optional() }).nullable(),
});

const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-'));
const stage = { folder };
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

try {
  // A Redis of our own, whatever REDIS_URL says: the tour flushes it.
  await withRedis(({ url }) => tour(url), { only: LOCAL_KINDS });
  say(
    `\nEvery step did what it says. Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`,
  );
} catch (error) {
  process.stderr.write(`\ntour:approvals: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

interface Cast {
  readonly jane: Somebody;
  readonly bob: Somebody;
  /** Calls herself Bob, and has no key. */
  readonly mallory: Somebody;
}

async function tour(redisUrl: string): Promise<void> {
  const bobs = { name: 'Bob Miller', email: 'bob@example.com' };
  const person = (account: string, who: Parameters<typeof makeSomebody>[1]): Somebody => {
    const somebody = makeSomebody(join(folder, account), who);
    return { ...somebody, env: { ...somebody.env, REDIS_URL: redisUrl } };
  };
  const cast: Cast = {
    jane: person('jane', { name: 'Jane Doe', email: 'jane@example.com', signs: true }),
    bob: person('bob', { ...bobs, signs: true }),
    mallory: person('mallory', { ...bobs, signs: false }),
  };
  const list = join(folder, 'allowed_signers');
  writeFileSync(list, allowedSigners([cast.jane, cast.bob]));
  for (const somebody of Object.values(cast)) letTrust(somebody, list);
  await commitPolicy(cast);
  const id = proposeRollback(cast);
  await flush(redisUrl, 'the request is in Git, so nothing is lost');
  forgeApproval(cast, id);
  approve(cast, id);
  await flush(redisUrl, 'the approval is in Git as well');
  const worker = start(cast, redisUrl);
  try {
    await executed(cast, id, worker);
    breakGlass(cast);
    showRecord(cast, id);
  } finally {
    await worker.stop();
  }
}

async function commitPolicy({ jane, bob }: Cast): Promise<void> {
  title('1. A repository whose production needs one approval, and two people with SSH keys');
  const fixtures = await buildFixturesRepo(join(folder, 'config'));
  say(`${fixtures.commits.length} commits in config/. Added to config/.backtrail/config.yaml:\n\n${POLICY}`);
  appendFileSync(join(folder, 'config/.backtrail/config.yaml'), POLICY);
  git(stage, jane, 'commit', '--quiet', '-a', '-m', 'Production needs one approval');
  shell(stage, bob, 'git', 'config', '--global', '--list');
}

function proposeRollback({ jane }: Cast): string {
  title('2. Jane asks, and cannot approve it herself');
  const reason = 'Bad image tag v2.1.0 causing 500 errors';
  const asked = backtrail(stage, jane, 5, 'rollback', SCOPE, '--reason', reason, '--yes');
  const id = /rbk-[0-9A-Z]{26}/.exec(asked)?.[0];
  claim(
    id !== undefined && asked.includes('bob@example.com'),
    'The answer names no request, or not who can approve it',
  );
  const own = backtrail(stage, jane, 3, 'request', 'approve', id, '--yes');
  claim(
    own.includes('cannot approve/reject your own rollback request'),
    'Her own approval was refused with another message',
  );
  return id;
}

async function flush(redisUrl: string, why: string): Promise<void> {
  typed(['redis-cli', 'FLUSHALL'], '');
  const redis = new Redis(redisUrl);
  const answer = await redis.flushall();
  redis.disconnect();
  say(`${answer} (${why})\n`);
}

/** Whoever may push could write this: what counts is decided by keys that the worker's own configuration trusts. */
function forgeApproval({ jane, mallory }: Cast, id: string): void {
  title('3. Somebody says to be Bob, without his key: that does not count');
  backtrail(stage, mallory, 5, 'request', 'approve', id, '--yes', '--comment', 'It is me, Bob');
  const shown = backtrail(stage, jane, 0, 'request', 'show', id);
  claim(shown.includes('does not count: identity unverified'), 'The unsigned approval is not marked');
  claim(requestOf(jane, id).status === 'pending', 'The unsigned approval counted');
}

function approve({ bob }: Cast, id: string): void {
  title('4. Bob approves, with his SSH key; no worker runs yet');
  backtrail(stage, bob, 0, 'request', 'approve', id, '--yes', '--comment', 'v2.0.5 was fine', '--no-wait');
}

function start({ jane }: Cast, redisUrl: string): Worker {
  title('5. A worker starts: it finds the approved request in Git, and checks whose keys signed');
  shell(stage, jane, 'cat', 'allowed_signers');
  return startWorker(stage, { redisUrl, signers: 'allowed_signers' });
}

async function executed({ jane }: Cast, id: string, worker: Worker): Promise<void> {
  for (const deadline = Date.now() + 60_000; requestOf(jane, id).status !== 'completed'; ) {
    claim(Date.now() < deadline, `The worker did not execute the request; its log:\n${worker.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const found = worker
    .log()
    .split('\n')
    .filter((line) => line.includes(id) && line.includes('without a job'));
  claim(found.length === 1, `The worker did not find the request in Git; its log:\n${worker.log()}`);
  say(`${found[0] ?? ''}\n`);
  const commit = requestOf(jane, id).result?.commit ?? '';
  const message = git(
    stage,
    jane,
    'log',
    '-1',
    '--format=commit %h%nAuthor: %an <%ae>%nCommit: %cn <%ce>%n%n%B',
    commit,
  );
  claim(
    message.includes('\nApproval: Approved by bob@example.com (quorum: 1/1)\n'),
    'The commit does not say who approved it',
  );
}

function breakGlass({ jane, bob }: Cast): void {
  title('6. Break-glass: without approval, but never without the record, and another person looks at it');
  const scope = 'acme/production/billing';
  const why = ['--reason', 'billing 1.5.1 books twice'];
  const opened = backtrail(
    stage,
    jane,
    0,
    'break-glass',
    'open',
    'acme/production',
    ...why,
    '--ticket',
    'INC-2041',
    '--for',
    '30m',
  );
  const session = /bgs-[0-9A-Z]{26}/.exec(opened)?.[0] ?? '';
  const done = backtrail(stage, jane, 0, 'rollback', scope, '--field', 'image', ...why, '--yes', '--queue');
  const id = /rbk-[0-9A-Z]{26}/.exec(done)?.[0] ?? '';
  const commit = requestOf(jane, id).result?.commit ?? '';
  const flag = git(stage, jane, 'log', '-1', '--format=%(trailers:key=Rollback-Break-Glass)', commit);
  claim(/^Rollback-Break-Glass: .*INC-2041/.test(flag), 'The commit is not flagged');
  const events = ['log', `--grep=Event-Request: ${id}`, '--format=%h %s', 'refs/backtrail/ledger'];
  const recorded = git(stage, jane, ...events);
  claim(/breaks the glass/.test(recorded), 'The ledger does not flag it');
  claim(
    /BREAK-GLASS/.test(backtrail(stage, bob, 0, 'request', 'list', '--all')),
    'The list does not flag it',
  );
  backtrail(stage, jane, 0, 'break-glass', 'close', session);
  const own = backtrail(stage, jane, 3, 'break-glass', 'review', id, '--comment', 'Looks good to me');
  claim(own.includes('OWN_REVIEW'), 'Her own review was refused with another code');
  backtrail(stage, bob, 0, 'break-glass', 'review', id, '--comment', 'Right call; the alert was late');
  claim(!backtrail(stage, bob, 0, 'break-glass', 'list').includes(id), 'The review is still open');
}

function showRecord({ jane }: Cast, id: string): void {
  title('7. The record: from Backtrail, and from git alone');
  backtrail(stage, jane, 0, 'audit', 'log');
  const log = git(stage, jane, 'log', '--format=%h %an <%ae> %s', 'refs/backtrail/ledger');
  claim(log.split('\n').length >= 8, 'The ledger holds fewer events than happened');
  claim(
    git(stage, jane, 'log', '--oneline', `--grep=Rollback-Request-ID: ${id}`).split('\n').length === 1,
    'Not one revert commit',
  );
}

function requestOf(who: Somebody, id: string): z.infer<typeof requestShape> {
  return requestShape.parse(ask(stage, who, 0, 'request', 'show', id));
}
