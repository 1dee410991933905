/** Calls every public function of the package against a branch with a policy, and proves that none publishes past it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as library from '../../engine/index.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { isProof, runs, someOf } from '../helpers/run/proof.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { LEDGER } from '../helpers/people/scene.ts';
import { configOf, createTeam, newId, policedRepo, type Team } from '../helpers/people/requests.ts';
import * as workers from '../../workers/index.ts';
import { FUNCTIONS } from './surface-functions.ts';

const redis = useRedis();
const team = createTeam();

/** Production needs one approval of another person, and no glass can be broken. */
const RULES = configOf({ environments: [{ match: 'prod', quorum: 1 }] });
/** The same layout, without any policy. */
const LAWLESS = configOf({ environments: [] });

interface Named {
  readonly name: string;
  readonly call: (...args: readonly unknown[]) => unknown;
}

/** Functions of an object and of the plain objects in it; a class is made, not called. */
function functionsOf(value: object, prefix = ''): Named[] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const name = `${prefix}${key}`;
    if (typeof member === 'function')
      return [{ name, call: (...args) => Reflect.apply(member, value, args) as unknown }];
    const isGroup = prefix === '' && typeof member === 'object' && member !== null && !Array.isArray(member);
    return isGroup ? functionsOf(member, `${name}.`) : [];
  });
}

const namesOf = (value: object) =>
  functionsOf(value)
    .map(({ name }) => name)
    .sort();

async function scene() {
  const { jane, bob, carol, signers }: Team = await team;
  const repo = await policedRepo(RULES);
  const options = {
    repo: repo.folder,
    env: { ...repo.env, ...jane.env },
    cacheFolder: join(await temporaryFolder(), 'cache'),
    allowedSigners: signers,
  };
  const watcher = await engineOf(repo, { allowedSigners: signers });
  /** What git keeps of the ledger's ref, when its requests were last looked at. */
  const seen = { ledger: '-' };
  return { repo, jane, bob, carol, signers, options, watcher, seen };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** One object that is a plausible argument of whatever takes one: the ask, a digest that is right, and both people. */
async function everything({ options, jane, repo, signers }: Scene, actor: library.Person) {
  const engine = await library.openEngine(options);
  const plan = await engine.rollbacks.plan({ scope: 'prod/api', author: jane });
  await engine.close();
  const id = newId();
  const controller = new AbortController();
  controller.abort(new Error('No longer waited for.'));
  return {
    ...options,
    ...plan,
    plan,
    planned: { plan, delivery: { outputs: [], renderers: [], differences: [], findings: [] } },
    config: { name: 'outside', text: LAWLESS },
    text: LAWLESS,
    rendered: plan.gate.rendered,
    id,
    requestId: id,
    requestedAt: '2026-01-01T00:00:00Z',
    reason: 'v2 answers 500',
    justification: 'v2 answers 500',
    comment: 'I have looked at it',
    author: actor,
    actor,
    holder: actor,
    reader: actor,
    committer: actor,
    account: actor,
    person: actor,
    allowRemoval: true,
    override: ['allow-removal'],
    automatic: { revision: plan.base, seen: 'It was seen degraded.' },
    onTrust: true,
    provenance: { approvals: ['Approved by bob@example.com'], ledger: plan.base, breakGlass: null, at: '' },
    approval: { need: 0, have: 1, approvers: [] },
    status: 'approved',
    settles: true,
    to: 'v1',
    from: 'v1',
    revision: 'v1',
    limit: 10,
    nodeVersion: process.versions.node,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    redisUrl: redis.url,
    ids: [id],
    votes: [{ id, digest: plan.digest }],
    decision: 'approved',
    incident: 'inc-1',
    v: 2,
    location: repo.folder,
    signers,
    timeoutMs: 1,
    signal: controller.signal,
    logger: { info: () => 0, warn: () => 0, error: () => 0, child: () => ({ info: () => 0, warn: () => 0 }) },
    process: { on: () => 0, off: () => 0, exit: () => 0 },
    stop: () => Promise.resolve(),
    execute: () => Promise.reject(new Error('Nobody executes anything.')),
  };
}

/** How a function may be called with that. */
function argumentsFor(all: Awaited<ReturnType<typeof everything>>): (readonly unknown[])[] {
  const scope = { mode: 'service', environment: 'prod', service: 'api' };
  const { signal: _, ...unhurried } = all;
  return [
    [],
    [all.author],
    ['prod/api', unhurried],
    [unhurried],
    [{ ...unhurried, scope }],
    [{ ...unhurried, scope, ledger: true }],
    [{ ...unhurried, planned: undefined, config: undefined }],
    [all.id, unhurried],
    [all.plan, unhurried],
    [all.planned, unhurried],
    [{ ...unhurried, scope }, all.planned],
    [[unhurried], unhurried],
  ];
}

/** What it gives, or nothing where it fails; one that waits for ever is left behind. */
async function tried(call: () => unknown): Promise<unknown> {
  try {
    const waited = new Promise((resolve) => setTimeout(resolve, 20_000, undefined).unref());
    return await Promise.race([call(), waited]);
  } catch {
    return undefined;
  }
}

/** The branch stands where it stood, and nothing in the ledger may go ahead without a vote that counts. */
async function requireUnmoved(stage: Scene, tip: string, by: string): Promise<void> {
  const { repo, watcher, carol, seen } = stage;
  expect([by, await tipOf(repo)]).toEqual([by, tip]);
  // Most functions write nothing into it.
  const refs = [LEDGER, 'packed-refs'].map((name) =>
    readFile(join(repo.gitDir, name), 'utf8').catch(() => ''),
  );
  const ledger = (await Promise.all(refs)).join('\n');
  if (ledger === seen.ledger) return;
  seen.ledger = ledger;
  const requests = await watcher.requests.list({ reader: carol });
  const ahead = requests.filter(
    ({ status, reviews }) =>
      ['approved', 'executing', 'completed'].includes(status) && !reviews.some(({ counts }) => counts),
  );
  expect([by, ahead.map(({ id }) => id)]).toEqual([by, []]);
}

const tipOf = (repo: Repo) => repo.git('rev-parse', 'main');

/** Gives how many functions were called. */
async function callAll(
  stage: Scene,
  functions: readonly Named[],
  people: readonly library.Person[],
): Promise<number> {
  const tip = await tipOf(stage.repo);
  const called = functions.filter((one) => one.name !== 'close');
  for (const actor of people) {
    const all = await everything(stage, actor);
    for (const { name, call } of called) {
      // They read the whole branch anew, whatever they are asked.
      const ways = argumentsFor(all);
      for (const args of name.startsWith('audit.') ? someOf(ways, 3) : ways) {
        const given = await tried(() => call(...args));
        if (typeof given === 'object' && given !== null && 'close' in given) await closed(given);
      }
      await requireUnmoved(stage, tip, `${name} by ${actor.email}`);
    }
  }
  return called.length;
}

async function closed(given: object & { readonly close: unknown }): Promise<void> {
  const { close } = given;
  if (typeof close === 'function') await tried(() => Reflect.apply(close, given, []) as unknown);
}

describe('the public surface', () => {
  it('is what is named here, one by one', async () => {
    const { options } = await scene();
    const opened = await library.openEngine(options);
    try {
      expect(namesOf(library).filter((name) => !name.includes('.'))).toEqual(FUNCTIONS.engine);
      expect(namesOf(workers).filter((name) => !name.includes('.'))).toEqual(FUNCTIONS.workers);
      expect(namesOf(opened)).toEqual(FUNCTIONS.opened);
    } finally {
      await opened.close();
    }
  });

  it('holds nothing that publishes a rollback which needs an approval, whoever calls it with whatever is right', async () => {
    const stage = await scene();
    const opened = await library.openEngine(stage.options);
    try {
      const called = await callAll(stage, functionsOf(opened), [stage.jane, stage.bob].slice(0, runs(2, 1)));
      expect(called).toBe(FUNCTIONS.opened.length - 1);
    } finally {
      await opened.close();
    }
  });

  it.runIf(isProof)('nor where a configuration from outside says that nobody has to agree', async () => {
    const stage = await scene();
    const config = { name: 'outside', text: LAWLESS };
    const opened = await library.openEngine({ ...stage.options, config });
    try {
      const called = await callAll(stage, functionsOf(opened), [stage.jane]);
      expect(called).toBe(FUNCTIONS.opened.length - 1);
    } finally {
      await opened.close();
    }
  });

  it('nor among the functions that the package exports', async () => {
    const stage = await scene();
    const exported = [...functionsOf(library), ...functionsOf(workers)];
    const functions = exported.filter(({ name }) => !name.includes('.'));
    const called = await callAll(stage, functions, [stage.jane]);
    expect(called).toBe(FUNCTIONS.engine.length + FUNCTIONS.workers.length);
  });

  it('nor in a worker that is handed the id of what waits for approval', async () => {
    const stage = await scene();
    const { options, repo, jane } = stage;
    const engine = await library.openEngine(options);
    try {
      const { scope, target, digest } = await engine.rollbacks.plan({ scope: 'prod/api', author: jane });
      const asked = { scope, target, digest, author: jane, reason: 'v2 answers 500' };
      const { request, status } = await engine.rollbacks.request(asked);
      expect(status).toBe('pending');
      const id = request?.id ?? '';
      const queue = await workers.openQueue({ redisUrl: redis.url });
      const worker = workers.startWorker({
        redisUrl: redis.url,
        logger: workers.createLogger({ name: 'surface', destination: { write: () => undefined } }),
        execute: ({ requestId }) => engine.rollbacks.execute(requestId),
      });
      const { since } = await workers.enqueueRollback(queue, { v: 2, requestId: id, repo: repo.folder });
      const followed = workers.followRollback(queue, id, { since });
      await expect(followed).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
      await worker.close();
      await queue.close();
      await requireUnmoved(stage, await tipOf(repo), 'a worker');
    } finally {
      await engine.close();
    }
  });
});
