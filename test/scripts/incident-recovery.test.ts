import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  backtrail,
  exampleRepo,
  refusalOf,
  runProcess,
  start,
  stateOf,
  type Transcript,
} from '../helpers/program/cli.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { startTestRedis } from '../helpers/servers/redis.ts';
import { isolatedEnv, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { allowedSigners, createIdentity, type Identity } from '../helpers/people/signing.ts';
import { readIncident } from '../../cli/commands/incident/file.ts';
import type { RunningRedis } from '../../scripts/redis.ts';
import { isProof } from '../helpers/run/proof.ts';

const SERVICE = 'acme/production/api-gateway';
const FILE = 'tenants/acme/production/services/api-gateway/service.yaml';

let redis: RunningRedis;
let worker: ReturnType<typeof start>;
let people: Readonly<Record<'jane' | 'bob', Identity>>;
beforeAll(async () => {
  redis = await startTestRedis();
  people = {
    jane: await createIdentity({ name: 'Jane Doe', email: 'jane@example.com' }),
    bob: await createIdentity({ name: 'Bob Miller', email: 'bob@example.com' }),
  };
  const { env } = await isolatedEnv();
  const trust = { BACKTRAIL_ALLOWED_SIGNERS: await allowedSigners(Object.values(people)) };
  worker = start({ folder: '/', env }, ['worker'], { redisUrl: redis.url, env: trust });
});
afterAll(async () => {
  worker.child.kill('SIGTERM');
  await worker.ended;
  await redis.stop();
});

/** Writes an incident file beside the repository, and runs the command that the script is. */
async function recover(
  repo: Repo,
  text: string,
  options: { args?: string[]; cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Transcript> {
  const file = join(dirname(repo.folder), 'incident.yaml');
  await writeFile(file, text);
  const args = ['incident', file, ...(options.args ?? ['--yes'])];
  const { cwd = '/', env = {} } = options;
  return runProcess(repo, args, { redisUrl: redis.url, cwd, env });
}

const incident = (onFailure: string, rollbacks: readonly string[]) =>
  `id: inc-1\nreason: "v2.1.0 answers 500"\nrepo: config\nonFailure: ${onFailure}\nrollbacks:\n${rollbacks.map((item) => `  - ${item}\n`).join('')}`;
const THREE = [
  `{ scope: ${SERVICE} }`,
  '{ scope: globex/production/search, to: v99 }',
  '{ scope: acme/production/billing, fields: [ image ] }',
];

/** The rows of a table by their first cell. */
function rowsOf(stdout: string, head: RegExp): Map<string, string> {
  const lines = stdout.split('\n');
  const from = lines.findIndex((line) => head.test(line)) + 1;
  const to = lines.indexOf('', from);
  return new Map(lines.slice(from, to).map((line) => [line.split(' ')[0] ?? '', line]));
}
const plans = ({ stdout }: Transcript) => rowsOf(stdout, /^scope +fields +to +plan$/);
const results = ({ stdout }: Transcript) => rowsOf(stdout, /^scope +status +commit +request or failure$/);
const reverts = async (repo: Repo) =>
  (await repo.git('log', '--format=%(trailers:key=Rollback-Request-ID,valueonly)', 'main'))
    .split('\n')
    .filter((line) => line !== '');

describe('an incident of three rollbacks, one of which cannot be', () => {
  it.runIf(isProof)(
    'onFailure: stop starts nothing, says why, and exits with the code of that failure',
    async () => {
      const repo = await exampleRepo();
      expect(basename(repo.folder)).toBe('config');
      const before = await stateOf(repo);
      const done = await recover(repo, incident('stop', THREE));
      expect(done.code).toBe(2);
      expect(plans(done).get(SERVICE)).toMatch(/v7 \(27fea46\) +1 file, 3 fields: api-gateway$/);
      expect(plans(done).get('globex/production/search')).toMatch(/v99 +REVISION_UNKNOWN: /);
      expect(done.stderr).toContain('Nothing was started');
      expect([...results(done).values()]).toEqual([
        expect.stringMatching(/not started +- +rbk-/),
        expect.stringMatching(/failed +- +REVISION_UNKNOWN: /),
        expect.stringMatching(/not started +- +rbk-/),
      ]);
      expect(await stateOf(repo)).toBe(before);
    },
  );

  it.runIf(isProof)(
    'onFailure: continue carries the others out; run again, it repeats nothing, also when the bad version has come back',
    async () => {
      const repo = await exampleRepo();
      const first = await recover(repo, incident('continue', THREE));
      expect(first.code).toBe(2);
      expect(first.stderr).toMatch(new RegExp(`^${SERVICE}: verified$`, 'm'));
      expect(results(first).get(SERVICE)).toMatch(/completed +[0-9a-f]{7} +rbk-/);
      expect(results(first).get('acme/production/billing')).toMatch(/completed +[0-9a-f]{7} +rbk-/);
      expect(await repo.git('show', `main:${FILE}`)).toContain('v2.0.5');
      const ids = await reverts(repo);
      expect(ids).toHaveLength(2);

      const again = await recover(repo, incident('continue', THREE));
      expect(again.code).toBe(2);
      expect(plans(again).get(SERVICE)).toMatch(/done before in [0-9a-f]{7}$/);
      expect(results(again).get(SERVICE)).toMatch(/completed/);
      expect(await reverts(repo)).toEqual(ids);

      const bad = await repo.git('show', `main~4:${FILE}`);
      expect(bad).toContain('v2.1.0');
      await repo.commit({ [FILE]: `${bad}\n` }, { message: 'deploy v2.1.0 once more' });
      const tip = await repo.git('rev-parse', 'main');
      const later = await recover(repo, incident('continue', THREE));
      expect(results(later).get(SERVICE)).toMatch(/completed/);
      expect(await repo.git('rev-parse', 'main')).toBe(tip);

      const other = await recover(repo, incident('continue', [THREE[0] ?? '']).replace('inc-1', 'inc-2'));
      expect(other.code).toBe(0);
      expect(results(other).get(SERVICE)).toMatch(/completed/);
      expect(await repo.git('show', `main:${FILE}`)).toContain('v2.0.5');
      expect(new Set(await reverts(repo)).size).toBe(3);
    },
  );

  it.runIf(isProof)(
    'a rollback that fails in the worker stops those behind it, or not, as the file says; run again, it is tried again',
    async () => {
      const wishes = [`{ scope: ${SERVICE} }`, '{ scope: acme/production/billing }'];
      for (const [onFailure, billing] of [
        ['stop', 'not started'],
        ['continue', 'completed'],
      ] as const) {
        const repo = await exampleRepo();
        await repo.write({ [FILE]: 'mine: true\n' });
        const done = await recover(repo, incident(onFailure, wishes));
        expect({ onFailure, code: done.code }).toEqual({ onFailure, code: 3 });
        expect(results(done).get(SERVICE)).toMatch(/failed +- +WORKTREE_DIRTY: /);
        expect(results(done).get('acme/production/billing')).toContain(billing);
        expect(await reverts(repo)).toHaveLength(onFailure === 'stop' ? 0 : 1);
        await repo.git('checkout', '--', FILE);
        const again = await recover(repo, incident(onFailure, wishes));
        expect({ onFailure, code: again.code }).toEqual({ onFailure, code: 0 });
        expect(plans(again).get(SERVICE)).toMatch(/asked for before by \S+: failed$/);
        expect(await reverts(repo)).toHaveLength(2);
      }
    },
  );
});

describe('an incident in environments whose rollbacks others approve', () => {
  const wishes = [THREE[0] ?? '', '{ scope: acme/staging/api-gateway }'];

  it.runIf(isProof)(
    'asks for each once, executes what needs no approval, and the rest when it is run after the approval',
    async () => {
      const repo = await exampleRepo();
      const staging = FILE.replace('production', 'staging');
      const before = await repo.git('show', `main:${FILE}`);
      await repo.commit({
        [staging]: (await repo.git('show', `main:${staging}`)).replace(/tag: .*/, 'tag: v0.0.1'),
      });
      const config = await repo.git('show', 'main:.backtrail/config.yaml');
      const policy =
        'policy: { environments: [ { match: "*/production", approvers: { users: [bob@example.com] } } ] }';
      await repo.commit({ '.backtrail/config.yaml': `${config}\n${policy}\n` });
      const asJane = { env: people.jane.env };

      const first = await recover(repo, incident('stop', wishes), asJane);
      expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 5 });
      expect(results(first).get(SERVICE)).toMatch(
        /pending +- +rbk-\w{26} \(approvals: 0\/1; can approve: bob@example\.com\)$/,
      );
      expect(results(first).get('acme/staging/api-gateway')).toMatch(/completed +[0-9a-f]{7} +rbk-/);
      expect(await repo.git('show', `main:${FILE}`)).toBe(before);
      const [id = ''] = /rbk-\w{26}/.exec(results(first).get(SERVICE) ?? '') ?? [];

      const again = await recover(repo, incident('stop', wishes), asJane);
      expect(again.code).toBe(5);
      expect(plans(again).get(SERVICE)).toMatch(/asked for before by \S+: pending$/);
      expect(results(again).get(SERVICE)).toContain(id);
      expect(await repo.git('rev-list', '--count', '--grep=^Event: opened$', 'refs/backtrail/ledger')).toBe(
        '2',
      );

      const bob = await engineOf({ folder: repo.folder, env: { ...repo.env, ...people.bob.env } });
      await bob.requests.approve({ id, actor: people.bob });
      const last = await recover(repo, incident('stop', wishes), asJane);
      expect({ code: last.code, stderr: last.stderr }).toMatchObject({ code: 0 });
      expect(results(last).get(SERVICE)).toMatch(/completed +[0-9a-f]{7} +rbk-/);
      expect(await repo.git('show', `main:${FILE}`)).toContain('v2.0.5');
      expect((await reverts(repo)).filter((each) => each === id)).toHaveLength(1);
    },
  );

  it.runIf(isProof)(
    'says that a request which others ended is not asked for again under the same id',
    async () => {
      const repo = await exampleRepo();
      const config = await repo.git('show', 'main:.backtrail/config.yaml');
      await repo.commit({
        '.backtrail/config.yaml': `${config}\npolicy: { environments: [ { match: "*/production", quorum: 1 } ] }\n`,
      });
      const asJane = { env: people.jane.env };
      const first = await recover(repo, incident('stop', wishes.slice(0, 1)), asJane);
      const [id = ''] = /rbk-\w{26}/.exec(results(first).get(SERVICE) ?? '') ?? [];
      const bob = await engineOf({ folder: repo.folder, env: { ...repo.env, ...people.bob.env } });
      await bob.requests.reject({ id, actor: people.bob, comment: 'Not now' });
      const again = await recover(repo, incident('stop', wishes.slice(0, 1)), asJane);
      expect(again.code).toBe(4);
      expect(results(again).get(SERVICE)).toMatch(
        /failed +- +REQUEST_CLOSED: Request rbk-\w{26} .* rejected\.$/,
      );
      expect(await reverts(repo)).toEqual([]);
    },
  );
});

describe('what the script asks for', () => {
  it('without a terminal and without --yes it exits 2 and starts nothing', async () => {
    const repo = await exampleRepo();
    const before = await stateOf(repo);
    const done = await recover(repo, incident('continue', [`{ scope: ${SERVICE} }`]), { args: [] });
    expect(done.code).toBe(2);
    expect(done.stderr).toMatch(/backtrail: [^\n]+\.\n {2}code: CONFIRMATION_REQUIRED\n {2}hint: [^\n]+\n$/);
    expect(await stateOf(repo)).toBe(before);
  });

  it.runIf(isProof)('with nothing left to do it needs no queue and exits 0', async () => {
    const repo = await exampleRepo();
    const tip = await repo.git('rev-parse', 'main');
    const file = join(dirname(repo.folder), 'incident.yaml');
    await writeFile(file, `id: x\nreason: y\nrollbacks: [ { scope: ${SERVICE}, to: "${tip}" } ]\n`);
    // Without `repo` in the file and on the command line it is the folder where the user stands.
    const done = await runProcess(repo, [file], { script: 'incident' });
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });
  });

  it.runIf(isProof)('where Redis is down it exits 6', async () => {
    const repo = await exampleRepo();
    const file = join(dirname(repo.folder), 'incident.yaml');
    await writeFile(file, incident('continue', [`{ scope: ${SERVICE} }`]));
    const done = await runProcess(repo, [file, '--yes'], { script: 'incident' });
    expect(done).toMatchObject({ code: 6, stderr: expect.stringContaining('QUEUE_UNAVAILABLE') });
  });

  it('is a command, which prints what became of each for scripts, and takes no configuration from outside', async () => {
    const repo = await exampleRepo();
    const tip = await repo.git('rev-parse', 'main');
    const file = join(dirname(repo.folder), 'incident.yaml');
    await writeFile(file, incident('continue', [`{ scope: ${SERVICE}, to: ${tip} }`]));
    const done = await backtrail(repo, ['incident', file, '--yes', '-o', 'json']);
    expect(JSON.parse(done.stdout)).toMatchObject({
      id: 'inc-1',
      rollbacks: [{ scope: SERVICE, status: 'unchanged', commit: null }],
    });
    const config = ['--config', join(repo.folder, '.backtrail/config.yaml')];
    const refused = await backtrail(repo, [...config, 'incident', file, '--yes']);
    expect(refusalOf(refused)).toMatchObject({ exit: 3, code: 'FORBIDDEN' });
  });

  it('refuses a bad file with the place, and bad arguments with a hint', async () => {
    const folder = await temporaryFolder();
    const { env } = await isolatedEnv();
    const bad: readonly [text: string | null, place: RegExp][] = [
      ['id: x\nreason: [\n', /bad-0\.yaml:\d+:\d+: This is not valid YAML\.$/],
      [
        'id: x\nreason: y\nrollbacks:\n  - { scope: a/b }\n  - { scpe: a/b }\n',
        /bad-1\.yaml:5:5: rollbacks\.1\.scope: /,
      ],
      ['id: x\nreason: "\\u0001 \\u200b"\nrollbacks: [ { scope: a/b } ]\n', /bad-2\.yaml:2:9: reason: /],
      [
        'id: x\nreason: y\nonFailure: maybe\nrollbacks: [ { scope: a/b } ]\n',
        /bad-3\.yaml:3:12: onFailure: /,
      ],
      ['id: x\nreason: y\nrollbacks: []\n', /bad-4\.yaml:3:12: rollbacks: /],
      ['', /bad-5\.yaml:1:1: The file: /],
      [null, /bad-6\.yaml cannot be read\.$/],
    ];
    for (const [index, [text, place]] of bad.entries()) {
      const file = join(folder, `bad-${index}.yaml`);
      if (text !== null) await writeFile(file, text);
      await expect(readIncident(file)).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        message: expect.stringMatching(place),
      });
    }
    const args = [join(folder, 'bad-1.yaml'), '--yes'];
    const refusal = refusalOf(await runProcess({ folder, env }, args, { script: 'incident' }));
    expect(refusal).toMatchObject({
      exit: 2,
      code: 'INVALID_REQUEST',
      hint: expect.stringContaining('--help'),
    });
    const surplus = await runProcess({ folder, env }, ['a', 'b'], { script: 'incident' });
    expect(refusalOf(surplus)).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    const help = await runProcess({ folder, env }, ['--help'], { script: 'incident' });
    expect(help).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('onFailure: continue'),
    });
  });
});
