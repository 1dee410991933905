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
publish: [{ match: "**", via: pull-request, method: squash }]
`;

export async function benchPullRequests(input: PullRequestBench): Promise<void> {
  const { folder, env, rounds, open, minutes } = input;
  const services = Array.from({ length: rounds + open }, (_, number) => `s${number}`);
  const bare = await buildRepository(input, services);
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
  const ask = async (service: string): Promise<RequestId> => {
    const { scope, target, digest } = await engine.rollbacks.plan({
      scope: `prod/${service}`,
      author: PERSON,
    });
    const asked = { scope, target, digest, author: PERSON, reason: 'Benchmark', ledger: true };
    return (await engine.rollbacks.request(asked)).requestId;
  };
  const openByHand = async (number: number) => {
    const branch = `backtrail/${makeRequestId(Date.now(), new Uint8Array(10).fill(number % 256))}`;
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
  try {
    const [ours, bareTimes]: [number[], number[]] = [[], []];
    for (const [number, service] of services.slice(0, rounds).entries()) {
      const id = await ask(service);
      const start = performance.now();
      const { pullRequest } = await engine.rollbacks.execute(id);
      if (pullRequest === undefined) throw new Error('No pull request was opened.');
      ours.push(performance.now() - start);
      bareTimes.push(await openByHand(number));
    }
    say(`approved to an open pull request, p50 of ${rounds}:`);
    say(
      `  a push of its branch, and the host's answers to the same calls   ${median(bareTimes).toFixed(0)} ms   1.00 x`,
    );
    say(
      `  the request                                                      ${median(ours).toFixed(0)} ms   ${(median(ours) / median(bareTimes)).toFixed(2)} x (limit 2.00)`,
    );
    const ids: RequestId[] = [];
    for (const service of services.slice(rounds)) ids.push(await ask(service));
    await engine.rollbacks.executeMany(ids.map((id) => ({ id })));
    // The first look knows none of them.
    await engine.requests.reconcile();
    host.calls.splice(0);
    for (let at = 0; at < minutes * 60_000; at += LOOK_EVERY) {
      offset += LOOK_EVERY;
      await engine.requests.reconcile();
    }
    const calls = host.calls.filter(({ isGit }) => !isGit);
    const lists = calls.filter(({ method, path }) => method === 'GET' && path.endsWith('/pulls'));
    say(
      `${host.calls.length} requests to the host in ${minutes} minutes with ${open + rounds} open, of which nothing changes:`,
    );
    say(`  lists    ${(lists.length / minutes).toFixed(1)} a minute (limit 3)`);
    say(`  others   ${((calls.length - lists.length) / minutes).toFixed(1)} a minute`);
  } finally {
    await engine.close();
    await client.close();
    await host.close();
  }
}

const NAMED = {
  GIT_AUTHOR_NAME: PERSON.name,
  GIT_AUTHOR_EMAIL: PERSON.email,
  GIT_COMMITTER_NAME: PERSON.name,
  GIT_COMMITTER_EMAIL: PERSON.email,
};

async function buildRepository(
  { folder, env }: PullRequestBench,
  services: readonly string[],
): Promise<string> {
  const bare = join(folder, 'pull-requests.git');
  git({ cwd: folder, env }, ['init', '--quiet', '--bare', '-b', 'main', bare]);
  const file = (path: string, text: string) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;
  const commit = (mark: number, files: string) =>
    `commit refs/heads/main\nmark :${mark}\ncommitter ${PERSON.name} <${PERSON.email}> ${1_790_000_000 + mark} +0000\ndata 6\nDeploy\n${mark > 1 ? `from :${mark - 1}\n` : ''}${files}\n`;
  const at = (version: string) =>
    services.map((service) => file(`apps/prod/${service}/app.yaml`, `image: ${version}\n`)).join('');
  const stream = `${commit(1, file('.backtrail/config.yaml', CONFIG) + at('v1'))}${commit(2, at('v2'))}done\n`;
  const imported = run('git', ['fast-import', '--quiet', '--done'], { cwd: bare, env });
  imported.child.stdin?.end(stream);
  await imported;
  return bare;
}
