import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHosts } from '../../../engine/hosts/operator.ts';
import { findPlace } from '../../../engine/hosts/place.ts';
import { type HostNaming, isFailure } from '../../../engine/model/index.ts';

const HOSTS = parseHosts(
  `
github.com: { token: t }
github.example.com: { kind: github, token: t }
gitlab.com: { token: t }
acme.ghe.com: { kind: github, token: t }
git.example.com:3000: { kind: gitea, token: t }
example.com: { kind: gitlab, api: https://example.com/gitlab/api/v4, token: t }
unnamed.example.com: { token: t, repositories: [Acme/platform/Config] }
work: { kind: github, api: https://api.github.com, token: t }
127.0.0.1:5000: { kind: gitea, api: http://127.0.0.1:5000/api/v1, token: t }
`,
  '/',
);
const NOTHING: HostNaming = { kind: null, repository: null };
const place = (address: string, naming: Partial<HostNaming> = {}) =>
  findPlace(address, { ...NOTHING, ...naming }, HOSTS);

function refusal(address: string, naming: Partial<HostNaming> = {}): string {
  try {
    place(address, naming);
  } catch (error) {
    if (isFailure(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error(`${address} is not refused.`);
}

describe('where the pull requests of an address are', () => {
  it.each([
    ['https://github.com/acme/config.git', 'github', 'github.com', 'acme/config', 'https://api.github.com'],
    [
      'https://me:secret@GitHub.com/acme/config/',
      'github',
      'github.com',
      'acme/config',
      'https://api.github.com',
    ],
    ['git@github.com:acme/config.git', 'github', 'github.com', 'acme/config', 'https://api.github.com'],
    ['github.com:acme/config', 'github', 'github.com', 'acme/config', 'https://api.github.com'],
    ['ssh://git@github.com/acme/config.git', 'github', 'github.com', 'acme/config', 'https://api.github.com'],
    [
      'ssh://git@ssh.github.com:443/acme/config',
      'github',
      'github.com',
      'acme/config',
      'https://api.github.com',
    ],
    [
      'git+ssh://git@github.com:22/acme/config',
      'github',
      'github.com',
      'acme/config',
      'https://api.github.com',
    ],
    ['git@acme.ghe.com:acme/config', 'github', 'acme.ghe.com', 'acme/config', 'https://api.acme.ghe.com'],
    ['git@work:acme/config', 'github', 'work', 'acme/config', 'https://api.github.com'],
    [
      'https://github.example.com:443/acme/config',
      'github',
      'github.example.com',
      'acme/config',
      'https://github.example.com/api/v3',
    ],
    ['git@gitlab.com:a/b/c/d.git', 'gitlab', 'gitlab.com', 'a/b/c/d', 'https://gitlab.com/api/v4'],
    [
      'https://example.com/gitlab/a/b.git',
      'gitlab',
      'example.com',
      'a/b',
      'https://example.com/gitlab/api/v4',
    ],
    ['git@example.com:a/b.git', 'gitlab', 'example.com', 'a/b', 'https://example.com/gitlab/api/v4'],
    [
      'https://git.example.com:3000/acme/config',
      'gitea',
      'git.example.com:3000',
      'acme/config',
      'https://git.example.com:3000/api/v1',
    ],
    [
      'ssh://git@git.example.com:2222/acme/config',
      'gitea',
      'git.example.com:3000',
      'acme/config',
      'https://git.example.com:3000/api/v1',
    ],
    [
      'http://127.0.0.1:5000/acme/config.git',
      'gitea',
      '127.0.0.1:5000',
      'acme/config',
      'http://127.0.0.1:5000/api/v1',
    ],
  ])('%s', (address, kind, name, repository, api) => {
    expect(place(address)).toMatchObject({ kind, name, repository, api });
  });

  it('takes the repository and the kind from the configuration where the address does not say them', () => {
    const address = 'https://unnamed.example.com/mirrors/1';
    expect(place(address, { kind: 'gitlab', repository: 'acme/platform/config' })).toMatchObject({
      kind: 'gitlab',
      repository: 'acme/platform/config',
      api: 'https://unnamed.example.com/api/v4',
    });
    expect(refusal(address)).toMatch(/^INVALID_REQUEST .*what kind/);
    expect(refusal('git@github.com:acme/config', { kind: 'gitea' })).toMatch(/^CONFIG_INVALID .*host\.kind/);
  });

  it.each([
    ['git@github.com:acme/config', 'acme/secrets'],
    ['git@github.com:acme/config', 'other/config'],
    ['https://unnamed.example.com/mirrors/1', 'acme/platform/other'],
    ['https://example.com/gitlab/a/b.git', 'gitlab/a/b'],
  ])('of %s is no other repository, unless the operator lists it: %s', (address, repository) => {
    const kind = address.includes('unnamed') ? { kind: 'gitlab' as const } : {};
    expect(refusal(address, { repository, ...kind })).toMatch(/^HOST_NOT_ALLOWED .*operator/);
  });

  it('may be named once more in the configuration', () => {
    expect(place('git@github.com:acme/config', { repository: 'ACME/config' }).repository).toBe('ACME/config');
    expect(place('https://example.com/gitlab/a/b.git', { repository: 'a/b' }).repository).toBe('a/b');
  });

  it.each([
    'https://github.org/acme/config',
    'https://github.com:8443/acme/config',
    'https://github.com.evil.example/acme/config',
    'https://github.com@evil.example/acme/config',
    'https://evil.example/github.com/acme/config',
    'https://evil.example#@github.com/acme/config',
    'https://gіthub.com/acme/config',
    'https://git.example.com/acme/config',
    'git@evil.example:github.com/acme',
    'ssh://git@evil.example/github.com:acme/config',
    'javascript:alert(1)',
    'data:text/plain,github.com/acme/config',
    'file://github.com/acme/config',
    'ext::sh -c id',
    '/srv/git/config.git',
    '../config.git',
    'C:\\git\\config',
    'git://github.com/acme/config',
    'https://github.com\n/acme/config',
    'https://',
    '',
    `https://github.com/${'a/'.repeat(500)}`,
  ])('%j is of no host that is listed', (address) => {
    expect(refusal(address)).toMatch(/^HOST_NOT_ALLOWED /);
  });

  it.each([
    'https://github.com/',
    'https://github.com/acme',
    'https://github.com/acme/config/tree',
    'https://github.com/acme/..',
    'https://github.com/acme/../../other/config',
    'https://github.com/acme/%2e%2e/config',
    'https://github.com/acme/con%66ig',
    'https://github.com/acme/config?x=1',
    'https://github.com?x@gitlab.com/acme/config',
    'https://github.com/acme/cоnfig',
    'git@github.com:~acme/config',
    'git@github.com:acme/-config',
    'git@github.com:acme//config',
    'git@github.com:acme/.git',
  ])('%j names no repository', (address) => {
    expect(refusal(address)).toMatch(/^INVALID_REQUEST .*names no repository/);
  });

  it.each([
    'config',
    '../config',
    'acme/..',
    'acme/config.git',
    'acme/config/x',
    '/acme/config',
    'acme/con fig',
    'a\n/b',
  ])('a configuration that names %j is refused', (repository) => {
    expect(refusal('git@github.com:acme/config', { repository })).toMatch(/^CONFIG_INVALID /);
  });

  it('leads to no interface but those that are listed, and to no other place in it', () => {
    const apis = new Set([
      'https://api.github.com',
      'https://github.example.com/api/v3',
      'https://gitlab.com/api/v4',
      'https://git.example.com:3000/api/v1',
      'https://example.com/gitlab/api/v4',
      'http://127.0.0.1:5000/api/v1',
    ]);
    const part = fc.constantFrom(
      'https://',
      'ssh://',
      'git@',
      'github.com',
      'gitlab.com',
      ':',
      '/',
      '@',
      '..',
      '%2e',
      '?',
      '#',
      '\\',
      'a',
      '.git',
      'evil.example',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          const { api, repository } = place(parts.join(''));
          expect(apis).toContain(api);
          expect(new URL(`${api}/repos/${repository}`).href).toBe(`${api}/repos/${repository}`);
        } catch (error) {
          if (!isFailure(error)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
