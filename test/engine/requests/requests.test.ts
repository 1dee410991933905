import { beforeAll, describe, expect, it } from 'vitest';
import { ask, configOf, createTeam, engineFor, POLICY, stageOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { isProof } from '../../helpers/run/proof.ts';

const team = createTeam();

const stage = (config?: string) => stageOf(team, config);

/** Each test that needs no repository of its own has a scope of its own in one of all. */
const SCOPES = [
  'two/api',
  'glass/api',
  'nobody/api',
  ...['forged', 'posed', 'looked', 'asked', 'reopened', 'replaced', 'retried', 'found'].map(
    (name) => `prod/${name}`,
  ),
];
const [prod] = POLICY.environments;
const SHARED = configOf({
  environments: [
    ...POLICY.environments,
    { match: 'two', quorum: 2 },
    { ...prod, match: 'glass' },
    { ...prod, match: 'nobody', approvers: { users: ['jane@example.com'] } },
  ],
});
let shared: Awaited<ReturnType<typeof stageOf>>;
beforeAll(async () => {
  shared = await stageOf(team, SHARED, { lives: 'file', scopes: SCOPES });
});

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe('a request', () => {
  it('waits for approval, is approved by another person, executed, and says so on the branch', async () => {
    const { repo, jane, bob, janes, bobs, worker } = shared;
    const before = await repo.git('rev-parse', 'main');
    const asked = await ask(janes, jane);
    expect(asked).toMatchObject({
      status: 'pending',
      authorIdentity: 'verified',
      approval: { need: 1, have: 0 },
      affectedServices: ['api'],
      message: expect.stringMatching(/^Rollback to revision v1 \([0-9a-f]{7}\) of prod\/api$/),
    });
    expect(await code(worker.requests.executeRequest(asked.id))).toMatch(/^AWAITING_APPROVAL/);
    expect(await code(janes.requests.approve({ id: asked.id, actor: jane }))).toBe(
      'OWN_REQUEST: cannot approve/reject your own rollback request',
    );
    expect(await repo.git('rev-parse', 'main')).toBe(before);

    const approved = await bobs.requests.approve({ id: asked.id, actor: bob, comment: 'Go' });
    expect(approved).toMatchObject({
      status: 'approved',
      approval: { need: 1, have: 1 },
      reviews: [{ actor: { email: bob.email }, identity: 'verified', counts: true, comment: 'Go' }],
    });
    expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [asked.id] });
    const done = await worker.requests.executeRequest(asked.id);
    expect(done.status).toBe('completed');
    expect(await repo.git('log', '-1', '--format=%(trailers:key=Approval,valueonly)', 'main')).toContain(
      'Approved by bob@example.com (quorum: 1/1)',
    );
    expect(await repo.git('show', 'main:apps/prod/api/app.yaml')).toContain('image: v1');
    const shown = await worker.requests.show({ id: asked.id });
    expect(shown).toMatchObject({ status: 'completed', result: { commit: done.commit } });
    const ledger = await repo.git('log', '-1', '--format=%(trailers:key=Rollback-Ledger,valueonly)', 'main');
    const events = await worker.requests.audit({ limit: 10, reader: jane });
    expect(events.map(({ event, identity }) => `${event} ${identity}`)).toEqual([
      'completed unverified',
      'approved verified',
      'opened verified',
    ]);
    expect(ledger.trim()).toBe(events[1]?.commit);
    expect(await worker.requests.executeRequest(asked.id)).toMatchObject({
      status: 'completed',
      commit: done.commit,
    });
    expect(await repo.git('rev-list', '--count', `${before}..main`)).toBe('1');
  });

  it('is decided by one vote a person, while it is pending', async () => {
    const { jane, bob, carol, janes, bobs, carols } = shared;
    const { id } = await ask(janes, jane, 'two/api');
    expect((await bobs.requests.approve({ id, actor: bob })).status).toBe('pending');
    expect(await code(bobs.requests.approve({ id, actor: bob }))).toBe(
      'ALREADY_REVIEWED: you have already reviewed this rollback request',
    );
    expect((await carols.requests.reject({ id, actor: carol, comment: 'No' })).status).toBe('rejected');
    expect(await code(carols.requests.approve({ id, actor: carol }))).toBe(
      'REQUEST_NOT_PENDING: rollback request is not pending approval',
    );
  });

  it('is not executed on an approval that no trusted key signed', async () => {
    const { repo, jane, bob, janes, worker } = shared;
    const { id } = await ask(janes, jane, 'prod/forged');
    const forger = await engineOf(repo);
    const claimed = await forger.requests.approve({ id, actor: bob });
    expect(claimed).toMatchObject({
      status: 'pending',
      reviews: [{ identity: 'unverified', counts: false }],
    });
    expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
    expect(await code(worker.requests.executeRequest(id))).toMatch(/^AWAITING_APPROVAL/);
  });

  it('is not let go ahead by a vote whose key is not its voter’s', async () => {
    const { repo, jane, bob, carol, janes, signers } = shared;
    const { id } = await ask(janes, jane, 'prod/posed');
    const posing = await engineFor(repo, carol, { allowedSigners: signers });
    expect(await posing.requests.approve({ id, actor: bob })).toMatchObject({
      status: 'pending',
      reviews: [{ identity: 'unverified', counts: false }],
    });
  });

  it.runIf(isProof)(
    'is rejected by whoever rejected it before, once the policy asks for no more',
    async () => {
      const rule = { match: 'prod', quorum: 1 };
      const { repo, jane, bob, janes, bobs, worker } = await stage(
        configOf({ environments: [{ ...rule, rejections: 2 }] }),
      );
      const { id } = await ask(janes, jane);
      expect((await bobs.requests.reject({ id, actor: bob })).status).toBe('pending');
      await repo.commit({ '.backtrail/config.yaml': configOf({ environments: [rule] }) });
      expect((await worker.requests.reconcile()).repairs).toMatchObject([
        { requestId: id, action: 'settled' },
      ]);
      expect(await janes.requests.show({ id, reader: jane })).toMatchObject({ status: 'rejected' });
    },
  );

  it.runIf(isProof)('is left alone by a worker that knows no keys, for one that does', async () => {
    const { repo, jane, bob, janes, bobs, worker } = await stage();
    const { id } = await ask(janes, jane);
    await bobs.requests.approve({ id, actor: bob });
    const before = await repo.git('rev-parse', 'refs/backtrail/ledger');
    const keyless = await engineOf(repo);
    expect(await code(keyless.requests.executeRequest(id))).toMatch(/^IDENTITY_UNVERIFIED/);
    expect(await keyless.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
    expect(await repo.git('rev-parse', 'refs/backtrail/ledger')).toBe(before);
    expect(await worker.requests.executeRequest(id)).toMatchObject({ status: 'completed' });
  });

  it.runIf(isProof)('goes ahead where no policy asks for more', async () => {
    const { jane, janes, worker } = await stage();
    const asked = await ask(janes, jane, 'dev/api');
    expect(asked).toMatchObject({ status: 'approved', gate: 'no-policy' });
    expect(await worker.requests.executeRequest(asked.id)).toMatchObject({ status: 'completed' });
  });

  it('is not approved by a person who looked at another plan than reviewers are asked about by now', async () => {
    const { repo, jane, bob, carol, janes, bobs, carols } = shared;
    const { id, digest } = await ask(janes, jane, 'prod/looked');
    await repo.commit({ 'apps/prod/looked/app.yaml': 'image: v3\nreplicas: 1\n' });
    expect(await code(bobs.requests.approve({ id, actor: bob, digest }))).toMatch(/^PLAN_CHANGED/);
    // Reviewers were asked again by that: Carol still has the first plan before her.
    expect(await code(carols.requests.approve({ id, actor: carol, digest }))).toMatch(/^PLAN_CHANGED/);
    const now = await carols.requests.show({ id, reader: carol });
    expect(now).toMatchObject({ status: 'pending', reviews: [] });
    expect(now.digest).not.toBe(digest);
    const { status } = await carols.requests.approve({ id, actor: carol, digest: now.digest });
    expect(status).toBe('approved');
  });

  it.runIf(isProof)(
    'asks reviewers again about what one of them looked at, and approves nothing that was looked at otherwise',
    async () => {
      const { repo, jane, bob, carol, janes, bobs, carols } = await stage();
      const { id, digest } = await ask(janes, jane);
      const ledger = () => repo.git('rev-parse', 'refs/backtrail/ledger');
      const rendered = `sha256:${'0'.repeat(64)}`;
      expect(await code(bobs.requests.approve({ id, actor: bob, digest, rendered }))).toMatch(
        /^PLAN_CHANGED/,
      );
      await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\n' });
      const seen = await bobs.requests.plan({ id, reader: bob });
      expect(seen).toMatchObject({ changed: true, rendered: null });
      await repo.commit({ 'apps/prod/api/app.yaml': 'image: v4\nreplicas: 1\n' });
      const before = await ledger();
      // It is neither what they are asked about, nor what they would be asked about now.
      expect(await code(bobs.requests.approve({ id, actor: bob, digest: seen.plan.digest }))).toMatch(
        /^PLAN_CHANGED/,
      );
      expect(await ledger()).toBe(before);
      const again = await bobs.requests.plan({ id, reader: bob });
      expect(await code(bobs.requests.approve({ id, actor: bob, digest: again.plan.digest }))).toMatch(
        /^PLAN_CHANGED.*asked again/,
      );
      const now = await carols.requests.plan({ id, reader: carol });
      expect(now).toMatchObject({ changed: false, request: { digest: again.plan.digest, reviews: [] } });
      const { status } = await bobs.requests.approve({ id, actor: bob, digest: now.plan.digest });
      expect(status).toBe('approved');
    },
  );

  it('says beforehand who may approve, reject, retry and cancel it', async () => {
    const { jane, bob, janes, bobs } = shared;
    const { id } = await ask(janes, jane, 'prod/asked');
    const codes = async (engine: typeof janes, reader: typeof jane) =>
      Object.entries((await engine.requests.plan({ id, reader })).may).map(
        ([act, permit]) => `${act} ${permit.allowed ? 'yes' : permit.code}`,
      );
    const own = ['approve OWN_REQUEST', 'reject OWN_REQUEST', 'retry yes', 'cancel yes'];
    expect(await codes(janes, jane)).toEqual(own);
    const others = ['approve yes', 'reject yes', 'retry yes', 'cancel PERMISSION_DENIED'];
    expect(await codes(bobs, bob)).toEqual(others);
    await expect(bobs.requests.cancel({ id, actor: bob })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await bobs.requests.approve({ id, actor: bob });
    // Whoever could approve it may withdraw it as well, from then on.
    expect((await codes(bobs, bob)).at(-1)).toBe('cancel yes');
    await bobs.requests.cancel({ id, actor: bob });
    expect((await codes(janes, jane)).at(-1)).toBe('cancel REQUEST_NOT_PENDING');
  });

  it('asks reviewers again when its plan changed, and goes ahead when only something else moved', async () => {
    const { repo, jane, bob, janes, bobs, worker } = shared;
    const field = await ask(janes, jane, 'prod/reopened', { fields: ['app.yaml#/image'] });
    await bobs.requests.approve({ id: field.id, actor: bob });
    await repo.commit({ 'apps/prod/reopened/app.yaml': 'image: v2\nreplicas: 5\n' });
    expect(await worker.requests.executeRequest(field.id)).toMatchObject({ status: 'completed' });
    expect(await repo.git('show', 'main:apps/prod/reopened/app.yaml')).toBe('image: v1\nreplicas: 5');

    await repo.commit({ 'apps/prod/reopened/app.yaml': 'image: v3\nreplicas: 5\n' });
    const again = await ask(janes, jane, 'prod/reopened', { fields: ['app.yaml#/image'] });
    await bobs.requests.approve({ id: again.id, actor: bob });
    const tip = await repo.commit({ 'apps/prod/reopened/app.yaml': 'image: v4\nreplicas: 5\n' });
    expect(await code(worker.requests.executeRequest(again.id))).toMatch(/^PLAN_CHANGED/);
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    const shown = await bobs.requests.show({ id: again.id, reader: bob });
    expect(shown).toMatchObject({ status: 'pending', approval: { have: 0 } });
    expect(shown.reopened?.difference).toEqual([
      '- apps/prod/reopened/app.yaml#/image: v3 → v1',
      '+ apps/prod/reopened/app.yaml#/image: v4 → v1',
    ]);
    await bobs.requests.approve({ id: again.id, actor: bob });
    expect(await worker.requests.executeRequest(again.id)).toMatchObject({ status: 'completed' });
  });

  it('breaks the glass with a session, is flagged, and reviewed by another person', async () => {
    const { repo, jane, bob, janes, bobs, worker } = shared;
    const session = await janes.requests.openSession({
      scope: 'glass',
      holder: jane,
      reason: 'All is down',
      ticket: 'INC-1',
    });
    expect(session).toMatchObject({ active: true, identity: 'verified' });
    const asked = await ask(janes, jane, 'glass/api');
    expect(asked).toMatchObject({ status: 'approved', gate: 'break-glass' });
    expect(await worker.requests.executeRequest(asked.id)).toMatchObject({ status: 'completed' });
    expect(
      await repo.git('log', '-1', '--format=%(trailers:key=Rollback-Break-Glass,valueonly)', 'main'),
    ).toContain(`${session.id} (INC-1)`);
    expect((await bobs.requests.sessions(bob)).reviews.map(({ id }) => id)).toEqual([asked.id]);
    expect(await code(janes.requests.inspect({ id: asked.id, actor: jane, comment: 'Fine' }))).toMatch(
      /^OWN_REVIEW/,
    );
    await bobs.requests.inspect({ id: asked.id, actor: bob, comment: 'It was right' });
    expect((await bobs.requests.sessions(bob)).reviews).toEqual([]);
  });

  it('gives way to a newer one of the same scope, is cancelled by whoever asked, and noted on afterwards', async () => {
    const { jane, bob, janes, bobs } = shared;
    const older = await ask(janes, jane, 'prod/replaced');
    const newer = await ask(janes, jane, 'prod/replaced');
    expect(await janes.requests.show({ id: older.id, reader: jane })).toMatchObject({
      status: 'superseded',
      supersededBy: newer.id,
    });
    expect(await code(bobs.requests.cancel({ id: newer.id, actor: bob }))).toMatch(/^PERMISSION_DENIED/);
    expect((await janes.requests.cancel({ id: newer.id, actor: jane })).status).toBe('cancelled');
    const noted = await bobs.requests.note({
      id: newer.id,
      actor: bob,
      text: 'A bad tag',
      kind: 'root-cause',
    });
    expect(noted.notes).toMatchObject([
      { text: 'A bad tag', kind: 'root-cause', actor: { email: bob.email } },
    ]);
    expect((await janes.requests.list({ reader: jane, limit: 2 })).map(({ id }) => id)).toEqual([
      newer.id,
      older.id,
    ]);
    // What a page ended with is none of them any more when the next one is asked for.
    const next = await janes.requests.list({ reader: jane, statuses: ['superseded'], after: newer.id });
    expect(next.map(({ id }) => id)).toEqual([older.id]);
  });

  it('expires when nobody decided in time', async () => {
    const { repo, jane, bob, janes, signers } = await stage();
    const { id } = await ask(janes, jane);
    const later = Date.now() + 72 * 3_600_000;
    const clock = { now: () => later, sleep: () => Promise.resolve() };
    const tomorrow = await engineFor(repo, bob, { allowedSigners: signers, clock });
    expect(await code(tomorrow.requests.approve({ id, actor: bob }))).toMatch(/^REQUEST_NOT_PENDING/);
    expect((await tomorrow.requests.reconcile()).repairs).toMatchObject([
      { requestId: id, action: 'expired' },
    ]);
    expect(await janes.requests.show({ id, reader: jane })).toMatchObject({ status: 'expired' });
  });

  it('that failed is tried again with the approvals that it has', async () => {
    const { repo, jane, bob, janes, bobs, worker } = shared;
    const { id } = await ask(janes, jane, 'prod/retried');
    await bobs.requests.approve({ id, actor: bob });
    await repo.write({ 'apps/prod/retried/app.yaml': 'image: by hand\n' });
    expect(await code(worker.requests.executeRequest(id))).toMatch(/^WORKTREE_DIRTY/);
    expect(await janes.requests.show({ id, reader: jane })).toMatchObject({
      status: 'failed',
      result: { code: 'WORKTREE_DIRTY' },
    });
    expect(await code(worker.requests.executeRequest(id))).toMatch(/^REQUEST_CLOSED/);
    await repo.git('checkout', '--', '.');
    expect((await janes.requests.retry({ id, actor: jane })).status).toBe('executing');
    expect(await worker.requests.executeRequest(id)).toMatchObject({ status: 'completed' });
  });

  it('is satisfied by nobody where the policy names nobody else', async () => {
    const { jane, janes } = shared;
    expect(await code(ask(janes, jane, 'nobody/api'))).toMatch(/^POLICY_UNSATISFIABLE/);
  });

  // The last one: engines that have seen more of the ledger do not go back.
  it('whose record was never finished is found on the branch', async () => {
    const { repo, jane, bob, janes, bobs, worker } = shared;
    const { id } = await ask(janes, jane, 'prod/found');
    await bobs.requests.approve({ id, actor: bob });
    const before = await repo.git('rev-parse', 'refs/backtrail/ledger');
    const { commit } = await worker.requests.executeRequest(id);
    // As if the worker had been killed between publishing and recording; on a host that had seen no more of the ledger.
    await repo.git('update-ref', 'refs/backtrail/ledger', before);
    const { signers } = await team;
    const other = await engineOf(repo, { allowedSigners: signers });
    expect((await other.requests.reconcile()).repairs).toMatchObject([
      { requestId: id, action: 'completed' },
    ]);
    expect(await other.requests.show({ id })).toMatchObject({
      status: 'completed',
      result: { commit },
    });
    expect((await other.requests.reconcile()).repairs).toEqual([]);
  });
});
