import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
/** What the sources find by its place, besides each other. */
const BESIDE = ['node_modules', 'package.json', 'fixtures-repo', 'scripts/redis-supervisor.mjs'];

/**
 * The JavaScript of a source file, for a process of its own: `compiled('cli/main.ts')`. All sources are compiled once a
 * run, as a process that compiles what it loads takes three times the time.
 */
export function compiled(source: string): string {
  const folder = once('compiled', (own) => {
    const options = ['--noEmit', 'false', '--noCheck', '--outDir', own, '--rootDir', ROOT];
    runNode([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', ROOT, ...options]);
  });
  return join(folder, source.replace(/\.ts$/, '.js'));
}

/** The command line as it is installed, built once a run: a process of it starts in a third of the time of the compiled one. */
export function builtMain(): string {
  const folder = once('built', (own) =>
    runNode(['--import', 'tsx', join(ROOT, 'scripts/build-cli.ts'), join(own, 'dist/cli')]),
  );
  return join(folder, 'dist/cli/main.js');
}

const runNode = (args: readonly string[]) =>
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });

/** A folder of the run, filled by whoever asks first. */
function once(name: string, fill: (own: string) => void): string {
  const folder = join(process.env['BACKTRAIL_TEST_RUN'] ?? '', name);
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
