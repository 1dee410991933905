/**
 * `npm run demo`: an incident in a small GitOps repository, and rollbacks out of it, through the real queue and worker.
 * `npm run demo -- --serve`: the same repository in the console.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCli } from './build-cli.ts';
import { buildFixturesRepo } from './build-fixtures-repo.ts';
import { serveDemo } from './demo-serve.ts';
import { colorEnv, heading, say, title, typed } from './narrate.ts';
import { withRedis } from './redis.ts';

const started = Date.now();
const folder = await mkdtemp(join(tmpdir(), 'backtrail-demo-'));
const repo = join(folder, 'config');
// The command line is built, as people have it: it starts in a quarter of the time. Below the project, so that packages are found.
const cli = await mkdtemp(fileURLToPath(new URL('../node_modules/.demo-', import.meta.url)));
const MAIN = join(cli, 'main.js');

try {
  await buildCli(cli);
  process.exitCode = await demo();
} finally {
  await rm(cli, { recursive: true, force: true });
}

async function demo(): Promise<number> {
  title('A GitOps repository with an incident in it');
  const fixtures = await buildFixturesRepo(repo);
  say(`${fixtures.commits.length} commits in ${repo}`);
  return withRedis(async (redis) => {
    say(`queue: ${redis.kind}`);
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: 'Jane Doe',
      GIT_AUTHOR_EMAIL: 'jane@example.com',
      REDIS_URL: redis.url,
      XDG_CACHE_HOME: join(folder, 'cache'),
      ...colorEnv,
    };
    if (process.argv.includes('--serve')) return serveDemo({ main: MAIN, repo, env });
    const worker = spawn(process.execPath, [MAIN, 'worker'], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      const run = (...args: string[]) => backtrail(env, args);
      title('What happened to api-gateway in acme/production?');
      run('history', 'acme/production/api-gateway', '--limit', '6');
      title('What would a rollback change?');
      run('plan', 'acme/production/api-gateway');
      title('1. One service: api-gateway back to v2.0.5; billing and web stay where they moved on to');
      rollBack(run, 'service', [
        'acme/production/api-gateway',
        '--reason',
        'Bad image tag v2.1.0 causing 500 errors',
      ]);
      title('2. One field: the image of billing, and nothing else');
      rollBack(run, 'field', [
        'acme/production/billing',
        '--field',
        'image',
        '--reason',
        'billing 1.5.1 books twice',
      ]);
      title(
        '3. The whole environment, to the last good deployment; rotated secrets and the new cluster stay',
      );
      rollBack(run, 'full', [
        'acme/production',
        '--to',
        fixtures.id('good'),
        '--reason',
        'Back to where everything was well',
      ]);
      title('4. An incident over all tenants: what differs from the good revision goes back, in one push');
      await recover(run, fixtures.id('good'));
      title('The record, from Git alone');
      run('log');
    } finally {
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    }
    say(`\nDone in ${((Date.now() - started) / 1000).toFixed(0)} s. The repository remains in ${repo}`);
    say(`  git -C ${repo} log --stat        npx backtrail --repo ${repo} history acme/production/billing`);
    return 0;
  });
}

/** Writes an incident file, and counts what became of the branch. */
async function recover(run: Run, good: string): Promise<void> {
  const file = join(folder, 'incident.yaml');
  const scopes = ['*/staging/*', 'globex/*/*'];
  const rollbacks = scopes.map((scope) => `  - { scope: "${scope}", to: ${good} }\n`).join('');
  const text = `id: inc-demo\nreason: the new base image leaks memory\nonFailure: continue\nrollbacks:\n${rollbacks}`;
  await writeFile(file, text);
  say(text.trimEnd());
  const moves = () => git('reflog', 'show', '--format=%H', 'main').split('\n').length;
  const [before, movesBefore] = [git('rev-parse', 'main'), moves()];
  run('incident', file, '--yes');
  say(git('log', '--reverse', '--format=%h %s', `${before}..main`));
  const commits = git('rev-list', '--count', `${before}..main`);
  say(`${commits} commits; the branch moved ${moves() - movesBefore} time(s)`);
}

type Run = (...args: string[]) => string;

/** Enqueues, follows, and shows both commits as git shows them. */
function rollBack(run: Run, mode: string, args: string[]): void {
  const before = git('rev-parse', 'main');
  run('rollback', ...args, '--yes', '--queue');
  const [revert = '', delivery] = git('rev-list', '--first-parent', '--reverse', `${before}..main`).split(
    '\n',
  );
  heading('git log -1');
  say(git('log', '-1', '--stat', '--format=commit %h%nAuthor: %an <%ae>%nCommit: %cn <%ce>%n%n%B', revert));
  heading("git log -1 --format='%(trailers:key=Mode,valueonly)'");
  const recorded = git('log', '-1', '--format=%(trailers:key=Mode,valueonly)', revert).trim();
  say(recorded);
  heading('git log -1 --format=%B | git interpret-trailers --parse');
  const parsed = spawnSync('git', ['interpret-trailers', '--parse'], {
    input: git('log', '-1', '--format=%B', revert),
    encoding: 'utf8',
  }).stdout;
  say(parsed.trim());
  if (recorded !== mode || !parsed.includes('Rollback-Request-ID: rbk-'))
    throw new Error(`The ${mode} rollback left another record.`);
  if (delivery === undefined) return;
  heading('manifests in the same push');
  say(git('show', '--format=commit %h %s', '--unified=1', delivery));
}

function backtrail(env: NodeJS.ProcessEnv, args: string[]): string {
  typed(['backtrail', '--repo', 'config', ...args]);
  const done = spawnSync(process.execPath, [MAIN, '--repo', repo, ...args], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  say(done.stdout.trimEnd());
  if (done.status !== 0) throw new Error(`backtrail ${args[0] ?? ''} ended with exit code ${done.status}`);
  return done.stdout;
}

function git(...args: string[]): string {
  const done = spawnSync('git', ['-C', repo, ...args], { encoding: 'utf8', maxBuffer: 1e8 });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout.trimEnd();
}
