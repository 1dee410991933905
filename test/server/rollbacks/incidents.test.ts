/** Incidents over HTTP: asked for, looked at, decided on and executed, all of one at once. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRemote } from '../../../cli/remote/engine.ts';
import { backtrail } from '../../helpers/program/cli.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';
import type { Api } from '../../helpers/servers/api.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { ask, createScene, ROLLBACKS, said, type Scene } from './scene.ts';

const SERVICES = ['a', 'b', 'c', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z'];

const redis = useRedis();
let repo: Repo;
let jane: Api;
let bob: Api;
let looks: Scene['looks'];
let pending: Scene['pending'];
let fresh: Scene['fresh'];
beforeAll(async () => {
  ({ repo, jane, bob, looks, pending, fresh } = await createScene(SERVICES, redis.url));
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
    const newer = await fresh();
    const others = [
      { ...asked, reason: 'Another one' },
      incident(['dev/x', 'dev/z']),
      incident(['dev/z'], { id: 'inc-of-another-name' }),
    ];
    for (const other of others) {
      const refused = await newer.post(INCIDENTS, other, { headers: { 'idempotency-key': 'i1' } });
      expect([refused.status, refused.body.code]).toEqual([422, 'KEY_REUSED']);
    }
  });

  it('shows what each plan comes to, patterns resolved, and asks for what was looked at or for nothing', async () => {
    const wish = incident(['held/*', 'dev/none'], { id: 'inc-seen' });
    const dry = await jane.post(`${INCIDENTS}?dryRun=true`, wish);
    const rows = dry.body.rollbacks;
    expect(rows).toHaveLength(SERVICES.length + 1);
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

  it('executes again what failed of it, as long as it fails', async () => {
    const id = 'inc-once-more';
    const at = `${INCIDENTS}/${id}`;
    await jane.post(INCIDENTS, incident(['prod/y'], { id }));
    const [{ requestId, digest }] = (await bob.get(`${at}/plans`)).body.rollbacks;
    await repo.write({ 'apps/prod/y/app.yaml': 'mine: true\n' });
    const approved = await bob.post(`${at}/approve`, { votes: [{ id: requestId, digest }] });
    expect(approved.body.rollbacks).toMatchObject([
      { status: 'failed', error: { code: 'EXECUTION_FAILED' } },
    ]);
    await repo.git('checkout', '--', '.');
    const done = await jane.post(`${at}/retry`);
    expect([done.status, rowsOf(done)]).toEqual([200, [['prod/y', 'completed']]]);
    expect((await jane.post(`${at}/retry`, { ids: [requestId] })).body.code).toBe('REQUEST_NOT_FAILED');
  });

  it.runIf(isProof)('executes again some of what failed of it, all of it, and nothing else', async () => {
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
    const before = looks.shown;
    expect((await jane.post(`${at}/retry`, { ids })).body.code).toBe('REQUEST_NOT_FAILED');
    expect(looks.shown).toBe(before);
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
