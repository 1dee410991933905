/** What a server signs for people with its own key, and people who have several emails: how workers and an audit judge it. */
import { appendFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { backtrail } from '../../helpers/program/cli.ts';
import {
  ask,
  configOf,
  createTeam,
  engineFor,
  policedRepo,
  type Team,
} from '../../helpers/people/requests.ts';
import { createIdentity } from '../../helpers/people/signing.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';

const POLICY = {
  environments: [
    { match: 'prod', quorum: 2 },
    { match: 'dev', quorum: 1, signedBy: 'person' },
  ],
  people: [
    ['jane@example.com', 'Jane.Doe@corp.example'],
    ['bob@example.com', 'bob@corp.example'],
  ],
};
const ISSUER = 'https://login.example.com';
const LISTED = { lives: 'file' } as const;

/** As a server hands them over. */
const served = (email: string, how: 'oidc' | 'token' = 'oidc') => ({
  name: email.split('@')[0] ?? '',
  email,
  authenticated: { how, by: how === 'oidc' ? ISSUER : '8k3m0q9xw2c4v7t1' },
});

let repo: Repo;
let team: Team;
let server: Engine;
let worker: Engine;
let janes: Engine;
let bobs: Engine;
beforeAll(async () => {
  const identity = await createIdentity({ name: 'Backtrail', email: 'backtrail@ops.example' });
  [team, repo] = await Promise.all([createTeam(), policedRepo(configOf(POLICY))]);
  const own = `*@example.com,*@corp.example,!carol@corp.example namespaces="git" ${identity.publicKey}\n`;
  await appendFile(team.signers, own);
  const options = { ...LISTED, allowedSigners: team.signers };
  [server, worker, janes, bobs] = await Promise.all([
    engineFor(repo, identity, options),
    engineOf(repo, options),
    engineFor(repo, team.jane, options),
    engineFor(repo, team.bob, options),
  ]);
});

describe('what a server signs', () => {
  it('counts for each person whom its key is listed for, and says how it knew them', async () => {
    const opened = await ask(server, served('jane@example.com'));
    expect(opened).toMatchObject({
      authorIdentity: 'verified',
      authenticated: { how: 'oidc', by: ISSUER },
      approval: { need: 2, have: 0 },
    });
    // One person, however many emails they have.
    const own = { id: opened.id, actor: served('jane.doe@corp.example') };
    await expect(server.requests.approve(own)).rejects.toMatchObject({ code: 'OWN_REQUEST' });
    const approve = (email: string) =>
      server.requests.approve({ id: opened.id, actor: served(email, 'token') });
    expect((await approve('bob@example.com')).approval.have).toBe(1);
    await expect(approve('BOB@corp.example')).rejects.toMatchObject({ code: 'ALREADY_REVIEWED' });
    // The list excepts this one: it is written, and does not count.
    expect((await approve('carol@corp.example')).approval.have).toBe(1);
    // Nor does what the server signs and does not say how it knew them.
    const unsaid = { id: opened.id, actor: { name: 'Dave', email: 'dave@example.com' } };
    expect((await server.requests.approve(unsaid)).approval.have).toBe(1);
    const approved = await approve('carol@example.com');
    expect(approved).toMatchObject({ status: 'approved', approval: { have: 2 } });
    expect(approved.reviews.map(({ identity, counts }) => [identity, counts])).toEqual([
      ['verified', true],
      ['unverified', false],
      ['unverified', false],
      ['verified', true],
    ]);
    expect((await worker.requests.executeRequest(opened.id)).status).toBe('completed');
    const { honest, rows, ledger } = await worker.audit.verify();
    expect([honest, rows.flatMap(({ problems }) => problems)]).toEqual([1, []]);
    const code = 'AUTHENTICATION_DIFFERS';
    expect(ledger.problems).toMatchObject([
      { code, message: expect.stringMatching(/for dave@example\.com, and it does not say how/) },
      // Two people with one token: the server has to be asked what it is.
      { code, message: expect.stringMatching(/carol@example\.com acted with the token 8k3m0q9xw2c4v7t1/) },
    ]);
  });

  it('is told of by the audit log and by the request, in a form that older programs do not read', async () => {
    const log = await backtrail(repo, ['audit', 'log', '-o', 'json'], {
      env: { BACKTRAIL_ALLOWED_SIGNERS: team.signers },
    });
    const { events } = JSON.parse(log.stdout);
    const told = events.map(
      ({ event, authenticated }: { event: string; authenticated?: { how: string } }) => [
        event,
        authenticated?.how ?? null,
      ],
    );
    expect(told.toReversed()).toEqual([
      ['opened', 'oidc'],
      ['approved', 'token'],
      ['approved', 'token'],
      // The vote that does not count is withdrawn.
      ['reopened', null],
      ['approved', null],
      ['reopened', null],
      ['approved', 'token'],
      ['completed', null],
    ]);
    const { requestId } = events[0];
    const shown = await backtrail(repo, ['request', 'show', requestId]);
    expect(shown.stdout).toMatch(/author +jane <jane@example.com> by https:\/\/login\.example\.com/);
    expect(shown.stdout).toContain('carol <carol@example.com> by token 8k3m0q9xw2c4v7t1');
    const path = await repo.git('ls-tree', '-r', '--name-only', 'refs/backtrail/ledger');
    const file = JSON.parse(await repo.git('show', `refs/backtrail/ledger:${path.trim().split('\n')[0]}`));
    expect(file.version).toBe(6);
  });
});

describe('where the policy wants a person’s own key', () => {
  it('nothing is asked for through a server', async () => {
    const asked = ask(server, served('jane@example.com'), 'dev/api');
    await expect(asked).rejects.toMatchObject({ code: 'IDENTITY_UNVERIFIED' });
    const { gate } = await server.rollbacks.plan({ scope: 'dev/api', author: served('jane@example.com') });
    expect(gate.may.request).toMatchObject({ allowed: false, code: 'IDENTITY_UNVERIFIED' });
  });

  it('a vote through a server is refused, and does not count where one is there', async () => {
    const { id } = await ask(janes, team.jane, 'dev/api');
    const refused = server.requests.approve({ id, actor: served('bob@example.com') });
    await expect(refused).rejects.toMatchObject({ code: 'IDENTITY_UNVERIFIED' });
    // As a server would write it that does not say what it is.
    const slipped = await server.requests.approve({ id, actor: { name: 'Bob', email: 'bob@example.com' } });
    expect(slipped).toMatchObject({ status: 'pending', approval: { have: 0, need: 1 } });
    await expect(worker.requests.executeRequest(id)).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
    const approved = await bobs.requests.approve({ id, actor: team.bob });
    expect(approved).toMatchObject({ status: 'approved', approval: { have: 1 } });
    expect((await worker.requests.executeRequest(id)).status).toBe('completed');
    const { honest, tampered } = await worker.audit.verify();
    expect([honest, tampered]).toEqual([2, 0]);
  });

  it('single-user mode signs with the person’s own key', async () => {
    const authenticated = { how: 'single-user', by: null } as const;
    const jane = { name: team.jane.name, email: team.jane.email, authenticated };
    const opened = await ask(janes, jane, 'dev/api', { to: 'v1' });
    expect(opened.authorIdentity).toBe('verified');
  });
});
