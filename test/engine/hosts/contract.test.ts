/** The same sentences for every kind of code host, each against a server that speaks its dialect over real git. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openHost } from '../../../engine/hosts/open.ts';
import type { CodeHost, Merging, PullRequest } from '../../../engine/model/index.ts';
import { HOST_KINDS, isFailure, MERGE_METHODS } from '../../../engine/model/index.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { type Host, startHost } from '../../helpers/servers/host/host.ts';
import type { HostSettings } from '../../helpers/servers/host/settings.ts';

const MERGE_CALL = /^(?:PUT|POST) .*\/merge$/;
const CREATE_CALL = /^POST .*\/(?:pulls|merge_requests)$/;
const READ_CALL = /^GET .*\/(?:pulls|merge_requests)\/[0-9]+$/;
const LIST_CALL = /^GET .*\/(?:pulls|merge_requests)$/;

/** Time passes where somebody sleeps, and nowhere else. */
function createClock() {
  const slept: number[] = [];
  let time = Date.parse('2026-11-28T12:00:00Z');
  return {
    slept,
    now: () => time,
    async sleep(milliseconds: number) {
      slept.push(milliseconds);
      time += milliseconds;
    },
  };
}

const SETTINGS = {
  protectedBy: 'protection',
  methods: ['merge', 'rebase', 'squash'],
  projectMerge: 'merge',
  projectSquash: 'default_off',
  requiredChecks: [],
  requiredReviews: 0,
  queue: null,
  mayAdminister: false,
  mayBypass: false,
} satisfies Partial<HostSettings>;

describe.each(HOST_KINDS)('%s', (kind) => {
  let repo: Repo;
  let server: Host;
  let client: CodeHost;
  let folder: string;
  let clock: ReturnType<typeof createClock>;
  let branches = 0;
  let isChanged = false;
  /** One for all tests that change nothing of it. */
  let shared: PullRequest;

  beforeAll(async () => {
    repo = await createRepo({ bare: true });
    await repo.replay([{ files: { 'apps/web.yaml': 'image: a\n' }, message: 'Start' }]);
    server = await startHost({ kind, bare: repo.folder });
    closeAfterFile(() => server.close());
    folder = await temporaryFolder();
    await writeFile(join(folder, 'token'), `${server.token}\n`);
    const entry = `{ kind: ${kind}, api: "${server.api}", token: token }`;
    await writeFile(join(folder, 'hosts.yaml'), `"${server.name}": ${entry}\n`);
    client = await open();
    shared = await propose();
  });
  beforeEach(async () => {
    server.clearFaults();
    if (isChanged) await server.change(SETTINGS);
    isChanged = false;
    client = await open();
    server.calls.splice(0);
  });

  async function change(settings: Partial<HostSettings>): Promise<void> {
    isChanged = true;
    await server.change(settings);
  }

  async function open(answerMs = 600_000): Promise<CodeHost> {
    clock = createClock();
    const opened = await openHost({
      address: server.url,
      naming: { kind: null, repository: null },
      hostsFile: join(folder, 'hosts.yaml'),
      env: {},
      clock,
      answerMs,
    });
    closeAfterFile(() => opened.close());
    return opened;
  }

  /** A branch of ours, with a commit of its own. */
  async function push(): Promise<{ branch: string; head: string }> {
    branches += 1;
    const branch = `backtrail/rbk-${branches}`;
    await repo.git('branch', branch, 'main');
    return { branch, head: await commitOn(branch) };
  }
  const commitOn = (branch: string) =>
    server.commitOn(branch, {
      files: { [`apps/${branch.split('/').at(-1)}.yaml`]: `image: ${Math.random()}\n` },
    });
  async function propose(): Promise<PullRequest & { head: string }> {
    const { branch, head } = await push();
    const pull = await client.create({
      branch,
      into: 'main',
      title: 'Roll back',
      body: 'Why',
      labels: [],
    });
    return { ...pull, head };
  }
  const merging = (head: string, of: Partial<Merging> = {}): Merging => ({
    head,
    method: 'merge',
    title: 'Roll web back',
    message: 'Why.\n\nRollback-Request-ID: rbk-1',
    ...of,
  });
  async function failure(asked: Promise<unknown>) {
    const error = await asked.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!isFailure(error)) throw new Error('It does not fail as it should.', { cause: error });
    const { code, message, details } = error;
    expect(`${message} ${JSON.stringify(details)} ${error.stack} ${String(error.cause)}`).not.toContain(
      server.token,
    );
    return { code, message, details };
  }

  it('opens a pull request, and finds it by its branch', async () => {
    const { branch, head } = await push();
    expect(await client.find(branch)).toBeNull();
    const made = await client.create({
      branch,
      into: 'main',
      title: 'Roll back',
      body: 'Why: <b>',
      labels: ['rollback', 'auto'],
    });
    expect(made).toMatchObject({ state: 'open', isDraft: false, branch, into: 'main', head });
    expect(made.url).toBe((await client.read(made.number)).url);
    expect(new URL(made.url).origin).toBe(new URL(server.url).origin);
    expect(await server.pull(made.number)).toMatchObject({ title: 'Roll back', body: 'Why: <b>' });
    expect((await server.pull(made.number)).labels.toSorted()).toEqual(['auto', 'rollback']);
    expect(await client.find(branch)).toMatchObject({ number: made.number, head });
  });

  it('gives the first one back where it is asked for a second, also where another worker was faster', async () => {
    const { branch } = await push();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    const both = await Promise.all([client.create(input), client.create(input)]);
    expect(both[0].number).toBe(both[1].number);
    expect((await client.create(input)).number).toBe(both[0].number);
    expect((await server.pulls()).filter((pull) => pull.branch === branch)).toHaveLength(1);
  });

  it('gives back what is merged, and makes another beside what is closed', async () => {
    const { number, branch, head } = await propose();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    await client.closePullRequest(number);
    const second = await client.create(input);
    expect(second).toMatchObject({ number: number + 1, state: 'open' });
    expect(await client.find(branch)).toMatchObject({ number: second.number });
    await client.read(second.number);
    expect(await client.merge(second.number, merging(head))).toBe('merged');
    expect(await client.create(input)).toMatchObject({ number: second.number, state: 'merged' });
  });

  it('finds what it opened where the answer was lost', async () => {
    const { branch } = await push();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    server.loseAnswer(CREATE_CALL);
    expect((await failure(client.create(input))).code).toBe('HOST_UNAVAILABLE');
    expect((await client.create(input)).number).toBe((await client.find(branch))?.number);
    expect((await server.pulls()).filter((pull) => pull.branch === branch)).toHaveLength(1);
  });

  it("never takes a fork's branch of the same name for ours", async () => {
    const pull = await propose();
    const listed = await plainList();
    const forked = listed.map((item) => ({
      ...item,
      source_project_id: 99,
      head: {
        ...(typeof item['head'] === 'object' ? item['head'] : {}),
        repo_id: 99,
        repo: { full_name: 'acme/fork' },
      },
    }));
    server.fail({ match: LIST_CALL, status: 200, body: forked, times: 2 });
    expect(await client.find(pull.branch)).toBeNull();
    expect(await client.listOpen()).toEqual([]);
    // And a list that was not filtered, with what nobody can read in it.
    server.fail({ match: LIST_CALL, status: 200, body: [...forked, { number: 'x' }, null, ...listed] });
    expect(await client.find(pull.branch)).toMatchObject({ number: pull.number });
  });

  it.each(['acme/fork', null])("nor by its number, where it is a fork's (%s)", async (fork) => {
    const pull = await propose();
    expect((await client.read(pull.number)).branch).toBe(pull.branch);
    const [item] = await plainList(`/${pull.number}`);
    const id = fork === null ? (kind === 'gitlab' ? null : -1) : 99;
    const head = { ...Object(item?.['head']), repo_id: id, repo: fork && { full_name: fork } };
    const match = new RegExp(`^GET .*/(?:pulls|merge_requests)/${pull.number}$`);
    server.fail({ match, status: 200, body: { ...item, source_project_id: id, head }, times: 4 });
    const { branch } = await client.read(pull.number);
    expect(branch).not.toBe(pull.branch);
    expect(branch).toContain(`:${pull.branch}`);
  });

  async function plainList(of = ''): Promise<Record<string, unknown>[]> {
    const path = kind === 'gitlab' ? 'projects/acme%2Fconfig/merge_requests' : 'repos/acme/config/pulls';
    const answer = await fetch(`${server.api}/${path}${of}?state=all&per_page=100&limit=100`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    const body: unknown = await answer.json();
    const items: unknown[] = Array.isArray(body) ? body : [body];
    return items.map((item) => Object(item));
  }

  it('changes title and body, and a draft stays one', async () => {
    const { number } = await propose();
    await client.update(number, { title: 'Roll back again', body: 'Because' });
    expect(await server.pull(number)).toMatchObject({ title: 'Roll back again', body: 'Because' });
    await client.setDraft(number, true);
    await client.setDraft(number, true);
    await client.update(number, { title: 'Third' });
    expect(await client.read(number)).toMatchObject({ isDraft: true, mergeability: 'blocked' });
    await client.setDraft(number, false);
    expect(await client.read(number)).toMatchObject({ isDraft: false, mergeability: 'yes' });
    expect((await server.pull(number)).title).toBe('Third');
  });

  it('closes and reopens, each once, and neither where it is merged', async () => {
    const { number, head, branch } = await propose();
    await client.closePullRequest(number);
    await client.closePullRequest(number);
    expect(await client.find(branch)).toMatchObject({ number, state: 'closed' });
    await client.reopenPullRequest(number);
    await client.reopenPullRequest(number);
    expect(await client.read(number)).toMatchObject({
      state: 'open',
      head,
      mergeCommit: null,
      mergedBy: null,
    });
    await client.merge(number, merging(head));
    expect((await failure(client.closePullRequest(number))).code).toBe('HOST_REFUSED');
    expect((await failure(client.reopenPullRequest(number))).code).toBe('HOST_REFUSED');
  });

  const PROJECTS = {
    merge: { projectMerge: 'merge' },
    rebase: { projectMerge: 'ff' },
    squash: { projectMerge: 'ff', projectSquash: 'default_on' },
  } as const;
  it.each(someOf(MERGE_METHODS, 1))(
    'merges by %s, with our message on the first-parent line',
    async (method) => {
      const { number } = await propose();
      await change(kind === 'gitlab' ? PROJECTS[method] : {});
      expect((await client.settings('main')).methods).toContain(method);
      // Onto the tip, as somebody would do it where the host asks for it.
      const branch = (await server.pull(number)).branch;
      await repo.git('branch', '-f', branch, 'main');
      const head = await commitOn(branch);
      expect(await client.read(number)).toMatchObject({ mergeability: 'yes', head });
      expect(await client.merge(number, merging(head, { method }))).toBe('merged');
      const tip = await repo.git('rev-parse', 'main');
      expect(await client.read(number)).toMatchObject({
        state: 'merged',
        mergedBy: server.account,
        mergeability: 'unknown',
      });
      const message = await repo.git('log', '-1', '--first-parent', '--format=%B', tip);
      // What is rebased keeps its own.
      expect(message.includes('Rollback-Request-ID: rbk-1')).toBe(method !== 'rebase');
      expect(message.startsWith('Roll web back\n')).toBe(method !== 'rebase');
      expect((await client.read(number)).mergeCommit).toBe(tip);
    },
  );

  it('merges nothing but the head that it was told', async () => {
    const { number, head, branch } = await propose();
    await commitOn(branch);
    expect(await client.merge(number, merging(head))).toBe('moved');
    expect((await server.pull(number)).state).toBe('open');
  });

  it('says what is not met, and merges nothing then', async () => {
    const { number, head } = await propose();
    isChanged = true;
    await server.setChecks(number, { build: { state: 'pending', required: true }, lint: 'green' });
    const details = await client.read(number);
    expect(details).toMatchObject({ mergeability: 'blocked', checks: { failed: 0, pending: 1, passed: 1 } });
    expect(await client.merge(number, merging(head))).toBe('refused');
    await server.setChecks(number, { build: 'failing' });
    expect(await client.read(number)).toMatchObject({
      mergeability: 'blocked',
      checks: { total: 1, failed: 1 },
    });
    await server.setChecks(number, { build: 'green' });
    expect(await client.read(number)).toMatchObject({
      mergeability: 'yes',
      checks: { total: 1, passed: 1 },
    });
    await change({ requiredReviews: 1 });
    expect(await client.read(number)).toMatchObject({ mergeability: 'blocked' });
    await server.review(number, { by: 'ada', state: 'approved' });
    const reviewed = await client.read(number);
    expect(reviewed.mergeability).toBe('yes');
    expect(reviewed.reviews).toEqual([
      { actor: 'ada', state: 'approved', at: expect.stringMatching(/^20.*Z$/) },
    ]);
    expect(await client.merge(number, merging(head))).toBe('merged');
  });

  it('tells a conflict from a base that moved', async () => {
    const { number, branch } = await propose();
    const path = `apps/${branch.split('/').at(-1)}.yaml`;
    await server.commitOn('main', { files: { 'other.yaml': `${Math.random()}\n` } });
    expect((await client.read(number)).mergeability).toBe('yes');
    await server.commitOn('main', { files: { [path]: 'image: conflict\n' } });
    expect((await client.read(number)).mergeability).toBe('conflict');
  });

  it('waits a little while the host works out whether it can be merged', async () => {
    const { number } = await propose();
    expect((await client.read(number)).mergeability).toBe('yes');
    expect(clock.slept.length).toBeLessThan(4);
  });

  it('lists the open ones of ours, over many pages', async () => {
    for (const pull of await server.pulls())
      if (pull.state === 'open' && pull.number !== shared.number) await server.closePull(pull.number);
    const { pageLimit } = server.settings;
    await change({ pageLimit: 2 });
    const ours = [shared, await propose(), await propose(), await propose(), await propose()];
    await repo.git('branch', 'feature/x', 'main');
    await commitOn('feature/x');
    await server.open({ branch: 'feature/x', into: 'main', title: 'Another', by: 'ada' });
    server.calls.splice(0);
    const listed = await client.listOpen();
    expect(listed.map(({ number }) => number).toSorted((one, other) => one - other)).toEqual(
      ours.map(({ number }) => number),
    );
    expect(listed.every(({ state, head }) => state === 'open' && /^[0-9a-f]{40}$/.test(head))).toBe(true);
    expect(server.calls.map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => listPath()));
    const [first = ours[0]] = ours;
    if (first) await commitOn(first.branch);
    const moved = (await client.listOpen()).find(({ number }) => number === first?.number);
    expect(moved?.head).toBe(await repo.git('rev-parse', first?.branch ?? ''));
    await change({ pageLimit });
  });
  const listPath = () =>
    kind === 'gitlab' ? '/projects/acme%2Fconfig/merge_requests' : '/repos/acme/config/pulls';

  /** What all clients have in common, which is one module: it is asked of one host. */
  const isTold = isProof || kind === 'github';

  it.runIf(isTold)('waits as long as the host asks, also before it writes', async () => {
    const { number, head } = await propose();
    await client.read(number);
    clock.slept.splice(0);
    server.rateLimit({ retryAfter: 30, match: MERGE_CALL });
    expect(await client.merge(number, merging(head))).toBe('merged');
    expect(clock.slept).toEqual([30_000]);
  });

  it.runIf(isTold)('does not wait longer than a minute, and asks nothing until then', async () => {
    const { number } = shared;
    server.rateLimit({ retryAfter: 3600, match: READ_CALL });
    server.calls.splice(0);
    const first = await failure(client.read(number));
    expect(first).toMatchObject({ code: 'HOST_UNAVAILABLE', details: { retryAfterMs: 3_600_000 } });
    expect((await failure(client.listOpen())).details).toMatchObject({ retryAfterMs: 3_600_000 });
    expect(server.calls).toHaveLength(1);
    await clock.sleep(3_590_000);
    expect(await client.read(number)).toMatchObject({ number });
    expect(clock.slept.at(1)).toBe(10_000);
  });

  it.runIf(isTold).each([
    [401, 'HOST_DENIED'],
    [403, 'HOST_DENIED'],
    [404, 'HOST_DENIED'],
    [422, 'HOST_REFUSED'],
    [400, 'HOST_REFUSED'],
  ])('says %i as %s, in the words of the host, and does not try again', async (status, code) => {
    const { number } = shared;
    server.fail({ match: READ_CALL, status, body: { message: 'Not \u001b[31mnow\n<b>' } });
    server.calls.splice(0);
    const found = await failure(client.read(number));
    expect(found).toMatchObject({ code, details: { status } });
    expect(found.message).toMatch(/^127\.0\.0\.1:[0-9]+ .*\([0-9]+\): Not \[31mnow <b>$/);
    expect(server.calls).toHaveLength(1);
  });

  it.runIf(isTold)(
    'tries a read again after an error of the host and a cut answer, and a write never',
    async () => {
      const { number, head } = await propose();
      server.fail({ match: READ_CALL, status: 502, body: '<html>' });
      server.cut(READ_CALL);
      expect(await client.read(number)).toMatchObject({ number });
      expect(clock.slept.slice(0, 2)).toEqual([1000, 4000]);
      server.fail({ match: READ_CALL, status: 500, times: 3 });
      expect(await failure(client.read(number))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
      server.fail({ match: MERGE_CALL, status: 500 });
      expect(await failure(client.merge(number, merging(head)))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
      expect((await server.pull(number)).state).toBe('open');
      server.loseAnswer(MERGE_CALL);
      expect(await failure(client.merge(number, merging(head)))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
      expect((await client.read(number)).state).toBe('merged');
    },
  );

  it.runIf(isTold)('gives up on a host that does not answer', async () => {
    const { number } = shared;
    const impatient = await open(200);
    const held = server.hold(READ_CALL);
    expect(await failure(impatient.read(number))).toMatchObject({
      code: 'HOST_UNAVAILABLE',
      message: expect.stringContaining('no answer in 0.2 s'),
    });
    held.release();
  });

  it.runIf(isTold).each([[''], ['<html>Sign in</html>'], ['['], [{ number: -1 }], [[]]])(
    'takes %j for no answer',
    async (body) => {
      const { number } = shared;
      server.fail({ match: READ_CALL, status: 200, body });
      expect(await failure(client.read(number))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
    },
  );

  it('takes no address but one of the web from a host', async () => {
    const { number, branch } = shared;
    for (const url of [
      'javascript:alert(1)',
      'https://a:b@example.com',
      `https://example.com/${'x'.repeat(2000)}`,
      'https://example.com/\n',
    ]) {
      const listed = (await plainList()).map((item) => ({ ...item, html_url: url, web_url: url }));
      server.fail({ match: LIST_CALL, status: 200, body: listed });
      expect(await failure(client.find(branch))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
    }
    expect(await client.find(branch)).toMatchObject({ number });
  });

  it('follows a redirect to itself, and none to another host, to which no token goes', async () => {
    const { number } = shared;
    const { calls } = server;
    server.redirectTo(`${server.api}${readPath(number)}`, READ_CALL);
    expect(await client.read(number)).toMatchObject({ number });
    const other = await startHost({ kind, bare: repo.folder });
    closeAfterFile(() => other.close());
    for (const status of [301, 302, 307, 308] as const) {
      calls.splice(0);
      server.redirectTo(`${other.api}${readPath(number)}`, READ_CALL, status);
      expect(await failure(client.read(number))).toMatchObject({ code: 'HOST_REFUSED' });
    }
    expect(other.calls).toEqual([]);
    server.redirectTo(`${server.api}${readPath(number)}`, /./);
    for (let i = 0; i < 5; i += 1) server.redirectTo(`${server.api}${readPath(number)}`, READ_CALL);
    expect(await failure(client.read(number))).toMatchObject({ code: 'HOST_REFUSED' });
  });
  const readPath = (number: number) => `${listPath()}/${number}`;

  it('shows no token, also where the host repeats it', async () => {
    const { number } = shared;
    server.echoToken(READ_CALL);
    expect((await failure(client.read(number))).message).toContain('The token *** may not do this.');
    server.echoToken(CREATE_CALL);
    const { branch } = await push();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    expect((await failure(client.create(input))).message).toContain('***');
  });

  it('does not rebase into a branch that takes signed commits alone', async () => {
    await change({
      mayAdminister: true,
      requireSignatures: true,
      ...(kind === 'gitlab' && { projectMerge: 'ff' }),
    });
    expect(await client.settings('main')).toMatchObject({
      methods: kind === 'gitlab' ? ['squash'] : ['merge', 'squash'],
      requiresSignatures: true,
    });
    await change({ requireSignatures: false });
    const open = await client.settings('main');
    expect([open.methods.includes('rebase'), open.requiresSignatures]).toEqual([true, false]);
  });

  it('knows a queue, and who may go past the rules', async () => {
    expect(await client.settings('main')).toMatchObject({ hasQueue: false, hasDrafts: true });
    await change({ mayAdminister: true, mayBypass: true });
    expect((await client.settings('main')).mayBypass).toBe(true);
    await change({ mayBypass: false });
    expect((await client.settings('main')).mayBypass).toBe(false);
    if (kind === 'gitea') return;
    await change({ queue: 'merge', protectedBy: 'ruleset' });
    expect((await client.settings('main')).hasQueue).toBe(true);
  });
});
