/**
 * Pull requests, against the code host of the tests, in this process: from an approved request to an open pull request, beside a push of its branch and
 * the same calls to the host alone; then what many open ones cost their host in calls, on a clock that is moved.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openHost } from '../../engine/hosts/open.ts';
import { makeRequestId, openEngine, type RequestId } from '../../engine/internal.ts';
import { startHost } from '../../test/helpers/servers/host/host.ts';
import { git, median, PERSON, say } from './measure.ts';

const run = promisify(execFile);
/** Milliseconds between two looks of a worker. */
const LOOK_EVERY = 5000;

interface PullRequestBench {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly rounds: number;
  readonly open: number;
  readonly minutes: number;
}

const CONFIG = `version: 1
layout: { service: ["apps/{environment}/{service}/app.yaml"] }
publish:
  - { match: auto, via: pull-request, merge: auto, method: squash }
  - { match: "**", via: pull-request, method: squash }
`;
/** Of those that are open, so many wait for a worker to merge them, change on their host, and are merged by a person. */
const AUTO = 10;
const CHANGED = 5;
const MERGED = 10;

export async function benchPullRequests(input: PullRequestBench): Promise<void> {
  const { folder, env, rounds, open, minutes } = input;
  const scopes = Array.from(
    { length: rounds + open },
    (_, number) => `${number < rounds + open - AUTO ? 'prod' : 'auto'}/s${number}`,
  );
  const bare = await buildRepository(input, scopes);
  const host = await startHost({ kind: 'github', bare });
  await writeFile(join(folder, 'token'), host.token);
  const hostsFile = join(folder, 'hosts.yaml');
  await writeFile(hostsFile, `"${host.name}": { kind: github, api: "${host.api}", token: token }\n`);
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
  };
  const engine = await openEngine({
    repo: host.authenticated,
    env: { ...env, BACKTRAIL_HOSTS: hostsFile },
    cacheFolder: join(folder, 'cache'),
    committer: PERSON,
    clock,
  });
  const client = await openHost({
    address: host.url,
    naming: { kind: null, repository: null },
    hostsFile,
    env,
    clock,
  });
  const ask = async (named: string): Promise<RequestId> => {
    const { scope, target, digest } = await engine.rollbacks.plan({ scope: named, author: PERSON });
    const asked = { scope, target, digest, author: PERSON, reason: 'Benchmark', ledger: true };
    return (await engine.rollbacks.request(asked)).requestId;
  };
  const askMany = async (named: readonly string[]): Promise<readonly RequestId[]> => {
    const asks = named.map((scope) => ({ scope, id: newId() }));
    const plans = await engine.rollbacks.planMany(asks, PERSON);
    const asked = asks.map(({ scope, id }, index) => {
      const planned = plans[index];
      const plan = planned?.status === 'fulfilled' ? planned.value.plan : null;
      if (plan === null) throw new Error(`${scope} cannot be planned.`);
      const { target, digest, base } = plan;
      return { scope, id, target, digest, base, author: PERSON, reason: 'Benchmark', ledger: true };
    });
    await engine.rollbacks.requestMany(asked);
    return asks.map(({ id }) => id);
  };
  const openByHand = async (number: number) => {
    const branch = `backtrail/${newId()}`;
    const tree = git({ cwd: bare, env }, ['rev-parse', 'main^{tree}']).trim();
    const made = git({ cwd: bare, env: { ...env, ...NAMED } }, [
      'commit-tree',
      '-p',
      'main',
      '-m',
      `By hand ${number}`,
      tree,
    ]);
    const start = performance.now();
    await run('git', ['push', '--quiet', host.authenticated, `${made.trim()}:refs/heads/${branch}`], {
      cwd: bare,
      env,
    });
    await client.find(branch);
    await client.create({ branch, into: 'main', title: `By hand ${number}`, body: 'Benchmark', labels: [] });
    return performance.now() - start;
  };
  const execute = async (id: RequestId) => {
    const { pullRequest } = await engine.rollbacks.execute(id);
    if (pullRequest === undefined) throw new Error('No pull request was opened.');
  };
  const completed = async () =>
    (await engine.requests.list({ reader: PERSON, statuses: ['completed'] })).length;
  /** One look after the other, and what they ask of the host. */
  const looks = async (what: string, times: number, every = LOOK_EVERY) => {
    host.calls.splice(0);
    for (let look = 0; look < times; look += 1) {
      offset += every;
      await engine.requests.reconcile();
    }
    const span = (times * every) / 60_000;
    const calls = host.calls.filter(({ isGit }) => !isGit);
    const lists = calls.filter(({ method, path }) => method === 'GET' && path.endsWith('/pulls'));
    const read = new Set(
      calls.flatMap(({ method, path }) =>
        method === 'GET' ? (/\/pulls\/(\d+)$/.exec(path)?.[1] ?? []) : [],
      ),
    );
    const fetches = host.calls.filter(
      ({ isGit, path, query }) =>
        isGit && path.endsWith('/info/refs') && query['service'] === 'git-upload-pack',
    );
    const rest = calls.length - lists.length;
    say(
      `  ${what.padEnd(52)} ${(lists.length / span).toFixed(1).padStart(5)} ${(rest / span).toFixed(1).padStart(7)} ${String(read.size).padStart(6)} ${(fetches.length / span).toFixed(1).padStart(8)}`,
    );
  };
  try {
    const [ours, named, bareTimes]: [number[], number[], number[]] = [[], [], []];
    for (const [number, scope] of scopes.slice(0, rounds).entries()) {
      const id = await ask(scope);
      const start = performance.now();
      await execute(id);
      ours.push(performance.now() - start);
      // Nothing of it runs beside what it is compared with.
      await engine.requests.ids({ reader: PERSON });
      named.push(performance.now() - start);
      bareTimes.push(await openByHand(number));
    }
    const ratio = (times: readonly number[]) =>
      `${median(times).toFixed(0).padStart(5)} ms   ${(median(times) / median(bareTimes)).toFixed(2)} x`;
    say(`approved to an open pull request, p50 of ${rounds}:`);
    say(`  a push of its branch, and the same calls to the host    ${ratio(bareTimes)}`);
    say(`  the request, until it is open                           ${ratio(ours)} (limit 2.00)`);
    say(`  until the ledger names it and was read again            ${ratio(named)}`);
    const ids = await askMany(scopes.slice(rounds));
    await host.change({ requiredChecks: ['ci'] });
    const start = performance.now();
    await engine.rollbacks.executeMany(ids.map((id) => ({ id })));
    say(`${open} more at once, until all are open: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    say(`${open + rounds} are open, and ${AUTO} of them are merged by the worker when a check has passed:`);
    say(`  a minute${' '.repeat(45)} lists  others   read  fetches`);
    const pulls = (await host.pulls()).filter(({ state, body }) => state === 'open' && body !== 'Benchmark');
    await looks('the first look', 1);
    await looks('nothing changes', (minutes * 60_000) / LOOK_EVERY);
    for (const { number, body } of pulls.slice(0, CHANGED)) await host.edit(number, { body: `${body}.` });
    await looks(`${CHANGED} change`, (minutes * 60_000) / LOOK_EVERY);
    for (const { number } of pulls.slice(0, MERGED))
      await host.merge(number, { by: 'ada', method: 'squash', force: true });
    const before = await completed();
    await looks(`${MERGED} are merged, one look a minute later`, 1, 60_000);
    say(`  of these, ${(await completed()) - before} are completed`);
    for (const { number } of pulls.slice(-AUTO))
      await host.setChecks(number, { ci: { state: 'green', required: true } });
    const then = await completed();
    await looks(`the check of ${AUTO} passes, within a minute`, 60_000 / LOOK_EVERY);
    say(`  of these, ${(await completed()) - then} are merged by the worker and completed`);
  } finally {
    await engine.close();
    await client.close();
    await host.close();
  }
}

const newId = () => makeRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));

const NAMED = {
  GIT_AUTHOR_NAME: PERSON.name,
  GIT_AUTHOR_EMAIL: PERSON.email,
  GIT_COMMITTER_NAME: PERSON.name,
  GIT_COMMITTER_EMAIL: PERSON.email,
};

async function buildRepository(
  { folder, env }: PullRequestBench,
  scopes: readonly string[],
): Promise<string> {
  const bare = join(folder, 'pull-requests.git');
  git({ cwd: folder, env }, ['init', '--quiet', '--bare', '-b', 'main', bare]);
  const file = (path: string, text: string) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;
  const commit = (mark: number, files: string) =>
    `commit refs/heads/main\nmark :${mark}\ncommitter ${PERSON.name} <${PERSON.email}> ${1_790_000_000 + mark} +0000\ndata 6\nDeploy\n${mark > 1 ? `from :${mark - 1}\n` : ''}${files}\n`;
  const at = (version: string) =>
    scopes.map((scope) => file(`apps/${scope}/app.yaml`, `image: ${version}\n`)).join('');
  const stream = `${commit(1, file('.backtrail/config.yaml', CONFIG) + at('v1'))}${commit(2, at('v2'))}done\n`;
  const imported = run('git', ['fast-import', '--quiet', '--done'], { cwd: bare, env });
  imported.child.stdin?.end(stream);
  await imported;
  return bare;
}
