import { describe, expect, it } from 'vitest';
import { autoRuleFor, liveRulesFor } from '../../../engine/layout/configuration/live.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';

const TENANTS = 'version: 1\nlayout:\n  environment: ["tenants/{tenant}/{environment}/**"]\n';
const PLAIN = 'version: 1\nlayout:\n  environment: ["envs/{environment}/**"]\n';
const parse = (text: string, layout = TENANTS) => parseConfig(`${layout}${text}`, '.backtrail/config.yaml');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('live', () => {
  it('asks nobody where nothing is written', () => {
    expect(parse('')).toMatchObject({ live: [], auto: [], drift: { ignore: [] } });
  });

  it('reads an entry, with defaults for what it leaves out', () => {
    const { live } = parse(
      'live:\n  - { match: "*/production", cluster: prod-eu, argocd: { application: "{tenant}-{environment}-{service}" } }\n  - { match: "**", cluster: prod-eu, within: 5m, nudge: true, flux: { kustomization: "{tenant}" }, kubernetes: {} }\n',
    );
    expect(live).toEqual([
      {
        match: '*/production',
        cluster: 'prod-eu',
        withinMs: 10 * MINUTE,
        nudge: false,
        argocd: { application: '{tenant}-{environment}-{service}', namespace: 'argocd' },
        flux: null,
        kubernetes: null,
      },
      {
        match: '**',
        cluster: 'prod-eu',
        withinMs: 5 * MINUTE,
        nudge: true,
        argocd: null,
        flux: { kustomization: '{tenant}', helmRelease: null, namespace: 'flux-system' },
        kubernetes: { namespace: null },
      },
    ]);
    const production = { tenant: 'acme', environment: 'production' };
    expect(liveRulesFor(live, production)).toHaveLength(2);
    expect(liveRulesFor(live, { ...production, environment: 'dev' })).toHaveLength(1);
  });

  it('reads what is rolled back by itself, and the first entry that matches counts', () => {
    const { auto } = parse(
      'auto:\n  - { match: acme/production, limit: 3/1d, atomic: true }\n  - { match: "*/production", window: 30m, bad: 90s }\n',
    );
    const rule = autoRuleFor(auto, { tenant: 'acme', environment: 'production' });
    expect(rule).toEqual({
      match: 'acme/production',
      windowMs: 10 * MINUTE,
      badMs: 2 * MINUTE,
      limit: { times: 3, perMs: 24 * HOUR },
      atomic: true,
    });
    expect(autoRuleFor(auto, { tenant: 'globex', environment: 'production' })).toMatchObject({
      windowMs: 30 * MINUTE,
      badMs: 1.5 * MINUTE,
      limit: { times: 1, perMs: 6 * HOUR },
    });
    expect(autoRuleFor(auto, { tenant: 'globex', environment: 'dev' })).toBeNull();
  });

  it.each([
    ['live: [{ match: "**", cluster: c }]', 'It needs one of argocd, flux, kubernetes.'],
    ['live: [{ match: "**", cluster: -c, kubernetes: {} }]', 'A cluster is named with'],
    ['live: [{ match: "**", cluster: c, argocd: { application: "{region}" } }]', 'The placeholders are'],
    ['live: [{ match: "**", cluster: c, argocd: { application: "--help" } }]', 'A name has lower-case'],
    ['live: [{ match: "**", cluster: c, flux: { helmRelease: a } }]', 'It needs `kustomization`'],
    ['live: [{ match: production, cluster: c, kubernetes: {} }]', 'the layout has tenants'],
    ['live: [{ match: "**", cluster: c, within: 10 seconds, kubernetes: {} }]', 'A duration is written as'],
    ['auto: [{ match: "**" }, { match: a/b }]', 'It never applies'],
    ['auto: [{ match: "**", limit: many }]', 'A limit is written as 1/6h'],
    ['auto: [{ match: "**", limit: 1/90d }]', 'The time of a limit is at most 31d.'],
    ['drift: { ignore: [replicas] }', 'Write it as /spec/replicas'],
  ])('refuses %s', (text, message) => {
    expect(() => parse(`${text}\n`)).toThrow(message);
  });

  it('refuses a tenant in a name where the layout has none, at its place', () => {
    const text =
      'live:\n  - match: "**"\n    cluster: c\n    argocd:\n      application: "{tenant}-{service}"\n';
    expect(() => parse(text, PLAIN)).toThrow(/config\.yaml:8:\d+: live\.0\.argocd\.application: /);
  });
});
