/** What somebody does over HTTP counts in the ledger as what they do by the command line: no more, no less. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/index.ts';
import { createLogger, executeInBatches, startWorker } from '../../../workers/index.ts';
import { configOf, createTeam, engineFor, type Team } from '../../helpers/people/requests.ts';
import { createIdentity, type Identity } from '../../helpers/people/signing.ts';
import { backtrail } from '../../helpers/program/cli.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { runs } from '../../helpers/run/proof.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';
import { useRedis } from '../../helpers/servers/redis.ts';

const POLICY = {
  environments: [
    { match: 'signed', quorum: 1 },
    { match: 'unsigned', quorum: 1, unsignedApprovals: true },
  ],
};
/** By which way Jane asks, and Bob votes. */
const WAYS = [
  ['http', 'cli'],
  ['cli', 'http'],
] as const;
const WHERE = ['signed', 'unsigned'] as const;
const REASON = 'v2 answers 500';
const ROLLBACKS = '/api/v1/rollbacks';

const redis = useRedis();
let repo: Repo;
let team: Team;
/** Has no key. */
let eve: Identity;
let engine: Engine;
let apis: Readonly<Record<'jane' | 'bob' | 'eve', Api>>;
beforeAll(async () => {
  repo = await createRepo({ bare: true });
  const apps = (tag: string) =>
    Object.fromEntries(
      WHERE.flatMap((where) =>
        ['s0', 's1', 's2'].map((name) => [`apps/${where}/${name}/app.yaml`, `image: ${tag}\n`]),
      ),
    );
  await repo.replay([
    { files: { '.backtrail/config.yaml': configOf(POLICY), ...apps('v1') } },
    { files: apps('v2') },
  ]);
  team = await createTeam();
  eve = await createIdentity({ name: 'eve', email: 'eve@example.com', signs: false });
  const options = { allowedSigners: team.signers, lives: 'file' } as const;
  const apiOf = async (person: Identity) =>
    startApi(await engineFor(repo, person, options), {
      person,
      lives: 'file',
      settings: { redisUrl: redis.url },
    });
  apis = { jane: await apiOf(team.jane), bob: await apiOf(team.bob), eve: await apiOf(eve) };
  engine = await engineOf(repo, options);
  const worker = startWorker({
    redisUrl: redis.url,
    execute: executeInBatches(() => engineOf(repo, options)),
    logger: createLogger({ name: 'worker', destination: { write: () => undefined } }),
  });
  closeAfterFile(() => worker.close());
});

async function typed(person: Identity, args: readonly string[]) {
  const env = { ...person.env, BACKTRAIL_ALLOWED_SIGNERS: team.signers };
  const { code, stdout } = await backtrail(repo, [...args, '-o', 'json'], { redisUrl: redis.url, env });
  return { code, body: JSON.parse(stdout) };
}

async function ask(way: string, environment: string, service: string): Promise<string> {
  const body = { environment, service, targetSha: 'v1', justification: REASON };
  const asked =
    way === 'http'
      ? await apis.jane.post(ROLLBACKS, body)
      : await typed(team.jane, [
          'rollback',
          `${environment}/${service}`,
          '--to',
          'v1',
          '--yes',
          '--reason',
          REASON,
          '--queue',
        ]);
  expect(asked.body.status).toBe('pending');
  return asked.body.requestId;
}

const approve = (way: string, id: string) =>
  way === 'http'
    ? apis.bob.post(`${ROLLBACKS}/${id}/approve`, { comment: 'looked at' })
    : typed(team.bob, ['request', 'approve', id, '--yes', '--comment', 'looked at']);

/** Without what differs between any two requests. */
async function counted(id: string, service: string) {
  const { status, approval, gate, author, authorIdentity, justification, reviews, result } =
    await engine.requests.show({ id });
  const events = await engine.requests.audit({ limit: 1000, reader: team.carol });
  return JSON.parse(
    JSON.stringify({
      status,
      approval,
      gate,
      author,
      authorIdentity,
      justification,
      reviews: reviews.map(({ decision, actor, comment, identity, counts }) => ({
        decision,
        actor,
        comment,
        identity,
        counts,
      })),
      result: result?.status,
      events: events
        .filter(({ requestId }) => requestId === id)
        .map(({ event, actor, identity, subject, comment, problems }) => ({
          event,
          actor,
          identity,
          subject,
          comment,
          problems,
        })),
    })
      .replaceAll(service, 'SERVICE')
      .replaceAll(id, 'ID')
      .replace(/(?<= in )[0-9a-f]{7}/, 'COMMIT'),
  );
}

describe.each(WHERE.slice(0, runs(2, 1)))('where approvals are %s', (where) => {
  it('asking and voting counts the same, by whichever way', async () => {
    const outcomes = [];
    for (const [index, [asks, votes]] of WAYS.entries()) {
      const id = await ask(asks, where, `s${index}`);
      expect((await approve(votes, id)).body).toMatchObject({ id, status: 'completed' });
      outcomes.push(await counted(id, `s${index}`));
    }
    const identity = 'verified';
    expect(outcomes[0]).toMatchObject({
      status: 'completed',
      authorIdentity: identity,
      reviews: [{ decision: 'approved', actor: { email: 'bob@example.com' }, identity, counts: true }],
    });
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  });

  it('a vote that nobody signed counts as much as by the command line', async () => {
    const id = await ask('http', where, 's2');
    const voted = await apis.eve.post(`${ROLLBACKS}/${id}/approve`);
    const counts = where === 'unsigned';
    expect([voted.status, voted.body.status]).toEqual([200, counts ? 'completed' : 'pending']);
    expect(voted.body.reviews).toMatchObject([{ identity: 'unverified', counts }]);
    // What was rolled back goes forward again.
    const targetSha = counts ? 'v2' : 'v1';
    const asked = { environment: where, service: 's2', targetSha, justification: REASON };
    const unsigned = await apis.eve.post(ROLLBACKS, asked);
    expect([unsigned.status, unsigned.body.code]).toEqual(
      counts ? [201, undefined] : [403, 'IDENTITY_UNVERIFIED'],
    );
  });
});

it('all of it is found to be honest', async () => {
  const report = await engine.audit.verify({});
  expect([report.checked, report.honest, report.ledger.problems]).toEqual([
    report.checked,
    report.checked,
    [],
  ]);
  expect(report.checked).toBeGreaterThanOrEqual(runs(5, 2));
});
