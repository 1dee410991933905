import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/internal.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { publishRuleFor } from '../../../engine/layout/configuration/publish.ts';

const LAYOUT = 'version: 1\nlayout:\n  environment: ["{tenant}/{environment}/**"]\n';
const parse = (text: string) => parseConfig(`${LAYOUT}${text}`, 'config.yaml');
const problemOf = (text: string) => {
  try {
    parse(text);
    return null;
  } catch (error) {
    return isFailure(error) ? `${error.code} ${error.message}` : error;
  }
};

describe('publish', () => {
  it('pushes where nothing is said', () => {
    const { publish, host } = parse('');
    expect(publishRuleFor(publish, [{ tenant: 'acme', environment: 'production' }])).toMatchObject({
      via: 'push',
    });
    expect(host).toEqual({ kind: null, repository: null });
  });

  it('takes the first entry that matches an environment', () => {
    const { publish } = parse(
      'publish:\n  - { match: "*/production", via: pull-request, merge: auto, method: squash, labels: [rollback] }\n  - { match: "**", via: branch }\n',
    );
    expect(publishRuleFor(publish, [{ tenant: 'acme', environment: 'production' }])).toEqual({
      match: '*/production',
      via: 'pull-request',
      merge: 'auto',
      method: 'squash',
      labels: ['rollback'],
    });
    expect(publishRuleFor(publish, [{ tenant: 'acme', environment: 'dev' }]).via).toBe('branch');
  });

  it('takes the stricter way where what changes belongs to several environments', () => {
    const { publish } = parse('publish:\n  - { match: acme/production, via: pull-request }\n');
    const [dev, production] = ['dev', 'production'].map((environment) => ({ tenant: 'acme', environment }));
    if (!dev || !production) throw new Error('No environments.');
    expect(publishRuleFor(publish, [dev, production])).toMatchObject({
      via: 'pull-request',
      merge: 'manual',
      method: null,
    });
    expect(publishRuleFor(publish, [dev]).via).toBe('push');
  });

  it.each([
    [
      'an entry that an earlier one shadows',
      'publish: [{ match: "**", via: branch }, { match: "*/dev", via: push }]',
      'It never applies',
    ],
    [
      'a match without the tenant',
      'publish: [{ match: production, via: branch }]',
      'It cannot match anything',
    ],
    ['a method for a push', 'publish: [{ match: "**", via: push, method: squash }]', 'via: pull-request'],
    ['another method', 'publish: [{ match: "**", via: pull-request, method: octopus }]', 'publish.0.method'],
    ['a label of two lines', 'publish: [{ match: "**", via: pull-request, labels: ["a\\nb"] }]', 'one line'],
    ['a repository that leads elsewhere', 'host: { repository: "../x" }', 'owner/name'],
    ['a repository without an owner', 'host: { repository: config }', 'owner/name'],
    ['an address of a host', 'host: { api: "https://x" }', 'host.api'],
  ])('refuses %s', (_, text, said) => {
    expect(problemOf(text)).toContain('CONFIG_INVALID');
    expect(problemOf(text)).toContain(said);
  });
});
