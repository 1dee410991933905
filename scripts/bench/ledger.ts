import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from '../../engine/internal.ts';
import { ledgerStream } from './ledger-stream.ts';
import { git, megabytes, PERSON, say, unshared } from './measure.ts';
import { buildRepository, SIZES } from './repository.ts';

const OPEN = 500;

/**
 * A ledger of so many requests, two events each: what a list of the open ones costs without an index and with one, beside one `git log --raw` of
 * the ledger; and how many events a second one signed commit takes. The open ones have expired: `reconcile` says so of all of them at once.
 */
export async function benchLedger(
  folder: string,
  requests: number,
  env: Record<string, string>,
): Promise<void> {
  const repo = join(folder, 'ledger.git');
  rmSync(repo, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await buildRepository(repo, SIZES['r0'] ?? { tenants: 1, services: 1, commits: 1 }, env);
  const place = { cwd: repo, env };
  const base = git(place, ['rev-parse', 'main']).trim();
  const child = spawn('git', ['fast-import', '--quiet'], { ...place, stdio: ['pipe', 'inherit', 'inherit'] });
  const expiresAt = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const scopeOf = (index: number) => ({
    tenant: 'tenant-0000',
    environment: 'staging',
    service: `service-0${index % 5}`,
    mode: 'service' as const,
  });
  const size = {
    requests,
    open: OPEN,
    scopeOf,
    target: base,
    base,
    author: PERSON,
    newest: Date.now(),
    expiresAt,
  };
  for (const part of ledgerStream(size)) if (!child.stdin.write(part)) await once(child.stdin, 'drain');
  child.stdin.end();
  await once(child, 'exit');
  git(place, ['gc', '--quiet']);
  const signing = signingEnv(folder, env);
  const log = await timed(
    async () => void git(place, ['log', '--raw', '--format=%H', 'refs/backtrail/ledger']),
  );
  say(
    `ledger of ${requests} requests, ${2 * requests - OPEN} events; git log --raw of it: ${log.toFixed(0)} ms`,
  );
  const ratio = (ms: number) => `${ms.toFixed(0)} ms (${(ms / log).toFixed(2)} ×)`;
  for (const name of ['without an index', 'with one', 'with one, again']) {
    const engine = await open(repo, folder, signing);
    const ask = { reader: PERSON, statuses: ['pending' as const], limit: 50 };
    const spent = await timed(async () => void (await engine.requests.list(ask)));
    say(`  the newest 50 open ones, ${name}: ${ratio(spent)}, memory ${megabytes(unshared('self') ?? 0)} MB`);
    await engine.close();
  }
  const engine = await open(repo, folder, signing);
  let written = 0;
  const spent = await timed(async () => void (written = (await engine.requests.reconcile()).repairs.length));
  const rate = (written / spent) * 1000;
  say(`  ${written} events in one signed commit: ${spent.toFixed(0)} ms, ${rate.toFixed(0)} events/s`);
  await engine.close();
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function open(repo: string, folder: string, env: Record<string, string>) {
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
  };
  return openEngine({ repo, env, cacheFolder: join(folder, 'ledger-cache'), committer: PERSON, clock });
}

/** With a key of its own. */
function signingEnv(folder: string, env: Record<string, string>): Record<string, string> {
  const key = join(folder, 'key');
  rmSync(key, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], { env });
  const settings = [
    ['gpg.format', 'ssh'],
    ['user.signingKey', key],
  ];
  for (const [name = '', value = ''] of settings)
    git({ cwd: folder, env }, ['config', '--global', name, value]);
  return env;
}
