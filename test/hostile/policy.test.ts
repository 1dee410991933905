import { beforeAll, describe, expect, it } from 'vitest';
import { isFailure } from '../../engine/model/index.ts';
import { checkPolicy } from '../../engine/doctor/tree/policy.ts';
import { parseConfig } from '../../engine/layout/configuration/parse.ts';
import { compileLayout } from '../../engine/layout/layout.ts';
import {
  approversOf,
  evaluateReviews,
  hasPermission,
  policyFor,
  unsatisfiableReason,
} from '../../engine/policy/policy.ts';
import { backtrail, exampleRepo } from '../helpers/program/cli.ts';
import type { Repo } from '../helpers/repositories/repo.ts';
import { cpuSeconds } from '../helpers/run/soon.ts';

const LAYOUT = 'version: 1\nlayout: { environment: ["t/{tenant}/{environment}/**"] }\n';
const PLACE = { tenant: 'acme', environment: 'production' };
/** Milliseconds, on a machine that is busy. Looking at each member of each group of each permission again takes hours. */
const MOST = 30;

const list = (length: number, of: (index: number) => string) =>
  Array.from({ length }, (_, at) => of(at)).join(',');

/** As much as fits into 64 KiB, shared by aliases as far as they are followed. */
const LARGEST = `${LAYOUT}policy:
  groups:
    g0: &g [${list(500, (at) => `u${at}@x`)}]
${Array.from({ length: 49 }, (_, at) => `    g${at + 1}: *g\n`).join('')}  environments:
${Array.from({ length: 199 }, (_, at) => `    - { match: "a*a*a*a*${at + 100}/*b*b*b", approvers: { groups: [${list(12, (group) => `g${group}`)}] } }\n`).join('')}    - { match: "**", quorum: 20 }
  permissions:
${Array.from({ length: 150 }, () => `    - { allow: [deploy], in: ["**"], groups: [${list(50, (group) => `g${group}`)}] }\n`).join('')}`;

describe('a policy as large as a configuration may be', () => {
  it('is read, asked and judged in no time', () => {
    expect(LARGEST.length).toBeGreaterThan(50 * 1024);
    const started = cpuSeconds();
    const layout = compileLayout(parseConfig(LARGEST, 'c.yaml'));
    const { policy } = layout.config;
    const rule = policyFor(policy, PLACE);
    if (rule === null) throw new Error('No entry matches.');
    expect(hasPermission(policy, { email: 'u499@x' }, 'deploy', PLACE)).toBe(true);
    expect(approversOf(policy, rule, PLACE, ['u0@x'])).toHaveLength(499);
    expect(unsatisfiableReason(policy, rule, PLACE, 'u1@x')).toBeNull();
    const reviews = Array.from({ length: 20_000 }, (_, at) => ({
      id: `evt-${at}`,
      decision: 'approved' as const,
      actor: { name: 'X', email: `U${at % 1000}@x` },
      at: '',
      comment: null,
      digest: 'd',
      verified: true,
    }));
    expect(evaluateReviews({ policy, rule, place: PLACE, author: 'u0@x', digest: 'd', reviews }).have).toBe(
      499,
    );
    const coordinates = Array.from({ length: 100 }, (_, at) => ({
      tenant: `t${at}`,
      environment: 'production',
    }));
    expect(checkPolicy({ layout, coordinates }).length).toBeGreaterThan(0);
    expect(cpuSeconds() - started).toBeLessThan(MOST);
  });
});

describe('a policy made to break whoever reads it', () => {
  let repo: Repo;
  beforeAll(async () => {
    repo = await exampleRepo();
  });

  const levels = (key: string) =>
    [
      'l0: &l0 [a@b]',
      ...Array.from(
        { length: 9 },
        (_, at) => `l${at + 1}: &l${at + 1} [${Array(9).fill(`*l${at}`).join(',')}]`,
      ),
    ]
      .map((line) => `    ${line}\n`)
      .join('')
      .replace(/^/, `policy:\n  ${key}:\n`);

  it.each([
    ['groups that hold each other many times', levels('groups')],
    ['a group that holds itself', 'policy:\n  groups:\n    a: &a [ *a ]\n'],
    ['a policy that holds itself', 'policy: &p { environments: [ *p ] }\n'],
    ['five thousand groups', `policy: { groups: { ${list(5000, (at) => `g${at}: []`)} } }\n`],
    [
      'ten thousand environments',
      `policy: { environments: [ ${list(2000, (at) => `{ match: "a/b${at}" }`)} ] }\n`,
    ],
    ['a long email', `policy: { groups: { a: [ "${'a'.repeat(60_000)}@b" ] } }\n`],
    ['a long pattern', `policy: { environments: [ { match: "${'*a'.repeat(30_000)}/b" } ] }\n`],
    ['a long duration', `policy: { environments: [ { match: "**", expiry: ${'9'.repeat(60_000)}d } ] }\n`],
  ])('is refused at its place: %s', (_, text) => {
    const started = cpuSeconds();
    expect(refusal(`${LAYOUT}${text}`)).toMatch(/^CONFIG_INVALID c\.yaml:\d+:\d+: [^]{1,400}$/);
    expect(cpuSeconds() - started).toBeLessThan(MOST);
  });

  it.each([
    'policy: { groups: { __proto__: [mallory@example.com] } }',
    'policy: { __proto__: { permissions: [] } }',
    'policy: { environments: [ { match: "**", __proto__: { quorum: 0 } } ] }',
    'policy: { environments: [ { match: "**", approvers: { users: [a@b], __proto__: { groups: [x] } } } ] }',
    'ledger: { __proto__: { ref: refs/heads/x } }',
  ])('is refused where it reaches for the prototype: %s', (text) => {
    expect(refusal(`${LAYOUT}${text}\n`)).toMatch(/^CONFIG_INVALID c\.yaml:3:\d+: /);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('opens no gate with members that every object has', () => {
    const { policy } = parseConfig(
      `${LAYOUT}policy: { groups: { constructor: [], toString: [] }, permissions: [ { allow: [admin], groups: [constructor, toString], in: ["**"] } ] }\n`,
      'c.yaml',
    );
    for (const email of ['constructor', 'Object', '', 'undefined', 'function'])
      expect(hasPermission(policy, { email }, 'deploy', PLACE)).toBe(false);
  });

  it('reaches no terminal with what it holds', async () => {
    const config = `${LAYOUT}policy: { groups: { "\\e[31mred\\u202e\\nred": [ a@b ] } }\n`;
    await repo.commit({ '.backtrail/config.yaml': config });
    for (const command of ['environments', 'doctor']) {
      const { code, stdout, stderr } = await backtrail(repo, [command]);
      expect(code).toBe(command === 'doctor' ? 3 : 2);
      expect(stdout + stderr).toContain('A group name');
      // oxlint-disable-next-line no-control-regex
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
  });
});

function refusal(source: string): string {
  try {
    parseConfig(source, 'c.yaml');
    return 'taken';
  } catch (error) {
    return isFailure(error) ? `${error.code} ${error.message}` : String(error);
  }
}
