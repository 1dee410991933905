import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach } from 'vitest';
import { endFile, endTest } from './lifetime.ts';

const { BACKTRAIL_TEST_RUN: run, BACKTRAIL_TEST_SEED: seed, VITEST_POOL_ID: worker = '0' } = process.env;
if (run === undefined || seed === undefined) throw new Error('run.ts did not run.');

/** A worker's own: what a test looks for there comes from its own file, as a worker runs one at a time. */
process.env['TMPDIR'] = join(run, worker);
mkdirSync(process.env['TMPDIR'], { recursive: true });

fc.configureGlobal({ seed: Number(seed) });

afterEach(endTest);
afterAll(endFile);
