import { beforeAll, describe, expect, it } from 'vitest';
import { CHECK_CODES } from '../../../engine/model/index.ts';
import type { Finding, GatedPlan } from '../../../engine/index.ts';
import { CONFIG, planning, type Planning } from '../../helpers/repositories/plan-repo.ts';
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
      { DESTRUCTIVE: 'loud' },
      { fixed: ['(a)#/b'] },
      { migrations: [{ path: '(a|b)/../c' }] },
    ])
      await expect(planWith(checks)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('has a code for every check', () => {
    expect(CHECK_CODES.length).toBeGreaterThan(8);
  });
});
