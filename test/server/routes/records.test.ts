/** Deployments, break-glass, holds and the audit over HTTP: what the engine says, with its codes, and what a caller gets wrong. */
import { rename } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, VerifyAsk } from '../../../engine/index.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { isProof } from '../../helpers/run/proof.ts';

/** In two parts, so that no scanner takes it for one that is in use. */
const TOKEN = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');
const DEPLOYMENTS = '/api/v1/deployments';
const API = { environment: 'prod', service: 'api' };
const DIGEST = `sha256:${'0'.repeat(64)}`;
const UNKNOWN = `dep-${'0'.repeat(26)}`;

const POLICY = {
  people: [['jane@example.com', 'jane.doe@corp.example']],
  environments: [
    { match: 'prod', quorum: 1, breakGlass: { allowed: true, longest: '1h' }, unsignedApprovals: true },
  ],
};

let api: Api;
let repo: Repo;
let bobs: Api;
beforeAll(async () => {
  repo = await createRepo({ bare: true });
  const app = (tag: string) => ({ 'apps/prod/api/app.yaml': `image: registry.example.com/api:${tag}\n` });
  await repo.replay([
    { files: { '.backtrail/config.yaml': configOf(POLICY), ...app('v1') } },
    { files: app('v2') },
    { files: app('v3') },
    { files: { 'apps/prod/web/token.yaml': `token: ${TOKEN}\n` } },
    ...['v1', 'v2'].map((tag) => ({
      files: { 'apps/dev/api/app.yaml': `image: ${tag}\n`, 'apps/dev/jobs/app.yaml': `image: ${tag}\n` },
    })),
  ]);
  api = await startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file' });
  const person = { name: 'Bob', email: 'bob@example.com' };
  bobs = await startApi(await engineOf(repo, { lives: 'file' }), { lives: 'file', person });
});
const record = async (more: object) =>
  (await api.post(DEPLOYMENTS, { ...API, status: 'deployed', ...more })).body;

describe('deployments', () => {
  it('are recorded, listed in pages, shown, and found by their images', async () => {
    const first = await record({ commit: 'v1', note: 'canary first' });
    expect(first).toMatchObject({ scope: 'prod/api', version: 1, status: 'deployed', source: 'api' });
    expect(first.authenticated).toEqual({ how: 'single-user', by: null });
    const second = await api.post(DEPLOYMENTS, { scope: 'prod/api', status: 'pending', commit: 'v2' });
    expect([second.status, second.headers.get('location')]).toEqual([
      201,
      `${DEPLOYMENTS}/${second.body.id}`,
    ]);
    const patched = await api.call('PATCH', `${DEPLOYMENTS}/${second.body.id}`, {
      body: { status: 'failed', note: 'errors' },
    });
    expect([patched.status, patched.body.status, patched.body.notes[0].text]).toEqual([
      200,
      'failed',
      'errors',
    ]);
    const { body: page } = await api.get(`${DEPLOYMENTS}?limit=1&environment=prod`);
    expect([page.deployments[0].id, page.next]).toEqual([second.body.id, second.body.id]);
    const { body: rest } = await api.get(`${DEPLOYMENTS}?limit=1&environment=prod&cursor=${page.next}`);
    expect([rest.deployments[0].id, rest.next]).toEqual([first.id, null]);
    expect((await api.get(`${DEPLOYMENTS}?status=failed,proposed`)).body.deployments).toEqual([patched.body]);
    const etag = (await api.get(`${DEPLOYMENTS}/${first.id}`)).headers.get('etag') ?? '';
    const seen = await api.get(`${DEPLOYMENTS}/${first.id}`, { headers: { 'if-none-match': etag } });
    expect([seen.status, seen.body]).toEqual([304, '']);
    expect((await api.get(`${DEPLOYMENTS}?tenant=-`)).body.deployments).toHaveLength(2);
    expect((await api.get(`${DEPLOYMENTS}?tenant=acme`)).body.deployments).toEqual([]);
    expect((await api.get(`${DEPLOYMENTS}/${first.id}`)).body).toEqual(first);
    expect((await api.get(`${DEPLOYMENTS}/exists?image=api:v1`)).body).toMatchObject({ exists: true });
    expect((await api.get(`${DEPLOYMENTS}/exists?image=api:v9`)).body).toMatchObject({ exists: false });
  });

  it.each([
    ['GET', `${DEPLOYMENTS}/${UNKNOWN}`, undefined, 404, 'DEPLOYMENT_UNKNOWN'],
    ['GET', `${DEPLOYMENTS}/dep-x`, undefined, 404, 'DEPLOYMENT_UNKNOWN'],
    ['GET', `${DEPLOYMENTS}?environment=nowhere`, undefined, 404, 'ENVIRONMENT_UNKNOWN'],
    ['GET', `${DEPLOYMENTS}?service=api`, undefined, 400, 'INVALID_REQUEST'],
    ['GET', `${DEPLOYMENTS}?status=gone`, undefined, 400, 'INVALID_REQUEST'],
    ['GET', `${DEPLOYMENTS}?cursor=${UNKNOWN}`, undefined, 404, 'DEPLOYMENT_UNKNOWN'],
    ['GET', `${DEPLOYMENTS}/exists`, undefined, 400, 'INVALID_REQUEST'],
    ['GET', `${DEPLOYMENTS}/`, undefined, 404, 'INVALID_REQUEST', 'Leave out the slash'],
    ['POST', DEPLOYMENTS, { status: 'deployed' }, 400, 'SCOPE_INVALID'],
    ['POST', DEPLOYMENTS, { ...API, scope: 'prod', status: 'deployed' }, 400, 'INVALID_REQUEST'],
    ['POST', DEPLOYMENTS, { ...API, status: 'rolled_back', commit: 'v3' }, 409, 'DEPLOYMENT_STATUS'],
    ['POST', DEPLOYMENTS, { ...API, status: 'deployed', source: 'backtrail' }, 400, 'INVALID_REQUEST'],
    ['POST', DEPLOYMENTS, { ...API, status: 'deployed', commit: 'v99' }, 404, 'REVISION_UNKNOWN'],
    ['PATCH', `${DEPLOYMENTS}/${UNKNOWN}`, { status: 'failed' }, 404, 'DEPLOYMENT_UNKNOWN'],
    ['PATCH', `${DEPLOYMENTS}/${UNKNOWN}`, { note: 'x' }, 400, 'INVALID_REQUEST', 'Name the next status'],
    ['POST', '/api/v1/break-glass', { scope: 'prod' }, 400, 'REASON_REQUIRED'],
    ['POST', '/api/v1/holds/resume', { scope: 'prod' }, 400, 'REASON_REQUIRED'],
    ['POST', '/api/v1/plans', { ...API, targetSha: 'v1', target: 'v2' }, 400, 'INVALID_REQUEST', 'Give one'],
    ['POST', '/api/v1/plans', { ...API, targetSha: 'v1', target: ' v1' }, 200, undefined],
    ['POST', '/api/v1/plans', { ...API, target: 'v1', justification: 'x', digest: DIGEST }, 200, undefined],
  ])('answers %s %s', async (method, path, body, status, code, said = '') => {
    const answer = await api.call(method, path, body === undefined ? {} : { body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(`${answer.body.detail} ${answer.body.hint}`).toContain(said);
  });

  it('never hold a raw secret, and say where it is without saying it', async () => {
    const refs = await repo.git('for-each-ref');
    const stateful = { environment: 'prod', service: 'web', status: 'deployed' };
    const refused = [
      await api.post(DEPLOYMENTS, stateful),
      await api.post(DEPLOYMENTS, { ...API, status: 'failed', commit: 'v3', note: `it was ${TOKEN}` }),
      await api.post(DEPLOYMENTS, { ...API, status: 'failed', commit: 'v3', images: [`api:${TOKEN}`] }),
    ];
    for (const { status, body } of refused) {
      expect([status, body.code]).toEqual([422, 'RAW_SECRET']);
      expect(JSON.stringify(body)).not.toContain(TOKEN);
    }
    expect(refused[0]?.body.details).toEqual({ path: 'apps/prod/web/token.yaml' });
    expect(api.log.join('')).not.toContain(TOKEN);
    expect(await repo.git('for-each-ref')).toBe(refs);
  });

  it('are restored by a request that names them, where they are deployed', async () => {
    const good = await record({ commit: 'v1' });
    const restored = await api.post(`${DEPLOYMENTS}/${good.id}/restore`, {});
    expect([restored.status, restored.body.status]).toEqual([201, 'pending']);
    expect(restored.body.request).toMatchObject({
      justification: `Restore deployment ${good.id} (v1) of prod/api`,
      rollbackOf: { commit: good.commit, version: 1 },
      status: 'pending',
    });
    const more = await api.post(`${DEPLOYMENTS}/${good.id}/restore`, { justification: 'v3 answers 500' });
    expect(more.body.request.justification).toBe(
      `Restore deployment ${good.id} (v1) of prod/api\n\nv3 answers 500`,
    );
    const [failed] = (await api.get(`${DEPLOYMENTS}?status=failed`)).body.deployments;
    const refused = await api.post(`${DEPLOYMENTS}/${failed.id}/restore`, {});
    expect([refused.status, refused.body.code, refused.body.details.status]).toEqual([
      409,
      'DEPLOYMENT_STATUS',
      'failed',
    ]);
    const dev = (await api.post(DEPLOYMENTS, { environment: 'dev', service: 'api', status: 'deployed' }))
      .body;
    expect((await api.post(`${DEPLOYMENTS}/${dev.id}/restore`, {})).body.status).toBe('unchanged');
    expect((await api.post(`${DEPLOYMENTS}/${UNKNOWN}/restore`, {})).status).toBe(404);
    const stale = { digest: `sha256:${'0'.repeat(64)}` };
    expect((await api.post(`${DEPLOYMENTS}/${good.id}/restore`, stale)).body.code).toBe('PLAN_CHANGED');
  });
});

describe('break-glass', () => {
  it('is opened, lets a rollback go ahead, is reviewed by another person, and ends', async () => {
    const SESSIONS = '/api/v1/break-glass';
    const ask = { scope: 'prod', justification: 'Checkout is down', ticket: 'INC-1' };
    for (const minutes of [600, 61]) {
      const { status, body } = await api.post(SESSIONS, { ...ask, minutes });
      expect([status, body.code]).toEqual([403, 'BREAK_GLASS_FORBIDDEN']);
    }
    expect((await api.post(SESSIONS, { ...ask, justification: ' ' })).body.code).toBe('REASON_REQUIRED');
    const made = await api.post(SESSIONS, { ...ask, minutes: 30 });
    expect([made.status, made.body.active, made.body.ticket]).toEqual([201, true, 'INC-1']);
    const good = await record({ commit: 'v1' });
    const restored = await api.post(`${DEPLOYMENTS}/${good.id}/restore`, { justification: 'now' });
    expect([restored.status, restored.body.status]).toEqual([202, 'approved']);
    const early = await bobs.post(`${SESSIONS}/${restored.body.requestId}/review`, { comment: 'early' });
    expect(early.body.code).toBe('REVIEW_NOT_OPEN');
    await (await engineOf(repo)).rollbacks.execute(restored.body.requestId);
    const { body: listed } = await bobs.get(SESSIONS);
    expect([listed.sessions[0].id, listed.reviews[0].id, listed.next]).toEqual([
      made.body.id,
      restored.body.requestId,
      null,
    ]);
    const review = { comment: 'Right thing to do' };
    const own = await api.post(`${SESSIONS}/${restored.body.requestId}/review`, review);
    expect([own.status, own.body.code]).toEqual([403, 'OWN_REVIEW']);
    const reviewed = await bobs.post(`${SESSIONS}/${made.body.id}/review`, review);
    expect(reviewed.body.breakGlass?.review?.comment ?? reviewed.body.code).toBe(review.comment);
    const again = await bobs.post(`${SESSIONS}/${made.body.id}/review`, review);
    expect([again.status, again.body.code]).toEqual([400, 'REVIEW_NOT_OPEN']);
    expect((await bobs.post(`${SESSIONS}/x/review`, review)).body.code).toBe('INVALID_REQUEST');
    const closed = await api.call('DELETE', `${SESSIONS}/${made.body.id}`);
    expect([closed.status, closed.body.active]).toEqual([200, false]);
    expect((await bobs.get(`${SESSIONS}/${made.body.id}`)).body).toEqual(closed.body);
    for (const method of ['GET', 'DELETE'])
      expect((await api.call(method, `${SESSIONS}/bgs-${'0'.repeat(26)}`)).body.code).toBe('SESSION_UNKNOWN');
  });
});

describe('holds', () => {
  it('are listed, and resumed by a request', async () => {
    const engine = await engineOf(repo);
    const dev = { scope: 'dev/api', to: 'v1', hold: true };
    const plan = await engine.rollbacks.plan(dev);
    await engine.rollbacks.request({ ...dev, target: plan.target, digest: plan.digest, reason: 'v2 is bad' });
    const { body } = await api.get('/api/v1/holds?environment=dev');
    expect(body).toMatchObject({ holds: [{ scope: 'dev/api', state: 'active' }], next: null });
    expect((await api.get('/api/v1/holds?environment=prod')).body.holds).toEqual([]);
    const resume = { environment: 'dev', service: 'api', justification: 'v3 is fixed' };
    const resumed = await api.post('/api/v1/holds/resume', resume);
    expect([resumed.status, resumed.body.request.resume]).toEqual([202, true]);
    const nothing = await api.post('/api/v1/holds/resume', { ...resume, environment: 'prod' });
    expect([nothing.status, nothing.body.code]).toEqual([404, 'HOLD_UNKNOWN']);
    expect((await api.get('/api/v1/holds?cursor=x')).status).toBe(400);
  });
});

describe('a key', () => {
  it.runIf(isProof)('makes one record and one session of the same call, also after a restart', async () => {
    const headers = { 'idempotency-key': 'job-1' };
    const restarted = await startApi(await engineOf(repo));
    const asked = { ...API, status: 'pending', commit: 'v2' };
    const made = await api.post(DEPLOYMENTS, asked, { headers });
    await api.call('PATCH', `${DEPLOYMENTS}/${made.body.id}`, { body: { status: 'deployed' } });
    const again = await restarted.post(DEPLOYMENTS, asked, { headers });
    expect([again.status, again.body.id, again.body.status]).toEqual([201, made.body.id, 'deployed']);
    const session = { scope: 'prod', justification: 'Checkout is down', minutes: 10 };
    const opened = await api.post('/api/v1/break-glass', session, { headers });
    const reopened = await restarted.post('/api/v1/break-glass', session, { headers });
    expect(reopened.body).toEqual(opened.body);
    expect((await restarted.get(`/api/v1/break-glass/${opened.body.id}`)).body).toEqual(opened.body);
    const marks = [made, again, opened, reopened].map((each) => each.headers.get('idempotent-replayed'));
    expect(marks).toEqual([null, 'true', null, 'true']);
    // Keys are the person's, whichever of their addresses they call by.
    const doe = await startApi(await engineOf(repo), {
      person: { name: 'Jane', email: 'Jane.Doe@corp.example' },
    });
    expect((await doe.post(DEPLOYMENTS, asked, { headers })).body.id).toBe(made.body.id);
    expect((await doe.post('/api/v1/break-glass', session, { headers })).body.id).toBe(opened.body.id);
    const others = [
      await api.post(DEPLOYMENTS, { ...asked, note: 'more' }, { headers }),
      await (await startApi(await engineOf(repo))).post(DEPLOYMENTS, { ...asked, commit: 'v1' }, { headers }),
      await (await startApi(await engineOf(repo))).post(
        DEPLOYMENTS,
        { ...asked, status: 'failed' },
        { headers },
      ),
      await restarted.post('/api/v1/break-glass', { ...session, minutes: 20 }, { headers }),
      await (await startApi(await engineOf(repo))).post(
        '/api/v1/break-glass',
        { ...session, minutes: 20 },
        { headers },
      ),
    ];
    for (const { status, body } of others) expect([status, body.code]).toEqual([422, 'KEY_REUSED']);
  });

  it.runIf(isProof)('gives a record its next status once, also where that was not the last one', async () => {
    const again = { headers: { 'idempotency-key': 'job-2' } };
    const next = { ...API, status: 'deployed' };
    const { id } = (await api.post(DEPLOYMENTS, { ...next, status: 'pending' })).body;
    expect((await api.post(DEPLOYMENTS, next, again)).body.id).toBe(id);
    await api.call('PATCH', `${DEPLOYMENTS}/${id}`, { body: { status: 'failed' } });
    const restarted = await startApi(await engineOf(repo));
    for (const server of [api, restarted]) {
      const { status, body, headers } = await server.post(DEPLOYMENTS, next, again);
      expect([status, body.id, body.status]).toEqual([201, id, 'failed']);
      expect(headers.get('idempotent-replayed')).toBe('true');
    }
  });
});

describe('the audit', () => {
  it('lists the events of the ledger in pages', async () => {
    const { body: all } = await api.get('/api/v1/audit');
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await api.get(`/api/v1/audit?limit=2${cursor}`);
      seen.push(...body.events);
      cursor = body.next === null ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    expect(seen).toEqual(all.events);
    expect(all.events.length).toBeGreaterThan(4);
    const of = async (query: string) => (await api.get(`/api/v1/audit?${query}`)).body;
    expect((await of('actor=bob@example.com')).events.map(({ event }: { event: string }) => event)).toEqual([
      'inspected',
    ]);
    expect((await of('since=2999-01-01')).events).toEqual([]);
    expect((await of('since=yesterday')).code).toBe('INVALID_REQUEST');
    expect((await of('environment=nowhere')).code).toBe('ENVIRONMENT_UNKNOWN');
    expect((await of(`cursor=${'0'.repeat(40)}.x`)).code).toBe('INVALID_REQUEST');
  });

  it('verifies one at a time, and stops where whoever asked has gone', async () => {
    const VERIFY = '/api/v1/audit/verify';
    const engine = await engineOf(repo);
    const asked: (VerifyAsk | undefined)[] = [];
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const left: unknown[] = [];
    const verify: Engine['audit']['verify'] = async (ask) => {
      asked.push(ask);
      await gate;
      return engine.audit.verify(ask).catch((error: unknown) => {
        left.push(error);
        throw error;
      });
    };
    const slow = await startApi({ ...engine, audit: { ...engine.audit, verify } });
    const leaving = new AbortController();
    const leaves = fetch(`${slow.url}${VERIFY}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${slow.token}`, 'content-type': 'application/json' },
      body: '{}',
      signal: leaving.signal,
    }).catch(() => 'left');
    await expect.poll(() => asked.length).toBe(1);
    const busy = await slow.post(VERIFY, {});
    expect([busy.status, busy.body.code]).toEqual([409, 'AUDIT_BUSY']);
    leaving.abort();
    expect(await leaves).toBe('left');
    await expect.poll(() => asked[0]?.signal?.aborted).toBe(true);
    open();
    await expect.poll(() => left).toMatchObject([{ code: 'INTERRUPTED' }]);
    const fine = await slow.post(VERIFY, { render: true });
    expect([fine.status, fine.body.checked, fine.body.tampered]).toEqual([200, 2, 0]);
    expect((await slow.post(VERIFY, { range: 'no..where' })).status).toBe(404);
  });
});

describe('a rollback that the server publishes by itself', () => {
  it.runIf(isProof)('is decided on a new look, where the remote was away at the last one', async () => {
    const server = await startApi(
      await engineOf(repo, { location: `file://${repo.folder}`, offline: true }),
      { settings: { claim: () => Promise.resolve(() => undefined) } },
    );
    const scope = { environment: 'dev', service: 'jobs' };
    await server.get('/api/v1/environments');
    await rename(repo.folder, `${repo.folder}.away`);
    expect((await server.get('/api/v1/environments')).status).toBe(200);
    await rename(`${repo.folder}.away`, repo.folder);
    expect((await record({ ...scope, commit: 'v1', status: 'failed' })).status).toBe('failed');
    const asked = { ...scope, mode: 'service', targetSha: 'v1', justification: 'v2 answers 500' };
    const { status, body } = await server.post('/api/v1/rollbacks', asked);
    expect([status, body.code]).toEqual([422, 'TARGET_INELIGIBLE']);
  });
});
