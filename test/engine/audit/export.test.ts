/** One repository with changes of many kinds, exported once and asked many things; and its script, run by a stranger. */
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { dutiesOf } from '../../../engine/audit/export/duties.ts';
import { parsePeriod, placesWithin } from '../../../engine/audit/export/period.ts';
import { recoveryOf } from '../../../engine/audit/export/recovery.ts';
import type { AuditExport, ExportAsk } from '../../../engine/index.ts';
import type { Engine } from '../../../engine/internal.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { eventId, forgeEvent, TIME } from '../../helpers/people/forge.ts';
import { ask, configOf, createTeam, stageOf, type Team } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { allowedSigners } from '../../helpers/people/signing.ts';
import { createStranger, type Stranger } from '../../helpers/program/stranger.ts';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { cloneRepo, copyRepo, type Repo } from '../../helpers/repositories/repo.ts';

const team = createTeam();
const ALL = { from: '2020-01-01', to: '2100-01-01' };
const MALLORY = { name: 'Mallory', email: 'mallory@example.com' };
const HOSTILE = `'; touch pwned; '$(touch pwned)\`touch pwned\`\n=cmd|' /C calc'!A0\u001b[2J\nEND-OF-LIST\n}`;

const environments = [{ match: 'prod', quorum: 1, breakGlass: { allowed: true, longest: '1h' } }];
const everyone = ['jane', 'bob', 'carol'].map((name) => `${name}@example.com`);
const permissions = [{ allow: ['admin'], in: ['**'], users: everyone }];
const more = { allow: ['propose'], in: ['prod'], users: [MALLORY.email] };

describe('an export of an audit', () => {
  let repo: Repo;
  let auditor: Engine;
  let people: Team;
  let report: AuditExport;
  const ids = { asked: '', broken: '', open: '', dev: '' };
  beforeAll(async () => {
    const { jane, bob, carol, janes, bobs, carols, worker, ...stage } = await stageOf(
      team,
      configOf({ environments, permissions }),
    );
    ({ repo } = stage);
    people = await team;
    await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\npassword: hunter2\n' });
    ids.asked = (await ask(janes, jane, 'prod/api', { reason: HOSTILE })).id;
    await bobs.requests.approve({ id: ids.asked, actor: bob, comment: 'Go' });
    await worker.requests.executeRequest(ids.asked);
    await repo.git('reset', '-q', '--hard');
    const config = configOf({ environments, permissions: [...permissions, more] });
    // Dated back by its author to before the rollback.
    await repo.commit(
      { '.backtrail/config.yaml': config, '.backtrail/notes.yaml': 'password: hunter2\n' },
      { author: MALLORY },
    );
    await repo.commit({ 'apps/prod/api/app.yaml': 'image: v4\n' }, { author: MALLORY });
    await repo.commit({ 'apps/dev/api/app.yaml': 'image: v4\n' }, { author: MALLORY });
    const session = { scope: 'prod', holder: carol, reason: 'Down', ticket: 'INC-1', minutes: 10 };
    await carols.requests.openSession(session);
    ids.broken = (await ask(carols, carol, 'prod/api', { to: 'v1' })).id;
    await worker.requests.executeRequest(ids.broken);
    await bobs.requests.inspect({ id: ids.broken, actor: bob, comment: 'Right' });
    await repo.git('reset', '-q', '--hard');
    auditor = await engineOf(repo, { allowedSigners: stage.signers, lives: 'file' });
    ids.dev = (await rollBack(auditor, { scope: 'dev/api', to: 'v1' })).requestId;
    ids.open = (await ask(janes, jane, 'prod/api', { to: 'v2' })).id;
    report = await auditor.audit.export(ALL);
  });
  const changeOf = (id: string) => report.changes.find(({ requestId }) => requestId === id);

  it('has every change of the branch and of the ledger, with counts that plain git agrees with', async () => {
    expect(report.changes.map(({ requestId, within }) => [requestId, within])).toEqual([
      [ids.dev, 'commit'],
      [ids.broken, 'commit'],
      [ids.asked, 'commit'],
      [ids.open, 'events'],
    ]);
    const line = (await repo.git('rev-list', '--first-parent', 'main')).split('\n');
    const events = (await repo.git('rev-list', LEDGER)).split('\n');
    expect(report.branch).toMatchObject({
      name: 'main',
      before: null,
      first: line.at(-1),
      last: line[0],
      commits: line.length,
      rollbacks: 3,
    });
    expect(report.ledger).toMatchObject({
      before: null,
      first: events.at(-1),
      last: events[0],
      commits: events.length,
      events: events.length,
      // The worker has no key.
      signed: events.length - 2,
      requests: 3,
      states: { completed: 2, pending: 1 },
      problems: [],
    });
    expect(report.counts).toMatchObject({
      changes: 4,
      published: 3,
      honest: 3,
      tampered: 0,
      unverifiable: 0,
    });
  });

  it('says of a change who asked, voted and executed, by which keys and policy, when, and what it changed', async () => {
    const { jane, bob } = people;
    const commit = changeOf(ids.asked)?.commit ?? '';
    expect(changeOf(ids.asked)).toMatchObject({
      kind: 'rollback',
      scope: 'prod/api',
      mode: 'service',
      reason: HOSTILE,
      status: 'completed',
      asked: { by: { email: jane.email }, key: jane.fingerprint, identity: 'verified' },
      votes: [
        {
          by: { email: bob.email },
          key: bob.fingerprint,
          identity: 'verified',
          decision: 'approved',
          comment: 'Go',
          counts: true,
          isOwn: false,
        },
      ],
      executed: { by: { email: 'backtrail@localhost' }, key: null, identity: 'unverified' },
      policy: {
        config: await repo.git('rev-parse', `${commit}^:.backtrail/config.yaml`),
        rules: [
          {
            environment: 'prod',
            quorum: 1,
            selfApproval: false,
            breakGlass: 60,
            approvers: everyone.toSorted(),
          },
        ],
      },
      tree: await repo.git('rev-parse', `${commit}^{tree}`),
      base: await repo.git('rev-parse', `${commit}^`),
      audit: { verdict: 'honest', problems: [] },
    });
    const { asked, approved, published, completed } = changeOf(ids.asked)?.times ?? {};
    const times = [asked, approved, published, completed].map((time) => Date.parse(time ?? ''));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(changeOf(ids.open)).toMatchObject({
      status: 'pending',
      commit: null,
      audit: null,
      executed: null,
    });
    expect(changeOf(ids.dev)).toMatchObject({ status: null, votes: [], policy: { rules: [] } });
  });

  it('shows no secret, in rollbacks and in what changed the configuration', () => {
    const [file] = changeOf(ids.asked)?.difference ?? [];
    expect(file?.fields).toContainEqual({ selector: '/password', op: 'remove', before: '***' });
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  it('has a line of the matrix for each who asked, approved and executed', () => {
    const [jane, carol, worker] = ['jane@example.com', 'carol@example.com', 'backtrail@localhost'];
    expect(report.duties).toEqual([
      { asked: jane, approved: null, executed: worker, count: 1, flags: [], requests: [ids.dev] },
      {
        asked: carol,
        approved: null,
        executed: worker,
        count: 1,
        flags: ['break-glass'],
        requests: [ids.broken],
      },
      {
        asked: jane,
        approved: 'bob@example.com',
        executed: worker,
        count: 1,
        flags: [],
        requests: [ids.asked],
      },
    ]);
  });

  it('flags votes of whoever asked, in another name with the same key as well, and votes that are missing', () => {
    const asked = changeOf(ids.asked);
    const [vote] = asked?.votes ?? [];
    if (asked === undefined || vote === undefined) throw new Error('It is there.');
    const own = { ...vote, by: { name: 'Jane', email: 'JANE@example.com' }, isOwn: true };
    const sameKey = { ...vote, key: asked.asked?.key ?? null, isOwn: true };
    const duties = dutiesOf([
      { ...asked, votes: [own] },
      { ...asked, votes: [sameKey] },
      { ...asked, votes: [{ ...vote, counts: false }] },
      { ...asked, within: 'events' },
    ]);
    expect(duties.map(({ flags }) => flags)).toEqual([['self-approved'], ['same-key'], ['unapproved']]);
  });

  it('has uses of break-glass with the hours to their review, and counts those without', () => {
    const { bob, carol } = people;
    expect(report.breakGlass).toMatchObject([
      {
        scope: 'prod',
        reason: 'Down',
        ticket: 'INC-1',
        opened: { by: { email: carol.email }, key: carol.fingerprint, identity: 'verified' },
        closed: null,
        uses: [
          {
            requestId: ids.broken,
            review: { by: { email: bob.email }, comment: 'Right', key: bob.fingerprint },
            hoursToReview: 0,
          },
        ],
      },
    ]);
    expect(report.counts).toMatchObject({ breakGlass: 1, unreviewed: 0 });
  });

  it('measures how long recovery took, of what the ledger has the times of', () => {
    expect(report.recovery).toMatchObject({ count: 2, unmeasured: 1 });
    const asked = changeOf(ids.asked);
    if (asked === undefined) throw new Error('It is there.');
    const taking = (seconds: number) => {
      const completed = new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString();
      return { ...asked, times: { ...asked.times, asked: '2026-01-01T00:00:00Z', completed } };
    };
    const all = Array.from({ length: 40 }, (_, index) => taking(40 - index));
    expect(recoveryOf(all)).toEqual({ count: 40, median: 20, p95: 38, unmeasured: 0 });
    expect(recoveryOf([])).toEqual({ count: 0, median: null, p95: null, unmeasured: 0 });
  });

  it('lists who changed the configuration, what that did to permissions, and who went around rollbacks', async () => {
    const [changed, first] = report.configuration;
    expect(report.configuration).toHaveLength(2);
    expect(changed).toMatchObject({ author: MALLORY, policy: true, omitted: 0 });
    expect(changed?.difference.map(({ path }) => path)).toEqual([
      '.backtrail/config.yaml',
      '.backtrail/notes.yaml',
    ]);
    expect(first?.commit).toBe(report.branch.first);
    expect(report.direct).toMatchObject({ commits: 3, unreadable: 0 });
    expect(report.direct.by.map(({ author, commits }) => [author, commits])).toEqual([
      ['test@example.com', 2],
      [MALLORY.email, 1],
    ]);
    const later = await auditor.audit.export({ ...ALL, from: '2026-01-02' });
    expect(later.permissions).toMatchObject({
      start: { commit: later.branch.before },
      added: [{ who: MALLORY.email, permission: 'propose', in: 'prod' }],
      removed: [],
    });
  });

  it('puts each commit into one of two periods side by side, whatever date it claims', async () => {
    const [early, late] = [
      await auditor.audit.export({ ...ALL, to: '2026-01-01' }),
      await auditor.audit.export({ ...ALL, from: '2026-01-02' }),
    ];
    expect(early.branch.commits + late.branch.commits).toBe(report.branch.commits);
    expect(late.branch.before).toBe(early.branch.last);
    expect(early).toMatchObject({
      changes: [],
      branch: { misdated: 0 },
      ledger: { commits: 0, first: null },
    });
    // The commits of Mallory, which follow the rollback and say that they are older.
    expect(late.branch.misdated).toBe(3);
    expect(late.changes).toHaveLength(4);
    const whole = await auditor.audit.export({ from: '2026-01-02T00:00Z', to: '2100-01-02T00:00:00Z' });
    expect(whole.branch).toEqual(late.branch);
  });

  it.runIf(isProof)('is valid where nothing happened, and of one scope', async () => {
    const stranger = await createStranger();
    const none = await auditor.audit.export({ from: '2019-01-01', to: '2019-12-31' });
    expect(none).toMatchObject({
      changes: [],
      branch: { commits: 0, first: null, last: null },
      recovery: { count: 0 },
      permissions: { start: null },
    });
    const dev = await auditor.audit.export({ ...ALL, scopes: ['dev'] });
    expect(dev.changes.map(({ requestId }) => requestId)).toEqual([ids.dev]);
    expect(dev.direct.commits).toBe(0);
    for (const { script } of [none, dev]) {
      const { code, output } = await stranger.run(script, repo.folder);
      expect([code, output]).toEqual([0, expect.stringMatching(/All of it holds\.\n$/)]);
    }
  });

  it.runIf(isProof)(
    'tells of what the ledger says was published and the branch does not hold, and of a use that nobody else reviewed',
    async () => {
      const copy = await copyRepo(repo);
      await copy.git('update-ref', 'refs/heads/main', `${changeOf(ids.asked)?.commit}`);
      // Up to where the second one was completed.
      await copy.git('update-ref', LEDGER, `${LEDGER}~2`);
      const other = await engineOf(copy, { allowedSigners: people.signers });
      const { changes, breakGlass, counts, branch } = await other.audit.export(ALL);
      expect(changes.map(({ requestId, within, audit }) => [requestId, within, audit?.verdict])).toEqual([
        [ids.broken, 'events', 'tampered'],
        [ids.asked, 'commit', 'honest'],
      ]);
      expect(changes[0]?.audit?.problems).toMatchObject([{ code: 'COMMIT_MISSING' }]);
      expect(breakGlass[0]?.uses).toMatchObject([
        { requestId: ids.broken, review: null, hoursToReview: null },
      ]);
      expect(counts).toMatchObject({ published: 1, tampered: 1, breakGlass: 1, unreviewed: 1 });
      expect(branch.rollbacks).toBe(1);
      // In another name, with the key of whoever broke the glass.
      const { jane, bob, carol } = people;
      const dave = { name: 'Dave', email: 'dave@example.com' };
      const list = await allowedSigners([jane, bob, carol, { ...carol, ...dave }]);
      const inspected = { id: eventId(), at: TIME, actor: dave, type: 'inspected', comment: 'Fine' };
      await forgeEvent(copy, ids.broken, inspected, { key: carol });
      await copy.git('update-ref', 'refs/heads/main', report.branch.tip);
      const own = await (await engineOf(copy, { allowedSigners: list })).audit.export(ALL);
      expect(own.breakGlass[0]?.uses).toMatchObject([{ review: { isOwn: true }, hoursToReview: null }]);
      expect(own.counts.unreviewed).toBe(1);
    },
  );

  it('refuses what is no day or time, and a period that ends before it begins', async () => {
    const codeOf = async (period: ExportAsk) => auditor.audit.export(period).catch((error: unknown) => error);
    for (const from of ['yesterday', '2026-02-31', '', '--to', '2026'])
      expect(await codeOf({ ...ALL, from })).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await codeOf({ from: '2026-02-02', to: '2026-02-01' })).toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'The period begins after it ends: 2026-02-02 is after 2026-02-01.',
    });
    expect(parsePeriod('2026-02-01', '2026-02-01')).toEqual({
      from: Date.parse('2026-02-01T00:00Z'),
      until: Date.parse('2026-02-02T00:00Z'),
    });
    // A date that is still to come moves nothing out of the period.
    expect(placesWithin([1, 900_000, 3], { from: 0, until: 10 }, 5)).toEqual({ first: 0, end: 3 });
  });

  describe('its script, run with git and ssh-keygen alone', () => {
    let stranger: Stranger;
    beforeAll(async () => {
      stranger = await createStranger();
    });
    const verify = (of: Repo, script = report.script) => stranger.run(script, of.folder);
    const failed = async (of: Repo, script?: string) => {
      const { code, output } = await verify(of, script);
      expect(output).toMatch(/It does not hold\.\n$/);
      expect(code).toBe(1);
      return output.split('\n').filter((line) => line.startsWith('FAILED'));
    };

    it('verifies an honest clone, a line a check, and runs nothing that a name or a reason holds', async () => {
      const clone = await cloneRepo(repo);
      await clone.git('fetch', '-q', 'origin', '+refs/backtrail/*:refs/backtrail/*');
      const { code, output } = await verify(clone);
      expect(output.split('\n').filter((line) => !/^(?:ok|note) {3,6}\S/.test(line))).toEqual([
        'All of it holds.',
        '',
      ]);
      expect(code).toBe(0);
      for (const id of [ids.asked, ids.broken, ids.dev]) expect(output).toContain(`rollback ${id} of `);
      expect(output).toContain('ok      all 3 commits of the period that name a request are listed');
      expect(output).toContain('ok      all 6 events that are said to be signed are, by keys of the list');
      expect(output).toContain("'; touch pwned; '$(touch pwned)");
      expect(await readdir(stranger.folder)).not.toContain('pwned');
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
    });

    it('is not deceived by replacements', async () => {
      const copy = await copyRepo(repo);
      const tip = await copy.git('rev-parse', 'main');
      await copy.git(
        'replace',
        tip,
        await copy.git('commit-tree', '-p', `${tip}^`, '-m', 'x', `${tip}^^{tree}`),
      );
      expect((await verify(copy)).code).toBe(0);
    });

    it('takes an id that goes on in the next line for one', async () => {
      const copy = await copyRepo(repo);
      const input = 'x\n\nRollback-Request-ID: rbk-1\n and more\n';
      const tip = await copy.gitWith({ input }, ['commit-tree', 'main^{tree}', '-p', 'main']);
      await copy.git('update-ref', 'refs/heads/main', tip);
      const of = await engineOf(copy);
      const { script } = await of.audit.export({ from: '2020-01-01', to: '2100-01-01' });
      expect(await verify(copy, script)).toMatchObject({ code: 0 });
    });

    it('finds a branch that was written anew, and one that is gone', async () => {
      const amended = await copyRepo(repo);
      await amended.git('commit', '-q', '--amend', '--allow-empty', '-m', 'Mine');
      expect(await failed(amended)).toEqual([
        `FAILED  the branch main does not hold ${report.branch.tip}, where it was`,
        expect.stringContaining(`${report.branch.tip} is not on the branch: rollback ${ids.dev}`),
      ]);
      const gone = await copyRepo(repo);
      await gone.git('checkout', '-q', '--detach');
      await gone.git('branch', '-D', 'main');
      expect((await failed(gone))[0]).toBe('FAILED  there is no branch main here');
    });

    it('finds a ledger that is gone, cut back, or written anew without signatures', async () => {
      const other = 'FAILED  the ledger has other commits of the period than the 8 that are listed';
      const gone = await copyRepo(repo);
      await gone.git('update-ref', '-d', LEDGER);
      expect(await failed(gone)).toEqual([`FAILED  there is no ledger ${LEDGER} here`, other]);
      const missing = `FAILED  the ledger does not hold ${report.ledger.tip}, where it was`;
      const cut = await copyRepo(repo);
      await cut.git('update-ref', LEDGER, `${LEDGER}~1`);
      expect(await failed(cut)).toEqual([missing, other]);
      const anew = await copyRepo(repo);
      const text = `${await anew.git('cat-file', 'commit', LEDGER)}\n`;
      const bare = text.replace(/\ngpgsig [^\n]*(?:\n [^\n]*)*/, '');
      await anew.git(
        'update-ref',
        LEDGER,
        await anew.gitWith({ input: bare }, ['hash-object', '-t', 'commit', '-w', '--stdin']),
      );
      expect(await failed(anew)).toEqual([missing, other]);
    });

    it('finds an export that leaves out a change, or says another tree, count, or key', async () => {
      const { script } = report;
      const { commit, tree } = changeOf(ids.asked) ?? {};
      const without = script.replace(new RegExp(`^${commit} .*\n`, 'm'), '');
      expect(await failed(repo, without)).toEqual([`FAILED  ${commit} names a request, and is not listed`]);
      expect(await failed(repo, script.replace(`${commit} ${tree}`, `${commit} ${'0'.repeat(40)}`))).toEqual([
        expect.stringContaining(
          `${commit} has the tree ${tree}, not ${'0'.repeat(40)}: rollback ${ids.asked}`,
        ),
      ]);
      const fewer = script.replace(/^commits='\d+'/m, "commits='1'");
      expect((await failed(repo, fewer))[0]).toContain(
        'the period has other commits of the branch than 1 from',
      );
      const { jane, bob } = people;
      const approval = changeOf(ids.asked)?.votes[0]?.event;
      const swapped = script.replace(bob.publicKey, jane.publicKey);
      expect(await failed(repo, swapped)).toContain(
        `FAILED  the event ${approval} is not signed by ${bob.email} with the key ${bob.fingerprint}`,
      );
      const inOtherName = script.replace(`${approval} ${bob.fingerprint} ${bob.email}`, (line) =>
        line.replace(bob.email, jane.email),
      );
      expect(await failed(repo, inOtherName)).toEqual([
        `FAILED  the event ${approval} is not signed by ${jane.email} with the key ${bob.fingerprint}`,
      ]);
    });
  });
});
