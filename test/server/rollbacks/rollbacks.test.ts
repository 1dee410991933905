/** Rollbacks over HTTP, from the ask to the branch: real Redis, a real worker, and the words that were prescribed. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { ask, createScene, ROLLBACKS, said, type Scene } from './scene.ts';
import { isProof } from '../../helpers/run/proof.ts';

const SERVICES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const redis = useRedis();
let repo: Repo;
let jane: Api;
let bob: Api;
let pending: Scene['pending'];
let fresh: Scene['fresh'];
/** Jane's, of a server without a queue. */
let queueless: Api;
beforeAll(async () => {
  const scene = await createScene([...SERVICES, 'y', 'z'], redis.url);
  ({ repo, jane, bob, pending, fresh } = scene);
  queueless = await startApi(scene.engine, { lives: 'file' });
});

const textOf = (path: string) => repo.git('show', `main:apps/${path}/app.yaml`);
const statusOf = async (id: string) => (await jane.get(`${ROLLBACKS}/${id}`)).body.status;
async function becomes(id: string, status: string): Promise<void> {
  await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe(status);
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
    const newer = await fresh();
    for (const api of [jane, newer]) {
      const again = await keyed(api, body, 'k1');
      expect([again.status, replayed(again), again.body.requestId]).toEqual([200, 'true', id]);
      expect(again.body.status).toBe('pending');
    }
    // Of another person, or another key, it is another one.
    expect((await keyed(bob, body, 'k1')).body.requestId).not.toBe(id);
    await bob.post(`${ROLLBACKS}/${(await keyed(jane, ask('prod', 'f'), 'k2')).body.requestId}/approve`);
    const after = await keyed(newer, body, 'k1');
    expect([after.status, after.body.status, after.body.requestId]).toEqual([200, 'superseded', id]);
  });

  it.runIf(isProof)('adds a note once, also after a restart, and is no good for another one', async () => {
    const [one, other] = [await pending(ask('prod', 'y')), await pending(ask('prod', 'z'))];
    const note = (api: Api, id: string, text: string) =>
      api.post(`${ROLLBACKS}/${id}/notes`, { text }, { headers: { 'idempotency-key': 'n1' } });
    const first = await note(jane, one, 'DNS');
    const newer = await fresh();
    for (const api of [jane, newer]) {
      const again = await note(api, one, 'DNS');
      expect([again.status, replayed(again), again.body.notes]).toEqual([201, 'true', first.body.notes]);
    }
    expect([replayed(first), first.body.notes.length]).toEqual([null, 1]);
    for (const [id, text] of [
      [one, 'TLS'],
      [other, 'DNS'],
    ] as const) {
      const unseen = await fresh();
      expect((await note(unseen, id, text)).body.code).toBe('KEY_REUSED');
    }
  });

  it('is no good for another body, in whatever it differs', async () => {
    const body = ask('prod', 'g', { hold: true, holdFor: '2d' });
    const { requestId } = (await keyed(jane, body, 'k3')).body;
    // It knows nothing but what the ledger holds.
    const newer = await fresh();
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
      for (const api of [jane, newer]) {
        const refused = await keyed(api, { ...body, ...other }, 'k3');
        expect([other, refused.status, refused.body.code]).toEqual([other, 422, 'KEY_REUSED']);
      }
    expect((await keyed(newer, { ...body, targetSha: 'previous' }, 'k3')).body.requestId).toBe(requestId);
    for (const key of ['', 'a b', 'x'.repeat(256)])
      expect((await keyed(newer, body, key)).body.code).toBe('INVALID_REQUEST');
  });
});
