/** Rollbacks of random repositories, some hundred of each, in which an audit finds nothing wrong. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGit } from '../../../../engine/git/open.ts';
import {
  type Engine,
  isFailure,
  makeRequestId,
  type Person,
  type Plan,
} from '../../../../engine/internal.ts';
import { createPrograms, sandboxOf } from '../../../../engine/render/programs/index.ts';
import { executeBatch } from '../../../../engine/rollback/batch/batch.ts';
import type { BatchMember } from '../../../../engine/rollback/batch/round.ts';
import { createObserve } from '../../../../engine/rollback/observe.ts';
import { engineOf, SERVICE } from '../../../helpers/repositories/engine.ts';
import { createRepo, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { runs, someOf } from '../../../helpers/run/proof.ts';
import { appOf, configOf, filesAt, scopeOf, type Wish, type World, worldOf } from './random.ts';

const SERVICES = runs(250, 12);
const WORLDS = runs(45, 2);
/** In all, with resumes. */
const AT_LEAST = runs(10_000, 12);

type Asked = Parameters<Engine['plan']>[0] & { readonly author: Person };

/** One a repository, so that what fails is told by a number. */
const SEEDS = fc.sample(fc.noBias(fc.nat()), {
  seed: Number(process.env['BACKTRAIL_TEST_SEED'] ?? 0),
  numRuns: WORLDS,
});

describe('an audit of random rollbacks', () => {
  let count = 0;
  const seen = new Set<string>();

  it.each(someOf(SEEDS, 1))('finds each of them honest: seed %i', async (seed) => {
    const [world] = fc.sample(worldOf(SERVICES), { seed, numRuns: 1 });
    if (world === undefined) throw new Error('One was made.');
    const repo = await createRepo({ bare: true });
    const commits = world.history.map((_, at) => ({ files: filesAt(world, at) }));
    const [first, ...rest] = commits;
    const config = { '.backtrail/config.yaml': configOf(world) };
    const ids = await repo.replay([{ files: { ...config, ...first?.files } }, ...rest]);
    const engine = await engineOf(repo);
    const asks = world.wishes.map((wish) => askOf(world, wish, ids));
    await execute(repo, engine, world, asks);
    const resumes = asks
      .filter((_, at) => world.resumes[at])
      .map((asked): Asked => ({ ...pick(asked), resume: true }));
    await execute(repo, engine, world, resumes);
    for (const reader of ['git', 'isomorphic'] as const) {
      const report = await engine.audit.verify({ reader, render: reader === 'git' });
      expect(report.rows.filter(({ verdict }) => verdict !== 'honest')).toEqual([]);
      expect(report.ledger.problems).toEqual([]);
      expect(report.outside).toEqual([]);
      if (reader === 'git') count += report.checked;
      for (const { kind, mode } of report.rows) seen.add(`${world.way} ${kind} ${mode}`);
    }
  });

  it('has made enough of them, in every way', () => {
    expect(count).toBeGreaterThanOrEqual(AT_LEAST);
    // Each way with services, environments, fields, and resumes of them.
    expect(seen.size).toBeGreaterThanOrEqual(runs(15, 3));
  });
});

const pick = ({ scope, fields, author }: Asked): Asked => ({ scope, ...(fields && { fields }), author });

function askOf(world: World, wish: Wish, ids: readonly string[]): Asked & { readonly reason: string } {
  const { mode, back, hold, holdFor, author, reason, service } = wish;
  const app = appOf(world, service);
  const fields = { part: [`${app}#/image/tag`], file: [`${app}#/image`, `${app}#/replicas`] };
  return {
    scope: scopeOf(world, wish),
    to: ids.at(-1 - back) ?? '',
    ...(mode === 'part' && { fields: fields.part }),
    ...(mode === 'file' && { fields: fields.file, wholeFile: true }),
    ...(mode === 'whole' && { wholeFile: true }),
    allowRemoval: true,
    hold,
    ...(hold && holdFor !== null && { holdFor }),
    author,
    reason,
  };
}

const without = ({ to: _to, ...asked }: Asked): Asked => asked;

async function execute(
  repo: Repo,
  engine: Engine,
  world: World,
  asks: readonly (Asked & { readonly reason?: string })[],
) {
  const planned = [];
  for (const { reason = 'Deployed', ...asked } of asks) {
    const found = await engine.plan(asked).catch((error: unknown) => {
      if (isFailure(error)) return null;
      throw error;
    });
    const isBlocked = found?.plan.findings.some(({ severity }) => severity === 'block');
    if (found === null || found.plan.files.length === 0 || isBlocked) continue;
    planned.push({ asked, plan: found.plan, reason });
  }
  if (world.way === 'alone') return together(repo, planned);
  const opened = await engine.rollbacks.requestMany(
    planned.map(({ asked, plan: { target, digest, base, scope }, reason }) => ({
      ...without(asked),
      ...(scope.fields && { fields: scope.fields }),
      target: target.commit,
      digest,
      base,
      reason,
      ledger: true,
    })),
  );
  const ids = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value.requestId] : []));
  if (world.way === 'approved')
    await engine.requests.reviewMany({
      votes: ids.map((id) => ({ id })),
      decision: 'approved',
      actor: { name: 'Rita', email: 'rita@example.com' },
    });
  await engine.rollbacks.executeMany(ids.map((id) => ({ id })));
}

interface Planned {
  readonly asked: Asked;
  readonly plan: Plan;
  readonly reason: string;
}

let made = 0;

/** As a batch of a worker, without a ledger. */
async function together(repo: Repo, planned: readonly Planned[]): Promise<void> {
  const git = await openGit({
    location: repo.folder,
    cacheFolder: join(await temporaryFolder(), 'cache'),
    env: repo.env,
  });
  const observe = createObserve(git, null);
  const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
  const members = planned.map(({ asked, plan, reason }): BatchMember => {
    const random = crypto.getRandomValues(new Uint8Array(10));
    const request = {
      id: makeRequestId(1_790_000_000_000 + (made += 1), random),
      scope: plan.scope,
      target: plan.target.commit,
      base: plan.base,
      allowRemoval: asked.allowRemoval ?? false,
      hold: asked.hold ? { seconds: secondsOf(asked.holdFor) } : null,
      ...(asked.resume && { resume: true as const }),
    };
    return {
      asked: request,
      authorize: ({ plan: now }) =>
        Promise.resolve({
          ...request,
          digest: now.digest,
          reason,
          author: asked.author,
          requestedAt: new Date(1_790_000_000_000 + made * 1000).toISOString(),
        }),
    };
  });
  const programs = createPrograms({
    path: repo.env['PATH'] ?? '',
    allowed: [],
    sandbox: sandboxOf(undefined),
    signal: new AbortController().signal,
  });
  await executeBatch({
    git,
    observe,
    snapshot: await observe(),
    programs,
    committer: SERVICE,
    clock,
    members,
    record: () => Promise.resolve(null),
  });
  await git.close();
}

const secondsOf = (text: string | undefined) => (text === undefined ? null : text === '7d' ? 604_800 : 3600);
