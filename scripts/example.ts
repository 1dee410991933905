/** `npm run example`: runs examples/library.mjs on the example repository, as a program of its own that imports the built package. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFixturesRepo } from './build-fixtures-repo.ts';

const EXAMPLE = fileURLToPath(new URL('../examples/library.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'backtrail-example-'));
try {
  const repo = join(folder, 'config');
  await buildFixturesRepo(repo);
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
  const run = (scope: string) =>
    execFileSync(process.execPath, [EXAMPLE, repo, scope], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const said = run('acme/production/api-gateway');
  process.stdout.write(said);
  const [, commit = ''] = /^completed rbk-\w+ ([0-9a-f]{40})$/m.exec(said) ?? [];
  if (commit === '') throw new Error('The example rolled nothing back.');
  const body = execFileSync('git', ['log', '-1', '--format=%B', commit], { cwd: repo, encoding: 'utf8' });
  if (!body.includes('v2.1.0 answers 500')) throw new Error('The commit does not say why.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
