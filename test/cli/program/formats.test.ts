import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { backtrail, completedOf, exampleRepo, jsonOf, stateOf } from '../../helpers/program/cli.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const id = z.string().regex(/^[0-9a-f]{40}$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const person = z.strictObject({ name: z.string(), email: z.string() });
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const finding = z.strictObject({
  code: z.string(),
  severity: z.enum(['block', 'warn', 'info']),
  message: z.string(),
  hint: z.string().optional(),
  path: z.string().optional(),
});
const file = z.strictObject({
  path: z.string(),
  change: z.enum(['added', 'removed', 'modified']),
  fields: z
    .array(
      z.strictObject({
        selector: z.string(),
        op: z.enum(['add', 'remove', 'replace']),
        before: z.string().optional(),
        after: z.string().optional(),
        diff: z.string().optional(),
      }),
    )
    .optional(),
  diff: z.string().optional(),
});
const changes = z.array(z.strictObject({ service: z.string().nullable(), files: z.array(file) }));
const destination = z.strictObject({
  remote: z.string().nullable(),
  address: z.string(),
  branch: z.literal('main'),
});
const entry = z.strictObject({
  version: z.number(),
  commit: id,
  time,
  author: person,
  subject: z.string(),
  changes: z.array(
    z.strictObject({
      service: z.string().nullable(),
      files: z.array(z.string()),
      fields: z.array(z.string()),
    }),
  ),
  identity: z.strictObject({
    images: z.array(z.string()),
    charts: z.array(z.string()),
    revisions: z.array(z.string()),
  }),
  source: z.enum(['deploy', 'release', 'promotion', 'rollback', 'unknown']),
  status: z.enum([
    'rolledBack',
    'unknown',
    'deployed',
    'failed',
    'proposed',
    'pending',
    'superseded',
    'decommissioned',
    'rolled_back',
  ]),
  eligible: z.boolean(),
  reasons: z.array(z.string()),
  current: z.boolean(),
  rolledBackBy: id.nullable(),
  rollbackOf: z.strictObject({ commit: id, version: z.number().nullable() }).nullable(),
  undoneBy: id.nullable(),
  breakGlass: z.string().nullable(),
});

/** The interface for scripts, command by command: exactly these keys. */
const SHAPES = {
  environments: z.strictObject({
    environments: z.array(
      z.strictObject({ tenant: z.string(), environment: z.string(), services: z.array(z.string()) }),
    ),
  }),
  history: z.strictObject({
    scope: z.string(),
    fields: z.array(z.string()).optional(),
    total: z.number(),
    revisions: z.array(entry).min(1),
  }),
  show: z.strictObject({
    scope: z.string(),
    commit: id,
    version: z.number(),
    files: z
      .array(
        z.strictObject({
          path: z.string(),
          selector: z.string().optional(),
          mode: z.literal('100644'),
          id,
          text: z.string(),
          kept: z.string().optional(),
        }),
      )
      .min(1),
  }),
  compare: z.strictObject({
    scope: z.string(),
    from: id,
    fromVersion: z.number(),
    to: id,
    toVersion: z.number(),
    changes: changes.min(1),
  }),
  plan: z.strictObject({
    mode: z.enum(['full', 'service', 'field']),
    scope: z.string(),
    tenant: z.string(),
    environment: z.string(),
    service: z.string().optional(),
    fields: z.array(z.string()).optional(),
    branch: z.literal('main'),
    destination,
    base: id,
    target: id,
    targetVersion: z.number(),
    current: id,
    currentVersion: z.number(),
    digest,
    unchanged: z.literal(false),
    changes: changes.min(1),
    manifests: z.array(file).min(1),
    kept: z.array(z.strictObject({ path: z.string(), selector: z.string().optional(), by: z.string() })),
    impact: z.strictObject({
      services: z.array(z.string()),
      bindings: z.array(z.string()),
      variables: z.array(z.string()),
      files: z.number(),
      fields: z.number(),
    }),
    findings: z.array(finding),
    // Where markers show that automation moves what is restored.
    hold: z
      .strictObject({
        for: z.string().nullable(),
        fields: z
          .array(
            z.strictObject({
              path: z.string(),
              selector: z.string(),
              held: z.string().nullable(),
              secret: z.literal(true).optional(),
            }),
          )
          .min(1),
        taken: z.array(z.strictObject({ adapter: z.string(), path: z.string(), selector: z.string() })),
      })
      .optional(),
  }),
  rollback: z.strictObject({
    requestId: z.string().regex(/^rbk-[0-9A-Z]{26}$/),
    status: z.enum(['completed', 'unchanged']),
    mode: z.enum(['full', 'service', 'field']),
    scope: z.string(),
    destination,
    base: id,
    target: id,
    commit: id.nullable(),
    deliveryCommit: id.nullable(),
    digest,
    findings: z.array(finding),
  }),
  log: z.strictObject({
    rollbacks: z
      .array(
        z.strictObject({
          requestId: z.string(),
          commit: id,
          time,
          author: person,
          mode: z.enum(['full', 'service', 'field']),
          scope: z.string(),
          reason: z.string(),
          record: z.looseObject({ target: id, base: id, plan: digest }),
          deliveryCommit: id.nullable(),
          verdict: z.literal('honest'),
          problems: z.array(z.string()).max(0),
        }),
      )
      .min(1),
  }),
  doctor: z.strictObject({
    checks: z.array(
      z.strictObject({
        area: z.enum(['machine', 'repository', 'configuration', 'publishing', 'queue']),
        name: z.string().regex(/^[a-z-]+$/),
        status: z.enum(['ok', 'warn', 'fail']),
        message: z.string().regex(/\.$/),
        hint: z.string().optional(),
        details: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
  }),
};

const GATEWAY = 'acme/production/api-gateway';
/** Other tests write to the same disk. */
const withoutFree = (text: string) => text.replaceAll(/[\d.]+ \w+ are free/g, 'much is free');
let repo: Repo;
beforeAll(async () => {
  repo = await exampleRepo();
  const first = ['rollback', 'acme/staging/api-gateway', '--yes', '--reason', 'The first one'];
  completedOf(await backtrail(repo, [...first, '-o', 'json']));
});

describe('results for scripts', () => {
  it.each(
    someOf<[keyof typeof SHAPES, string[]]>(
      [
        ['environments', []],
        ['history', [GATEWAY, '--limit', '5']],
        ['history', [GATEWAY, '--field', 'image']],
        ['history', ['acme/production', '--limit', '3']],
        ['show', [GATEWAY, 'v7']],
        ['plan', [GATEWAY]],
        ['plan', ['acme/production', '--to', 'v20']],
        ['compare', [GATEWAY, 'v7', 'v8']],
        ['plan', [GATEWAY, '--field', 'image', '--field', 'service.yaml#/probes/readiness/path']],
        ['log', ['acme/staging']],
        ['doctor', []],
        ['log', []],
      ],
      3,
    ),
  )('%s %j has the documented keys, the same in JSON and YAML, and writes nothing', async (command, args) => {
    const before = await stateOf(repo);
    const json = await backtrail(repo, [command, ...args, '-o', 'json']);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    SHAPES[command].parse(JSON.parse(json.stdout));
    const yaml = await backtrail(repo, [command, ...args, '-o', 'yaml']);
    expect(yaml).toMatchObject({ code: 0, stderr: '' });
    expect(parse(withoutFree(yaml.stdout))).toEqual(JSON.parse(withoutFree(json.stdout)));
    const text = await backtrail(repo, [command, ...args]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^[^{].+\n$/s);
    expect(await stateOf(repo)).toBe(before);
  });

  it('history says of each revision what a reader of the log would have to find out', async () => {
    const { stdout } = await backtrail(repo, ['history', 'acme/staging/api-gateway', '-o', 'json']);
    const { revisions } = SHAPES.history.parse(JSON.parse(stdout));
    const [current, left] = revisions;
    expect(current).toMatchObject({
      current: true,
      source: 'rollback',
      status: 'unknown',
      rolledBackBy: null,
    });
    expect(left).toMatchObject({ current: false, status: 'rolledBack', rolledBackBy: current?.commit });
    expect(current?.identity.images).toEqual(revisions[2]?.identity.images);
    expect(current?.changes).toEqual([
      expect.objectContaining({
        service: 'api-gateway',
        files: ['tenants/acme/staging/services/api-gateway/service.yaml'],
      }),
    ]);
    expect(revisions.map(({ version }) => version)).toEqual(
      revisions.map((_, index) => revisions.length - index),
    );
  });

  it.each(someOf(['json', 'yaml'], 1))(
    'rollback -o %s prints the eleven keys and nothing else, also when nothing is to do',
    async (format) => {
      const mine = await exampleRepo();
      const read = (text: string): unknown => (format === 'json' ? JSON.parse(text) : parse(text));
      const target = await mine.git('rev-parse', 'main~10');
      const args = ['-o', format, 'rollback', GATEWAY, '--to', target, '--yes', '--reason', 'It answers 500'];
      const first = await backtrail(mine, args);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      const result = SHAPES.rollback.parse(read(first.stdout));
      expect(result).toMatchObject({ status: 'completed', mode: 'service', scope: GATEWAY });
      const [delivery, revert, base] = (await mine.git('rev-list', '--first-parent', '-3', 'main')).split(
        '\n',
      );
      expect(result).toMatchObject({ deliveryCommit: delivery, commit: revert, base });
      const again = await backtrail(mine, args);
      expect(again).toMatchObject({ code: 0, stderr: '' });
      expect(SHAPES.rollback.parse(read(again.stdout))).toMatchObject({
        status: 'unchanged',
        commit: null,
        deliveryCommit: null,
        findings: [{ code: 'KEPT_PATH' }, { code: 'NOTHING_TO_DO' }],
      });
      expect(await mine.git('rev-parse', 'main')).toBe(delivery);
    },
  );

  it('a revision compared with now names the revision that stands now, not the tip of the branch', async () => {
    const compared = await backtrail(repo, ['compare', GATEWAY, 'v7', '-o', 'json']);
    const history = await backtrail(repo, ['history', GATEWAY, '--limit', '1', '-o', 'json']);
    const [current] = jsonOf(history, SHAPES.history).revisions;
    expect(jsonOf(compared, SHAPES.compare)).toMatchObject({
      to: current?.commit,
      toVersion: current?.version,
    });
  });

  it('a blocked plan prints the plan, then fails: the plan on standard output, the error on the other', async () => {
    const oldest = (await repo.git('rev-list', '--first-parent', 'main')).split('\n').at(-1) ?? '';
    const args = ['-o', 'json', 'plan', 'globex/production/recommendations', '--to', oldest];
    const { code, stdout, stderr } = await backtrail(repo, args);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [{ code: 'TARGET_ABSENT', severity: 'block' }] });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'TARGET_ABSENT' } });
  });
});

describe('plan and --dry-run', () => {
  it('never ask for a reason, say the same, and leave no object behind', async () => {
    const objects = await repo.git('count-objects', '-v');
    const before = await stateOf(repo);
    const plan = await backtrail(repo, ['plan', 'acme/production', '--to', 'v20']);
    const dry = await backtrail(repo, ['rollback', 'acme/production', '--to', 'v20', '--dry-run']);
    const queued = await backtrail(repo, [
      'rollback',
      'acme/production',
      '--to',
      'v20',
      '--dry-run',
      '--queue',
      '--yes',
    ]);
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect([dry, queued]).toEqual([plan, plan]);
    expect(await stateOf(repo)).toBe(before);
    expect(await repo.git('count-objects', '-v')).toBe(objects);
  });

  it.runIf(isProof)('say which digest a rollback then records', async () => {
    const mine = await exampleRepo();
    const plan = await backtrail(mine, ['-o', 'json', 'plan', GATEWAY]);
    const done = await backtrail(mine, [
      '-o',
      'json',
      'rollback',
      GATEWAY,
      '--yes',
      '--reason',
      'It answers 500',
    ]);
    const { digest } = SHAPES.rollback.parse(JSON.parse(done.stdout));
    expect(SHAPES.plan.parse(JSON.parse(plan.stdout)).digest).toBe(digest);
    expect(
      await mine.git('log', '-1', '--skip=1', '--format=%(trailers:key=Rollback-Plan,valueonly)'),
    ).toContain(digest);
  });
});
