import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
/** What the sources find by its place, besides each other. */
const BESIDE = ['node_modules', 'package.json', 'fixtures-repo', 'scripts/redis-supervisor.mjs'];

/**
 * The JavaScript of a source file, for a process of its own: `compiled('cli/main.ts')`. All sources are compiled once a
 * run, as a process that compiles what it loads takes three times the time.
 */
export function compiled(source: string): string {
  const folder = join(process.env['BACKTRAIL_TEST_RUN'] ?? '', 'compiled');
  if (!existsSync(folder)) compile(folder);
  return join(folder, source.replace(/\.ts$/, '.js'));
}

function compile(folder: string): void {
  const own = `${folder}-${process.pid}`;
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', 'false', '--noCheck', '--outDir', own, '--rootDir', ROOT];
  execFileSync(process.execPath, [tsc, '-p', ROOT, ...options], { stdio: 'pipe' });
  for (const path of BESIDE) symlinkSync(join(ROOT, path), join(own, path));
  try {
    renameSync(own, folder);
  } catch (error) {
    // Another worker was first.
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
