/**
 * `npm run tour:audit`: rollbacks of every kind, verified from Git alone, exported, and verified by the export's own
 * script; then copies of the repository that somebody has tampered with, and what is found in each. Every command is the real command line in a process of its own; every claim is checked.
 */
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { buildFixturesRepo } from './build-fixtures-repo.ts';
import { heading, say, title } from './narrate.ts';
import { allowedSigners, letTrust, makeSomebody, type Somebody } from './people.ts';
import { LOCAL_KINDS, withRedis } from './redis.ts';
import { ask, backtrail, claim, git, shell, type Stage } from './tour/run.ts';
import { startWorker } from './tour/worker.ts';

const API = 'acme/production/api-gateway';
const BILLING = 'acme/production/billing';
const STAGING = 'acme/staging/billing';
const WHY = ['--reason', 'v2.1.0 answers 500'];
const POLICY = `policy:
  environments:
    - { match: "*/production", quorum: 1, approvers: { groups: [sre] }, breakGlass: { allowed: true, longest: 1h } }
  groups: { sre: [jane@example.com, bob@example.com] }
`;
const INCIDENT = `id: inc-2041
reason: The cache answers for other tenants
rollbacks:
  - { scope: acme/staging/api-gateway }
  - { scope: globex/staging/catalog }
`;

const reportShape = z.looseObject({ checked: z.number(), honest: z.number() });

const exportShape = z.looseObject({
  counts: z.looseObject({ changes: z.number(), honest: z.number(), unreviewed: z.number() }),
  configuration: z.array(z.looseObject({ policy: z.boolean() })),
});

const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-'));
const stage: Stage = { folder };
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

interface Cast {
  readonly jane: Somebody;
  readonly bob: Somebody;
}

try {
  // A Redis of our own, whatever REDIS_URL says.
  await withRedis(({ url }) => tour(url), { only: LOCAL_KINDS });
  say(
    `\nEvery step did what it says. Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`,
  );
} catch (error) {
  process.stderr.write(`\ntour:audit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function tour(redisUrl: string): Promise<void> {
  const person = (account: string, name: string): Somebody => {
    const email = `${account}@example.com`;
    const somebody = makeSomebody(join(folder, account), { name, email, signs: true });
    return { ...somebody, env: { ...somebody.env, REDIS_URL: redisUrl } };
  };
  const cast = { jane: person('jane', 'Jane Doe'), bob: person('bob', 'Bob Miller') };
  const list = join(folder, 'allowed_signers');
  writeFileSync(list, allowedSigners(Object.values(cast)));
  for (const somebody of Object.values(cast)) letTrust(somebody, list);
  await commitPolicy(cast);
  await rollBack(cast, redisUrl);
  verify(cast);
  exportAll(cast);
  tamper(cast);
}

async function commitPolicy({ jane }: Cast): Promise<void> {
  title('1. A repository whose production needs one approval, and two people with SSH keys');
  await buildFixturesRepo(join(folder, 'config'));
  appendFileSync(join(folder, 'config/.backtrail/config.yaml'), POLICY);
  say(`Added to config/.backtrail/config.yaml:\n\n${POLICY}`);
  git(stage, jane, 'commit', '--quiet', '-a', '-m', 'Production needs one approval');
}

async function rollBack({ jane, bob }: Cast, redisUrl: string): Promise<void> {
  title(
    '2. Rollbacks of every kind: a field, a whole environment, two in one push, break-glass, approved by another',
  );
  backtrail(stage, jane, 0, 'rollback', STAGING, '--field', 'image', ...WHY, '--yes');
  backtrail(stage, jane, 0, 'rollback', 'globex/staging', ...WHY, '--yes');
  writeFileSync(join(folder, 'incident.yaml'), INCIDENT);
  const worker = startWorker(stage, { redisUrl, signers: 'allowed_signers' });
  try {
    backtrail(stage, jane, 0, 'incident', 'incident.yaml', '--yes');
  } finally {
    await worker.stop();
  }
  const ticket = ['--ticket', 'INC-2041', '--for', '30m'];
  const opened = backtrail(stage, jane, 0, 'break-glass', 'open', 'acme/production', ...WHY, ...ticket);
  backtrail(stage, jane, 0, 'rollback', BILLING, '--field', 'image', ...WHY, '--yes');
  backtrail(stage, jane, 0, 'break-glass', 'close', /bgs-[0-9A-Z]{26}/.exec(opened)?.[0] ?? '');
  const asked = backtrail(stage, jane, 5, 'rollback', API, ...WHY, '--yes');
  const id = /rbk-[0-9A-Z]{26}/.exec(asked)?.[0];
  claim(id !== undefined, 'The answer names no request');
  backtrail(stage, bob, 0, 'request', 'approve', id, '--here', '--yes', '--comment', 'v2.0.5 was fine');
}

function verify({ bob }: Cast): void {
  title('3. Each is made again from Git alone and compared: an auditor needs a clone, and the list of keys');
  backtrail(stage, bob, 0, 'audit', 'verify', '--render');
  const report = reportShape.parse(ask(stage, bob, 0, 'audit', 'verify'));
  claim(report.checked >= 6 && report.honest === report.checked, 'Not all of them are honest');
}

function exportAll({ bob }: Cast): void {
  title(
    '4. Exported for an auditor, and verified by a stranger: a clone, git and ssh-keygen, and nothing of ours',
  );
  const today = new Date().toISOString().slice(0, 10);
  const period = ['--from', new Date(started).toISOString().slice(0, 10), '--to', today];
  const table = backtrail(
    stage,
    bob,
    0,
    'audit',
    'export',
    ...period,
    '--format',
    'csv',
    '--script',
    'verify.sh',
  );
  const report = exportShape.parse(ask(stage, bob, 0, 'audit', 'export', ...period));
  const { changes, honest, unreviewed } = report.counts;
  claim(changes >= 6 && honest === changes, 'Not all changes are in the export, and honest');
  claim(table.trimEnd().split('\r\n').length === changes + 1, 'The table has not a row for each change');
  claim(unreviewed === 1, 'It does not say that nobody has looked at the use of break-glass');
  claim(
    report.configuration.some(({ policy }) => policy),
    'It does not say who changed the policy',
  );
  shell(stage, bob, 'git', 'clone', '--quiet', 'config', 'clone');
  shell(stage, bob, 'git', '-C', 'clone', 'fetch', '--quiet', 'origin', '+refs/backtrail/*:refs/backtrail/*');
  const said = shell(stage, bob, 'sh', 'verify.sh', 'clone');
  claim(said.endsWith('All of it holds.'), 'The script does not verify it');
  heading('and after somebody has cut the ledger back');
  shell(stage, bob, 'git', '-C', 'clone', 'update-ref', 'refs/backtrail/ledger', 'refs/backtrail/ledger~1');
  const found = shell(stage, bob, 'sh', '-c', 'sh verify.sh clone || test $? = 1');
  claim(found.includes('FAILED  the ledger does not hold'), 'The script does not find it');
}

interface Tampering {
  readonly what: string;
  readonly code: string;
  /** In a copy of the repository, whose tip is the approved rollback. */
  readonly act: (copy: Stage) => void;
}

/** By somebody who may write to the repository, and has no key but Jane's. */
function tamper({ jane, bob }: Cast): void {
  title('5. Tampered with in five ways, each in a copy: each is found, with the commit and what is wrong');
  const approved = git(stage, jane, 'log', '-1', '--format=%H', '--grep=^Approval: ');
  const message = git(stage, jane, 'log', '-1', '--format=%B', approved);
  const [older] = git(stage, jane, 'log', '--format=%H', '--skip=5', '-1', 'main').split('\n');
  claim(older !== undefined, 'There are no five commits');
  const reword = (copy: Stage, text: string) => {
    writeFileSync(join(copy.folder, 'message'), text);
    git(copy, jane, 'commit', '--quiet', '--amend', '--file=../message');
  };
  const ways: readonly Tampering[] = [
    {
      what: 'another byte, in a file that the rollback did not touch',
      code: 'PATH_ADDED',
      act: (copy) => {
        appendFileSync(join(copy.folder, 'config/tenants/acme/production/environment.yaml'), '# \n');
        git(copy, jane, 'commit', '--quiet', '--amend', '--all', '--no-edit');
      },
    },
    {
      what: 'another target in the message',
      code: 'TRAILER_DIFFERS',
      act: (copy) => reword(copy, message.replace(/^(Rollback-Target: ).*$/m, `$1${older}`)),
    },
    {
      what: 'the approval by somebody else',
      code: 'TRAILER_DIFFERS',
      act: (copy) => reword(copy, message.replace('Approved by bob@', 'Approved by ada@')),
    },
    {
      what: 'picked again, after another commit',
      code: 'BASE_DIFFERS',
      act: (copy) => {
        git(copy, jane, 'reset', '--quiet', '--hard', 'HEAD^');
        git(copy, jane, 'commit', '--quiet', '--allow-empty', '-m', 'Nothing to see');
        git(copy, jane, 'cherry-pick', approved);
      },
    },
    {
      what: 'the ledger cut back to before the vote',
      code: 'LEDGER_MISSING',
      act: (copy) => git(copy, jane, 'update-ref', 'refs/backtrail/ledger', 'refs/backtrail/ledger~3'),
    },
  ];
  for (const [index, { what, code, act }] of ways.entries()) {
    heading(what);
    const copy: Stage = { folder: join(folder, `copy-${index + 1}`) };
    cpSync(join(folder, 'config'), join(copy.folder, 'config'), { recursive: true });
    git(copy, jane, 'reset', '--quiet', '--hard', approved);
    act(copy);
    const found = backtrail(copy, bob, 3, 'audit', 'verify', API);
    claim(found.includes(code), `The tampering was not found as ${code}`);
  }
}
