import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything temporary of a run is in one folder, which goes when the run ends. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'backtrail-run-'));
  process.env['BACKTRAIL_TEST_RUN'] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
