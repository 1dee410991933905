/**
 * `npm run bench [-- --size r2] [--memory 1000] [--keep FOLDER]`: everything side by side in one run, as ratios.
 * `npm run bench -- startup`: what a start of the command line costs, and nothing else.
 * `npm run bench -- history [items|components|secrets|long …] [--commits 126000]`: environments with a long history, beside `git log --raw`.
 * `npm run bench -- checks [--size r2]`: what the checks add to a plan.
 * `npm run bench -- many [--size r2] [--count 500]`: many rollbacks at once through the queue, beside a push for each commit.
 * `npm run bench -- many --sign [--count 500]`: what signatures cost, beside the same without.
 * `npm run bench -- pull-requests [--count 200]`: opening a pull request, and what many open ones cost their host.
 * `npm run bench -- audit [--rollbacks 2000] [--approved 200]`: rollbacks that are made again and compared, beside `git log --raw`.
 * `npm run bench -- http`: the server: its start, a rollback, history, many readers.
 * `npm run bench -- live`: whether services are live, beside `kubectl get`, and what a worker holds that observes them.
 * `npm run bench -- console`: the page in a browser, and a difference of 5,000 lines.
 * `npm run bench -- ledger [--requests 50000]`: what a large ledger costs, and nothing else.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openEngine } from '../../engine/internal.ts';
import { benchAudit } from './audit.ts';
import { benchChecks, NO_CHECKS } from './checks.ts';
import { benchConsole } from './console.ts';
import { benchHistory, benchLines } from './history.ts';
import { benchHttp } from './http.ts';
import { benchEnvironment, PERSON, say } from './measure.ts';
import { benchLive } from './live.ts';
import { benchMany } from './many.ts';
import { benchMemory } from './memory.ts';
import { benchPullRequests } from './pull-requests.ts';
import { buildRepository, CONFIG, CONFIG_TWO_PATTERNS, SIZES } from './repository.ts';
import { type Bench, benchRollback } from './rollback.ts';
import { benchSigning } from './signing.ts';
import { benchLedger } from './ledger.ts';
import { benchStartup } from './startup.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 'r1' },
    rounds: { type: 'string', default: '21' },
    memory: { type: 'string', default: '100' },
    keep: { type: 'string' },
    requests: { type: 'string', default: '50000' },
    commits: { type: 'string', default: '20000' },
    count: { type: 'string', default: '500' },
    rollbacks: { type: 'string', default: '2000' },
    approved: { type: 'string', default: '200' },
    sign: { type: 'boolean', default: false },
  },
});
const size = SIZES[values.size] ?? unknownSize();
const folder =
  values.keep === undefined ? mkdtempSync(join(tmpdir(), 'backtrail-bench-')) : resolve(values.keep);
const repo = join(folder, `${values.size}.git`);
const env = benchEnvironment(folder);
const bench: Bench = { folder, repo, size, env, rounds: Number(values.rounds) };

/** Hosts are asked about no more than a few hundred. */
const MOST_OPEN = 200;
const LEAST_OPEN = 30;

async function main(): Promise<void> {
  if (positionals[0] === 'startup') return benchStartup(bench.rounds);
  if (positionals[0] === 'ledger') return benchLedger(folder, Number(values.requests), env);
  if (positionals[0] === 'pull-requests') {
    const open = Math.max(Math.min(Number(values.count), MOST_OPEN), LEAST_OPEN);
    return benchPullRequests({ folder, env, rounds: Math.min(bench.rounds, 11), open, minutes: 3 });
  }
  if (positionals[0] === 'console') return benchConsole({ folder, env, rounds: Math.min(bench.rounds, 7) });
  if (positionals[0] === 'live') return benchLive({ folder, env, rounds: bench.rounds });
  if (positionals[0] === 'history')
    return benchLines({ folder, env, commits: Number(values.commits), only: positionals.slice(1) });
  if (!existsSync(join(repo, 'bench-complete'))) {
    say(`building ${values.size}: ${size.tenants * 3 * size.services * 3} files, ${size.commits} commits …`);
    await buildRepository(repo, size, env);
  }
  if (positionals[0] === 'audit')
    return benchAudit({ ...bench, count: Number(values.rollbacks), approved: Number(values.approved) });
  if (positionals[0] === 'http') return benchHttp(bench);
  if (positionals[0] === 'many' && values.sign) return benchSigning(bench, Number(values.count));
  if (positionals[0] === 'many') return benchMany(bench, Number(values.count));
  if (positionals[0] === 'checks') {
    const [checked, bare] = [await open(CONFIG), await open(`${CONFIG}${NO_CHECKS}`)];
    await benchChecks(checked, bare, bench);
    await Promise.all([checked.close(), bare.close()]);
    return;
  }
  const engine = await open();
  const two = await open(CONFIG_TWO_PATTERNS);
  try {
    await benchRollback(engine, bench);
    await benchHistory(engine, bench, { name: 'history, newest 20 of a service', file: '' });
    await benchHistory(two, bench, {
      name: 'history, the same with two patterns a service',
      file: '/service.yaml',
    });
    const rollbacks = Number(values.memory);
    if (rollbacks > 0) await benchMemory(engine, bench, rollbacks);
  } finally {
    await engine.close();
    await two.close();
  }
}

function open(config?: string) {
  return openEngine({
    repo,
    env,
    cacheFolder: join(folder, 'cache'),
    committer: PERSON,
    clock: {
      now: () => Date.now(),
      sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    },
    ...(config !== undefined && { config: { name: 'bench', text: config } }),
  });
}

function unknownSize(): never {
  throw new Error(`--size is one of ${Object.keys(SIZES).join(', ')}`);
}

try {
  await main();
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
