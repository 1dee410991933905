import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Engine,
  isFailure,
  makeRequestId,
  type RequestId,
  type RollbackResult,
} from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { countingGit } from '../../helpers/repositories/counting-git.ts';
import {
  cloneRepo,
  createRepo,
  type Files,
  type Repo,
  temporaryFolder,
} from '../../helpers/repositories/repo.ts';

const config = (more: object = {}) =>
  `${JSON.stringify({
    version: 1,
    layout: { service: ['apps/{environment}/{service}/**', 'values/{environment}.yaml#/{service}'] },
    keep: [],
    policy: { environments: [{ match: '*', quorum: 0, unsignedRequests: true }] },
    ...more,
  })}\n`;

const NAMES = Array.from({ length: 8 }, (_, index) => `svc-${String(index).padStart(2, '0')}`);

const filesAt = (version: string): Files =>
  Object.fromEntries(NAMES.map((name) => [`apps/prod/${name}/app.yaml`, `image: ${version}\n`]));

/** Eight services with a good and a bad revision, published to as a remote. */
async function stage(files: (version: string) => Files = filesAt, more: object = {}) {
  const repo = await createRepo({ bare: true });
  await repo.replay([
    { files: { '.backtrail/config.yaml': config(more), ...files('v1') } },
    { files: files('v2') },
  ]);
  const engine = await engineOf(repo, { location: `file://${repo.folder}` });
  return { repo, engine };
}

/** Opens all of them at once; gives their ids, in order. */
async function askAll(engine: Engine, scopes: readonly string[]): Promise<RequestId[]> {
  const asks = [];
  for (const scope of scopes) {
    const { target, digest, base } = await engine.rollbacks.plan({ scope, author: JANE });
    asks.push({ scope, target, digest, base, author: JANE, reason: 'v2 answers 500' });
  }
  const results = await engine.rollbacks.requestMany(asks);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.requestId;
  });
}

const log = async (repo: Repo, format: string, range = 'main') =>
  (await repo.git('log', '--reverse', `--format=${format}`, range)).split('\n').filter(Boolean);

/** Counts pushes: each runs the hook once, whatever it moves. */
async function countPushes(repo: Repo, script = '') {
  const hook = join(repo.gitDir, 'hooks/pre-receive');
  const list = join(repo.gitDir, 'pushes');
  await writeFile(list, '');
  await writeFile(
    hook,
    `#!/bin/sh\nrefs=$(cat)\necho "$refs" | tr '\\n' ' ' >> '${list}'\necho >> '${list}'\n${script}\n`,
    { mode: 0o755 },
  );
  return async () => (await readFile(list, 'utf8')).split('\n').filter((line) => line !== '');
}

/** `completed`, `unchanged`, or the code of what it failed with. */
const statusOf = (result: PromiseSettledResult<Pick<RollbackResult, 'status'>> | undefined) => {
  if (result?.status === 'fulfilled') return result.value.status;
  return isFailure(result?.reason) ? result.reason.code : String(result?.reason);
};

/** What git is asked between the last look at the branch and each push to it, but for what tidies the mirror meanwhile. */
function windowsOf(asked: readonly string[]): string[][] {
  const windows: string[][] = [];
  let window: string[] = [];
  for (const line of asked) {
    const [command = ''] = line
      .split(' ')
      .filter((word, at, words) => !isOption(word) && words[at - 1] !== '-c');
    if (command === 'fetch' && line.includes('refs/heads')) window = [];
    else if (command === 'push' && line.includes('refs/heads/main')) windows.push(window);
    else if (!['commit-graph', 'gc', 'for-each-ref'].includes(command)) window.push(command);
  }
  return windows;
}

const isOption = (word: string) => word.startsWith('-');

describe('requests that are opened together', () => {
  it('are one commit of the ledger and one push; what is wrong with one of them is said of it alone', async () => {
    const { repo, engine } = await stage();
    const pushes = await countPushes(repo);
    const asks = [];
    for (const scope of ['prod/svc-00', 'prod/svc-01', 'prod/svc-02']) {
      const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE });
      asks.push({ scope, target, digest, author: JANE, reason: 'v2 answers 500' });
    }
    const [first, second, third] = asks;
    if (!first || !second || !third) throw new Error('three were planned');
    const wrong = { ...second, digest: `sha256:${'0'.repeat(64)}` };
    const results = await engine.rollbacks.requestMany([first, wrong, third]);
    expect(results.map(statusOf)).toEqual(['approved', 'PLAN_CHANGED', 'approved']);
    expect(await pushes()).toEqual([expect.stringContaining('refs/backtrail/ledger')]);
    expect(await repo.git('rev-list', '--count', 'refs/backtrail/ledger')).toBe('1');
    const views = await engine.requests.list({ reader: JANE });
    expect(views.map(({ scopeName }) => scopeName).toSorted()).toEqual(['prod/svc-00', 'prod/svc-02']);
  });

  it('have one time where opening them took longer than a second, and one no earlier than what is in the ledger', async () => {
    const { repo } = await stage(filesAt, {
      policy: { environments: [{ match: 'prod', quorum: 1, unsignedRequests: true, expiry: '1h' }] },
    });
    let now = Date.now() + 30_000;
    const sleep = () => Promise.resolve();
    const location = `file://${repo.folder}`;
    const slow = await engineOf(repo, { location, clock: { now: () => (now += 1000), sleep } });
    const first = await askAll(slow, ['prod/svc-00', 'prod/svc-01', 'prod/svc-02']);
    const behind = await engineOf(repo, { location });
    const second = await askAll(behind, ['prod/svc-03']);
    const views = await Promise.all([...first, ...second].map((id) => behind.requests.show({ id })));
    expect(new Set(views.map(({ createdAt }) => createdAt)).size).toBe(1);
    for (const { createdAt, expiresAt } of views)
      expect(Date.parse(expiresAt ?? '') - Date.parse(createdAt)).toBe(3_600_000);
  });

  it('are each answered for themselves where two have one id', async () => {
    const { engine } = await stage();
    const asks = [];
    for (const scope of ['prod/svc-00', 'prod/svc-01', 'prod/svc-02']) {
      const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE });
      asks.push({ scope, target, digest, author: JANE, reason: 'v2 answers 500' });
    }
    const id = makeRequestId(Date.now(), new Uint8Array(10));
    const results = await engine.rollbacks.requestMany(
      asks.map((ask, index) => (index < 2 ? { ...ask, id } : ask)),
    );
    expect(results.map(statusOf)).toEqual(['approved', 'REQUEST_EXISTS', 'approved']);
  });

  it('of one scope follow each other: the later one takes the place of the earlier', async () => {
    const { engine } = await stage(filesAt, {
      policy: { environments: [{ match: 'prod', quorum: 1, unsignedRequests: true }] },
    });
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01', 'prod/svc-00']);
    const statuses = ids.map(async (id) => (await engine.requests.show({ id })).status);
    expect(await Promise.all(statuses)).toEqual(['superseded', 'pending', 'pending']);
  });
});

describe('rollbacks that are executed together', () => {
  it('are one push of a chain, in which each has its own commit, trailers and result', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.map((name) => `prod/${name}`),
    );
    const before = await repo.git('rev-parse', 'main');
    const pushes = await countPushes(repo);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    // The branch and the ledger with it.
    expect(await pushes()).toEqual([
      expect.stringMatching(
        /refs\/heads\/main.*refs\/backtrail\/ledger|refs\/backtrail\/ledger.*refs\/heads\/main/,
      ),
    ]);
    const range = `${before}..main`;
    expect(await log(repo, '%(trailers:key=Rollback-Request-ID,valueonly)', range)).toEqual(ids);
    const parents = await log(repo, '%P', range);
    expect(await log(repo, '%(trailers:key=Rollback-Base,valueonly)', range)).toEqual(parents);
    const commits = await log(repo, '%H', range);
    expect([...results.values()].map((each) => each.status === 'fulfilled' && each.value.commit)).toEqual(
      commits,
    );
    const changed = await log(repo, '', range).then(() =>
      repo.git('log', '--reverse', '--name-only', '--format=', range),
    );
    expect(changed.split('\n')).toEqual(NAMES.map((name) => `apps/prod/${name}/app.yaml`));
    expect(await repo.git('diff', '--stat', 'main', 'main~9', '--', 'apps')).toBe('');
    const views = await engine.requests.list({ reader: JANE });
    expect(new Set(views.map(({ status }) => status))).toEqual(new Set(['completed']));
  });

  it('fail alone: one is blocked, one is unknown, one was executed before', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01', 'prod/svc-02', 'prod/svc-03']);
    const [first, second] = ids;
    if (!first || !second) throw new Error('there are four');
    await engine.requests.executeRequest(first);
    await repo.replay([{ files: { 'apps/prod/svc-01/app.yaml': 'image: v3\n' } }]);
    const unknown = 'rbk-00000000000000000000000001' as RequestId;
    const results = await engine.requests.executeRequests([...ids, unknown].map((id) => ({ id })));
    expect([...ids, unknown].map((id) => statusOf(results.get(id)))).toEqual([
      'completed',
      'PLAN_CHANGED',
      'completed',
      'completed',
      'REQUEST_UNKNOWN',
    ]);
    expect(await repo.git('show', 'main:apps/prod/svc-01/app.yaml')).toBe('image: v3');
    expect((await engine.requests.show({ id: second })).status).toBe('failed');
  });

  it('go ahead only where each of them may', async () => {
    const { repo, engine } = await stage(filesAt, {
      policy: { environments: [{ match: 'prod', quorum: 1, unsignedRequests: true }] },
    });
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01']);
    const tip = await repo.git('rev-parse', 'main');
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['AWAITING_APPROVAL', 'AWAITING_APPROVAL']);
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it('land but for the one that a hook refuses', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.map((name) => `prod/${name}`),
    );
    const refuses = `new=$(echo "$refs" | grep refs/heads/main | cut -d' ' -f2)\n[ -z "$new" ] || git show "$new:apps/prod/svc-03/app.yaml" | grep -q v2 || { echo 'svc-03 is frozen' >&2; exit 1; }`;
    const pushes = await countPushes(repo, refuses);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    const refused = ids.filter((id) => results.get(id)?.status === 'rejected');
    expect(refused).toEqual([ids[3]]);
    expect(await repo.git('show', 'main:apps/prod/svc-03/app.yaml')).toBe('image: v2');
    expect(await repo.git('show', 'main:apps/prod/svc-06/app.yaml')).toBe('image: v1');
    // Halves of eight: four do not land, two do, two do not, one does and one does not, four do.
    const landed = (await pushes()).filter((line) => line.includes(' refs/heads/main'));
    expect(landed.length).toBeLessThan(12);
    expect(await repo.git('rev-list', '--count', 'main')).toBe('9');
  });

  it('of parts of one file are planned one on top of the other', async () => {
    const values = (version: string): Files => ({
      'values/prod.yaml': NAMES.map((name) => `${name}:\n  # owner of ${name}\n  image: ${version}\n`).join(
        '',
      ),
    });
    const { repo, engine } = await stage(values);
    const ids = await askAll(
      engine,
      NAMES.map((name) => `prod/${name}`),
    );
    const pushes = await countPushes(repo);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    expect(await pushes()).toHaveLength(1);
    expect(await repo.git('diff', '--stat', 'main', 'main~9', '--', 'values')).toBe('');
    expect(await log(repo, '%(trailers:key=Rollback-Base,valueonly)', 'main~8..main')).toEqual(
      await log(repo, '%P', 'main~8..main'),
    );
  });

  it('of an environment and of a service in it come one after the other, and the later one has nothing left to do', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(engine, ['prod', 'prod/svc-05']);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['completed', 'unchanged']);
    expect(await repo.git('rev-list', '--count', 'main')).toBe('3');
  });

  it('settle nothing on top of commits that a hook refuses, and do not bring those to a clone', async () => {
    const { repo } = await stage();
    const clone = await cloneRepo(repo);
    const engine = await engineOf(clone);
    const ids = await askAll(engine, ['prod', 'prod/svc-05']);
    // The environment as a whole is refused; the service, of which nothing would be left to do after it, is not.
    const refuses = `new=$(echo "$refs" | grep refs/heads/main | cut -d' ' -f2)\n[ -z "$new" ] || git show "$new:apps/prod/svc-00/app.yaml" | grep -q v2 || exit 1`;
    await countPushes(repo, refuses);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['REMOTE_REJECTED', 'completed']);
    expect(await repo.git('show', 'main:apps/prod/svc-05/app.yaml')).toBe('image: v1');
    const tip = await repo.git('rev-parse', 'main');
    expect(await clone.git('rev-parse', 'main', 'origin/main')).toBe(`${tip}\n${tip}`);
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it('keep their plans where a bot moves the branch elsewhere, and plan anew where it moves it here', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.slice(0, 4).map((name) => `prod/${name}`),
    );
    // The bot is faster at the first push, in another service and in one of these.
    const bot = `[ -e '${repo.gitDir}/bot' ] || { touch '${repo.gitDir}/bot'; unset GIT_QUARANTINE_PATH; printf 'commit refs/heads/main\\ncommitter Bot <bot@example.com> 1790000000 +0000\\ndata 4\\nbump\\nfrom refs/heads/main^0\\nM 100644 inline apps/prod/svc-05/app.yaml\\ndata 10\\nimage: v9\\n\\nM 100644 inline apps/prod/svc-02/app.yaml\\ndata 10\\nimage: v9\\n\\ndone\\n' | env -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git --git-dir='${repo.gitDir}' fast-import --quiet --done --force; }`;
    await countPushes(repo, `case "$refs" in *refs/heads/main*) ${bot};; esac`);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => results.get(id)?.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await repo.git('show', 'main:apps/prod/svc-05/app.yaml')).toBe('image: v9');
    expect(await repo.git('show', 'main:apps/prod/svc-02/app.yaml')).toBe('image: v9');
    expect(await repo.git('show', 'main:apps/prod/svc-03/app.yaml')).toBe('image: v1');
  });

  it('that took long to plan are moved to where the branch is by then, before they are pushed', async () => {
    const { repo, engine: asking } = await stage();
    const ids = await askAll(asking, ['prod/svc-00', 'prod/svc-01']);
    const { path, asked } = await countingGit(repo);
    let now = Date.now();
    const engine = await engineOf(
      { ...repo, env: { ...repo.env, PATH: path } },
      { location: `file://${repo.folder}`, clock: { now: () => now, sleep: () => Promise.resolve() } },
    );
    let planned = 0;
    const onStep = async ({ step }: { step: string }) => {
      if (step !== 'planned' || (planned += 1) > 1) return;
      now += 1000;
      await repo.replay([{ files: { 'apps/prod/svc-05/app.yaml': 'image: v9\n' } }]);
    };
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id, onStep })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(['completed', 'completed']);
    expect(planned).toBe(2);
    expect(windowsOf(await asked())).toHaveLength(1);
    expect(await repo.git('show', 'main:apps/prod/svc-05/app.yaml')).toBe('image: v9');
  });

  it('stay together where a bot is faster again and again, and go without the record then, which follows', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.slice(0, 4).map((name) => `prod/${name}`),
    );
    const bot = `printf 'commit refs/heads/main\\ncommitter Bot <bot@example.com> 1790000000 +0000\\ndata 4\\nbump\\nfrom refs/heads/main^0\\nM 100644 inline other\\ndata %s\\n%s\\ndone\\n' "$(printf $n | wc -c)" $n | env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git --git-dir='${repo.gitDir}' fast-import --quiet --done --force`;
    const pushes = await countPushes(
      repo,
      `n=$(grep -c refs/heads/main '${repo.gitDir}/pushes'); case "$refs" in *refs/heads/main*) [ $n -gt 4 ] || { ${bot}; };; esac`,
    );
    const { path, asked } = await countingGit(repo);
    const env = { ...repo.env, PATH: path };
    const counted = await engineOf({ ...repo, env }, { location: `file://${repo.folder}` });
    const results = await counted.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    // The bot can be faster only between the look at the branch and the push.
    const windows = windowsOf(await asked()).slice(1);
    expect(windows).toHaveLength(4);
    for (const window of windows) expect(window.filter((command) => command === 'fetch')).toEqual([]);
    expect(windows.map(({ length }) => length)).toEqual([6, 6, 5, 5]);
    const made = await pushes();
    const ofBranch = made.filter((push) => push.includes('refs/heads/main'));
    expect(ofBranch).toHaveLength(5);
    expect(ofBranch.map((push) => push.includes('refs/backtrail/ledger'))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    for (const id of ids) expect(await engine.requests.show({ id })).toMatchObject({ status: 'completed' });
  });

  it('have only their record written anew where another writer was faster in the ledger', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.slice(0, 4).map((name) => `prod/${name}`),
    );
    const faster = `[ -e '${repo.gitDir}/faster' ] || { touch '${repo.gitDir}/faster'; unset GIT_QUARANTINE_PATH; printf 'commit refs/backtrail/ledger\\ncommitter Bob <bob@example.com> 1790000000 +0000\\ndata 4\\nnote\\nfrom refs/backtrail/ledger^0\\n\\ndone\\n' | env -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git --git-dir='${repo.gitDir}' fast-import --quiet --done --force; }`;
    const pushes = await countPushes(repo, `case "$refs" in *refs/heads/main*) ${faster};; esac`);
    const results = await engine.requests.executeRequests(ids.map((id) => ({ id })));
    expect(ids.map((id) => statusOf(results.get(id)))).toEqual(ids.map(() => 'completed'));
    const tips = (await pushes()).map((line) => / (\w+) refs\/heads\/main/.exec(line)?.[1]);
    expect(tips).toEqual([tips[0], tips[0]]);
    expect(await repo.git('rev-list', '--count', 'refs/backtrail/ledger')).toBe('3');
  });

  it('that the branch holds already are reported, and recorded together where their record was lost', async () => {
    const { repo, engine } = await stage();
    const scopes = NAMES.slice(0, 5).map((name) => `prod/${name}`);
    const ids = await askAll(engine, scopes);
    await countPushes(repo, 'case "$refs" in *refs/backtrail/ledger*) exit 1;; esac');
    const first = await engine.requests.executeRequests(ids.slice(0, 4).map((id) => ({ id })));
    const pushes = await countPushes(repo);
    const again = await engineOf(repo, { location: `file://${repo.folder}` });
    const turns: string[] = [];
    const turn = () => Promise.resolve(void turns.push('turn'));
    const results = await again.requests.executeRequests(
      ids.map((id) => ({ id })),
      { turn },
    );
    const commitOf = (each: PromiseSettledResult<RollbackResult> | undefined) =>
      each?.status === 'fulfilled' ? each.value.commit : null;
    for (const id of ids.slice(0, 4)) {
      expect(commitOf(first.get(id))).not.toBeNull();
      expect(commitOf(results.get(id))).toBe(commitOf(first.get(id)));
    }
    // The fifth, and then the record of the four.
    expect(await pushes()).toHaveLength(2);
    expect(turns).toHaveLength(1);
    expect(await repo.git('rev-list', '--count', 'main')).toBe('7');
    const views = await again.requests.list({ reader: JANE });
    expect(views.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
  });

  it('land but for the one at which git itself fails', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(
      engine,
      NAMES.map((name) => `prod/${name}`),
    );
    const folder = await temporaryFolder();
    const path = repo.env['PATH'] ?? '';
    // The stream of commits ends where it comes to this service.
    const script = `#!/bin/sh\nPATH='${path}'\ncase " $* " in *" fast-import "*) sed -u '/svc-03/q' | git "$@"; exit $?;; esac\nexec git "$@"\n`;
    await writeFile(join(folder, 'git'), script, { mode: 0o755 });
    const location = `file://${repo.folder}`;
    const broken = await engineOf(repo, { location, env: { PATH: `${folder}:${path}` } });
    const results = await broken.requests.executeRequests(ids.map((id) => ({ id })));
    const statuses = ids.map((id) => statusOf(results.get(id)));
    expect(statuses).toEqual(NAMES.map((name) => (name === 'svc-03' ? 'GIT_FAILED' : 'completed')));
  });
});

describe('rollbacks that are planned together', () => {
  it('take as many processes of git for many as for some, and are each as planned alone', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `svc-${String(index).padStart(2, '0')}`);
    const { repo } = await stage((version) =>
      Object.fromEntries(names.map((name) => [`apps/prod/${name}/app.yaml`, `image: ${version}\n`])),
    );
    const { path, asked } = await countingGit(repo);
    const engine = await engineOf(repo, { location: `file://${repo.folder}`, env: { PATH: path } });
    const asks = names.map((name, index) => ({
      id: makeRequestId(1_790_000_000_000 + index, new Uint8Array(10)),
      scope: `prod/${name}`,
    }));
    const count = async (many: typeof asks) => {
      const before = (await asked()).length;
      const results = await engine.rollbacks.planMany(many, JANE);
      expect(results.map(({ status }) => status)).toEqual(many.map(() => 'fulfilled'));
      return { started: (await asked()).length - before, results };
    };
    await count(asks.slice(0, 12));
    const some = await count(asks.slice(0, 12));
    const many = await count(asks);
    expect(many.started).toBeLessThanOrEqual(some.started);
    const [first] = many.results;
    const alone = await engine.rollbacks.plan({ scope: 'prod/svc-00', author: JANE });
    expect(first).toEqual({ status: 'fulfilled', value: { done: null, request: null, plan: alone } });
  });

  it('say of each what there is of it already, and what is wrong with it alone', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01']);
    await engine.requests.executeRequest(ids[0] ?? '');
    const fresh = makeRequestId(1_790_000_000_000, new Uint8Array(10));
    const asks = [...ids, fresh, fresh].map((id, index) => ({
      id,
      scope: `prod/${['svc-00', 'svc-01', 'svc-02', 'svc-99'][index] ?? ''}`,
    }));
    const results = await engine.rollbacks.planMany(asks, JANE);
    expect(results).toMatchObject([
      { value: { done: await repo.git('rev-parse', 'main'), request: null, plan: null } },
      { value: { done: null, request: { id: ids[1], status: 'approved' }, plan: null } },
      { value: { done: null, request: null, plan: { unchanged: false } } },
      { reason: { code: 'SERVICE_UNKNOWN' } },
    ]);
    expect(await engine.findRequests([...ids, fresh])).toEqual(
      new Map([[ids[0], await repo.git('rev-parse', 'main')]]),
    );
  });
});
