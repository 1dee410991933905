/** One file, several names: whoever rolls it back under any of them needs what the rules of all of them ask for. */
import { describe, expect, it } from 'vitest';
import { type Engine, isFailure, type Person } from '../../engine/internal.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { createTeam, engineFor, newId } from '../helpers/people/requests.ts';
import { createRepo } from '../helpers/repositories/repo.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const team = createTeam();

const TWO = { environment: ['envs/{tenant}/{environment}/**', '{tenant}/{environment}/**'] };

/** Production and staging of `acme` and `globex`, each with a good and a bad revision. */
async function stage(layout: object, policy: object, files?: (image: string) => Record<string, string>) {
  const { jane, bob, carol, signers } = await team;
  const repo = await createRepo();
  const of =
    files ??
    ((image: string) => ({
      'envs/acme/production/api/app.yaml': `image: ${image}\n`,
      'envs/acme/staging/api/app.yaml': `image: ${image}\n`,
      'envs/globex/production/api/app.yaml': `image: ${image}\n`,
      'envs/globex/staging/api/app.yaml': `image: ${image}\n`,
    }));
  const config = `${JSON.stringify({ version: 1, layout, keep: [], policy })}\n`;
  await repo.replay([{ files: { '.backtrail/config.yaml': config, ...of('v1') } }, { files: of('v2') }]);
  const options = { allowedSigners: signers };
  const [janes, bobs, carols, worker] = await Promise.all([
    engineFor(repo, jane, options),
    engineFor(repo, bob, options),
    engineFor(repo, carol, options),
    engineOf(repo, options),
  ]);
  return { repo, jane, bob, carol, janes, bobs, carols, worker };
}

const open = async (engine: Engine, author: Person, scope: string) => {
  const planned = await engine.plan({ scope });
  return engine.requests.open({ planned, author, id: newId(), reason: 'v2 answers 500' });
};
const gateOf = async (engine: Engine, author: Person, scope: string) =>
  engine.requests.gate({ planned: await engine.plan({ scope }), author });

const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'done',
    (error: unknown) => {
      if (isFailure(error)) return error.code;
      throw error;
    },
  );

const rule = (match: string, users: string[], more: object = {}) => ({
  match,
  quorum: 1,
  approvers: { users },
  ...more,
});

describe('a path that several environments own', () => {
  it.each(
    someOf(
      [
        ['by two patterns', TWO, 'envs/acme'],
        [
          'at two depths',
          {
            environment: TWO.environment.slice(0, 1),
            service: ['envs/{tenant}/{environment}/{service}/**', '{tenant}/{environment}/{service}/**'],
          },
          'envs/acme/production',
        ],
        ['by a double star', { environment: ['**/{tenant}/{environment}/**'] }, 'envs/acme'],
      ],
      1,
    ),
  )('is rolled back only as the strictest of them allows: %s', async (_, layout, scope) => {
    const on = await stage(layout, { environments: [rule('*/production', ['bob@example.com'])] });
    const { plan } = await on.janes.plan({ scope });
    expect(plan.findings).toContainEqual(
      expect.objectContaining({ code: 'SCOPE_OVERLAP', severity: 'warn' }),
    );
    expect(await gateOf(on.janes, on.jane, scope)).toMatchObject({
      needsApproval: true,
      approval: { need: 1, approvers: ['bob@example.com'] },
    });
    const { id, status } = await open(on.janes, on.jane, scope);
    expect(status).toBe('pending');
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
    await on.bobs.requests.approve({ id, actor: on.bob });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('done');
  });

  it('is rolled back as before where one environment alone has what changes', async () => {
    const on = await stage(TWO, { environments: [rule('*/production', ['bob@example.com'])] });
    expect(await gateOf(on.janes, on.jane, 'acme/staging')).toMatchObject({ needsApproval: false });
  });

  it('needs the votes that each rule asks for, and one vote may count for several', async () => {
    const environments = [
      rule('acme/production', ['bob@example.com']),
      rule('acme/staging', ['carol@example.com']),
      rule('globex/production', ['bob@example.com']),
      rule('globex/staging', ['bob@example.com']),
    ];
    const on = await stage(TWO, { environments });
    const { id, approval } = await open(on.janes, on.jane, 'envs/acme');
    expect(approval.rules).toEqual([
      { environment: 'acme/production', need: 1, have: 0, approvers: ['bob@example.com'] },
      { environment: 'acme/staging', need: 1, have: 0, approvers: ['carol@example.com'] },
    ]);
    expect((await on.bobs.requests.approve({ id, actor: on.bob })).status).toBe('pending');
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
    expect((await on.carols.requests.approve({ id, actor: on.carol })).status).toBe('approved');
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('done');
    const both = await open(on.janes, on.jane, 'envs/globex');
    expect(both.approval.rules?.map(({ environment }) => environment)).toEqual([
      'globex/production',
      'globex/staging',
    ]);
    expect((await on.bobs.requests.approve({ id: both.id, actor: on.bob })).status).toBe('approved');
  });

  it('takes the shortest expiry, and permissions in every one of them', async () => {
    const environments = [
      rule('acme/production', ['bob@example.com'], { expiry: '1h' }),
      rule('envs/acme', ['bob@example.com'], { expiry: '72h' }),
    ];
    const on = await stage(TWO, { environments });
    const { createdAt, expiresAt } = await open(on.janes, on.jane, 'envs/acme');
    expect(Date.parse(expiresAt ?? '') - Date.parse(createdAt)).toBe(3_600_000);
    const permissions = [
      { allow: ['propose', 'deploy'], users: ['jane@example.com'], in: ['envs/acme', 'acme/staging'] },
      { allow: ['admin'], users: ['bob@example.com'], in: ['**'] },
    ];
    const other = await stage(TWO, { permissions });
    expect(await codeOf(gateOf(other.janes, other.jane, 'envs/acme'))).toBe('PERMISSION_DENIED');
    expect(await codeOf(gateOf(other.bobs, other.bob, 'envs/acme'))).toBe('done');
  });

  it('is not covered by a session of break-glass for one of them', async () => {
    const breakGlass = { allowed: true, longest: '1h' };
    const environments = [
      rule('acme/production', ['bob@example.com'], { breakGlass }),
      rule('envs/acme', ['bob@example.com'], { breakGlass }),
    ];
    const on = await stage(TWO, { environments });
    const session = (scope: string) =>
      on.janes.requests.openSession({ scope, holder: on.jane, reason: 'Down', minutes: 30 });
    await session('envs/acme');
    expect(await gateOf(on.janes, on.jane, 'envs/acme')).toMatchObject({
      needsApproval: true,
      session: null,
    });
  });

  it.runIf(isProof)('is judged by a worker anew, whatever the request says', async () => {
    const on = await stage(TWO, { environments: [] });
    const { id } = await open(on.janes, on.jane, 'envs/acme');
    const policy = { environments: [rule('*/production', ['bob@example.com'])] };
    const config = `${JSON.stringify({ version: 1, layout: TWO, keep: [], policy })}\n`;
    await on.repo.commit({ '.backtrail/config.yaml': config });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
  });

  it('is told apart by what changes in a shared file', async () => {
    const layout = {
      service: ['all.yaml#/{environment}/{service}'],
      environment: ['all.yaml#/{environment}'],
    };
    const files = (image: string) => ({
      'all.yaml': `production:\n  api: { image: v1 }\nstaging:\n  api: { image: ${image} }\n`,
    });
    const policy = { environments: [rule('production', ['bob@example.com'])] };
    const on = await stage(layout, policy, files);
    expect(await gateOf(on.janes, on.jane, 'staging/api')).toMatchObject({ needsApproval: false });
  });
});
