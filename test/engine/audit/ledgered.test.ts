import { beforeAll, describe, expect, it } from 'vitest';
import { askedOf } from '../../../engine/requests/many/member.ts';
import { eventId, forgeEvent, TIME } from '../../helpers/people/forge.ts';
import { ask, configOf, createTeam, POLICY, stageOf } from '../../helpers/people/requests.ts';

import { LEDGER } from '../../helpers/people/scene.ts';
import { allowedSigners } from '../../helpers/people/signing.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { copyRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { rewrite } from './scene.ts';

const team = createTeam();

describe('an audit of rollbacks that others agreed to', () => {
  it('finds nothing wrong with votes, a quorum, break-glass and a queue', async () => {
    const { repo, jane, bob, carol, janes, bobs, carols, worker } = await stageOf(
      team,
      configOf({
        environments: [{ match: 'prod', quorum: 2, breakGlass: { allowed: true, longest: '1h' } }],
      }),
    );
    const asked = await ask(janes, jane);
    await bobs.requests.approve({ id: asked.id, actor: bob, comment: 'Go' });
    await carols.requests.approve({ id: asked.id, actor: carol });
    await worker.requests.executeRequest(asked.id);
    await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\n' });
    await carols.requests.openSession({
      scope: 'prod',
      holder: carol,
      reason: 'Payments are down',
      ticket: 'INC-1',
      minutes: 10,
    });
    const broken = await ask(carols, carol, 'prod/api', { to: 'v1' });
    expect(broken.status).toBe('approved');
    await worker.requests.executeRequest(broken.id);
    // Within the second in which it was used, perhaps.
    const [session] = (await carols.requests.sessions(carol)).sessions;
    await carols.requests.closeSession({ id: session?.id ?? '', actor: carol });
    const report = await worker.audit.verify();
    expect(report.rows.flatMap(({ problems }) => problems)).toEqual([]);
    expect(report).toMatchObject({ checked: 2, honest: 2, ledger: { problems: [] } });
  });
});

describe('an audit of one rollback that somebody approved', () => {
  let repo: Repo;
  let signers: string;
  let id = '';
  let commit = '';
  /** Of the ledger, oldest first: opened, approved, completed. */
  let events: string[];
  beforeAll(async () => {
    const { jane, bob, janes, bobs, worker, ...stage } = await stageOf(team);
    ({ repo, signers } = stage);
    ({ id } = await ask(janes, jane));
    await bobs.requests.approve({ id, actor: bob, comment: 'Go' });
    commit = (await worker.requests.executeRequest(id)).commit ?? '';
    events = (await repo.git('rev-list', '--reverse', LEDGER)).split('\n');
  });
  const audit = async (of: Repo, list: string | null = signers) => {
    const auditor = await engineOf(of, { allowedSigners: list });
    const { rows, ledger } = await auditor.audit.verify();
    const said = rows.map((row) => ({
      commit: row.commit,
      verdict: row.verdict,
      codes: row.problems.map(({ code }) => code),
    }));
    return { rows: said, ledger: ledger.problems.map(({ code }) => code) };
  };
  const row = (codes: readonly string[], of = commit) => [{ commit: of, verdict: 'tampered', codes }];

  it('finds the ledger gone, and cut back', async () => {
    const gone = await copyRepo(repo);
    await gone.git('update-ref', '-d', LEDGER);
    expect((await audit(gone)).rows).toEqual(row(['LEDGER_MISSING']));
    const cut = await copyRepo(repo);
    await cut.git('update-ref', LEDGER, events[0] ?? '');
    expect((await audit(cut)).rows).toEqual(
      row(expect.arrayContaining(['LEDGER_MISSING', 'APPROVAL_MISSING'])),
    );
  });

  it('finds the ledger written anew without signatures', async () => {
    const copy = await copyRepo(repo);
    let last = '';
    for (const event of events) {
      const text = `${await copy.git('cat-file', 'commit', event)}\n`
        .replace(/\ngpgsig [^\n]*(?:\n [^\n]*)*/, '')
        .replace(/^parent .*$/m, `parent ${last}`);
      last = await copy.gitWith({ input: text }, ['hash-object', '-t', 'commit', '-w', '--stdin']);
    }
    await copy.git('update-ref', LEDGER, last);
    expect((await audit(copy)).rows).toEqual(
      row(expect.arrayContaining(['LEDGER_MISSING', 'APPROVAL_MISSING'])),
    );
  });

  it('finds the commit taken off the branch, and one that a forged event names', async () => {
    const off = await copyRepo(repo);
    await off.git('update-ref', 'refs/heads/main', `${commit}^`);
    expect((await audit(off)).rows).toEqual(row(['COMMIT_MISSING']));
    const forged = await copyRepo(repo);
    const parent = await forged.git('rev-parse', `${commit}^`);
    await forgeEvent(forged, id, {
      id: eventId(),
      at: TIME,
      actor: { name: 'bob', email: 'bob@example.com' },
      type: 'completed',
      outcome: 'completed',
      commit: parent,
      deliveryCommit: null,
    });
    const found = await audit(forged);
    expect([...found.ledger, ...found.rows.flatMap(({ codes }) => codes)]).toContain('LEDGER_TAMPERED');
  });

  it('finds the trailers that say who allowed it changed, dropped and made up', async () => {
    const changes: readonly (readonly [from: RegExp, to: string, code: string])[] = [
      [/^Rollback-Ledger: .*\n/m, '', 'TRAILER_MISSING'],
      [/^(Rollback-Ledger: ).*$/m, `$1${events[0]}`, 'APPROVAL_MISSING'],
      [/^Approval: Approved by bob/m, 'Approval: Approved by carol', 'TRAILER_DIFFERS'],
      [/^Approval: .*\n/m, '', 'TRAILER_MISSING'],
      [/^(author ).*?>/m, '$1Eve <jane@example.com>', 'AUTHOR_DIFFERS'],
      [/( )\d{10}( \+0000)/g, '$11700000000$2', 'DATE_DIFFERS'],
      [/^(Justification: ).*$/m, '$1other', 'TRAILER_DIFFERS'],
    ];
    for (const [from, to, code] of changes) {
      const changed = await rewrite(repo, commit, { text: (text) => text.replace(from, to) });
      const { rows } = await audit(changed.repo);
      const own = rows.find((found) => found.commit === changed.commit);
      expect(own?.codes).toContain(code);
      // The ledger names the commit that was there.
      expect(own?.codes).toContain('COMMIT_DIFFERS');
    }
  });

  it('finds a copy of it on top, and votes of keys that nobody trusts; without a list it cannot tell', async () => {
    const copy = await copyRepo(repo);
    await copy.git('reset', '--hard', '-q');
    await copy.commit({ 'apps/prod/api/app.yaml': 'image: v3\n' });
    await copy.git('cherry-pick', '-X', 'theirs', commit);
    const { rows } = await audit(copy);
    const [picked, own] = rows;
    expect(picked?.codes).toEqual(
      expect.arrayContaining(['BASE_DIFFERS', 'REQUEST_REPEATED', 'COMMIT_DIFFERS']),
    );
    expect(own).toEqual({ commit, verdict: 'honest', codes: [] });
    const { jane } = await team;
    expect((await audit(repo, await allowedSigners([jane]))).rows).toEqual(
      row(expect.arrayContaining(['APPROVAL_MISSING'])),
    );
    expect((await audit(repo, null)).rows).toEqual([
      { commit, verdict: 'unverifiable', codes: ['KEYS_MISSING'] },
    ]);
  });
});

describe('an audit of what somebody asked for without a signature', () => {
  it('goes by the rules that the rollback was made by', async () => {
    const free = configOf({ environments: [{ ...POLICY.environments[0], unsignedRequests: true }] });
    const { repo, jane, bob, bobs, worker, signers } = await stageOf(team, free);
    const unsigned = await engineOf(repo);
    const asked = await ask(unsigned, jane);
    await repo.commit({ '.backtrail/config.yaml': configOf() });
    const state = await bobs.requests.approve({ id: asked.id, actor: bob });
    const at = state.reviews[0]?.at ?? '';
    const ledger = await repo.git('rev-parse', LEDGER);
    const approvals = ['Approved by bob@example.com (quorum: 1/1)'];
    const provenance = { approvals, ledger, breakGlass: null, at };
    // A worker would not.
    const { commit } = await worker.execute({ ...askedOf(state), requestedAt: at, provenance });
    const audit = async (of: Repo) => {
      const { rows } = await (await engineOf(of, { allowedSigners: signers })).audit.verify();
      return rows.map(({ problems }) => problems.map(({ code }) => code));
    };
    expect(await audit(repo)).toEqual([['IDENTITY_UNVERIFIED']]);
    const earlier = await rewrite(repo, commit ?? '', {
      text: (text) => text.replace('Rollback-Engine: 4', 'Rollback-Engine: 3'),
    });
    expect(await audit(earlier.repo)).toEqual([[]]);
  });
});
