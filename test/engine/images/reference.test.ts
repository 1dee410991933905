import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRegistries } from '../../../engine/images/allowed.ts';
import { isPrivateAddress } from '../../../engine/images/connection.ts';
import { parseImage } from '../../../engine/images/reference.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

describe('the name of an image', () => {
  it.each([
    ['nginx', ['docker.io', 'library/nginx', 'latest', null]],
    ['acme/api:v2', ['docker.io', 'acme/api', 'v2', null]],
    ['index.docker.io/acme/api:v2', ['docker.io', 'acme/api', 'v2', null]],
    ['docker.io/nginx:1', ['docker.io', 'library/nginx', '1', null]],
    ['GHCR.io/acme/api:V2', ['ghcr.io', 'acme/api', 'V2', null]],
    ['localhost/api', ['localhost', 'api', 'latest', null]],
    ['127.0.0.1:5000/a/b/c:x_y', ['127.0.0.1:5000', 'a/b/c', 'x_y', null]],
    ['[::1]:5000/a:1', ['[::1]:5000', 'a', '1', null]],
    [`acme/api@${DIGEST}`, ['docker.io', 'acme/api', null, DIGEST]],
    [`ghcr.io/acme/api:v2@${DIGEST}`, ['ghcr.io', 'acme/api', 'v2', DIGEST]],
  ] as const)('%s is split as Docker splits it', (text, [registry, name, tag, digest]) => {
    expect(parseImage(text)).toEqual({ registry, name, tag, digest });
  });

  it.each([
    '',
    ':v1',
    'Acme/api',
    'ghcr.io/../api',
    'ghcr.io/acme//api',
    'ghcr.io/acme/api:',
    'ghcr.io/acme/api:a b',
    'ghcr.io/acme/api@sha256:12',
    `a@${DIGEST}@${DIGEST}`,
    'ghcr.io:port/a',
    'user@ghcr.io/a',
    'ghcr.io/a?x=1',
    'http://ghcr.io/a',
    `ghcr.io/${'a'.repeat(600)}`,
    '${IMAGE}',
    '{{ .Values.image }}',
    'ghcr.io/a\n',
  ])('%j is none', (text) => {
    expect(parseImage(text)).toBeNull();
  });

  it('never gives a part that leads elsewhere in an address', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60, unit: fc.constantFrom(...Array.from('aZ0./:@-_[]?#%\\ \n')) }),
        (text) => {
          const image = parseImage(text);
          if (image === null) return;
          const url = new URL(
            `/v2/${image.name}/manifests/${image.digest ?? image.tag}`,
            `https://${image.registry}`,
          );
          expect(url.pathname).toBe(`/v2/${image.name}/manifests/${image.digest ?? image.tag}`);
          expect([url.search, url.hash, url.username]).toEqual(['', '', '']);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('BACKTRAIL_REGISTRIES', () => {
  it('lists hosts, separated by commas or spaces, with http:// where nothing else is spoken', () => {
    expect([
      ...parseRegistries('ghcr.io, Registry.example.com:5000\nhttp://127.0.0.1:5000/').values(),
    ]).toEqual([
      { host: 'ghcr.io', protocol: null },
      { host: 'registry.example.com:5000', protocol: null },
      { host: '127.0.0.1:5000', protocol: 'http' },
    ]);
    expect(parseRegistries('  ').size).toBe(0);
  });

  it.each(['ghcr.io/acme', 'ftp://ghcr.io', 'user:pass@ghcr.io', '*', '-x.io', 'ghcr.io:port'])(
    'is refused with %s in it',
    (text) => {
      expect(() => parseRegistries(text)).toThrow(/is not the address of a registry/);
    },
  );
});

it.each([
  ['127.0.0.1', true],
  ['10.1.2.3', true],
  ['169.254.169.254', true],
  ['172.31.0.1', true],
  ['192.168.1.1', true],
  ['100.64.0.1', true],
  ['0.0.0.0', true],
  ['::1', true],
  ['::', true],
  ['fd00::1', true],
  ['fe80::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:169.254.169.254', true],
  ['8.8.8.8', false],
  ['172.32.0.1', false],
  ['2606:4700::1111', false],
])('%s is private: %s', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});
