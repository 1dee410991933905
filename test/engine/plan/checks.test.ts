import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHECK_CODES, CHECKS } from '../../../engine/model/index.ts';
import type { Finding, GatedPlan } from '../../../engine/index.ts';
import { CONFIG, planning, type Planning, type Step } from '../../helpers/repositories/plan-repo.ts';
import { CASES, type Case } from './check-cases.ts';

const ROOT = 'tenants/acme/prod';

/** One environment a case: `target` is its first commit, `now` the last; all share a repository. */
async function planningOf(cases: readonly Case[], checks: object): Promise<Planning> {
  const at = (index: number, files: Case['now']) =>
    Object.entries(files).map(([path, text]) => [`${ROOT}${index}/services/api/${path}`, text] as const);
  const before = cases.flatMap((each, index) => at(index, each.target));
  const after = cases.flatMap((each, index) => [
    ...at(index, each.now),
    ...at(index, each.target).flatMap(([path]) =>
      at(index, each.now).some(([other]) => other === path) ? [] : [[path, null] as const],
    ),
  ]);
  return planning(
    [
      Object.fromEntries(before),
      {
        files: Object.fromEntries([...after, ['other.txt', 'x\n']]),
        message: cases.some(({ message }) => message)
          ? (cases.find(({ message }) => message)?.message ?? '')
          : 'Change',
      },
    ],
    { ...CONFIG, keep: ['**/kept/**'], checks },
  );
}

const ofCheck = (findings: readonly Finding[], code: string) =>
  findings
    .filter((finding) => finding.code === code)
    .map(({ severity, message }) => `${severity}: ${message}`);

describe('checks of what a plan would restore', () => {
  const silent = CASES.filter(({ finds }) => finds === null);
  const loud = CASES.filter(({ finds }) => finds !== null);
  const plans = new Map<Case, GatedPlan>();
  beforeAll(async () => {
    const { engine, ids } = await planningOf(CASES, {});
    for (const [index, each] of CASES.entries())
      plans.set(each, await engine.rollbacks.plan({ scope: `acme/prod${index}/api`, to: ids[0] ?? '' }));
  });
  const findingsOf = (each: Case) => plans.get(each)?.findings ?? [];

  it.each(loud)('$code: $name', (each) => {
    const findings = findingsOf(each);
    expect(ofCheck(findings, each.code)).toEqual([expect.stringMatching(each.finds ?? /^$/)]);
    expect(findings.find(({ code }) => code === each.code)?.hint).toBeTruthy();
    for (const secret of each.secrets ?? []) expect(JSON.stringify(findings)).not.toContain(secret);
  });

  it.each(silent)('$code is silent: $name', (each) => {
    expect(plans.get(each)?.unchanged).toBe(false);
    expect(ofCheck(findingsOf(each), each.code)).toEqual([]);
  });

  it('lists what blocks first, then warnings, then the rest', () => {
    const RANK = ['block', 'warn', 'info'];
    for (const each of loud) {
      const ranks = findingsOf(each).map(({ severity }) => RANK.indexOf(severity));
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    }
  });
});

describe('overrides', () => {
  const each = CASES.find(({ code, finds }) => code === 'DESTRUCTIVE' && finds !== null);
  const plan = async (override: string[]) => {
    const { engine, ids } = await planningOf(each ? [each] : [], {});
    return engine.rollbacks.plan({ scope: 'acme/prod0/api', to: ids[0] ?? '', override });
  };

  it('lets an override of a code through, that of another one not', async () => {
    const other = await plan(['RAW_SECRET']);
    expect(ofCheck(other.findings, 'DESTRUCTIVE')).toEqual([expect.stringMatching(/^block/)]);
    expect(other.overrides).toBeUndefined();
    expect(other.findings.map(({ code }) => code)).toContain('OVERRIDE_UNUSED');
    const through = await plan(['DESTRUCTIVE']);
    expect(through.overrides).toEqual(['DESTRUCTIVE']);
    expect(through.findings).toContainEqual(
      expect.objectContaining({ code: 'DESTRUCTIVE', severity: 'warn', overridden: true }),
    );
    expect(through.digest).toBe(other.digest);
  });

  it('refuses to override what is no check, and what nobody can', async () => {
    await expect(plan(['NONSENSE'])).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(plan(['PATH_COLLISION'])).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('cannot be overridden'),
    });
    await expect(plan(['PUSH_DENIED'])).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('the configuration of checks', () => {
  const each = CASES.find(({ code, finds }) => code === 'DESTRUCTIVE' && finds !== null);
  const planWith = async (checks: object) => {
    const { engine, ids } = await planningOf(each ? [each] : [], checks);
    return engine.rollbacks.plan({ scope: 'acme/prod0/api', to: ids[0] ?? '' });
  };

  it('makes a block a warning, or leaves the check out', async () => {
    const warned = await planWith({ DESTRUCTIVE: 'warn' });
    expect(ofCheck(warned.findings, 'DESTRUCTIVE')).toEqual([expect.stringMatching(/^warn/)]);
    expect(ofCheck((await planWith({ DESTRUCTIVE: 'off' })).findings, 'DESTRUCTIVE')).toEqual([]);
  });

  it('takes no code that is not a check', async () => {
    for (const checks of [
      { PATH_COLLISION: 'off' },
      { MODE_FORBIDDEN: 'off' },
      { DESTRUCTIVE: 'loud' },
      { fixed: ['(a)#/b'] },
      { migrations: [{ path: '(a|b)/../c' }] },
    ])
      await expect(planWith(checks)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('is documented: a row for each check, with its default', () => {
    const page = readFileSync(new URL('../../../docs/checks.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\w+)/gm)].map(([, code, severity]) => [
      code,
      severity,
    ]);
    expect(rows).toEqual(CHECK_CODES.map((code) => [code, CHECKS[code].severity]));
  });
});

describe('migrations', () => {
  const api = (tag: string) => ({ [`${ROOT}/services/api/service.yaml`]: `image:\n  tag: ${tag}\n` });
  const checks = { migrations: ['db/{environment}/*.sql', { path: 'fences/**', fence: true }] };
  const crossed = async (steps: readonly Step[], to = 'v1') => {
    const { engine } = await planning(steps, { ...CONFIG, checks });
    const { findings } = await engine.rollbacks.plan({ scope: 'acme/prod/api', to });
    return ofCheck(findings, 'MIGRATION_CROSSED');
  };

  it('are told of where their paths changed since the target, and block where they are a fence', async () => {
    const now = { ...api('v2'), 'db/prod/1.sql': 'x', 'db/staging/1.sql': 'x' };
    expect(await crossed([api('v1'), now])).toEqual([
      expect.stringMatching(/^warn: db\/prod\/1\.sql came since/),
    ]);
    expect(await crossed([api('v1'), { ...api('v2'), 'fences/a': 'x' }])).toEqual([
      expect.stringMatching(/^block: A fence is crossed: fences\/a/),
    ]);
  });

  it('are told of where commits of the scope name them', async () => {
    const named = (text: string) => ({ files: api('v2'), message: `Two\n\nMigration: ${text}` });
    expect(await crossed([api('v1'), named('0042 adds a column')])).toEqual([
      expect.stringMatching(/^warn: 0042 adds a column came since/),
    ]);
    expect(await crossed([api('v1'), named('0042 drops one (fence)')])).toEqual([
      expect.stringMatching(/^block: A fence/),
    ]);
  });

  it('are silent where they are older than the target', async () => {
    const old = {
      files: { ...api('v1'), 'db/prod/1.sql': 'x', 'fences/a': 'x' },
      message: 'One\n\nMigration: old (fence)',
    };
    expect(await crossed([old, api('v2')])).toEqual([]);
  });
});
