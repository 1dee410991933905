import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningRedis } from '../../../scripts/redis.ts';
import { approvals, type Approvals, errorOf, makePeople } from '../../helpers/people/approvals.ts';
import { exampleRepo, jsonOf, start } from '../../helpers/program/cli.ts';
import { isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { startTestRedis } from '../../helpers/servers/redis.ts';

const shape = z.object({
  id: z.string(),
  rollbacks: z.array(
    z.looseObject({
      scope: z.string(),
      requestId: z.string(),
      status: z.string(),
      commit: z.string().nullable(),
      error: z.looseObject({ code: z.string() }).optional(),
    }),
  ),
});

const statuses = ({ rollbacks }: z.infer<typeof shape>) =>
  rollbacks.map(({ scope, status, error }) => [scope, error?.code ?? status].join(' ')).toSorted();

const SCOPES = ['acme/production/api-gateway', 'globex/production/api-gateway'];
const JSON_OUT = ['-o', 'json'];

describe('the requests of an incident', () => {
  let redis: RunningRedis;
  let worker: ReturnType<typeof start>;
  beforeAll(async () => {
    redis = await startTestRedis();
    const [{ env }, { signers }] = await Promise.all([isolatedEnv(), makePeople()]);
    const options = { redisUrl: redis.url, env: { BACKTRAIL_ALLOWED_SIGNERS: signers } };
    worker = start({ folder: '/', env }, ['worker', '--name', 'tested'], options);
  });
  afterAll(async () => {
    worker.child.kill('SIGTERM');
    await worker.ended;
    await redis.stop();
  });
  const queue = () => ({ redisUrl: redis.url });

  /** `more`: lines of the incident file. */
  async function opened(more = ''): Promise<Approvals & { readonly file: string }> {
    const team = await approvals();
    const file = join(await temporaryFolder(), 'incident.yaml');
    await writeFile(
      file,
      `id: inc-1\nreason: v2 answers 500\n${more}rollbacks:\n  - { scope: "*/production/api-gateway" }\n`,
    );
    const asked = await team.as('jane', ['incident', file, '--yes', ...JSON_OUT], queue());
    expect(asked).toMatchObject({ code: 5 });
    return { ...team, file };
  }

  it('go on where whoever asked stops waiting for them, and the last line says so', async () => {
    const repo = await exampleRepo();
    const file = join(await temporaryFolder(), 'incident.yaml');
    await writeFile(file, 'id: inc-2\nreason: x\nrollbacks:\n  - { scope: acme/production/api-gateway }\n');
    // Another queue: no worker takes them.
    const idle = `${redis.url}/1`;
    const asking = start(repo, ['incident', file, '--yes', ...JSON_OUT], { redisUrl: idle });
    await expect.poll(() => repo.git('for-each-ref', 'refs/backtrail/ledger')).not.toBe('');
    asking.child.kill('SIGTERM');
    const { code, stderr } = await asking.ended;
    expect({ code, stderr }).toMatchObject({
      code: 143,
      stderr: expect.stringContaining('goes on') as unknown,
    });
    expect(stderr).not.toContain('Nothing was published');
  });

  it('are shown, approved, executed and reported together', async () => {
    const { as } = await opened();
    const list = await as('bob', ['request', 'list', '--incident', 'inc-1'], queue());
    expect(list.stdout.match(/rbk-/g)).toHaveLength(2);
    const approve = ['request', 'approve', '--incident', 'inc-1'];
    expect(errorOf(await as('bob', [...approve, ...JSON_OUT], queue())).code).toBe('CONFIRMATION_REQUIRED');
    const own = await as('jane', [...approve, '--yes', ...JSON_OUT], queue());
    expect(own.code).toBe(3);
    const done = await as('bob', [...approve, '--yes', '--comment', 'Go'], queue());
    expect(done).toMatchObject({ code: 0 });
    for (const scope of SCOPES) expect(done.stderr).toContain(scope);
    expect(done.stdout.match(/completed/g)).toHaveLength(2);
    const after = await as('bob', [...approve, '--yes'], queue());
    expect(after).toMatchObject({ code: 2, stderr: expect.stringContaining('REQUEST_UNKNOWN') });
    const shown = await as('bob', ['request', 'list', '--all', '--incident', 'inc-1', ...JSON_OUT], queue());
    expect(shown.stdout.match(/"incident": "inc-1"/g)).toHaveLength(2);
  });

  it.runIf(isProof)('are rejected together, and say so', async () => {
    const { as } = await opened();
    const rejected = await as(
      'bob',
      ['request', 'reject', '--incident', 'inc-1', '--yes', ...JSON_OUT],
      queue(),
    );
    expect(rejected.code).toBe(0);
    expect(statuses(jsonOf(rejected, shape))).toEqual(SCOPES.map((scope) => `${scope} rejected`));
  });

  it.runIf(isProof)('end with 3 where one is refused, and go on with the others', async () => {
    const { as, repo } = await opened();
    await repo.commit({ 'tenants/globex/production/services/api-gateway/service.yaml': 'image: {\n' });
    const approve = ['request', 'approve', '--incident', 'inc-1', '--yes', '--no-wait', ...JSON_OUT];
    const { code, stdout } = await as('bob', approve, queue());
    expect(code).toBe(3);
    const { rollbacks } = shape.parse(JSON.parse(stdout));
    expect(rollbacks.filter(({ error }) => error).map(({ scope }) => scope)).toEqual([SCOPES[1]]);
    expect(rollbacks.find(({ error }) => !error)?.status).toMatch(/executing|completed/);
  });

  it.runIf(isProof)('are asked for together or not, as they were at first', async () => {
    const { as, file } = await opened();
    await writeFile(file, (await readFile(file, 'utf8')).replace('rollbacks:', 'atomic: true\nrollbacks:'));
    const { code, stdout } = await as('jane', ['incident', file, '--yes', ...JSON_OUT], queue());
    expect(code).toBe(4);
    expect(statuses(shape.parse(JSON.parse(stdout)))).toEqual(
      SCOPES.map((scope) => `${scope} REQUEST_EXISTS`),
    );
  });

  it.runIf(isProof)('do not end well again where one of them failed before', async () => {
    const { as, repo } = await opened();
    const changed = 'tenants/globex/production/services/api-gateway/service.yaml';
    await appendFile(join(repo.folder, changed), '# by hand\n');
    const approve = ['request', 'approve', '--incident', 'inc-1', '--yes', ...JSON_OUT];
    const codes = [];
    for (let time = 0; time < 2; time += 1) {
      const { code, stdout } = await as('bob', approve, queue());
      codes.push(code);
      const { rollbacks } = shape.parse(JSON.parse(stdout));
      expect(rollbacks.find(({ scope }) => scope === SCOPES[1])?.status).toBe('failed');
    }
    expect(codes).toEqual([1, 1]);
  });

  it.runIf(isProof)('are all on the branch, or none, where the file says so', async () => {
    const { as, repo, file } = await opened('atomic: true\n');
    const list = await as('bob', ['request', 'list', '--incident', 'inc-1', ...JSON_OUT], queue());
    const [id = ''] = list.stdout.match(/rbk-\w{26}/) ?? [];
    const tip = await repo.git('rev-parse', 'main');
    const one = await as('bob', ['request', 'approve', id, '--yes'], queue());
    expect(one).toMatchObject({ code: 5, stdout: expect.stringContaining('in one push with others') });
    const here = await as('bob', ['request', 'retry', id, '--yes', '--here', ...JSON_OUT], queue());
    expect(errorOf(here)).toMatchObject({ exit: 5, code: 'AWAITING_APPROVAL' });
    expect((await as('jane', ['incident', file, '--yes', ...JSON_OUT], queue())).code).toBe(5);
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    const approve = ['request', 'approve', '--incident', 'inc-1', '--yes', ...JSON_OUT];
    expect(await as('bob', approve, queue())).toMatchObject({ code: 0 });
    const again = await as('jane', ['incident', file, '--yes', ...JSON_OUT], queue());
    expect(again.code).toBe(0);
    expect(statuses(jsonOf(again, shape))).toEqual(SCOPES.map((scope) => `${scope} completed`));
    await writeFile(file, `${await readFile(file, 'utf8')}  - { scope: acme/production }\n`);
    const more = await as('jane', ['incident', file, '--yes', ...JSON_OUT], queue());
    expect(more.stdout).toContain('REQUEST_EXISTS');
  });

  it('are not approved where another person has asked for more under the same id', async () => {
    const { as } = await approvals();
    const file = join(await temporaryFolder(), 'incident.yaml');
    for (const [who, scope] of [
      ['jane', 'acme/production/api-gateway'],
      ['carol', 'globex/production'],
    ] as const) {
      await writeFile(file, `id: inc-1\nreason: mine\nrollbacks:\n  - { scope: ${scope} }\n`);
      expect(await as(who, ['incident', file, '--yes', ...JSON_OUT], queue())).toMatchObject({ code: 5 });
    }
    const approve = ['request', 'approve', '--incident', 'inc-1', '--yes', ...JSON_OUT];
    expect(errorOf(await as('bob', approve, queue()))).toMatchObject({
      code: 'INVALID_REQUEST',
      hint: expect.stringContaining('--author'),
    });
    const done = await as('bob', [...approve, '--author', 'JANE@example.com'], queue());
    expect(statuses(jsonOf(done, shape))).toEqual(['acme/production/api-gateway completed']);
  });
});
