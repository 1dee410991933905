/** People who have no right to it, or a right to something else only: what they write is a request like any other, or none. */
import { appendFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isFailure, type Person } from '../../engine/internal.ts';
import { readRollback } from '../../engine/record/read.ts';
import { requestPath, sessionPath } from '../../engine/record/ledger-file.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { eventId, fileOf, forge, forgeEvent, messageOf, print } from '../helpers/people/forge.ts';
import {
  ask,
  configOf,
  createTeam,
  engineFor,
  newId,
  policedRepo,
  POLICY,
  stageOf,
} from '../helpers/people/requests.ts';
import type { Repo } from '../helpers/repositories/repo.ts';
import { allowedSigners, type Identity } from '../helpers/people/signing.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const MALLORY = { name: 'Mallory', email: 'mallory@example.com' };
const team = createTeam();

const stage = (config?: string) => stageOf(team, config);

const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'done',
    (error: unknown) => {
      if (isFailure(error)) return error.code;
      throw error;
    },
  );

/** With the id of a request of Jane's, where there is one. */
type Stage = Pick<Awaited<ReturnType<typeof stage>>, 'repo' | 'janes' | 'jane'> & { readonly asked?: string };

/** One for the tests that only forge requests, each its own. */
async function lasting() {
  const { jane, signers: allowedSigners } = await team;
  const repo = await policedRepo();
  const options = { allowedSigners, lives: 'file' } as const;
  const [janes, worker] = [await engineFor(repo, jane, options), await engineOf(repo, options)];
  return { repo, jane, janes, worker, asked: (await ask(janes, jane)).id };
}
let forged: Awaited<ReturnType<typeof lasting>>;
beforeAll(async () => {
  forged = await lasting();
});

/** A request that is not Jane's, made of one that is. */
async function forgeOpening(
  { repo, janes, jane, asked }: Stage,
  change: { proposal?: object; terms?: object; actor?: Person; key?: Identity; gate?: string | null },
): Promise<string> {
  const model = await fileOf(repo, asked ?? (await ask(janes, jane)).id);
  const [first] = model.events;
  const id = newId();
  const actor = change.actor ?? MALLORY;
  const author = { name: actor.name, email: actor.email };
  const proposal = { ...first?.proposal, id, author, ...change.proposal };
  const event = {
    ...first,
    id: eventId(),
    type: 'opened',
    actor: author,
    gate: change.gate ?? 'no-policy',
    proposal,
    ...(change.terms && {
      terms: { ...z.record(z.string(), z.unknown()).parse(first?.['terms']), ...change.terms },
    }),
  };
  const text = print({ version: 1, state: model.state, events: [event] });
  await forge(repo, {
    files: { [requestPath(id)]: text },
    author,
    message: messageOf(event, id),
    ...(change.key && { key: change.key }),
  });
  return id;
}

describe('a request under another name than that of what it changes', () => {
  it.each(
    someOf(
      [
        [
          'fields of another environment',
          { mode: 'field', environment: 'dev', fields: ['apps/prod/api/app.yaml#/image'] },
          'Rollback to revision v1 (TARGET) of dev',
        ],
        [
          'a tenant in a layout without',
          { mode: 'service', tenant: 'x', environment: 'prod', service: 'api' },
          'Rollback to revision v1 (TARGET) of x/prod/api',
        ],
        [
          'a service as an environment',
          { mode: 'full', tenant: 'prod', environment: 'api' },
          'Rollback to revision v1 (TARGET) of prod/api',
        ],
      ],
      3,
    ),
  )('is not executed: %s', async (_, scope, says) => {
    const on = forged;
    const before = await on.repo.git('rev-parse', 'main');
    const target = (await fileOf(on.repo, on.asked)).state['target'];
    const message = says.replace('TARGET', String(target).slice(0, 7));
    const id = await forgeOpening(on, { proposal: { scope, message } });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toMatch(/SCOPE_INVALID|FIELD_OUT_OF_SCOPE/);
    expect(await on.repo.git('rev-parse', 'main')).toBe(before);
    expect(await on.worker.requests.show({ id })).toMatchObject({ status: 'failed' });
  });

  it.runIf(isProof)('is refused where a configuration from outside would give the names', async () => {
    const on = await stage();
    const layout = { service: ['{environment}/prod/{service}/**'] };
    const config = `${JSON.stringify({ version: 1, layout, keep: [] })}\n`;
    const outside = await engineFor(on.repo, on.jane, { config });
    const planned = await outside.plan({ scope: 'apps/api' });
    expect(planned.plan.files.map(({ path }) => path)).toEqual(['apps/prod/api/app.yaml']);
    expect(await codeOf(outside.requests.gate({ planned, author: on.jane }))).toBe('FORBIDDEN');
    const id = await forgeOpening(on, { proposal: { config: { name: 'x', text: config } } });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('FORBIDDEN');
  });

  it('and one that names no configuration that can be read ends as failed, once', async () => {
    const on = forged;
    const id = await forgeOpening(on, { proposal: { config: { name: 'x', text: 'version: 99\n' } } });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toMatch(/CONFIG_INVALID|FORBIDDEN/);
    expect((await on.worker.requests.reconcile()).waiting).toEqual([]);
  });
});

describe('a request for a commit that was never on the branch', () => {
  const topic = async (repo: Repo, name: string) => {
    await repo.git('checkout', '--quiet', '-b', name);
    const commit = await repo.commit({ 'apps/dev/api/app.yaml': 'image: evil\n' });
    await repo.git('checkout', '--quiet', 'main');
    return commit;
  };
  const message = (target: string) => `Rollback to revision v1 (${target.slice(0, 7)}) of dev/api`;
  const scope = { mode: 'service', environment: 'dev', service: 'api' };

  it.each([
    ['the target is only on another branch', async (repo: Repo) => ({ target: await topic(repo, 'target') })],
    [
      'the target is on a merged branch only',
      async (repo: Repo) => {
        const target = await topic(repo, 'merged');
        await repo.git('merge', '--quiet', '--no-ff', '-s', 'ours', '-m', 'merge', 'merged');
        return { target };
      },
    ],
    ['the base is only on another branch', async (repo: Repo) => ({ base: await topic(repo, 'base') })],
    ['the target is no commit at all', async () => ({ target: '1'.repeat(40) })],
  ])('is not executed: %s', async (_, make) => {
    const on = forged;
    const { target, base } = { target: undefined, base: undefined, ...(await make(on.repo)) };
    const before = await on.repo.git('rev-parse', 'main');
    const first = await on.repo.git('rev-list', '--max-parents=0', 'main');
    const id = await forgeOpening(on, {
      proposal: { scope, target: target ?? first, message: message(target ?? first) },
      ...(base !== undefined && { terms: { base } }),
    });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toMatch(/REVISION_NOT_ON_BRANCH/);
    expect(await on.repo.git('rev-parse', 'main')).toBe(before);
  });
});

describe('a request in the name of another person', () => {
  it('is no request: whoever opens it is its author, and what it says is what it does', async () => {
    const on = await stage(
      configOf({ environments: [{ ...POLICY.environments[0], unsignedRequests: false }] }),
    );
    const ghost = { name: 'Ghost', email: 'ghost@example.com' };
    const { bob } = on;
    const id = await forgeOpening(on, {
      actor: { name: bob.name, email: bob.email },
      key: bob,
      gate: null,
      proposal: { author: ghost },
    });
    expect(await codeOf(on.bobs.requests.approve({ id, actor: bob }))).toBe('LEDGER_TAMPERED');
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('LEDGER_TAMPERED');
  });

  it('takes no permission with it where keys are known', async () => {
    const permissions = [{ allow: ['propose', 'deploy'], users: ['jane@example.com'], in: ['**'] }];
    const on = await stage(configOf({ permissions }));
    const nobody = await engineOf(on.repo);
    const { id } = await ask(nobody, on.jane);
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('IDENTITY_UNVERIFIED');
    const { id: own } = await ask(on.janes, on.jane);
    expect(await codeOf(on.worker.requests.executeRequest(own))).toBe('done');
  });

  it('gives a key no second vote, whatever names the list of keys has for it', async () => {
    const on = await stage();
    const { jane } = on;
    const alias = { name: 'Jane', email: 'jane.doe@example.com' };
    const { bob } = on;
    const list = await allowedSigners([jane, bob]);
    await appendFile(list, `${alias.email} namespaces="git" ${jane.publicKey}\n`);
    const asking = await engineFor(on.repo, jane, { allowedSigners: list });
    const { id } = await ask(asking, jane);
    await asking.requests.approve({ id, actor: alias });
    const worker = await engineOf(on.repo, { allowedSigners: list });
    expect(await codeOf(worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
  });
});

describe('break-glass', () => {
  it('is broken by its holder, and by nobody for them', async () => {
    const on = await stage();
    const { carol, jane } = on;
    const session = await on.janes.requests.openSession({ scope: 'prod', holder: jane, reason: 'x' });
    const text = await on.repo.git('show', `refs/backtrail/ledger:${sessionPath(session.id)}`);
    const id = `bgs-${newId().slice(4)}`;
    const forged: unknown = JSON.parse(text.replaceAll(session.id, id), (key, value: unknown) =>
      key === 'actor' ? { name: carol.name, email: carol.email } : value,
    );
    const event = { id: eventId(), type: 'session-opened', actor: carol };
    await forge(on.repo, {
      files: { [sessionPath(id)]: print(forged) },
      author: carol,
      key: carol,
      message: messageOf(event, id),
    });
    expect(await codeOf(ask(on.janes, jane))).toBe('LEDGER_TAMPERED');
  });

  it('stays open for review until another person has signed that they looked', async () => {
    const on = await stage();
    const { jane, bob } = on;
    await on.janes.requests.openSession({ scope: 'prod', holder: jane, reason: 'x' });
    const { id } = await ask(on.janes, jane);
    expect(await codeOf(on.bobs.requests.inspect({ id, actor: bob, comment: 'x' }))).toBe('REVIEW_NOT_OPEN');
    await on.worker.requests.executeRequest(id);
    const keyless = await engineOf(on.repo);
    expect(await codeOf(keyless.requests.inspect({ id, actor: bob, comment: 'x' }))).toBe(
      'IDENTITY_UNVERIFIED',
    );
    const person = { name: bob.name, email: bob.email };
    const at = '2026-11-21T10:00:00Z';
    await forgeEvent(on.repo, id, { id: eventId(), at, type: 'inspected', actor: person, comment: 'Fine' });
    expect((await on.bobs.requests.sessions(bob)).reviews.map((open) => open.id)).toEqual([id]);
    await on.bobs.requests.inspect({ id, actor: bob, comment: 'Now I have' });
    expect((await on.bobs.requests.sessions(bob)).reviews).toEqual([]);
  });

  it.runIf(isProof)('that did not go ahead is a request like any other from then on', async () => {
    const on = await stage();
    const { jane, bob } = on;
    const session = await on.janes.requests.openSession({ scope: 'prod', holder: jane, reason: 'x' });
    const { id } = await ask(on.janes, jane);
    await on.janes.requests.closeSession({ id: session.id, actor: jane });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
    expect(await on.janes.requests.show({ id, reader: jane })).toMatchObject({
      status: 'pending',
      breakGlass: null,
    });
    await on.bobs.requests.approve({ id, actor: bob });
    await on.worker.requests.executeRequest(id);
    const trailers = await on.repo.git('log', '-1', '--format=%(trailers:only)', 'main');
    expect(trailers).toContain('Approval: Approved by bob@example.com (quorum: 1/1)');
    expect(trailers).not.toContain('Rollback-Break-Glass');
  });
});

describe('what the branch does not bear out', () => {
  it('is not believed: a record of a rollback that is not there', async () => {
    const on = await stage();
    const { id } = await ask(on.janes, on.jane);
    await on.bobs.requests.approve({ id, actor: on.bob });
    const commit = await on.repo.git('rev-parse', 'main');
    const at = '2026-11-21T10:00:00Z';
    const done = { type: 'completed', outcome: 'completed', commit, deliveryCommit: null };
    await forgeEvent(on.repo, id, { id: eventId(), at, actor: MALLORY, ...done }, { status: 'completed' });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('LEDGER_TAMPERED');
  });

  it('is not believed: a commit that names the request and is another one', async () => {
    const on = await stage();
    const { id } = await ask(on.janes, on.jane);
    await on.repo.commit({ 'x.txt': 'x' }, { message: `Looks done\n\nRollback-Request-ID: ${id}` });
    expect((await on.worker.requests.reconcile()).repairs).toEqual([]);
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('LEDGER_TAMPERED');
  });

  it.each(
    someOf(
      [
        ['no file', {}],
        ['another file', { 'x.txt': 'x' }],
      ],
      1,
    ),
  )('is not believed: a commit with the trailers of the rollback that changes %s', async (_what, files) => {
    const on = await stage();
    const { id, target, base, digest } = await ask(on.janes, on.jane);
    const trailers = [
      'Mode: service',
      'Service: api',
      'Justification: v2 answers 500',
      'Author: jane@example.com',
      `Rollback-Request-ID: ${id}`,
      'Rollback-Environment: prod',
      `Rollback-Target: ${target}`,
      `Rollback-Base: ${base}`,
      `Rollback-Plan: ${digest}`,
      'Rollback-Engine: 2',
    ];
    const message = `Rollback: env/prod\n\n${trailers.join('\n')}`;
    await on.repo.commit(files, { message });
    const claim = readRollback(trailers);
    expect(claim?.record).toMatchObject({ requestId: id, target, plan: digest });
    expect((await on.worker.requests.reconcile()).repairs).toEqual([]);
    expect((await on.worker.requests.show({ id })).status).toBe('pending');
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('LEDGER_TAMPERED');
  });
});

it('refuses before it writes what nobody could read again', async () => {
  const on = await stage();
  const { id } = await ask(on.janes, on.jane);
  const planned = await on.janes.plan({ scope: 'prod/api' });
  const fields = Array.from({ length: 501 }, (_, n) => `apps/prod/api/app.yaml#/k${n}`);
  const scope = { mode: 'field' as const, environment: 'prod', service: 'api', fields };
  const large = { ...planned, plan: { ...planned.plan, scope } };
  const opening = on.janes.requests.open({ planned: large, author: on.jane, id: newId(), reason: 'x' });
  expect(await codeOf(opening)).toBe('INVALID_REQUEST');
  expect((await on.bobs.requests.list({ reader: on.bob })).map((request) => request.id)).toEqual([id]);
});

it.runIf(isProof)('is dated by when it was let go ahead, not by when it was asked for', async () => {
  const on = await stage();
  const asked = new Date(Date.now() - 3_600_000);
  const clock = { now: () => asked.getTime(), sleep: () => Promise.resolve() };
  const before = await engineFor(on.repo, on.jane, { clock });
  const { id } = await ask(before, on.jane);
  const { reviews } = await on.bobs.requests.approve({ id, actor: on.bob });
  await on.worker.requests.executeRequest(id);
  const date = await on.repo.git('log', '-1', '--format=%cI', 'main');
  expect(Date.parse(date)).toBe(Date.parse(reviews[0]?.at ?? ''));
});

it('is not opened under a configuration from outside, and one that brought its own is executed nowhere', async () => {
  const { jane, bob, signers } = await team;
  const repo = await policedRepo();
  await repo.commit({ '.backtrail/config.yaml': null });
  const config = configOf();
  const janes = await engineFor(repo, jane, { allowedSigners: signers, config });
  expect(await codeOf(ask(janes, jane))).toBe('FORBIDDEN');
  const worker = await engineOf(repo, { allowedSigners: signers });
  expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
  const bobs = await engineFor(repo, bob, { allowedSigners: signers });
  expect(await bobs.requests.list({ reader: bob })).toEqual([]);
});
