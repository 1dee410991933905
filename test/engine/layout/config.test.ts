import { DEFAULT_FIXED } from '../../../engine/layout/configuration/checks.ts';
import { describe, expect, it } from 'vitest';
import { type BacktrailError, isFailure } from '../../../engine/model/index.ts';
import { DEFAULT_KEEP, parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { CONFIG_PATH } from '../../../engine/model/config.ts';

const MINIMAL = 'version: 1\nlayout: { environment: ["envs/{environment}/**"] }\n';

function failure(source: string): BacktrailError {
  try {
    parseConfig(source, 'c.yaml');
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('The configuration was taken.');
}

describe('configuration', () => {
  it('needs a version and a layout only', () => {
    expect(parseConfig(MINIMAL, CONFIG_PATH)).toEqual({
      version: 1,
      branch: null,
      repository: [],
      layout: {
        environment: ['envs/{environment}/**'],
        service: [],
        bindings: [],
        variables: [],
        ignore: { tenant: [], environment: [], service: [] },
        only: { tenant: [], environment: [], service: [] },
        shared: [],
      },
      fields: {},
      keep: [...DEFAULT_KEEP],
      show: [],
      source: [],
      delivery: null,
      holds: { bots: [], set: [], sources: [] },
      policy: { environments: [], groups: {}, permissions: [] },
      checks: {
        severity: {},
        fixed: [...DEFAULT_FIXED],
        migrations: [],
        recurring: { times: 3, days: 30 },
      },
      publish: [],
      host: { kind: null, repository: null },
      live: [],
      auto: [],
      drift: { ignore: [] },
      ledger: { ref: 'refs/backtrail/ledger' },
      deployments: { ref: 'refs/backtrail/deployments', record: 'auto' },
      subject: 'Rollback',
      commit: { subject: null, signoff: false, sign: false, trailers: {} },
    });
  });

  it.each([
    ['shared: ["apps/{service}/base/**#/x"]', 'without a selector'],
    ['shared: ["../base/**"]', 'relative path'],
    ['shared: ["a/**/b/**/c/**/d/**"]', 'at most two "**"'],
    ['shared: ["{region}/**"]', 'placeholders are'],
  ])('refuses in the layout %s, at its place', (line, message) => {
    const text = `version: 1\nlayout:\n  environment: ["envs/{environment}/**"]\n  ${line}\n`;
    expect(() => parseConfig(text, CONFIG_PATH)).toThrow(/^\.backtrail\/config\.yaml:4:/);
    expect(() => parseConfig(text, CONFIG_PATH)).toThrow(message);
  });

  it('reads every section, and an empty `keep` keeps nothing', () => {
    const config = parseConfig(
      [
        'version: 1',
        'branch: main',
        'subject: Revert',
        'layout:',
        '  environment: ["tenants/{tenant}/{environment}/**"]',
        '  service:',
        '    - "tenants/{tenant}/{environment}/services/{service}/**"',
        '    - "tenants/{tenant}/{environment}/variables.yaml#/services/{service}"',
        '  bindings: ["**/kustomization.yaml"]',
        '  variables: ["**/variables.yaml"]',
        'fields: { image: "service.yaml#/image/tag", version: "#/version", dotted: "service.yaml#image.tag" }',
        'keep: []',
        'source: [ { subject: "^promote", is: promotion }, { author: "bot", is: release } ]',
        'delivery: { output: "delivery/{tenant}/{environment}/{service}.yaml" }',
      ].join('\n'),
      CONFIG_PATH,
    );
    expect(config.keep).toEqual([]);
    expect(config.source).toEqual([
      { subject: '^promote', is: 'promotion' },
      { author: 'bot', is: 'release' },
    ]);
    expect(config.delivery).toEqual({ output: 'delivery/{tenant}/{environment}/{service}.yaml' });
    expect(config.fields['image']).toBe('service.yaml#/image/tag');
  });

  const layout = 'version: 1\nlayout:\n  environment: ["e/{environment}/**"]\n';
  it.each([
    ['an unknown key', `${layout}keeps: []\n`, 4, 1, /keeps/],
    [
      'an unknown key of a section',
      `version: 1\nlayout:\n  environment: ["{environment}"]\n  environments: []\n`,
      4,
      3,
      /environments/,
    ],
    ['another version', `layout: { environment: ["e/{environment}"] }\nversion: 2\n`, 2, 1, /version/],
    ['no layout', 'version: 1\n', 1, 1, /layout/],
    ['an empty layout', 'version: 1\nlayout: {}\n', 2, 1, /environment/],
    [
      'a pattern without its placeholder',
      'version: 1\nlayout:\n  service:\n    - "a/{service}/**"\n',
      4,
      7,
      /\{environment\}/,
    ],
    [
      'an unknown placeholder',
      'version: 1\nlayout:\n  service: [ "{environment}/{service}", "{env}/{service}" ]\n',
      3,
      41,
      /placeholders/,
    ],
    [
      'a pattern that leaves the repository',
      'version: 1\nlayout:\n  environment: ["../{environment}"]\n',
      3,
      17,
      /relative/,
    ],
    [
      'a bad selector in a pattern',
      'version: 1\nlayout:\n  service: ["{environment}.yaml#/a[{service}"]\n',
      3,
      13,
      /selector/,
    ],
    [
      'tenants in some patterns only',
      'version: 1\nlayout:\n  environment: ["{tenant}/{environment}/**"]\n  service: ["s/{environment}/{service}"]\n',
      4,
      13,
      /tenant/,
    ],
    [
      'tenants missing in the output',
      'version: 1\nlayout:\n  service: ["{tenant}/{environment}/{service}/**"]\ndelivery:\n  output: "d/{environment}/{service}.yaml"\n',
      5,
      3,
      /tenant/,
    ],
    ['a wrong type', `${layout}keep: all\n`, 4, 1, /keep/],
    ['a kept selector that is none', `${layout}keep:\n  - "**/x.yaml#/a["\n`, 5, 5, /selector/],
    ['a kept format that is unknown', `${layout}keep: ["format:sosp"]\n`, 4, 8, /format/],
    ['a kept kind without a name', `${layout}keep: ["kind:"]\n`, 4, 8, /kind/],
    ['a kept path that is negated', `${layout}keep: ["!secrets/**"]\n`, 4, 8, /!/],
    ['a field without a selector', `${layout}fields:\n  image: service.yaml\n`, 5, 3, /selector/],
    ['a field that is a whole file', `${layout}fields:\n  image: "service.yaml#"\n`, 5, 3, /selector/],
    ['a field outside the repository', `${layout}fields:\n  image: "../s.yaml#/a"\n`, 5, 3, /path/],
    ['a field with a bad selector', `${layout}fields:\n  image: "s.yaml#/a["\n`, 5, 3, /selector/],
    ['a short name that is none', `${layout}fields:\n  "a/b": "s.yaml#/a"\n`, 5, 3, /short name/],
    [
      'a rule that is no expression',
      `${layout}source: [ { subject: "(", is: release } ]\n`,
      4,
      13,
      /regular/,
    ],
    ['a rule without a condition', `${layout}source: [ { is: release } ]\n`, 4, 11, /subject/],
    ['a source that is unknown', `${layout}source: [ { author: x, is: magic } ]\n`, 4, 24, /is/],
    [
      'an output with a wildcard',
      `${layout}delivery: { output: "d/{environment}/**/{service}" }\n`,
      4,
      13,
      /literal/,
    ],
    [
      'an output with a selector',
      `${layout}delivery: { output: "d/{environment}/{service}#/a" }\n`,
      4,
      13,
      /literal/,
    ],
    [
      'an output inside our own folder',
      `${layout}delivery: { output: ".backtrail/{environment}/{service}" }\n`,
      4,
      13,
      /\.backtrail/,
    ],
    [
      'an output inside .git',
      `${layout}delivery: { output: ".git/{environment}/{service}" }\n`,
      4,
      13,
      /path/,
    ],
    ['a branch that is an option', `${layout}branch: "--all"\n`, 4, 1, /branch/],
    ['a branch that is an expression', `${layout}branch: "main@{u}"\n`, 4, 1, /branch/],
    ['a subject of two lines', `${layout}subject: "a\\nb"\n`, 4, 1, /one line/],
    ['a template of two lines', `${layout}commit: { subject: "a\\nb" }\n`, 4, 11, /one line/],
    ['a template that turns text around', `${layout}commit: { subject: "a\\u202eb" }\n`, 4, 11, /one line/],
    [
      'an unknown placeholder',
      `${layout}commit: { subject: "{servce}" }\n`,
      4,
      11,
      /\{servce\}.*\{service\}/,
    ],
    ['two subjects', `${layout}subject: Back\ncommit: { subject: "x" }\n`, 4, 1, /remove one/],
    ['a sign-off that is no choice', `${layout}commit: { signoff: "yes" }\n`, 4, 11, /boolean/],
    ['a trailer of two lines', `${layout}commit: { trailers: { A: "x\\nMode: full" } }\n`, 4, 23, /one line/],
    [
      'a trailer twice',
      `${layout}commit: { trailers: { Team: a, TEAM: b } }\n`,
      4,
      32,
      /Team is a duplicate/,
    ],
    ['a trailer of the language', `${layout}commit: { trailers: { __proto__: a } }\n`, 4, 23, /letter/],
    ['a trailer without a value', `${layout}commit: { trailers: { Team: "" } }\n`, 4, 23, /Team/],
    ...[
      'Mode',
      'service',
      'JUSTIFICATION',
      'rollback-engine',
      'Rollback-Anything',
      'ROLLBACK',
      'Delivery-of',
      'event',
      'Event-x',
      'signed-off-BY',
      'Approved-by',
      'approval',
    ].map((key): [string, string, number, number, RegExp] => [
      `the trailer ${key}, which has a meaning`,
      `${layout}commit: { trailers: { ${key}: x } }\n`,
      4,
      23,
      /is reserved/,
    ]),
    ...['a b', 'a:', 'a_b', '-a', 'é', '1a'].map((key): [string, string, number, number, RegExp] => [
      `the trailer ${key}, which git would not read`,
      `${layout}commit: { trailers: { ${JSON.stringify(key)}: x } }\n`,
      4,
      23,
      /trailer key/,
    ]),
  ])('names the place of %s', (_, source, line, column, message) => {
    const error = failure(source);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(new RegExp(`^c\\.yaml:${line}:${column}: .*\\.$`, 'su'));
    expect(error.message).toMatch(message);
    expect(error.details['problems']).toMatchObject([{ file: 'c.yaml', line, column }]);
  });

  it.each([
    ['broken YAML', 'version: 1\nlayout: [\n', 3],
    ['a tab', 'version: 1\nlayout:\n\tenvironment: []\n', 3],
    ['a duplicate key', 'version: 1\nversion: 1\n', 2],
    ['two documents', `${MINIMAL}---\n${MINIMAL}`, 3],
    ['nothing at all', '', 1],
    ['a list', '- version: 1\n', 1],
    ['an alias to nothing', 'version: 1\nlayout: *x\n', 2],
    ['an alias bomb', bomb(), 2],
  ])('refuses %s on its line', (_, source, line) => {
    const error = failure(source);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(new RegExp(`^c\\.yaml:${line}:\\d+: .*\\.$`, 'su'));
  });

  it('collects every complaint in its details', () => {
    const error = failure('version: 1\nlayout: { environment: ["a"] }\nkeeps: 1\nfields: { a: 1 }\n');
    expect(error.details['problems']).toHaveLength(3);
  });

  it('takes no key of the language for one of its own', () => {
    const hostile = parseConfig(`${layout}fields: { __proto__: "a#/b" }\n`, 'c');
    expect(hostile.fields).toEqual({});
    expect(failure(`${layout}__proto__: { keep: [x] }\n`).message).toMatch(/^c\.yaml:4:1: /);
    expect(parseConfig(`${layout}fields: { constructor: "a#/b" }\n`, 'c').fields).toEqual({
      constructor: 'a#/b',
    });
    expect(Object.hasOwn(Object.prototype, 'b')).toBe(false);
  });

  it('counts lines with Windows line ends and a byte order mark', () => {
    const error = failure(`\ufeffversion: 1\r\nlayout:\r\n  environment: ["x"]\r\n`);
    expect(error.message).toMatch(/^c\.yaml:3:17: /);
  });

  it.each([
    ['keep: ["**/+(a|b)/x"]', /not "\("/],
    ['keep: ["**/a/**/b/**/c"]', /at most two "\*\*"/],
    ['keep: ["a*b*c*d*"]', /at most three of "\*"/],
    ['keep: ["{a,b}{a,b}{a,b}{a,b}"]', /at most three of/],
    ['source: [{ subject: "(?!x)", is: deploy }]', /lookaround/],
  ])('refuses what would take time without end: %s', (line, message) => {
    expect(failure(`${MINIMAL}${line}\n`).message).toMatch(message);
  });

  it('takes as many stars as people write', () => {
    const more = 'keep: ["**/secrets/**", "**/*.enc.{yaml,json}", "**/a/**/b-*-*.[yj]*"]\n';
    expect(parseConfig(`${MINIMAL}${more}`, 'c.yaml').keep).toHaveLength(3);
  });

  it('refuses layout patterns that fit in too many ways', () => {
    const of = (pattern: string) => `version: 1\nlayout: { environment: ["${pattern}"] }\n`;
    expect(failure(of('**/a/**/b/**/{environment}/**')).message).toMatch(/at most two "\*\*"/);
    expect(failure(of('*-*-*-{environment}')).message).toMatch(/at most three "\*" and placeholders/);
    expect(() => parseConfig(of('**/**/**/**/{environment}/**'), 'c.yaml')).not.toThrow();
  });

  it('refuses a text over 64 KiB, and tells no more than fifty problems', () => {
    expect(failure(`${MINIMAL}${'# x\n'.repeat(20_000)}`).message).toMatch(/^c\.yaml:1:1: .*64 KiB/);
    const many = failure(`${MINIMAL}keep: [${'"a//b", '.repeat(200)}]\n`);
    expect(many.details['problems']).toHaveLength(50);
  });
});

function bomb(): string {
  const levels = Array.from(
    { length: 9 },
    (_, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(',')}]`,
  );
  return ['l0: &l0 [x,x,x]', ...levels].join('\n');
}
