import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, isFailure } from '../../../engine/internal.ts';
import { askedOf } from '../../../engine/requests/many/member.ts';
import { eventId, fileOf, forgeEvent } from '../../helpers/people/forge.ts';
import { ask, configOf, createTeam, engineFor, POLICY, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { cloneRepo, copyRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const team = createTeam();

const settle = (answer: Promise<unknown>) =>
  answer.then(
    () => ({ code: 'done', message: '' }),
    (error: unknown) => {
      if (!isFailure(error)) throw error;
      return { code: error.code, message: error.message };
    },
  );
const codeOf = async (answer: Promise<unknown>) => (await settle(answer)).code;

/** `repository` null: it is taken out. */
const name = (repo: Repo, repository: string | readonly string[] | null, more: object = {}) =>
  repo.commit(
    { '.backtrail/config.yaml': configOf(POLICY, { ...(repository !== null && { repository }), ...more }) },
    { message: 'Say where it is at home\n' },
  );

const workerOf = async (repo: Repo) => engineOf(repo, { allowedSigners: (await team).signers });

describe('a vote for a place', () => {
  let home: Repo;
  let janes: Engine;
  let bobs: Engine;
  /** Executed before the configuration named a repository. */
  let first: string;
  /** Open when it did. */
  let open: string;
  /** Asked for and approved since. */
  let id: string;
  const people = () => team;

  beforeAll(async () => {
    const stage = await stageOf(team);
    home = stage.repo;
    const { jane, bob, signers } = stage;
    const own = { allowedSigners: signers, lives: 'file' } as const;
    [janes, bobs] = await Promise.all([engineFor(home, jane, own), engineFor(home, bob, own)]);
    first = (await ask(janes, jane)).id;
    await bobs.requests.approve({ id: first, actor: bob });
    await stage.worker.requests.executeRequest(first);
    await home.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\n' });
    open = (await ask(janes, jane, 'prod/api', { fields: ['apps/prod/api/app.yaml#/image'] })).id;
    await bobs.requests.approve({ id: open, actor: bob });
    // By a link, and as one of several.
    const link = join(await temporaryFolder(), 'home');
    await symlink(home.folder, link);
    await name(home, ['git@git.example.com:acme/config.git', link]);
    id = (await ask(janes, jane)).id;
    await bobs.requests.approve({ id, actor: bob });
  });

  it('stands in the proposal and in the vote, in a form of its own; what names no place keeps its form', async () => {
    const [asked, approved] = (await fileOf(home, id)).events;
    const [, repository] = (await janes.requests.show({ id })).place?.repository.split(/(.*)/s) ?? [];
    expect(repository).toMatch(/\/home$/);
    expect(asked?.proposal?.['place']).toEqual({ repository, branch: 'main' });
    expect(approved?.['place']).toEqual({ repository, branch: 'main' });
    expect((await fileOf(home, id)).version).toBe(5);
    expect((await fileOf(home, first)).version).toBe(1);
    expect(JSON.stringify(await fileOf(home, first))).not.toContain('place');
  });

  it.runIf(isProof)('is given in a clone as well, for where that is published', async () => {
    const clone = await cloneRepo(home);
    const { jane } = await people();
    const engine = await engineFor({ folder: clone.folder, env: home.env }, jane);
    const plan = await engine.rollbacks.plan({ scope: 'prod/api', author: jane });
    expect(plan.gate.may.request).toEqual({ allowed: true });
    await clone.git('config', 'remote.origin.pushurl', (await copyRepo(home)).folder);
    const other = await engineFor({ folder: clone.folder, env: home.env }, jane);
    expect((await other.rollbacks.plan({ scope: 'prod/api', author: jane })).gate.may.request).toMatchObject({
      code: 'PLACE_DIFFERS',
    });
  });

  it('counts in no copy that is not named, and nothing is written there', async () => {
    const copy = await copyRepo(home);
    const worker = await workerOf(copy);
    const { jane, bob } = await people();
    const tips = () => copy.git('rev-parse', 'main', LEDGER);
    const before = await tips();
    expect(await settle(worker.requests.executeRequest(id))).toEqual({
      code: 'PLACE_DIFFERS',
      message: expect.stringContaining(
        'and the configuration says that it is at home at git@git.example.com',
      ),
    });
    expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
    const asking = await engineFor(copy, jane);
    expect(await codeOf(ask(asking, jane))).toBe('PLACE_DIFFERS');
    const plan = await asking.rollbacks.plan({ scope: 'prod/api', author: jane });
    expect(plan.gate.may.request).toMatchObject({ allowed: false, code: 'PLACE_DIFFERS' });
    expect(await codeOf((await engineFor(copy, bob)).requests.reject({ id, actor: bob }))).toBe(
      'REQUEST_NOT_PENDING',
    );
    expect(await tips()).toBe(before);
  });

  it.each(
    someOf(
      [
        ['is named by another address', (copy: Repo) => copy.folder],
        ['names none any more', () => null],
      ],
      1,
    ),
  )('does not count in a copy whose configuration %s', async (_, repository) => {
    const copy = await copyRepo(home);
    await name(copy, repository(copy));
    const worker = await workerOf(copy);
    const before = await copy.git('rev-parse', 'main');
    expect(await codeOf(worker.requests.executeRequest(id))).toBe('PLACE_DIFFERS');
    expect(await copy.git('rev-parse', 'main')).toBe(before);
    expect(await codeOf(worker.requests.retry({ id, actor: (await team).jane }))).toBe('PLACE_DIFFERS');
    expect(await worker.requests.show({ id })).toMatchObject({
      status: 'failed',
      elsewhere: true,
      reviews: [{ counts: false, elsewhere: true }],
      result: { code: 'PLACE_DIFFERS' },
    });
  });

  it('counts where the configuration names both', async () => {
    const copy = await copyRepo(home);
    const { place } = await janes.requests.show({ id });
    await name(copy, [copy.folder, place?.repository ?? '']);
    expect(await codeOf((await workerOf(copy)).requests.executeRequest(id))).toBe('done');
  });

  it.runIf(isProof)('does not count on another branch', async () => {
    const copy = await copyRepo(home);
    const { place } = await janes.requests.show({ id });
    await name(copy, [copy.folder, place?.repository ?? '']);
    await copy.git('checkout', '-q', '-b', 'release');
    const worker = await workerOf(copy);
    expect(await settle(worker.requests.executeRequest(id))).toEqual({
      code: 'PLACE_DIFFERS',
      message: expect.stringMatching(/\(main\), and not for .* \(release\)\.$/),
    });
  });

  it('does not count for a request of here that it was given for elsewhere', async () => {
    const copy = await copyRepo(home);
    const { bob, jane, signers } = await people();
    const { place } = await janes.requests.show({ id });
    await name(copy, copy.folder);
    const asked = await ask(await engineFor(copy, jane, { allowedSigners: signers }), jane);
    await forgeEvent(
      copy,
      asked.id,
      {
        id: eventId(),
        at: asked.createdAt,
        actor: { name: bob.name, email: bob.email },
        type: 'approved',
        digest: asked.digest,
        comment: null,
        quorum: { have: 1, need: 1 },
        settles: true,
        place,
      },
      { key: bob },
    );
    const worker = await workerOf(copy);
    expect(await settle(worker.requests.executeRequest(asked.id))).toEqual({
      code: 'AWAITING_APPROVAL',
      message: '0 of 1 approvals count. One was given for another place.',
    });
    // Their own vote is still theirs to give.
    await (await engineFor(copy, bob, { allowedSigners: signers })).requests.approve({
      id: asked.id,
      actor: bob,
    });
    expect(await codeOf(worker.requests.executeRequest(asked.id))).toBe('done');
    const { rows } = await worker.audit.verify();
    expect(rows.find(({ requestId }) => requestId === asked.id)?.problems).toEqual([]);
  });

  it.runIf(isProof)(
    'is asked for again where it was open when the configuration first named a repository',
    async () => {
      const copy = await copyRepo(home);
      const { jane, bob, signers } = await people();
      await name(copy, copy.folder);
      const worker = await workerOf(copy);
      expect(await settle(worker.requests.executeRequest(open))).toEqual({
        code: 'PLACE_DIFFERS',
        message: expect.stringContaining('is for no place, and not for'),
      });
      const again = await ask(await engineFor(copy, jane, { allowedSigners: signers }), jane);
      await (await engineFor(copy, bob, { allowedSigners: signers })).requests.approve({
        id: again.id,
        actor: bob,
      });
      expect(await codeOf(worker.requests.executeRequest(again.id))).toBe('done');
    },
  );

  it.runIf(isProof)(
    'is found by an audit where it let something go ahead elsewhere, and only there',
    async () => {
      const copy = await copyRepo(home);
      await name(copy, copy.folder);
      const { state } = { state: await janes.requests.show({ id }) };
      const event = await copy.git('rev-parse', LEDGER);
      const provenance = {
        approvals: ['Approved by bob@example.com (quorum: 1/1)'],
        ledger: event,
        breakGlass: null,
        at: state.reviews[0]?.at ?? '',
      };
      const careless = await workerOf(copy);
      const { commit } = await careless.execute({
        ...askedOf(state),
        requestedAt: provenance.at,
        provenance,
      });
      const audit = async (repo: Repo) => {
        const { rows } = await (await workerOf(repo)).audit.verify();
        return rows.map((row) => [row.commit, row.verdict, row.problems.map(({ code }) => code)]);
      };
      const [found, earlier] = await audit(copy);
      expect(found).toEqual([
        commit,
        'tampered',
        expect.arrayContaining(['PLACE_DIFFERS', 'APPROVAL_MISSING']),
      ]);
      // It was executed when the configuration named none.
      expect(earlier?.[1]).toBe('honest');
      const executed = await copyRepo(home);
      await name(executed, [executed.folder, state.place?.repository ?? '']);
      await (await workerOf(executed)).requests.executeRequest(id);
      expect((await audit(executed)).map(([, verdict]) => verdict)).toEqual(['honest', 'honest']);
      // An auditor reads a copy: where that lies says nothing.
      expect((await audit(await copyRepo(executed))).map(([, verdict]) => verdict)).toEqual([
        'honest',
        'honest',
      ]);
    },
  );
});
