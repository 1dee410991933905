import { execFileSync } from 'node:child_process';
import { buildSync } from 'esbuild';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const RUN = process.env['BACKTRAIL_TEST_RUN'] ?? '';
/** What the sources find by its place, besides each other. */
const BESIDE = ['node_modules', 'package.json', 'fixtures-repo', 'scripts/redis-supervisor.mjs'];

/** Sources that tests run in processes of their own. */
const PROGRAMS = [
  'cli/main.ts',
  'engine/git/open.ts',
  'engine/render/programs/index.ts',
  'scripts/chaos/ledger/actor.ts',
  'scripts/chaos/opener.ts',
  'scripts/first-rollback.ts',
  'scripts/incident-recovery.ts',
  'test/helpers/people/approve-and-die.ts',
  'test/helpers/people/ledger-process.ts',
  'test/helpers/queue/rollback-worker.ts',
  'test/helpers/queue/worker-process.ts',
  'test/helpers/servers/console-process.ts',
  'test/helpers/servers/redis-parent.ts',
];
/** Which cannot be bundled: it looks for files of its own. */
const EXTERNAL = ['pino'];
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

/**
 * The JavaScript of one of these, for a process of its own: `compiled('cli/main.ts')`. All are bundled once a run: a process
 * that finds, reads and compiles hundreds of modules takes five times the time. All lie in `scripts`, one folder deep, where what
 * sources find by their place is.
 */
export function compiled(source: string): string {
  if (!PROGRAMS.includes(source)) throw new Error(`Add ${source} to PROGRAMS.`);
  const folder = once('compiled', (own) => {
    buildSync({
      absWorkingDir: ROOT,
      entryPoints: PROGRAMS.map((path) => ({ in: path, out: `scripts/${basename(path, '.ts')}` })),
      outdir: own,
      chunkNames: 'scripts/[name]-[hash]',
      bundle: true,
      splitting: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      mainFields: ['module', 'main'],
      external: EXTERNAL,
      banner: { js: REQUIRE },
      logLevel: 'warning',
    });
  });
  return join(folder, 'scripts', `${basename(source, '.ts')}.js`);
}

/** The command line as it is installed, built once a run: a process of it starts in a third of the time of the compiled one. */
export function builtMain(): string {
  const folder = once('built', (own) =>
    runNode(['--import', 'tsx', join(ROOT, 'scripts/build-cli.ts'), join(own, 'dist/cli')]),
  );
  return join(folder, 'dist/cli/main.js');
}

/**
 * What V8 makes of the command line is kept in the cache folder (cli/start/compiled.ts). Each repository of the tests has one of its own, where
 * it would be written once and never read: here it becomes that of the run, which saves a process a third of its time.
 */
export function shareCompiledCode({ HOME }: Readonly<Record<string, string>>): void {
  const [cache, shared] = [join(HOME ?? '', '.cache/backtrail'), join(RUN, 'code')];
  try {
    mkdirSync(shared, { recursive: true });
    mkdirSync(cache, { recursive: true });
    symlinkSync(shared, join(cache, 'compiled'));
  } catch {
    // It is there, or this home is one that cannot be written to.
  }
}

const runNode = (args: readonly string[]) =>
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });

/** A folder of the run, filled by whoever asks first. */
function once(name: string, fill: (own: string) => void): string {
  const folder = join(RUN, name);
  if (existsSync(folder)) return folder;
  const own = `${folder}-${process.pid}`;
  mkdirSync(own);
  fill(own);
  mkdirSync(join(own, 'scripts'), { recursive: true });
  for (const path of BESIDE) symlinkSync(join(ROOT, path), join(own, path));
  try {
    renameSync(own, folder);
  } catch (error) {
    // Another worker was first.
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
