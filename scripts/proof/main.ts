/**
 * `npm run proof -- NAME`: every test and every case of files of which `npm test` runs some.
 * `npm run proof -- cluster`: what observers say of a real cluster.
 * `npm run proof -- host`: the scenes of pull requests on a repository of GitHub, GitLab or Gitea.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CLUSTER_HELP, proveCluster } from './cluster/run.ts';
import { HOST_HELP, proveHost } from './host/run.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HELP = `npm run proof -- NAME... [--seed N]

NAME    a test file below, a folder of them (console), or all
--seed  repeats the cases of an earlier run, which printed its seed

${CLUSTER_HELP}
${HOST_HELP}`;

const { values, positionals } = parseArgs({
  options: {
    seed: { type: 'string' },
    'host-file': { type: 'string' },
    repository: { type: 'string' },
    only: { type: 'string' },
  },
  allowPositionals: true,
});
const files = sampled();
const namesOf = (file: string) => [nameOf(file), basename(dirname(file))];
const chosen = files.filter(
  (file) => positionals.includes('all') || namesOf(file).some((name) => positionals.includes(name)),
);
const unknown = positionals.filter(
  (name) => name !== 'all' && !files.some((file) => namesOf(file).includes(name)),
);
if (positionals[0] === 'host')
  process.exitCode = await proveHost(values, (line) => void process.stdout.write(`${line}\n`));
else if (positionals[0] === 'cluster')
  process.exitCode = await proveCluster(values.only, (line) => void process.stdout.write(`${line}\n`));
else if (chosen.length === 0 || unknown.length > 0) {
  process.stdout.write(`${HELP}\n${files.map((file) => `  ${nameOf(file)}\n`).join('')}`);
  process.exitCode = 2;
} else {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const seed = values.seed === undefined ? {} : { BACKTRAIL_TEST_SEED: values.seed };
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...chosen], {
    cwd: ROOT,
    env: { ...process.env, ...seed, BACKTRAIL_PROOF: 'full' },
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

/** The test files that ask how often they run something. */
function sampled(): string[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .filter((file) => readFileSync(join(ROOT, file), 'utf8').includes("/run/proof.ts'"))
    .toSorted();
}

/** `edit-properties`. */
function nameOf(file: string): string {
  return basename(file, '.test.ts');
}
