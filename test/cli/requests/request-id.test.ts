import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import { approvals, errorOf, GATEWAY, pendingOf } from '../../helpers/people/approvals.ts';
import {
  backtrail,
  completedOf,
  exampleRepo,
  jsonOf,
  refusalOf,
  runProcess,
  stateOf,
} from '../../helpers/program/cli.ts';
import { eventId, forge, forgeEvent, messageOf, print, TIME } from '../../helpers/people/forge.ts';
import { copyRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const SERVICE = 'tenants/acme/production/services/api-gateway/service.yaml';
const JSON_OUT = ['-o', 'json'];
const back = (key: string, ...more: string[]) =>
  JSON_OUT.concat('rollback', GATEWAY, '--yes', '--reason', 'It answers 500', '--request-id', key, more);
const reverts = (repo: Repo) => repo.git('log', '--format=%H', '--grep=^Rollback-Request-ID:', 'main');

describe('a rollback with --request-id', () => {
  /** It has gone back once, under the key `k`; what moves anything takes a copy. */
  let done: Repo;
  let first: ReturnType<typeof completedOf>;
  beforeAll(async () => {
    done = await exampleRepo();
    first = completedOf(await backtrail(done, back('k')));
  });

  it('goes back once, however often a job runs it, and gives the same result', async () => {
    const repo = await copyRepo(done);
    const state = await stateOf(repo);
    for (const more of [[], ['--to', 'previous']])
      expect(completedOf(await backtrail(repo, back('k', ...more)))).toMatchObject({
        requestId: first.requestId,
        commit: first.commit,
        deliveryCommit: first.deliveryCommit,
        target: first.target,
      });
    expect(await stateOf(repo)).toBe(state);
    // Without it, or with another one, each goes one version further back.
    const further = completedOf(await backtrail(repo, back('l')));
    expect(further.target).not.toBe(first.target);
  });

  it.runIf(isProof)(
    'is found again when others have committed since, in the scope or elsewhere',
    async () => {
      const repo = await exampleRepo();
      const text = await repo.git('show', `HEAD:${SERVICE}`);
      await repo.commit({ [SERVICE]: `${text}\n# bad\n` });
      const ask = back('night', '--to', 'HEAD~1');
      const first = completedOf(await backtrail(repo, ask));
      await repo.commit({ [SERVICE]: `${text}\n# a bot\n`, 'elsewhere.txt': 'x' });
      expect(completedOf(await backtrail(repo, ask)).commit).toBe(first.commit);
      expect((await reverts(repo)).split('\n')).toHaveLength(1);
    },
  );

  it.each(
    someOf(
      [
        ['scope', ['acme/production/auth-service']],
        ['target', [GATEWAY, '--to', 'v1']],
        ['fields', [GATEWAY, '--field', 'image']],
      ],
      1,
    ),
  )('is refused for another %s, and nothing moves', async (_what, [scope = '', ...more]) => {
    const repo = done;
    const state = await stateOf(repo);
    const ask = ['rollback', scope, '--yes', '--reason', 'r', '--request-id', 'k', ...more];
    const refused = refusalOf(await backtrail(repo, ask));
    expect(refused).toMatchObject({ exit: 4, code: 'REQUEST_EXISTS' });
    expect(refused.message).toContain(first.requestId);
    expect(await stateOf(repo)).toBe(state);
  });

  it('is refused to another person, who may have taken the key', async () => {
    const repo = await copyRepo(done);
    await repo.git('config', 'user.email', 'mallory@example.com');
    const refused = errorOf(await backtrail(repo, back('k')));
    expect(refused).toMatchObject({ exit: 4, code: 'REQUEST_EXISTS' });
  });

  it('takes any text for a key, but none that is empty', async () => {
    const repo = await copyRepo(done);
    const key = '--upload-pack=x\n../../\u0007 "ключ"';
    const taken = completedOf(await backtrail(repo, back(key)));
    expect(taken.requestId).toMatch(/^rbk-[0-9A-Z]{26}$/);
    expect(await repo.git('log', '-1', '--format=%B', taken.commit)).not.toContain('upload-pack');
    expect(errorOf(await backtrail(repo, back(' ')))).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  // Without a worktree: there, git's own lock of the index may refuse one of them, to be tried again.
  it.runIf(isProof)('makes one commit where two processes start at once', async () => {
    const repo = await exampleRepo({ bare: true });
    const runs = await Promise.all([runProcess(repo, back('twins')), runProcess(repo, back('twins'))]);
    const commits = runs.map((run) => completedOf(run).commit);
    expect(new Set(commits).size).toBe(1);
    expect(await reverts(repo)).toBe(commits[0]);
  });

  it.runIf(isProof)(
    'gives the one request that waits for approval, and its result when it is executed',
    async () => {
      const { as } = await approvals();
      const [first, again] = [pendingOf(await as('jane', back('k'))), pendingOf(await as('jane', back('k')))];
      expect(again.requestId).toBe(first.requestId);
      const other = await as('carol', back('k'));
      expect({ code: other.code, error: errorOf(other).code }).toEqual({ code: 4, error: 'REQUEST_EXISTS' });
      const approve = ['request', 'approve', first.requestId, '--yes', '--here', '-o', 'json'];
      expect((await as('bob', approve)).code).toBe(0);
      const done = completedOf(await as('jane', back('k')));
      expect(done).toMatchObject({ requestId: first.requestId, status: 'completed' });
    },
  );

  it.runIf(isProof)('says that the request was rejected, and asks for nothing new', async () => {
    const { as } = await approvals();
    const { requestId } = pendingOf(await as('jane', back('k')));
    await as('bob', ['request', 'reject', requestId, '--comment', 'no']);
    const again = await as('jane', back('k'));
    expect({ code: again.code, error: errorOf(again).code }).toEqual({ code: 4, error: 'REQUEST_CLOSED' });
  });

  it('believes no commit that has the message of the rollback and leaves the files as they are', async () => {
    const repo = await copyRepo(done);
    const { commit } = first;
    const message = await repo.git('log', '-1', '--format=%B', commit);
    await repo.git('reset', '--quiet', '--hard', `${commit}^`);
    await repo.commit({ 'docs.md': 'Nothing else.\n' }, { message });
    const state = await stateOf(repo);
    expect(errorOf(await backtrail(repo, back('k')))).toMatchObject({ exit: 3, code: 'LEDGER_TAMPERED' });
    expect(await stateOf(repo)).toBe(state);
  });

  it('goes back no second time where the ledger holds the id once more, on a later base', async () => {
    const repo = await copyRepo(done);
    const { requestId: id } = first;
    const dryRun = await backtrail(repo, [...JSON_OUT, 'rollback', GATEWAY, '--dry-run']);
    const { base, digest, target } = jsonOf(
      dryRun,
      z.object({ base: z.string(), digest: z.string(), target: z.string() }),
    );
    const [name = '', email = ''] = (await repo.git('log', '-1', '--format=%an%n%ae')).split('\n');
    const actor = { name, email };
    const [tenant, environment, service] = GATEWAY.split('/');
    const proposal = {
      id,
      scope: { tenant, environment, service, mode: 'service' },
      target,
      targetVersion: 1,
      allowRemoval: false,
      author: actor,
      createdAt: TIME,
      justification: 'r',
      message: `Rollback to revision v1 (${target.slice(0, 7)}) of ${GATEWAY}`,
      expiresAt: null,
      follows: null,
      supersedes: null,
      config: null,
    };
    const terms = { base, digest, rendered: null, affectedServices: ['api-gateway'] };
    const event = {
      id: eventId(),
      at: TIME,
      actor,
      type: 'opened',
      proposal,
      terms,
      gate: 'no-policy',
      session: null,
    };
    await forge(repo, {
      files: { [requestPath(id)]: print({ version: 1, state: {}, events: [event] }) },
      author: actor,
      message: messageOf(event, id),
      parents: [],
    });
    const tip = await repo.git('rev-parse', 'main');
    expect(errorOf(await backtrail(repo, back('k')))).toMatchObject({ exit: 3, code: 'LEDGER_TAMPERED' });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it('believes no ledger that says that there was nothing to do', async () => {
    const { repo, people, as } = await approvals();
    const { requestId } = pendingOf(await as('jane', back('k')));
    const { name, email } = people.eve;
    const event = { id: eventId(), at: TIME, actor: { name, email }, type: 'completed' };
    await forgeEvent(repo, requestId, { ...event, outcome: 'unchanged', commit: null, deliveryCommit: null });
    const again = await as('jane', back('k'));
    expect(again.code).not.toBe(0);
    expect(errorOf(again)).toMatchObject({ code: 'VERIFY_FAILED' });
  });

  it('takes nobody at their word where no key is trusted, as another person may have opened it under the key', async () => {
    const { repo, people, as } = await approvals();
    const { requestId } = pendingOf(await as('jane', back('k')));
    await as('bob', ['request', 'approve', requestId, '--yes'], { redisUrl: 'redis://127.0.0.1:1' });
    const tip = await repo.git('rev-parse', 'main');
    const again = await backtrail(repo, back('k'), { env: people.jane.env });
    expect(errorOf(again)).toMatchObject({ code: 'IDENTITY_UNVERIFIED' });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it.runIf(isProof)('removes nothing that only the first one allowed to remove', async () => {
    const { repo, as } = await approvals();
    await repo.commit({ 'tenants/acme/production/services/new/service.yaml': 'image: v1\n' });
    const target = await repo.git('rev-parse', 'HEAD~1');
    const ask = (...more: string[]) =>
      JSON_OUT.concat(
        'rollback',
        'acme/production/new',
        '--to',
        target,
        '--yes',
        '--reason',
        'r',
        '--request-id',
        'k',
        more,
      );
    const { requestId } = pendingOf(await as('jane', ask('--allow-removal')));
    expect(errorOf(await as('jane', ask()))).toMatchObject({ exit: 3, code: 'TARGET_ABSENT' });
    expect(pendingOf(await as('jane', ask('--allow-removal'))).requestId).toBe(requestId);
  });
});
