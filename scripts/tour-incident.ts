/**
 * `npm run tour:incident`: what is looked at before a rollback, what keeps automation from undoing it, and what the record says. Every
 * command is the real command line in a process of its own; every claim is checked.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { say, title } from './narrate.ts';
import { makeSomebody, type Somebody } from './people.ts';
import { ask, backtrail, claim, git, MAIN, shell } from './tour/run.ts';

const SCOPE = 'acme/production/api-gateway';
const FILE = 'tenants/acme/production/api-gateway/service.yaml';
const MARKER = '# {"$imagepolicy": "flux-system:api-gateway:tag"}';
const CONFIG = `version: 1
layout: { service: [ "tenants/{tenant}/{environment}/{service}/**" ] }
fields: { image: "service.yaml#/image/tag" }
checks: { migrations: [ "db/{service}/migrations/**" ] }
holds: { bots: [ "flux@example.com" ] }
`;

const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-'));
const stage = { folder };
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const serviceText = (host: string, { profile = 'web', tag = '' }) =>
  `profile: ${profile}\nimage:\n  repository: ${host}/acme/api-gateway\n  tag: ${tag} ${MARKER}\nreplicas: 2\n`;

const head = (who: Somebody) => git(stage, who, 'rev-parse', 'HEAD');
const file = () => readFileSync(join(folder, 'config', FILE), 'utf8');
const guarded = z.object({ violations: z.array(z.looseObject({ restore: z.string() })) });

try {
  await tour();
  say(
    `\nEvery step did what it says. Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`,
  );
} catch (error) {
  process.stderr.write(`\ntour:incident: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

interface Cast {
  readonly jane: Somebody;
  readonly flux: Somebody;
}

async function tour(): Promise<void> {
  const script = fileURLToPath(new URL('tour/registry.ts', import.meta.url));
  const registry = spawn(process.execPath, ['--import', 'tsx', script, 'acme/api-gateway:v2.0.5'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(registry.stdout.setEncoding('utf8'), 'data');
    const host = String(line).trim();
    const person = (account: string, name: string): Somebody => {
      const made = makeSomebody(join(folder, account), {
        name,
        email: `${account}@example.com`,
        signs: false,
      });
      return { ...made, env: { ...made.env, BACKTRAIL_REGISTRIES: host } };
    };
    const cast: Cast = { jane: person('jane', 'Jane Doe'), flux: person('flux', 'Flux') };
    buildRepository(cast, host);
    lookBefore(cast);
    goAheadAllTheSame(cast);
    hold(cast, host);
    guard(cast, host);
    resume(cast);
    showRecord(cast);
  } finally {
    registry.kill();
  }
}

function write(path: string, text: string): void {
  const full = join(folder, 'config', path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}

function commit(who: Somebody, subject: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) write(path, text);
  git(stage, who, 'add', '--all');
  git(stage, who, 'commit', '--quiet', '-m', subject);
}

function buildRepository({ jane, flux }: Cast, host: string): void {
  title('1. Four commits: a service of another kind, the good one, a migration, and a bad image by a bot');
  mkdirSync(join(folder, 'config'));
  git(stage, jane, 'init', '--quiet', '--initial-branch=main');
  commit(jane, 'Run api-gateway v1.9.0 as a batch job', {
    '.backtrail/config.yaml': CONFIG,
    [FILE]: serviceText(host, { profile: 'batch', tag: 'v1.9.0' }),
  });
  commit(jane, 'Serve the web with v2.0.5', { [FILE]: serviceText(host, { tag: 'v2.0.5' }) });
  commit(jane, 'Split the table of orders', {
    'db/api-gateway/migrations/0007_orders.sql': 'ALTER TABLE orders …;\n',
  });
  commit(flux, 'Update api-gateway to v2.1.0', { [FILE]: serviceText(host, { tag: 'v2.1.0' }) });
  // As the pipeline does it.
  backtrail(stage, jane, 0, 'deployment', 'record', SCOPE, '--status', 'deployed', '--commit', 'v2');
  backtrail(stage, jane, 0, 'deployment', 'record', SCOPE, '--status', 'failed', '--note', 'answers 500');
}

function lookBefore({ jane }: Cast): void {
  title('2. Back to v1? All that speaks against it at once, each with what to do next; nothing is written');
  const before = head(jane);
  const shown = backtrail(stage, jane, 3, 'plan', SCOPE, '--to', 'v1');
  for (const code of ['FIXED_FIELD', 'IMAGE_MISSING', 'MIGRATION_CROSSED', 'IMAGE_MUTABLE'])
    claim(shown.includes(code), `The plan does not show ${code}`);
  backtrail(stage, jane, 3, 'rollback', SCOPE, '--to', 'v1', '--reason', 'v2.1.0 answers 500', '--yes');
  claim(head(jane) === before, 'A blocked rollback moved the branch');
}

function goAheadAllTheSame({ jane }: Cast): void {
  title('3. Whoever knows better goes ahead, and the commit says so');
  const reason = 'The batch profile is what we want; the image is pushed within the hour';
  const overrides = ['--override', 'FIXED_FIELD', '--override', 'IMAGE_MISSING'];
  backtrail(
    stage,
    jane,
    0,
    'rollback',
    SCOPE,
    '--to',
    'v1',
    ...overrides,
    '--no-hold',
    '--reason',
    reason,
    '--yes',
  );
  const trailers = git(stage, jane, 'log', '-1', '--format=%(trailers)');
  for (const code of ['FIXED_FIELD', 'IMAGE_MISSING'])
    claim(
      trailers.includes(`Rollback-Override: ${code}`),
      `The commit does not say that ${code} was overridden`,
    );
}

function hold({ jane }: Cast, host: string): void {
  title('4. The good revision, held against the bot: its marker goes, in the same commit');
  commit(jane, 'Serve the web again', { [FILE]: serviceText(host, { tag: 'v2.1.0' }) });
  backtrail(stage, jane, 0, 'rollback', SCOPE, '--to', 'v2', '--reason', 'v2.1.0 answers 500', '--yes');
  git(stage, jane, 'show', '--format=%h %s', 'HEAD', '--', FILE);
  claim(!file().includes('$imagepolicy') && file().includes('tag: v2.0.5'), 'The marker is still there');
  backtrail(stage, jane, 0, 'holds');
}

function guard({ jane, flux }: Cast, host: string): void {
  title('5. A bot that writes anyway is found, with the command that restores what is held');
  commit(flux, 'Update api-gateway to v2.1.1', {
    [FILE]: serviceText(host, { tag: 'v2.1.1' }).replace(` ${MARKER}`, ''),
  });
  backtrail(stage, jane, 3, 'guard');
  const { violations } = guarded.parse(ask(stage, jane, 3, 'guard'));
  const [violation] = violations;
  claim(
    violation !== undefined && violations.length === 1,
    'Guard found another number of violations than one',
  );
  const here = `backtrail() { '${process.execPath}' '${MAIN}' --repo config "$@"; }`;
  shell(stage, jane, 'sh', '-c', `${here}\n${violation.restore}`);
  backtrail(stage, jane, 0, 'guard');
  claim(file().includes('tag: v2.0.5'), 'The command of guard restored something else');
}

function resume({ jane }: Cast): void {
  title('6. Fixed: automation gets back what was taken from it, byte for byte');
  backtrail(stage, jane, 0, 'resume', SCOPE, '--reason', 'v2.1.2 is fixed', '--yes');
  claim(file().includes(`tag: v2.0.5 ${MARKER}`), 'The marker did not come back');
}

function showRecord({ jane }: Cast): void {
  title(
    '7. The whole story, from Git alone; and the next rollback would be stopped: before v2 there is only v1',
  );
  backtrail(stage, jane, 0, 'log');
  backtrail(stage, jane, 0, 'deployment', 'list', SCOPE);
  backtrail(stage, jane, 0, 'history', SCOPE);
  backtrail(stage, jane, 3, 'rehearse', '--all');
}
