/**
 * `npm run first-rollback [-- PATH|URL …]`: the five lines of the README, from nothing to a rollback, on bare copies of real
 * repositories: those named, or every bundle in the folder that BACKTRAIL_REAL_REPOS names.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { say, title, typed } from './narrate.ts';

// The command line as it is built; beside a bundle of the tests, that of the tests.
const isSource = extname(import.meta.url) === '.ts';
const MAIN = fileURLToPath(new URL(isSource ? '../dist/cli/main.js' : 'main.js', import.meta.url));
/** Services that are tried before giving up. */
const TRIES = 40;

const environmentsShape = z.object({
  environments: z.array(
    z.object({ tenant: z.string().optional(), environment: z.string(), services: z.array(z.string()) }),
  ),
});
const planShape = z.object({ changes: z.array(z.unknown()) });

const folder = mkdtempSync(join(tmpdir(), 'backtrail-first-rollback-'));
const env: NodeJS.ProcessEnv = {
  ...process.env,
  NO_COLOR: '1',
  XDG_CACHE_HOME: join(folder, 'cache'),
  GIT_AUTHOR_NAME: 'Jane Doe',
  GIT_AUTHOR_EMAIL: 'jane@example.com',
};

try {
  process.exitCode = main(process.argv.slice(2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function main(named: readonly string[]): number {
  const sources = named.length > 0 ? named : bundles(process.env['BACKTRAIL_REAL_REPOS'] ?? '');
  if (sources.length === 0) {
    process.stderr.write(
      'first-rollback needs a repository: npm run first-rollback -- PATH|URL, or BACKTRAIL_REAL_REPOS=FOLDER with bundles in it.\n',
    );
    return 2;
  }
  for (const source of sources) firstRollback(source);
  return 0;
}

function bundles(place: string): string[] {
  if (place === '') return [];
  return readdirSync(place)
    .filter((name) => name.endsWith('.bundle'))
    .sort()
    .map((name) => join(place, name));
}

function firstRollback(source: string): void {
  const repo = copy(source);
  title(basename(source));
  backtrail(repo, 'init', '--yes');
  backtrail(repo, 'environments');
  const scope = chooseService(repo);
  backtrail(repo, 'history', scope);
  backtrail(repo, 'plan', scope);
  backtrail(repo, 'rollback', scope, '--yes', '--reason', 'A first rollback, to see what it does');
  const [mode, before] = [
    git(repo, 'log', '-1', '--format=%(trailers:key=Mode,valueonly)').trim(),
    git(repo, 'log', '-1', '--format=%s', 'HEAD^'),
  ];
  if (mode !== 'service' || !before.startsWith('Add Backtrail'))
    throw new Error(`The rollback of ${scope} left another record.`);
  say(git(repo, 'log', '-1', '--stat', '--format=commit %h%nAuthor: %an <%ae>%n%n%B'));
}

/** The repository itself is not touched. A bundle may name no HEAD: then it is the one branch there is, or `main`. */
function copy(source: string): string {
  const repo = join(folder, basename(source).replace(/\.(?:bundle|git)$/, ''));
  const from = /^[A-Za-z][\w+.-]*:\/\//.test(source) ? source : resolve(source);
  git(folder, 'clone', '--quiet', '--bare', '--end-of-options', from, repo);
  const branches = git(repo, 'for-each-ref', '--format=%(refname)', 'refs/heads').split('\n');
  const head = git(repo, 'symbolic-ref', 'HEAD');
  const [first = head] = branches;
  if (!branches.includes(head))
    git(repo, 'symbolic-ref', 'HEAD', branches.includes('refs/heads/main') ? 'refs/heads/main' : first);
  return repo;
}

/** The first service with something to go back to: at least two revisions, and a plan that nothing blocks. */
function chooseService(repo: string): string {
  const { environments } = environmentsShape.parse(ask(repo, 'environments'));
  const scopes = environments.flatMap(({ tenant, environment, services }) =>
    services.map((service) => [...(tenant === undefined ? [] : [tenant]), environment, service].join('/')),
  );
  for (const scope of scopes.slice(0, TRIES)) {
    const plan = planShape.safeParse(ask(repo, 'plan', scope));
    if (plan.success && plan.data.changes.length > 0) return scope;
  }
  throw new Error(`No service of ${repo} has an earlier revision: ${scopes.slice(0, TRIES).join(', ')}.`);
}

/** A question for this script; null where it is refused. */
function ask(repo: string, ...args: string[]): unknown {
  const { status, stdout } = run(repo, [...args, '-o', 'json'], 'ignore');
  return status === 0 ? JSON.parse(stdout) : null;
}

/** One of the five lines, as people type and see it. */
function backtrail(repo: string, ...args: string[]): void {
  typed(['backtrail', '--repo', basename(repo), ...args]);
  const { status, stdout } = run(repo, args, 'inherit');
  say(`${stdout.trimEnd()}\n`);
  if (status !== 0) throw new Error(`backtrail ${args[0] ?? ''} ended with exit code ${status}.`);
}

function run(repo: string, args: readonly string[], stderr: 'ignore' | 'inherit') {
  return spawnSync(process.execPath, [MAIN, '--repo', repo, ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 1e8,
    stdio: ['ignore', 'pipe', stderr],
  });
}

function git(cwd: string, ...args: string[]): string {
  const done = spawnSync('git', ['-C', cwd, ...args], { encoding: 'utf8', maxBuffer: 1e8 });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout.trimEnd();
}
