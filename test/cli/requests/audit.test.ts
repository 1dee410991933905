import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { approvals, type Approvals, GATEWAY } from '../../helpers/people/approvals.ts';
import { backtrail, jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import { isProof } from '../../helpers/run/proof.ts';

const shape = z.object({
  events: z.array(
    z.looseObject({
      commit: z.string().regex(/^\w{40}$/),
      eventId: z.string().regex(/^evt-\w{26}$/),
      event: z.string(),
      at: z.string(),
      actor: z.object({ name: z.string(), email: z.string() }),
      identity: z.enum(['verified', 'unverified']),
      requestId: z.string().nullable(),
      sessionId: z.string().nullable(),
      scope: z.string(),
      status: z.string().nullable(),
      subject: z.string(),
      comment: z.string().nullable(),
    }),
  ),
});

let setting: Approvals;
let id = '';
beforeAll(async () => {
  setting = await approvals();
  id = await setting.ask();
  await setting.as('bob', ['request', 'approve', id, '--yes', '--here', '--comment', 'Go']);
  await setting.as('eve', ['request', 'note', id, 'Seen']);
});

describe('audit log', () => {
  const events = async (...args: string[]) =>
    jsonOf(await setting.as('carol', ['audit', 'log', '-o', 'json', ...args]), shape).events;

  it('says who did what, newest first, and whose identity no key proves', async () => {
    const found = await events();
    expect(found.map(({ event, actor, identity }) => `${event} ${actor.email} ${identity}`)).toEqual([
      'noted eve@example.com unverified',
      expect.stringMatching(/^completed /),
      'approved bob@example.com verified',
      'opened jane@example.com verified',
    ]);
    expect(found.every(({ requestId, scope }) => requestId === id && scope === GATEWAY)).toBe(true);
    expect(new Set(found.map(({ eventId }) => eventId)).size).toBe(4);
    const commits = await setting.repo.git('log', '--first-parent', '--format=%H', 'refs/backtrail/ledger');
    expect(found.map(({ commit }) => commit)).toEqual(commits.split('\n'));
    const { stdout } = await setting.as('carol', ['audit', 'log']);
    expect(stdout).toMatch(new RegExp(`approved +bob@example\\.com +${GATEWAY} +${id} +Go\n`));
    expect(stdout).toContain('eve@example.com (unverified)');
  });

  it.runIf(isProof)('of one person, one scope, some time, or the newest only', async () => {
    expect((await events('--actor', 'BOB@example.com')).map(({ event }) => event)).toEqual(['approved']);
    expect(await events('globex/production')).toEqual([]);
    expect(await events('acme/production')).toHaveLength(4);
    for (const args of [
      ['audit', 'log', 'acme/producton'],
      ['request', 'list', 'acme/producton'],
    ])
      expect(refusalOf(await setting.as('carol', args))).toMatchObject({
        exit: 2,
        code: 'ENVIRONMENT_UNKNOWN',
      });
    expect(await events('--since', '1h')).toHaveLength(4);
    expect(await events('--since', '2026-01-01')).toHaveLength(4);
    expect(await events('--since', '9999-01-01T10:00Z')).toEqual([]);
    expect((await events('--limit', '1')).map(({ event }) => event)).toEqual(['noted']);
  });

  it('refuses what is no time', async () => {
    for (const since of ['yesterday', '7', '7w', '2026-02-31', '--limit', ''])
      expect(refusalOf(await setting.as('carol', ['audit', 'log', `--since=${since}`]))).toMatchObject({
        exit: 2,
        code: 'INVALID_REQUEST',
      });
  });

  it('says that there is nothing where there is no ledger yet', async () => {
    const { as } = await approvals();
    expect(await as('jane', ['audit', 'log'])).toMatchObject({
      code: 0,
      stdout: 'The ledger holds no such event.\n',
    });
  });
});

const report = z.looseObject({
  range: z.strictObject({ from: z.string().nullable(), to: z.string().regex(/^\w{40}$/) }),
  reader: z.enum(['git', 'isomorphic']),
  checked: z.number(),
  honest: z.number(),
  tampered: z.number(),
  unverifiable: z.number(),
  rows: z.array(
    z.looseObject({
      commit: z.string().regex(/^\w{40}$/),
      requestId: z.string(),
      scope: z.string(),
      mode: z.string().nullable(),
      verdict: z.enum(['honest', 'tampered', 'unverifiable']),
      problems: z.array(z.strictObject({ code: z.string(), message: z.string() })),
    }),
  ),
  ledger: z.strictObject({
    tip: z.string().nullable(),
    problems: z.array(z.looseObject({ code: z.string() })),
  }),
  outside: z.array(z.looseObject({ commit: z.string(), reverts: z.string().nullable() })),
});

describe('audit verify and export', () => {
  it.runIf(isProof)('ends with 0 where all is honest, of a range and of a scope as well', async () => {
    const all = jsonOf(await setting.as('carol', ['audit', 'verify', '-o', 'json']), report);
    expect(all).toMatchObject({
      checked: 1,
      honest: 1,
      rows: [{ requestId: id, scope: GATEWAY, mode: 'service' }],
    });
    const some = await setting.as('carol', [
      'audit',
      'verify',
      'HEAD~1..',
      GATEWAY,
      '--reader',
      'git',
      '-o',
      'json',
    ]);
    expect(jsonOf(some, report)).toMatchObject({ reader: 'git', range: { to: all.range.to } });
    expect(
      jsonOf(await setting.as('carol', ['audit', 'verify', 'globex/production', '-o', 'json']), report).rows,
    ).toEqual([]);
    const { code, stdout } = await setting.as('carol', ['audit', 'verify']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /1 rollback checked: 1 honest \(ledger at [0-9a-f]{7}, read with isomorphic-git\)/,
    );
    expect(refusalOf(await setting.as('carol', ['audit', 'verify', 'nowhere..']))).toMatchObject({
      code: 'REVISION_UNKNOWN',
    });
  });

  const PERIOD = ['--from', '2020-01-01', '--to', '2100-01-01'];
  const exported = (...words: string[]) => setting.as('carol', ['audit', 'export', ...words]);
  const shape = z.looseObject({
    form: z.literal(1),
    changes: z.array(z.looseObject({ requestId: z.string(), scope: z.string() })),
    script: z.string().startsWith('#!/bin/sh\n'),
  });

  it('exports one document, also where no format is asked for, and writes its script to a new file', async () => {
    const file = join(setting.repo.folder, '../made/verify.sh');
    const document = await exported(...PERIOD, '--script', file);
    expect([document.code, document.stderr]).toEqual([0, '']);
    const { changes, script } = shape.parse(JSON.parse(document.stdout));
    expect(changes).toMatchObject([{ requestId: id, scope: GATEWAY }]);
    expect(await readFile(file, 'utf8')).toBe(script);
    expect(refusalOf(await exported(...PERIOD, '--script', file))).toMatchObject({
      exit: 2,
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('is there already'),
    });
    expect(shape.parse(JSON.parse((await exported(...PERIOD, '-o', 'json')).stdout)).changes).toEqual(
      changes,
    );
    expect((await exported(...PERIOD, '-o', 'yaml')).stdout).toMatch(/^form: 1\n/);
    const other = await exported('globex/production', ...PERIOD, '--reader', 'git');
    expect(shape.parse(JSON.parse(other.stdout)).changes).toEqual([]);
  });

  it('exports a row a change', async () => {
    const { code, stdout } = await exported(...PERIOD, '--format', 'csv');
    const [head, row, ...more] = stdout.split('\r\n').map((line) => line.slice(1, -1).split('","'));
    expect([code, more]).toEqual([0, [['']]]);
    const values = new Map(head?.map((name, at) => [name, row?.[at]]));
    expect(Object.fromEntries(values)).toMatchObject({
      request: id,
      scope: GATEWAY,
      reason: 'It answers 500',
      'asked by': 'jane@example.com',
      'approved by': 'bob@example.com',
      'approved keys': setting.people.bob.fingerprint,
      'approvals needed': '1',
      'self-approved': 'no',
      verdict: 'honest',
      problems: '',
    });
  });

  it('exports no period that is none', async () => {
    for (const words of [
      ['--from', '2026-02-31', '--to', '2026-03-01'],
      ['--from', '2026-03-02', '--to', '2026-03-01'],
      ['--from', '2026-03-02'],
      [...PERIOD, '--format', 'xml'],
    ])
      expect(refusalOf(await exported(...words))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
  });

  it('ends with 3 where Git cannot say, unless that is allowed, and where one is tampered with in any case', async () => {
    const unknowing = (...words: string[]) =>
      backtrail(setting.repo, ['audit', 'verify', ...words], { env: setting.people.carol.env });
    const blind = await unknowing();
    expect([blind.code, blind.stdout]).toEqual([
      3,
      expect.stringContaining('KEYS_MISSING: There is no list'),
    ]);
    const allowed = await unknowing('--allow-unverifiable');
    expect(allowed.code).toBe(0);
    await setting.repo.git('update-ref', '-d', 'refs/backtrail/ledger');
    const gone = await setting.as('carol', ['audit', 'verify', '--allow-unverifiable', '-o', 'json']);
    expect(gone.code).toBe(3);
    expect(report.parse(JSON.parse(gone.stdout))).toMatchObject({
      tampered: 1,
      ledger: { tip: null, problems: [{ code: 'LEDGER_REWOUND' }] },
    });
  });
});
