/** Rollbacks over HTTP, from the ask to the branch: real Redis, a real worker, and the words that were prescribed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLogger, executeInBatches, startWorker } from '../../workers/index.ts';
import { configOf } from '../helpers/people/requests.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { LEDGER } from '../helpers/people/scene.ts';
import { openRemote } from '../../cli/remote/engine.ts';
import { createRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { backtrail } from '../helpers/program/cli.ts';
import { closeAfterFile } from '../helpers/run/lifetime.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';
import { useRedis } from '../helpers/servers/redis.ts';

const POLICY = {
  environments: [
    { match: 'prod', quorum: 1, unsignedApprovals: true, approvers: { users: ['bob@example.com'] } },
    { match: 'held', quorum: 2, unsignedApprovals: true },
  ],
};
const ROLLBACKS = '/api/v1/rollbacks';
const SERVICES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const OF_INCIDENTS = ['q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z'];
const ask = (environment: string, service: string, more: object = {}) => ({
  environment,
  service,
  targetSha: 'v1',
  justification: 'v2 answers 500',
  ...more,
});

const redis = useRedis();
let repo: Repo;
let jane: Api;
let bob: Api;
/** Jane's, of a server without a queue. */
let queueless: Api;
/** How often Jane's server looked at one request. */
let shown = 0;
beforeAll(async () => {
  repo = await createRepo();
  const apps = (tag: string) =>
    Object.fromEntries(
      [...SERVICES, ...OF_INCIDENTS].flatMap((name) =>
        ['prod', 'dev', 'held'].map((where) => [
          `apps/${where}/${name}/app.yaml`,
          `image: ${tag}\nreplicas: 1\n`,
        ]),
      ),
    );
  await repo.commit({ '.backtrail/config.yaml': configOf(POLICY), ...apps('v1') });
  await repo.commit(apps('v2'));
  const engine = await engineOf(repo, { lives: 'file' });
  const settings = { redisUrl: redis.url };
  const show: typeof engine.requests.show = (input) => {
    shown += 1;
    return engine.requests.show(input);
  };
  const counted = { ...engine, requests: { ...engine.requests, show } };
  jane = await startApi(counted, { lives: 'file', settings });
  const person = { name: 'Bob', email: 'bob@example.com' };
  bob = await startApi(engine, { lives: 'file', person, settings });
  queueless = await startApi(engine, { lives: 'file' });
  const worker = startWorker({
    redisUrl: redis.url,
    execute: executeInBatches(() => engineOf(repo, { lives: 'file' })),
    logger: createLogger({ name: 'worker', destination: { write: () => undefined } }),
  });
  closeAfterFile(() => worker.close());
});

const textOf = (path: string) => repo.git('show', `main:apps/${path}/app.yaml`);
const said = ({ status, body }: Awaited<ReturnType<Api['get']>>) => [status, body.code, body.detail];
const statusOf = async (id: string) => (await jane.get(`${ROLLBACKS}/${id}`)).body.status;
async function becomes(id: string, status: string): Promise<void> {
  await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe(status);
}
/** Gives the id of a request that waits. */
async function pending(body: object): Promise<string> {
  const answer = await jane.post(ROLLBACKS, body);
  expect([answer.status, answer.body.status]).toEqual([201, 'pending']);
  return answer.body.requestId;
}

describe('a rollback that others have to agree to', () => {
  it('waits, is found by a part of its id, is approved, executed and in the log', async () => {
    const { body: asked } = await jane.post(ROLLBACKS, ask('prod', 'a'));
    const { requestId: id, digest } = asked;
    expect(asked).toMatchObject({ scope: 'prod/a', approval: { need: 1, have: 0 }, request: { id } });
    const short = id.slice(-8).toLowerCase();
    expect((await jane.get(`${ROLLBACKS}/${short}`)).body).toMatchObject({ id, status: 'pending' });
    const plan = await bob.get(`${ROLLBACKS}/${short}/plan`);
    expect(plan.body).toMatchObject({ requestId: id, changed: false, digest });
    const headers = { 'if-none-match': plan.headers.get('etag') ?? '' };
    expect((await bob.get(`${ROLLBACKS}/${short}/plan`, { headers })).status).toBe(304);
    const approved = await bob.post(`${ROLLBACKS}/${short}/approve`, { digest, comment: 'go' });
    expect([approved.status, approved.body.status]).toEqual([200, 'completed']);
    expect(approved.body.reviews).toMatchObject([
      { actor: { email: 'bob@example.com' }, comment: 'go', counts: true },
    ]);
    expect(await textOf('prod/a')).toContain('v1');
    const { commit } = approved.body.result;
    const { body: log } = await jane.get('/api/v1/log?scope=prod/a');
    expect(log.rollbacks).toMatchObject([{ requestId: id, commit, verdict: 'honest' }]);
    expect((await jane.get('/api/v1/log?recurring=true')).body).toEqual({ recurring: [] });
    expect(said(await bob.post(`${ROLLBACKS}/${id}/approve`))).toEqual([
      400,
      'REQUEST_NOT_PENDING',
      'rollback request is not pending approval',
    ]);
  });

  it('is refused to the letter', async () => {
    const id = await pending(ask('held', 'a'));
    const own = [403, 'OWN_REQUEST', 'cannot approve/reject your own rollback request'];
    expect(said(await jane.post(`${ROLLBACKS}/${id}/approve`))).toEqual(own);
    expect(said(await jane.post(`${ROLLBACKS}/${id}/reject`, { comment: 'no' }))).toEqual(own);
    const first = await bob.post(`${ROLLBACKS}/${id}/approve`, {});
    expect([first.status, first.body.status, first.body.approval.have]).toEqual([200, 'pending', 1]);
    expect(said(await bob.post(`${ROLLBACKS}/${id}/approve`))).toEqual([
      409,
      'ALREADY_REVIEWED',
      'you have already reviewed this rollback request',
    ]);
    for (const missing of [{ targetSha: '' }, { targetSha: null }, { targetSha: undefined }])
      expect(said(await jane.post(ROLLBACKS, ask('prod', 'b', missing)))).toEqual([
        400,
        'TARGET_REQUIRED',
        'targetSha is required',
      ]);
    for (const selectedFields of [[], [' ']])
      expect(said(await jane.post(ROLLBACKS, ask('prod', 'b', { mode: 'field', selectedFields })))).toEqual([
        400,
        'FIELDS_REQUIRED',
        'selected fields cannot be empty for field mode',
      ]);
    const other = { digest: `sha256:${'0'.repeat(64)}` };
    expect((await jane.post(ROLLBACKS, ask('prod', 'b', other))).body.code).toBe('PLAN_CHANGED');
    expect((await bob.post(`${ROLLBACKS}/${id}/approve`, { digest: 'x' })).status).toBe(400);
    for (const reason of [undefined, null, '', ' \n'])
      expect((await jane.post(ROLLBACKS, ask('prod', 'b', { justification: reason }))).body.code).toBe(
        'REASON_REQUIRED',
      );
    for (const unknown of ['ZZZZZZ', 'abc', 'rbk-', '..%2f..%2fx', `rbk-${'0'.repeat(26)}`])
      expect((await jane.get(`${ROLLBACKS}/${unknown}`)).body.code).toBe('REQUEST_UNKNOWN');
  });

  it('fails to the letter where its execution fails, and is executed by retry', async () => {
    const id = await pending(ask('prod', 'c'));
    await repo.write({ 'apps/prod/c/app.yaml': 'mine: true\n' });
    const failed = await bob.post(`${ROLLBACKS}/${id}/approve`);
    expect(said(failed)).toEqual([500, 'EXECUTION_FAILED', 'approval saved but rollback execution failed']);
    expect(failed.body.details).toMatchObject({ requestId: id, cause: { code: 'WORKTREE_DIRTY' } });
    expect(await statusOf(id)).toBe('failed');
    expect((await bob.post(`${ROLLBACKS}/${id}/retry`)).body.code).toBe('WORKTREE_DIRTY');
    await repo.git('checkout', '--', '.');
    const retried = await bob.post(`${ROLLBACKS}/${id}/retry`, {});
    expect([retried.status, retried.body.status]).toEqual([200, 'completed']);
    expect(await textOf('prod/c')).toContain('v1');
  });

  it('is rejected, withdrawn, noted on, and listed by who, where and how it stands', async () => {
    const [rejected, cancelled] = [await pending(ask('prod', 'd')), await pending(ask('prod', 'e'))];
    const reject = await bob.post(`${ROLLBACKS}/${rejected}/reject`, { comment: 'Not on a Friday' });
    expect([reject.status, reject.body.status]).toEqual([200, 'rejected']);
    const cancel = await jane.post(`${ROLLBACKS}/${cancelled}/cancel`, { reason: 'Fixed forward' });
    expect([cancel.status, cancel.body.status]).toEqual([200, 'cancelled']);
    const noted = await jane.post(`${ROLLBACKS}/${cancelled}/notes`, { text: 'DNS', kind: 'root-cause' });
    expect([noted.status, noted.body.notes]).toMatchObject([201, [{ text: 'DNS', kind: 'root-cause' }]]);
    expect((await jane.post(`${ROLLBACKS}/${cancelled}/notes`, { text: ' ' })).status).toBe(400);
    const idsOf = async (query: string) =>
      (await jane.get(`${ROLLBACKS}?${query}`)).body.requests.map(({ id }: { id: string }) => id);
    expect(await idsOf('state=rejected,cancelled&tenant=-&environment=prod')).toEqual([cancelled, rejected]);
    expect(await idsOf('state=rejected&author=JANE@example.com')).toEqual([rejected]);
    expect(await idsOf('state=all&author=bob@example.com')).toEqual([]);
    expect(await idsOf('state=all&tenant=acme')).toEqual([]);
    expect(await idsOf('environment=held')).toHaveLength(1);
    const [all, pages] = [await idsOf('state=all'), [] as string[]];
    for (let cursor = ''; pages.length < 20; ) {
      const { body } = await jane.get(`${ROLLBACKS}?state=all&limit=2${cursor}`);
      pages.push(...body.requests.map(({ id }: { id: string }) => id));
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
    }
    expect([all.length > 3, pages]).toEqual([true, all]);
  });
});

describe('a rollback that nobody has to agree to', () => {
  it('is handed to a worker at once, many of them side by side with whoever reads', async () => {
    const reads = Promise.all(
      SERVICES.map((name) => jane.get(`/api/v1/environments/-/held/services/${name}/history`)),
    );
    const answers = await Promise.all(
      SERVICES.slice(1).map((name) => jane.post(ROLLBACKS, ask('dev', name))),
    );
    for (const { status, body } of answers)
      expect([status, body.status, body.request.gate]).toEqual([202, 'executing', 'no-policy']);
    expect((await reads).map(({ body }) => body.scope)).toEqual(SERVICES.map((name) => `held/${name}`));
    for (const { body } of answers) await becomes(body.requestId, 'completed');
    for (const name of SERVICES.slice(1)) expect(await textOf(`dev/${name}`)).toContain('v1');
    const again = await jane.post(ROLLBACKS, ask('dev', 'b'));
    expect([again.status, again.body.status, again.body.request]).toEqual([200, 'unchanged', null]);
  });

  it('is in the log, which has pages and says when nothing is new', async () => {
    const commitsOf = ({ body }: Awaited<ReturnType<Api['get']>>) =>
      body.rollbacks.map(({ commit }: { commit: string }) => commit);
    const whole = await jane.get('/api/v1/log');
    const pages: string[] = [];
    for (let cursor = ''; pages.length < 20; ) {
      const page = await jane.get(`/api/v1/log?limit=2${cursor}`);
      pages.push(...commitsOf(page));
      if (page.body.next === null) break;
      cursor = `&cursor=${page.body.next}`;
    }
    expect([pages.length > 6, pages, whole.body.next]).toEqual([true, commitsOf(whole), null]);
    const gone = await jane.get(`/api/v1/log?cursor=${'0'.repeat(40)}.0~-`);
    expect([gone.status, gone.body.code]).toEqual([400, 'INVALID_REQUEST']);
    const headers = { 'if-none-match': whole.headers.get('etag') ?? '' };
    expect((await jane.get('/api/v1/log', { headers })).status).toBe(304);
  });

  it('stays approved in the ledger where the queue is away, and a worker finds it', async () => {
    const { status, body } = await queueless.post(ROLLBACKS, ask('dev', 'a'));
    expect([status, body.status]).toEqual([202, 'approved']);
    expect((await queueless.get(`${ROLLBACKS}/${body.requestId}`)).body.status).toBe('approved');
    const left = await queueless.post(`${ROLLBACKS}/${body.requestId}/retry`);
    expect([left.status, left.body.status]).toEqual([202, 'approved']);
    const done = await jane.post(`${ROLLBACKS}/${body.requestId}/retry`);
    expect([done.status, done.body.status]).toEqual([200, 'completed']);
  });
});

describe('an incident', () => {
  const INCIDENTS = '/api/v1/incidents';
  const OTHER = `sha256:${'0'.repeat(64)}`;
  const incident = (scopes: readonly string[], more: object = {}) => ({
    id: 'inc-1',
    reason: 'v2 answers 500',
    onFailure: 'continue',
    rollbacks: scopes.map((scope) => ({ scope })),
    ...more,
  });
  const rowsOf = ({ body }: Awaited<ReturnType<Api['get']>>) =>
    body.rollbacks.map(({ scope, status }: Record<string, string>) => [scope, status]);

  it('is asked for, executed and gone on with, here or by the command line', async () => {
    const asked = incident(['dev/x', 'prod/x', 'dev/y']);
    const dry = await jane.post(`${INCIDENTS}?dryRun=true`, asked);
    expect([dry.status, new Set(rowsOf(dry).map(([, status]: string[]) => status))]).toEqual([
      200,
      new Set(['not started']),
    ]);
    const first = await jane.post(INCIDENTS, asked, { headers: { 'idempotency-key': 'i1' } });
    expect([first.status, rowsOf(first)]).toEqual([
      201,
      [
        ['dev/x', 'completed'],
        ['prod/x', 'pending'],
        ['dev/y', 'completed'],
      ],
    ]);
    const file = join(await temporaryFolder(), 'incident.yaml');
    await writeFile(file, JSON.stringify(asked));
    const run = await backtrail(repo, ['incident', file, '--yes', '-o', 'json'], { redisUrl: redis.url });
    const byId = (body: { rollbacks: { requestId: string; status: string }[] }) =>
      body.rollbacks.map(({ requestId, status }) => [requestId, status]);
    expect([run.code, byId(JSON.parse(run.stdout))]).toEqual([5, byId(first.body)]);
    await bob.post(`${ROLLBACKS}/${first.body.rollbacks[1].requestId}/approve`);
    const again = await jane.post(INCIDENTS, asked, { headers: { 'idempotency-key': 'i1' } });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(byId(again.body).map(([, status]) => status)).toEqual(['completed', 'completed', 'completed']);
    const fresh = await startApi(await engineOf(repo), { settings: { redisUrl: redis.url } });
    const others = [
      { ...asked, reason: 'Another one' },
      incident(['dev/x', 'dev/z']),
      incident(['dev/z'], { id: 'inc-of-another-name' }),
    ];
    for (const other of others) {
      const refused = await fresh.post(INCIDENTS, other, { headers: { 'idempotency-key': 'i1' } });
      expect([refused.status, refused.body.code]).toEqual([422, 'KEY_REUSED']);
    }
  });

  it('shows what each plan comes to, patterns resolved, and asks for what was looked at or for nothing', async () => {
    const wish = incident(['held/*', 'dev/none'], { id: 'inc-seen' });
    const dry = await jane.post(`${INCIDENTS}?dryRun=true`, wish);
    const rows = dry.body.rollbacks;
    expect(rows).toHaveLength(SERVICES.length + OF_INCIDENTS.length + 1);
    expect(rows[0]).toMatchObject({
      scope: 'held/a',
      plan: {
        mode: 'service',
        currentVersion: 2,
        targetVersion: 1,
        unchanged: false,
        impact: { services: ['a'], files: 1, fields: 1 },
        gate: { needsApproval: true, quorum: 2, approvers: [], session: null },
      },
    });
    expect(rows.at(-1)).toMatchObject({ scope: 'dev/none', error: { code: 'SERVICE_UNKNOWN' } });
    const seen = { scope: 'held/a', digest: rows[0].plan.digest, rendered: rows[0].plan.rendered };
    const other = { scope: 'held/b', digest: seen.digest };
    const asked = await jane.post(INCIDENTS, { ...wish, rollbacks: [seen, other] });
    expect(asked.body.rollbacks).toMatchObject([
      { scope: 'held/a', status: 'pending' },
      { scope: 'held/b', status: 'failed', error: { code: 'PLAN_CHANGED' } },
    ]);
    expect(asked.body.rollbacks[0]).not.toHaveProperty('plan');
    const atomic = { ...wish, id: 'inc-whole', atomic: true, rollbacks: [{ scope: 'held/c' }, other] };
    const none = await jane.post(INCIDENTS, atomic);
    expect([none.status, none.body.code]).toEqual([409, 'PLAN_CHANGED']);
    expect((await jane.get(`${ROLLBACKS}?incident=inc-whole`)).body.requests).toEqual([]);
    const manifests = { ...wish, id: 'inc-manifests', rollbacks: [{ scope: 'held/c', rendered: OTHER }] };
    expect((await jane.post(INCIDENTS, manifests)).body.code).toBe('PLAN_CHANGED');
  });

  it('is decided on at once by another person, a row each, in one commit of the ledger', async () => {
    const id = 'inc/of many "people"';
    const at = `${INCIDENTS}/${encodeURIComponent(id)}`;
    expect((await bob.get(at)).body).toEqual({ id, asked: [], rollbacks: [] });
    await jane.post(INCIDENTS, incident(['prod/r', 'prod/s', 'prod/q', 'dev/q'], { id }));
    const plans = await bob.get(`${at}/plans`);
    expect(plans.body.rollbacks).toMatchObject(
      ['prod/q', 'prod/r', 'prod/s'].map((scope) => ({
        scope,
        author: 'jane@example.com',
        status: 'pending',
        plan: { currentVersion: 2, targetVersion: 1, impact: { files: 1 }, changed: false },
        may: { approve: { allowed: true }, reject: { allowed: true } },
      })),
    );
    const own = await jane.get(`${at}/plans`);
    expect(own.body.rollbacks[0]).toMatchObject({
      may: { approve: { code: 'OWN_REQUEST' } },
      error: { code: 'OWN_REQUEST' },
    });
    const votes = plans.body.rollbacks.map(({ requestId, digest }: Record<string, string>) => ({
      id: requestId,
      digest,
    }));
    const [q, r, s] = votes;
    const refused = await jane.post(`${at}/approve`, { votes });
    expect([refused.status, refused.body.code]).toEqual([403, 'OWN_REQUEST']);
    expect(refused.body.details.rollbacks).toHaveLength(3);
    const rejected = await bob.post(`${at}/reject`, { votes: [q], comment: 'Not this one' });
    expect([rejected.status, rejected.body.rollbacks]).toMatchObject([
      200,
      [{ status: 'rejected', voted: true }],
    ]);
    const other = { ...s, digest: `sha256:${'0'.repeat(64)}` };
    const approved = await bob.post(`${at}/approve`, { votes: [q, r, other] });
    expect([approved.status, approved.body.rollbacks]).toMatchObject([
      200,
      [
        { scope: 'prod/q', voted: false, error: { code: 'REQUEST_NOT_PENDING' } },
        { scope: 'prod/r', voted: true, status: 'completed' },
        { scope: 'prod/s', voted: false, status: 'pending', error: { code: 'PLAN_CHANGED' } },
      ],
    ]);
    const strangers = await bob.post(`${INCIDENTS}/inc-1/approve`, { votes: [s] });
    expect([strangers.status, strangers.body.code]).toEqual([404, 'REQUEST_UNKNOWN']);
    for (const wrong of [{ votes: [] }, { votes: [s, s] }, { votes: [{ id: s.id }] }, {}])
      expect((await bob.post(`${at}/approve`, wrong)).body.code).toBe('INVALID_REQUEST');
    const state = await bob.get(at);
    expect(state.body.asked).toEqual([
      { author: { name: 'Jane Doe', email: 'jane@example.com' }, reason: 'v2 answers 500', rollbacks: 4 },
    ]);
    expect(rowsOf(state)).toEqual([
      ['dev/q', 'completed'],
      ['prod/q', 'rejected'],
      ['prod/r', 'completed'],
      ['prod/s', 'pending'],
    ]);
    const etag = String(state.headers.get('etag'));
    expect((await bob.get(at, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  it('executes again what failed of it', async () => {
    const id = 'inc-failed';
    const at = `${INCIDENTS}/${id}`;
    const scopes = ['prod/t', 'prod/u', 'prod/v', 'prod/w'];
    const asked = await jane.post(INCIDENTS, incident(scopes, { id }));
    const plans = await bob.get(`${at}/plans`);
    const votes = plans.body.rollbacks.map(({ requestId, digest }: Record<string, string>) => ({
      id: requestId,
      digest,
    }));
    await repo.write(Object.fromEntries(scopes.map((scope) => [`apps/${scope}/app.yaml`, 'mine: true\n'])));
    const approved = await bob.post(`${at}/approve`, { votes });
    expect([approved.status, approved.body.rollbacks]).toMatchObject([
      200,
      scopes.map((scope) => ({ scope, voted: true, status: 'failed', error: { code: 'EXECUTION_FAILED' } })),
    ]);
    const still = await jane.post(INCIDENTS, incident(scopes, { id }));
    expect(still.body.rollbacks).toMatchObject(
      scopes.map((scope) => ({ scope, status: 'failed', error: { code: 'WORKTREE_DIRTY' } })),
    );
    await repo.git('checkout', '--', '.');
    const ids = asked.body.rollbacks.map(({ requestId }: Record<string, string>) => requestId);
    expect((await jane.get(at)).body.rollbacks).toMatchObject(
      scopes.map((scope) => ({ scope, status: 'failed' })),
    );
    const again = incident([], { id, rollbacks: scopes.map((scope) => ({ scope, digest: OTHER })) });
    expect((await jane.post(INCIDENTS, again)).body.rollbacks).toMatchObject(
      scopes.map((scope) => ({ scope, status: 'failed', error: { code: 'PLAN_CHANGED' } })),
    );
    const one = await jane.post(`${at}/retry`, { ids: ids.slice(0, 1) });
    expect([one.status, one.body.rollbacks]).toMatchObject([200, [{ scope: 'prod/t', status: 'completed' }]]);
    const tokenFile = join(await temporaryFolder(), 'token');
    await writeFile(tokenFile, `${jane.token}\n`);
    const remote = await openRemote({ server: jane.url, tokenFile, sleep: () => Promise.resolve() });
    const some = await remote.requests.retryMany({ ids: ids.slice(0, 3), actor: JANE });
    await remote.close();
    expect(some).toMatchObject([
      { status: 'rejected', reason: { code: 'REQUEST_NOT_FAILED' } },
      { status: 'fulfilled', value: { id: ids[1], status: 'completed' } },
      { status: 'fulfilled', value: { id: ids[2], status: 'completed' } },
    ]);
    const subjects = (await repo.git('log', '--format=%s', LEDGER)).split('\n');
    expect(subjects.filter((line) => line.endsWith(' retried'))).toEqual([
      'jane@example.com writes 2 events: 2 retried',
      'jane@example.com writes 4 events: 4 retried',
    ]);
    expect((await jane.post(`${at}/retry`)).body.rollbacks).toMatchObject([
      { scope: 'prod/w', status: 'completed' },
    ]);
    const before = shown;
    expect((await jane.post(`${at}/retry`, { ids })).body.code).toBe('REQUEST_NOT_FAILED');
    expect(shown).toBe(before);
    const other = await pending(ask('held', 'v'));
    const strange = await jane.post(`${at}/retry`, { ids: [...ids, other] });
    expect(said(strange)).toEqual([404, 'REQUEST_UNKNOWN', `Request ${other} is not one of this incident.`]);
  });

  it('starts nothing where a plan of it fails, and says which', async () => {
    const stopped = await jane.post(
      INCIDENTS,
      incident(['dev/z', 'dev/none'], { id: 'inc-2', onFailure: 'stop' }),
    );
    expect([stopped.status, stopped.body.code]).toEqual([404, 'SERVICE_UNKNOWN']);
    expect(rowsOf({ ...stopped, body: stopped.body.details })).toEqual([
      ['dev/z', 'not started'],
      ['dev/none', 'failed'],
    ]);
    const one = await jane.post(INCIDENTS, incident(['dev/z'], { id: 'inc-2', onFailure: 'stop' }));
    expect([one.status, rowsOf(one)]).toEqual([200, [['dev/z', 'completed']]]);
    for (const wrong of [{ id: '' }, { reason: ' ' }, { rollbacks: [] }, { repo: '/' }, { more: 1 }])
      expect((await jane.post(INCIDENTS, incident(['dev/z'], wrong))).status).toBe(400);
    expect((await jane.post(INCIDENTS, incident(['dev/z', 'dev/z']))).body.code).toBe('INVALID_REQUEST');
  });
});

describe('Idempotency-Key', () => {
  const keyed = (api: Api, body: object, key: string) =>
    api.post(ROLLBACKS, body, { headers: { 'idempotency-key': key } });
  const replayed = ({ headers }: Awaited<ReturnType<Api['get']>>) => headers.get('idempotent-replayed');

  it('asks once, whatever becomes of the server, and gives the request as it stands', async () => {
    const body = ask('prod', 'f');
    const both = await Promise.all([keyed(jane, body, 'k1'), keyed(jane, body, 'k1')]);
    const codes = both.map(({ status, body: { code } }) => code ?? status);
    expect(new Set(codes)).toEqual(new Set([201, 'KEY_BUSY']));
    const first = both.find(({ status }) => status === 201);
    const id = first?.body.requestId;
    await redis.client.flushall();
    const fresh = await startApi(await engineOf(repo), { settings: { redisUrl: redis.url } });
    for (const api of [jane, fresh]) {
      const again = await keyed(api, body, 'k1');
      expect([again.status, replayed(again), again.body.requestId]).toEqual([200, 'true', id]);
      expect(again.body.status).toBe('pending');
    }
    // Of another person, or another key, it is another one.
    expect((await keyed(bob, body, 'k1')).body.requestId).not.toBe(id);
    await bob.post(`${ROLLBACKS}/${(await keyed(jane, ask('prod', 'f'), 'k2')).body.requestId}/approve`);
    const after = await keyed(fresh, body, 'k1');
    expect([after.status, after.body.status, after.body.requestId]).toEqual([200, 'superseded', id]);
  });

  it('adds a note once, also after a restart, and is no good for another one', async () => {
    const [one, other] = [await pending(ask('prod', 'y')), await pending(ask('prod', 'z'))];
    const note = (api: Api, id: string, text: string) =>
      api.post(`${ROLLBACKS}/${id}/notes`, { text }, { headers: { 'idempotency-key': 'n1' } });
    const first = await note(jane, one, 'DNS');
    const fresh = await startApi(await engineOf(repo), { settings: { redisUrl: redis.url } });
    for (const api of [jane, fresh]) {
      const again = await note(api, one, 'DNS');
      expect([again.status, replayed(again), again.body.notes]).toEqual([201, 'true', first.body.notes]);
    }
    expect([replayed(first), first.body.notes.length]).toEqual([null, 1]);
    for (const [id, text] of [
      [one, 'TLS'],
      [other, 'DNS'],
    ] as const) {
      const unseen = await startApi(await engineOf(repo), { settings: { redisUrl: redis.url } });
      expect((await note(unseen, id, text)).body.code).toBe('KEY_REUSED');
    }
  });

  it('is no good for another body, in whatever it differs', async () => {
    const body = ask('prod', 'g', { hold: true, holdFor: '2d' });
    const { requestId } = (await keyed(jane, body, 'k3')).body;
    // It knows nothing but what the ledger holds.
    const fresh = await startApi(await engineOf(repo), { settings: { redisUrl: redis.url } });
    const others = [
      { service: 'h' },
      { environment: 'held' },
      { service: null },
      { targetSha: 'v2' },
      { justification: 'v2 answers 501' },
      { selectedFields: ['apps/prod/g/app.yaml#/image'] },
      { allowRemoval: true },
      { override: ['allow-removal'] },
      { holdFor: '3d' },
      { holdFor: undefined },
      { hold: false, holdFor: undefined },
      { digest: `sha256:${'0'.repeat(64)}` },
      { resume: true, targetSha: undefined, hold: undefined, holdFor: undefined },
    ];
    for (const other of others)
      for (const api of [jane, fresh]) {
        const refused = await keyed(api, { ...body, ...other }, 'k3');
        expect([other, refused.status, refused.body.code]).toEqual([other, 422, 'KEY_REUSED']);
      }
    expect((await keyed(fresh, { ...body, targetSha: 'previous' }, 'k3')).body.requestId).toBe(requestId);
    for (const key of ['', 'a b', 'x'.repeat(256)])
      expect((await keyed(fresh, body, key)).body.code).toBe('INVALID_REQUEST');
  });
});
