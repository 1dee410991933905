import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { endFile, endTest } from './lifetime.ts';

const run = process.env['BACKTRAIL_TEST_RUN'];
if (run === undefined) throw new Error('run-folder.ts did not run.');

/** A worker's own: what a test looks for there comes from its own file, as a worker runs one at a time. */
process.env['TMPDIR'] = join(run, process.env['VITEST_POOL_ID'] ?? '0');
mkdirSync(process.env['TMPDIR'], { recursive: true });

afterEach(endTest);
afterAll(endFile);
