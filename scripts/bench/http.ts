/**
 * The server, as it is installed, on a remote over file://: its start, a rollback from the call to the branch beside a bare `git push`, history beside
 * the engine's own, many readers while rollbacks run, and the environments of ten thousand services.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { openEngine } from '../../engine/internal.ts';
import { withRedis } from '../redis.ts';
import { BUILT, NAMED } from './incident.ts';
import { git, median, megabytes, PERSON, say, time, unshared } from './measure.ts';
import { changedScopes } from './repository.ts';
import type { Bench } from './rollback.ts';

const READERS = 200;
const SERVICES = 10_000;
/** Seconds that many read. */
const READING = 20;

export async function benchHttp(bench: Bench): Promise<void> {
  await withRedis(async ({ url }) => {
    await benchServer(bench, url);
    await benchEnvironments(bench, url);
  });
}

interface Serving {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly child: ChildProcess;
  /** Milliseconds from the start to /readyz. */
  readonly took: number;
}

export async function serve(
  location: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<Serving> {
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [BUILT, '--repo', location, 'serve', '--listen', '127.0.0.1:0', ...args],
    {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!/token=\S+/.test(said)) {
    if (child.exitCode !== null) throw new Error('The server ended.');
    await sleep(2);
  }
  const [, url = ''] = /^listening on (\S+)$/m.exec(said) ?? [];
  const [, token = ''] = /token=(\S+)/.exec(said) ?? [];
  while (!(await fetch(`${url}/readyz`)).ok) await sleep(5);
  return { url, headers: { authorization: `Bearer ${token}` }, child, took: performance.now() - start };
}

export async function stop({ child }: Serving): Promise<void> {
  child.kill();
  if (child.exitCode === null) await once(child, 'exit');
}

async function benchServer({ folder, repo, size, env, rounds }: Bench, redis: string): Promise<void> {
  const [copy, clone, cache] = [
    join(folder, 'http.git'),
    join(folder, 'http-push.git'),
    join(folder, 'http-cache'),
  ];
  for (const path of [copy, clone, cache]) rmSync(path, { recursive: true, force: true });
  for (const path of [copy, clone])
    git({ cwd: folder, env }, ['clone', '--quiet', '--bare', '--shared', repo, path]);
  const location = `file://${copy}`;
  const run = {
    ...env,
    ...NAMED,
    REDIS_URL: redis,
    XDG_CACHE_HOME: cache,
    XDG_STATE_HOME: join(folder, 'state'),
  };
  // The first start of all clones the repository.
  const [cold, warm]: number[][] = [[], []];
  for (let each = 0; each < 4; each += 1) {
    const started = await serve(location, run);
    (each === 0 ? cold : warm)?.push(started.took);
    await stop(started);
  }
  say(
    `start to /readyz: ${median(warm ?? []).toFixed(0)} ms; the first of all, which clones: ${median(cold ?? []).toFixed(0)} ms`,
  );
  const serving = await serve(location, run, ['--worker']);
  try {
    const scopes = changedScopes(size, 6 * rounds + 200).values();
    const tip = () => readFileSync(join(copy, 'refs/heads/main'), 'utf8');
    // Loose, so that each new value is a file to be read.
    writeFileSync(join(copy, 'refs/heads/main'), git({ cwd: copy, env }, ['rev-parse', 'main']));
    const publishOne = async (): Promise<number> => {
      const [tenant, environment, service] = (scopes.next().value ?? '').split('/');
      const start = performance.now();
      const before = tip();
      const body = JSON.stringify({
        tenant,
        environment,
        service,
        targetSha: 'previous',
        justification: 'Benchmark',
      });
      const answer = await post(serving, '/api/v1/rollbacks', body);
      if (answer.status !== 202) throw new Error(`It was answered ${answer.status}: ${await answer.text()}`);
      while (tip() === before) await sleep(2);
      const took = performance.now() - start;
      const { requestId } = JSON.parse(await answer.text());
      for (;;) {
        const found = await (await get(serving, `/api/v1/rollbacks/${requestId}`)).text();
        if (JSON.parse(found).status === 'completed') return took;
        await sleep(20);
      }
    };
    const pushOne = () => {
      const place = { cwd: clone, env: { ...env, ...NAMED } };
      const tree = git(place, ['rev-parse', 'main^{tree}']).trim();
      const made = git(place, ['commit-tree', '-p', 'main', '-m', 'Push', tree]).trim();
      git(place, ['update-ref', 'refs/heads/main', made]);
      return time(() => git(place, ['push', '--quiet', location, 'main:refs/heads/bench-push']));
    };
    for (let each = 0; each < 3; each += 1) await publishOne();
    const [ours, bare]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await publishOne());
      bare.push(pushOne());
    }
    say(`a rollback from the call to the branch, p50 of ${rounds}:`);
    say(`  a bare git push of one commit   ${median(bare).toFixed(0)} ms   1.00 x`);
    say(
      `  the rollback                    ${median(ours).toFixed(0)} ms   ${(median(ours) / median(bare)).toFixed(2)} x`,
    );
    await benchHistory(serving, { location, env, cache, scope: changedScopes(size, 1)[0] ?? '', rounds });
    await benchReaders(serving, publishOne, changedScopes(size, 50));
  } finally {
    await stop(serving);
  }
}

interface HistoryOf {
  readonly location: string;
  readonly env: Record<string, string>;
  readonly cache: string;
  readonly scope: string;
  readonly rounds: number;
}

async function benchHistory(
  serving: Serving,
  { location, env, cache, scope, rounds }: HistoryOf,
): Promise<void> {
  const clock = { now: () => Date.now(), sleep: (ms: number) => sleep(ms) };
  const engine = await openEngine({
    repo: location,
    env,
    cacheFolder: join(cache, 'own'),
    committer: PERSON,
    clock,
  });
  const [tenant, environment, service] = scope.split('/');
  const path = `/api/v1/environments/${tenant}/${environment}/services/${service}/history`;
  const [ours, own]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds + 2; round += 1) {
    let start = performance.now();
    await engine.history({ scope, limit: 20 });
    own.push(performance.now() - start);
    start = performance.now();
    await (await get(serving, path)).text();
    ours.push(performance.now() - start);
  }
  await engine.close();
  const [call, answer] = [median(own.slice(2)), median(ours.slice(2))];
  say(`history of a service, newest 20:`);
  say(`  the engine's call               ${call.toFixed(1)} ms   1.00 x`);
  say(`  over HTTP                       ${answer.toFixed(1)} ms   ${(answer / call).toFixed(2)} x`);
}

async function benchReaders(
  serving: Serving,
  publishOne: () => Promise<number>,
  scopes: readonly string[],
): Promise<void> {
  const pid = serving.child.pid ?? 0;
  const requests = scopes.map((scope) => {
    const [tenant, environment, service] = scope.split('/');
    return { path: `/api/v1/environments/${tenant}/${environment}/services/${service}/history?limit=5` };
  });
  const read = (duration: number) =>
    autocannon({
      url: serving.url,
      headers: serving.headers,
      connections: READERS,
      duration,
      requests,
      timeout: 120,
    });
  await read(READING / 2);
  const before = unshared(pid);
  const ended = new AbortController();
  let published = 0;
  const publishing = (async () => {
    while (!ended.signal.aborted) {
      await publishOne();
      published += 1;
    }
  })();
  const found = await read(READING);
  ended.abort();
  await publishing;
  const after = unshared(pid);
  const ratio = before === null || after === null ? '?' : (after / before).toFixed(2);
  say(`${READERS} readers for ${READING} s while ${published} rollbacks were published:`);
  say(
    `  ${found.requests.total} answers, ${found.errors} errors, ${found.non2xx} refused, p50 ${found.latency.p50} ms, p99 ${found.latency.p99} ms`,
  );
  say(`  memory ${megabytes(before)} MB before, ${megabytes(after)} MB after: ${ratio} x`);
}

async function benchEnvironments({ folder, env }: Bench, redis: string): Promise<void> {
  const repo = join(folder, 'http-many');
  rmSync(repo, { recursive: true, force: true });
  mkdirSync(join(repo, '.backtrail'), { recursive: true });
  const config = 'version: 1\nlayout:\n  service: ["tenants/{tenant}/{environment}/{service}/**"]\n';
  writeFileSync(join(repo, '.backtrail/config.yaml'), config);
  for (let number = 0; number < SERVICES; number += 1) {
    const own = join(repo, `tenants/t${number % 100}/production/s${number}`);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'app.yaml'), `image: v${number}\n`);
  }
  const place = { cwd: repo, env: { ...env, ...NAMED } };
  git(place, ['init', '--quiet', '-b', 'main']);
  git(place, ['add', '.']);
  git(place, ['commit', '--quiet', '-m', 'Start']);
  const run = { ...env, ...NAMED, REDIS_URL: redis, XDG_CACHE_HOME: join(folder, 'http-cache') };
  const serving = await serve(repo, run);
  try {
    const took: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const start = performance.now();
      await (await get(serving, '/api/v1/environments')).text();
      took.push(performance.now() - start);
    }
    say(
      `the environments of ${SERVICES} services: ${median(took.slice(2)).toFixed(0)} ms, the first time ${(took[0] ?? 0).toFixed(0)} ms`,
    );
  } finally {
    await stop(serving);
  }
}

const get = ({ url, headers }: Serving, path: string) => fetch(`${url}${path}`, { headers });
const post = ({ url, headers }: Serving, path: string, body: string) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
