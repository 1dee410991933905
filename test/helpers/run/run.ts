import { randomInt } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** Everything temporary of a run is in one folder, which goes when the run ends; all random cases come from one seed. */
export default function setup(project: TestProject): () => void {
  // Both projects of a run ask for it.
  if (process.env['BACKTRAIL_TEST_RUN'] !== undefined) return () => undefined;
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'backtrail-run-'));
  process.env['BACKTRAIL_TEST_RUN'] = folder;
  process.env['BACKTRAIL_TEST_SEED'] ??= String(randomInt(2 ** 31));
  project.vitest.logger.log(`Random cases: BACKTRAIL_TEST_SEED=${process.env['BACKTRAIL_TEST_SEED']}`);
  // Sources may have changed.
  project.onTestsRerun(() => {
    for (const made of ['compiled', 'built']) rmSync(join(folder, made), { recursive: true, force: true });
  });
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
