import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, afterEach } from 'vitest';
import { endFile, endTest } from './lifetime.ts';

const { BACKTRAIL_TEST_RUN: run, BACKTRAIL_TEST_SEED: seed } = process.env;
if (run === undefined || seed === undefined) throw new Error('run.ts did not run.');

/** The file's own: what a test looks for there was left by a test of the same file. */
const folder = mkdtempSync(join(run, 'f-'));
process.env['TMPDIR'] = folder;

fc.configureGlobal({ seed: Number(seed) });

afterEach(endTest);
afterAll(async () => {
  await endFile();
  // One process: removing some thousand files from here costs more. What is still written to goes with the run.
  await promisify(execFile)('rm', ['-rf', '--', folder]).catch(() => undefined);
  // A worker of 500 MB takes five times as long to start a git as one of 100 MB; see execArgv in vitest.config.ts.
  globalThis.gc?.();
});
