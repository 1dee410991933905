import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BacktrailError, isFailure } from '../../../engine/model/index.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';

const TENANTS = 'version: 1\nlayout: { environment: ["t/{tenant}/{environment}/**"] }\n';
const PLAIN = 'version: 1\nlayout: { environment: ["envs/{environment}/**"] }\n';

const policyOf = (text: string, layout = TENANTS) => parseConfig(`${layout}${text}`, 'c.yaml').policy;

function failure(source: string): BacktrailError {
  try {
    parseConfig(source, 'c.yaml');
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('The configuration was taken.');
}

function outcome(source: string): string {
  try {
    parseConfig(source, 'c.yaml');
    return 'taken';
  } catch (error) {
    return isFailure(error) ? error.code : String(error);
  }
}

describe('policy of the configuration', () => {
  it('fills in what an entry does not say, on the careful side', () => {
    expect(policyOf('policy: { environments: [ { match: "*/production" } ] }\n')).toEqual({
      environments: [
        {
          match: '*/production',
          quorum: 1,
          selfApproval: false,
          approvers: null,
          rejections: 1,
          expiryMs: 72 * 3_600_000,
          unsignedApprovals: false,
          unsignedRequests: null,
          bind: 'digest',
          breakGlass: null,
        },
      ],
      groups: {},
      permissions: [],
    });
  });

  it('reads all that can be said', () => {
    const policy = policyOf(`policy:
  environments:
    - { match: "acme/production", quorum: 2, selfApproval: true, approvers: { users: [" Bob@Example.com "], groups: [sre] },
        rejections: 3, expiry: 30m, unsignedApprovals: true, unsignedRequests: false, bind: rendered,
        breakGlass: { allowed: true, longest: 2h } }
    - { match: "**", quorum: 0, breakGlass: { allowed: true } }
  groups: { sre: [ bob@example.com ], constructor: [] }
  permissions:
    - { allow: [propose, deploy], users: [jane@example.com], groups: [sre], in: ["acme/*", "**"] }
`);
    expect(policy).toEqual({
      environments: [
        {
          match: 'acme/production',
          quorum: 2,
          selfApproval: true,
          approvers: { users: ['Bob@Example.com'], groups: ['sre'] },
          rejections: 3,
          expiryMs: 30 * 60_000,
          unsignedApprovals: true,
          unsignedRequests: false,
          bind: 'rendered',
          breakGlass: { longestMs: 2 * 3_600_000 },
        },
        expect.objectContaining({ match: '**', quorum: 0, breakGlass: { longestMs: 3_600_000 } }),
      ],
      groups: { sre: ['bob@example.com'], constructor: [] },
      permissions: [
        {
          allow: ['propose', 'deploy'],
          users: ['jane@example.com'],
          groups: ['sre'],
          in: ['acme/*', '**'],
        },
      ],
    });
  });

  it('allows no break-glass where it says so, whatever else it says', () => {
    const policy = policyOf(
      'policy: { environments: [ { match: "**", breakGlass: { allowed: false, longest: 2h } } ] }\n',
    );
    expect(policy.environments[0]?.breakGlass).toBeNull();
  });

  it('takes an environment alone where the layout has no tenants', () => {
    const text = 'policy: { environments: [ { match: "prod-*" }, { match: "**" } ] }\n';
    expect(policyOf(text, PLAIN).environments.map(({ match }) => match)).toEqual(['prod-*', '**']);
  });

  const entry = (text: string) => `policy:\n  environments:\n    - { match: "acme/production", ${text} }\n`;
  const match = (text: string) => `policy:\n  environments:\n    - match: ${JSON.stringify(text)}\n`;
  it.each([
    ['no policy behind the key', 'policy:\n', 3, 1, 'policy'],
    ['an unknown key', 'policy: { quorum: 1 }\n', 3, 11, 'quorum'],
    ['an unknown key of an entry', entry('quorom: 2'), 5, 35, 'quorom'],
    ['no match', 'policy: { environments: [ { quorum: 1 } ] }\n', 3, 27, 'match'],
    ['a negative quorum', entry('quorum: -1'), 5, 35, 'quorum'],
    ['a broken quorum', entry('quorum: 1.5'), 5, 35, 'quorum'],
    ['a quorum that nobody brings together', entry('quorum: 21'), 5, 35, 'quorum'],
    ['a quorum in words', entry('quorum: "1"'), 5, 35, 'quorum'],
    ['no quorum behind the key', entry('quorum: '), 5, 35, 'quorum'],
    ['an answer in words', entry('selfApproval: "no"'), 5, 35, 'selfApproval'],
    ['no rejection that ends it', entry('rejections: 0'), 5, 35, 'rejections'],
    ['another binding', entry('bind: manifests'), 5, 35, 'bind'],
    ['a duration without unit', entry('expiry: 72'), 5, 35, 'expiry'],
    ['a duration with another unit', entry('expiry: 72s'), 5, 35, '30m, 72h or 7d'],
    ['a duration of nothing', entry('expiry: 0h'), 5, 35, '30m, 72h or 7d'],
    ['a duration without end', entry('expiry: 999999d'), 5, 35, 'At most 365d'],
    ['a long break-glass', entry('breakGlass: { allowed: true, longest: 2d }'), 5, 64, 'At most 24h'],
    ['break-glass that is neither', entry('breakGlass: { longest: 1h }'), 5, 35, 'allowed'],
    ['approvers that name nobody', entry('approvers: {}'), 5, 35, 'nobody'],
    ['approvers in two empty lists', entry('approvers: { users: [], groups: [] }'), 5, 35, 'nobody'],
    ['an approver without email', entry('approvers: { users: [bob] }'), 5, 56, 'email'],
    ['two emails in one', entry('approvers: { users: ["a@b@c"] }'), 5, 56, 'email'],
    ['a name and an email', entry('approvers: { users: ["Bob <b@c>"] }'), 5, 56, 'email'],
    ['a line end in an email', entry('approvers: { users: ["a@b\\nx"] }'), 5, 56, 'email'],
    [
      'a mark that turns text around in an email',
      entry('approvers: { users: ["a@b\\u202e"] }'),
      5,
      56,
      'email',
    ],
    ['a wildcard in an email', entry('approvers: { users: ["*@example.com"] }'), 5, 56, 'wildcard'],
    ['an email that is too long', entry(`approvers: { users: ["${'a'.repeat(320)}@b"] }`), 5, 56, '320'],
    ['a group that is not there', entry('approvers: { groups: [sre] }'), 5, 57, 'no group sre'],
    ['a group of the language', entry('approvers: { groups: [constructor] }'), 5, 57, 'no group constructor'],
    ['a pattern of too few parts', match('production'), 5, 7, 'has tenants'],
    ['a pattern of too many parts', match('acme/production/api'), 5, 7, 'has tenants'],
    ['a star over names', match('**/production'), 5, 7, 'whole pattern'],
    ['stars behind a tenant', match('acme/**'), 5, 7, 'whole pattern'],
    ['a choice', match('acme/{staging,production}'), 5, 7, 'only wildcard'],
    ['a negation', match('!acme/staging'), 5, 7, 'only wildcard'],
    ['one letter of any kind', match('acme/prod?'), 5, 7, 'only wildcard'],
    ['an empty tenant', match('/production'), 5, 7, 'tenant/'],
    ['an empty pattern', match(''), 5, 7, 'tenant/'],
    ['a blank at its end', match('acme/production '), 5, 7, 'tenant/'],
    ['the folder above', match('acme/..'), 5, 7, 'tenant/'],
  ])('refuses %s', (_, text, line, column, message) => {
    const error = failure(`${TENANTS}${text}`);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(`c.yaml:${line}:${column}: policy`);
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/[\n\u202e]/);
  });

  it.each([
    ['no right', 'allow: [], users: [a@b], in: ["**"]', 'allow'],
    ['an unknown right', 'allow: [approve], users: [a@b], in: ["**"]', 'allow.0'],
    ['no place', 'allow: [read], users: [a@b], in: []', 'in'],
    ['a place that is missing', 'allow: [read], users: [a@b]', 'in'],
    [
      'a place that can never match',
      'allow: [read], users: [a@b], in: ["acme/*", "acme"]',
      'in.1: It cannot match anything',
    ],
    ['nobody', 'allow: [read], in: ["**"]', 'nobody'],
    [
      'a group that is not there',
      'allow: [read], groups: [sre], in: ["**"]',
      'groups.0: There is no group sre',
    ],
  ])('refuses a permission for %s', (_, text, message) => {
    expect(failure(`${TENANTS}policy: { permissions: [ { ${text} } ] }\n`).message).toContain(message);
  });

  it.each(['__proto__', '<<', 'a b', '-x', 'a/b', 'x'.repeat(101)])('refuses a group named %s', (name) => {
    const error = failure(`${TENANTS}policy:\n  groups:\n    "${name}": [ a@b ]\n`);
    expect(error.message).toMatch(/^c\.yaml:5:5: policy\.groups\..*: A group name/);
  });

  it.each([
    ['**', 'acme/production'],
    ['**', '**'],
    ['*/*', '**'],
    ['*/production', 'acme/production'],
    ['acme/prod*', 'acme/prod-*-eu'],
    ['acme/production', 'acme/production'],
  ])('refuses an entry that an earlier one hides: %s before %s', (earlier, later) => {
    const error = failure(
      `${TENANTS}policy:\n  environments:\n    - match: "${earlier}"\n    - match: "${later}"\n`,
    );
    expect(error.message).toMatch(/^c\.yaml:6:7: policy\.environments\.1\.match: It never applies/);
  });

  it('takes entries that only overlap', () => {
    const of = (...patterns: string[]) =>
      policyOf(`policy: { environments: ${JSON.stringify(patterns.map((match) => ({ match })))} }\n`);
    expect(of('acme/*', '*/production', 'a*/prod*', '**').environments).toHaveLength(4);
    expect(of('acme/prod-*-eu', 'acme/prod*').environments).toHaveLength(2);
  });

  it('collects what does not fit, each with its place', () => {
    const error = failure(
      `${TENANTS}policy:\n  environments:\n    - match: production\n    - match: "acme/x"\n      approvers: { groups: [a, b] }\n`,
    );
    expect(error.details['problems']).toMatchObject([
      { line: 5, column: 7 },
      { line: 7, column: 29 },
      { line: 7, column: 32 },
    ]);
  });

  it('never fails in another way, whatever stands there', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (policy, ledger) => {
        const text = `${TENANTS}policy: ${JSON.stringify(policy)}\nledger: ${JSON.stringify(ledger)}\n`;
        expect(outcome(text)).toMatch(/^(?:taken|CONFIG_INVALID)$/);
      }),
    );
  });
});

describe('ledger of the configuration', () => {
  const ledger = (ref: string) => `${PLAIN}ledger: { ref: ${JSON.stringify(ref)} }\n`;

  it.each(['refs/backtrail/ledger-2', 'refs/backtrail/a/b', 'refs/heads/backtrail/ledger'])(
    'takes %s',
    (ref) => {
      expect(parseConfig(ledger(ref), 'c.yaml').ledger).toEqual({ ref });
    },
  );

  it.each([
    'ledger',
    'refs/heads/',
    'refs/tags/ledger',
    'refs/remotes/origin/ledger',
    'refs/backtrailer/ledger',
    'refs/backtrail',
    'refs/backtrail/../heads/main',
    'refs/backtrail/a..b',
    'refs/backtrail/a b',
    'refs/backtrail/-x',
    'refs/backtrail/x.lock',
    'refs/backtrail/x/',
    'refs/backtrail/x\n',
    'refs/backtrail/staging/x',
    'refs/backtrail/Remote',
    '--upload-pack=touch',
    `refs/backtrail/${'x'.repeat(200)}`,
  ])('refuses %j', (ref) => {
    expect(failure(ledger(ref)).message).toMatch(/^c\.yaml:3:11: ledger\.ref: .*\.$/);
  });
});

describe('windows and features of the configuration', () => {
  it('are read, with what a window does not say', () => {
    const policy = policyOf(
      'features: { basic_rollback: false, selective_rollback: [field] }\npolicy: { windows: [ { match: "*/production", cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Berlin } ] }\n',
    );
    expect(policy.windows).toEqual([
      {
        match: '*/production',
        kind: 'deny',
        cron: '0 18 * * FRI',
        durationMs: 62 * 3_600_000,
        timezone: 'Europe/Berlin',
        rollbacks: 'exempt',
      },
    ]);
    expect(policy.features).toEqual({ basicRollback: false, selectiveRollback: ['field'] });
  });

  it.each([
    ['cron: every friday, duration: 1h', /five fields of cron/],
    ['cron: "0 0 31 2 *", duration: 1h', /never comes/],
    ['cron: "0 0 * * *", duration: 1y', /duration is written/],
    ['cron: "0 0 * * *", duration: 1h, timezone: Mars', /time zone/],
    ['cron: "0 0 * * *", duration: 1h, rollbacks: maybe', /rollbacks/],
  ])('are refused where a window has %s', (text, message) => {
    expect(failure(`${TENANTS}policy: { windows: [ { match: "**", ${text} } ] }\n`).message).toMatch(message);
  });

  it('refuse a pattern of the other tenancy', () => {
    const text = 'policy: { windows: [ { match: production, cron: "0 0 * * *", duration: 1h } ] }\n';
    expect(failure(`${TENANTS}${text}`).message).toMatch(/cannot match anything/);
  });

  it.each([
    'features: { rollback_approval: false }\npolicy: { environments: [ { match: "**" } ] }\n',
    'policy: { environments: [ { match: "**", quorum: 2, features: { rollback_approval: false } } ] }\n',
    'policy: { environments: [ { match: "**", approvers: { users: [a@b.c] }, features: { rollback_approval: false } } ] }\n',
    'features: { rollback_approval: false }\npolicy: { environments: [ { match: "a/*", quorum: 0 }, { match: "**", quorum: 1 } ] }\n',
  ])('refuse to switch approvals off beside a quorum: %j', (text) => {
    expect(failure(`${TENANTS}${text}`).message).toMatch(/asks for approvals, and `rollback_approval`/);
  });

  it('switch approvals off where no quorum is written', () => {
    const text = 'policy: { environments: [ { match: "**", features: { rollback_approval: false } } ] }\n';
    expect(policyOf(text).environments[0]).toMatchObject({
      quorum: 0,
      features: { rollbackApproval: false },
    });
    const on =
      'features: { rollback_approval: false }\npolicy: { environments: [ { match: "**", features: { rollback_approval: true } } ] }\n';
    expect(policyOf(on).environments[0]?.quorum).toBe(1);
  });
});
