import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFor, repositoryKey, repositoryProblem } from '../../../engine/record/place.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { runs } from '../../helpers/run/proof.ts';
import { anyCharacter } from '../../helpers/trees/any-character.ts';

const HOME = 'git.example.com/acme/config';

describe('two addresses of a repository', () => {
  it.each([
    'git.example.com/acme/config',
    'https://git.example.com/acme/config',
    'https://u@git.example.com:443/acme/config.git',
    'http://git.example.com:80/acme/config/',
    'ssh://git@git.example.com:22/acme/config',
    'ssh://git@git.example.com/acme/config.git',
    'git+ssh://git@GIT.example.com//acme/config.git/',
    'git://git.example.com:9418/acme/config',
    'git@git.example.com:acme/config',
    'git@git.example.com:/acme/config.git',
    'Git.Example.COM:acme/config.git',
    'HTTPS://Git.Example.COM/acme/%63onfig',
  ])('are the same without scheme, user, default port and .git: %s', (address) => {
    expect(repositoryKey(address)).toBe(HOME);
  });

  it.each([
    'https://git.example.com:8443/acme/config',
    'ssh://git@git.example.com:443/acme/config',
    'http://git.example.com:443/acme/config',
    'https://git.example.com/acme/Config',
    'https://git.example.com/acme/config2',
    'https://git.example.com/acme',
    'https://git.example.com.evil.org/acme/config',
    'https://git.example.com@evil.org/acme/config',
    'https://evil.org/git.example.com/acme/config',
    '/git.example.com/acme/config',
    'file:///git.example.com/acme/config',
  ])('are not the same where a server may tell them apart: %s', (address) => {
    expect(repositoryKey(address)).not.toBe(HOME);
    expect(repositoryKey(address)).not.toBeNull();
  });

  it.each([
    '',
    'config',
    './config',
    'https://git.example.com',
    'https://git.example.com/acme/../other/config',
    'https://git.example.com/acme/%2e%2e/other/config',
    'https://git.example.com/acme/config?x=1',
    'https://git.example.com/acme/config#main',
    'https://git.example.com:port/acme/config',
    'ext::sh -c evil',
    'ftp://git.example.com/acme/config',
    'file://other.example.com/srv/config',
    'git.example.com/acme/con\u202efig',
    'git.example.com/acme\n/config',
    '/',
  ])('are none where it names no repository: %j', (address) => {
    expect(repositoryKey(address)).toBeNull();
  });

  it('are none where they are longer than any address is', () => {
    const long = `git.example.com/${'a'.repeat(500)}`;
    expect(repositoryKey(long)).toBeNull();
    expect(repositoryProblem(long)).not.toBeNull();
  });

  it('are local paths by what they mean, with and without the folder .git', () => {
    for (const path of [
      '/srv/git/config',
      '/srv/git/config.git',
      '/srv/git/config/.git',
      '//srv/./x/../git/config/',
    ])
      expect(repositoryKey(path)).toBe('file:/srv/git/config');
    expect(repositoryKey('file:///srv/my%20git/config')).toBe(repositoryKey('/srv/my git/config'));
  });

  it('are what they are said to be, whatever they are made of', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    fc.assert(
      fc.property(name, path, fc.integer({ min: 1, max: 65_535 }), (host, tail, port) => {
        const own = `${host}.example.com`;
        const key = repositoryKey(`${own}/${tail}`);
        expect(key).toBe(`${own}/${tail}`);
        for (const address of [
          `git@${own}:${tail}.git`,
          `ssh://git@${own}:22/${tail}`,
          `https://${own}:443/${tail}/`,
        ])
          expect(repositoryKey(address)).toBe(key);
        // What a key was made of is its own key.
        const other = repositoryKey(`https://${own}:${port}/${tail}`);
        expect(other === key).toBe(port === 443);
      }),
      { numRuns: runs(2000, 100) },
    );
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        repositoryKey(text);
        expect(repositoryProblem(text) === null ? repositoryKey(text) : 'a key').not.toBeNull();
      }),
      { numRuns: runs(5000, 200) },
    );
  });
});

describe('what is for a place', () => {
  const place = { repository: `https://${HOME}.git`, branch: 'main' };
  it('counts where the configuration names that repository, among others, and that branch', () => {
    const home = { repositories: ['/srv/config', `git@git.example.com:acme/config`], branch: 'main' };
    expect(isFor(home, place)).toBe(true);
    expect(isFor({ ...home, branch: null }, place)).toBe(true);
    expect(isFor({ ...home, branch: 'release' }, place)).toBe(false);
    expect(isFor({ ...home, repositories: ['git.example.com/acme/copy'] }, place)).toBe(false);
    expect(isFor(home, { ...place, repository: 'nothing' })).toBe(false);
  });

  it('counts nowhere else: neither where none is named, nor what names none', () => {
    expect(isFor({ repositories: [], branch: 'main' }, place)).toBe(false);
    expect(isFor({ repositories: [HOME], branch: 'main' }, undefined)).toBe(false);
    expect(isFor({ repositories: [], branch: 'main' }, undefined)).toBe(true);
  });
});

describe('`repository` of the configuration', () => {
  const configOf = (repository: unknown) =>
    parseConfig(
      `${JSON.stringify({ version: 1, layout: { environment: ['e/{environment}/**'] }, repository })}\n`,
      'c.yaml',
    ).repository;

  it('is an address, or a list of them', () => {
    expect(configOf(undefined)).toEqual([]);
    expect(configOf(HOME)).toEqual([HOME]);
    expect(configOf(['/srv/config', HOME])).toEqual(['/srv/config', HOME]);
  });

  it.each([
    [7, /repository: It is an address, or a list of addresses/],
    [[], /repository: Too small/],
    ['', /repository/],
    ['../config', /repository: A local path must be absolute/],
    ['~/config', /repository: A local path must be absolute/],
    ['https://jane:secret@git.example.com/acme/config', /repository: Write the address without a password/],
    ['git.example.com:8443/acme/config', /repository: Write a port with its scheme/],
    ['git.example.com/acme/con\u202efig', /repository: An address is one line/],
    ['ext::sh -c evil', /repository: Write it as/],
    [[HOME, 'config'], /repository\.1: Write it as/],
    [{ url: HOME }, /repository/],
  ])('is refused where it names none: %j', (repository, message) => {
    expect(() => configOf(repository)).toThrow(message);
  });
});
