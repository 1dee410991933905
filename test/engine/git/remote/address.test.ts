import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addressKey } from '../../../../engine/git/remote/address.ts';
import { createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';

describe('the key of an address', () => {
  it.each([
    ['https://example.com/acme/config', 'https://EXAMPLE.com:443/acme//config.git/'],
    ['https://example.com/acme/config', 'HTTPS://jane:token@example.com/acme/./x/../config.git'],
    ['http://example.com/c', 'http://example.com:80/c'],
    ['https://example.com/~jane/c', 'https://example.com/%7Ejane/c'],
    ['ssh://git@example.com/acme/config', 'ssh://git@Example.com:22/acme/config.git'],
    ['ssh://git@example.com/acme/config', 'git+ssh://git@example.com/acme/config'],
    ['ssh://git@example.com/acme/config', 'git@EXAMPLE.com:/acme/config.git'],
    ['git@example.com:acme/config', 'git@Example.com:acme//config.git/'],
    ['git://example.com/c', 'git://example.com:9418/c.git'],
  ])('is one for %s and %s', (one, other) => {
    expect(addressKey(other)).toBe(addressKey(one));
  });

  it.each([
    ['https://example.com/acme/config', 'https://example.com/Acme/config'],
    ['https://example.com/acme/config', 'http://example.com/acme/config'],
    ['https://example.com/acme/config', 'https://example.com:8443/acme/config'],
    ['https://example.com/acme/config', 'https://example.com/acme/config?project=x'],
    ['https://example.com/acme/a%2Fb', 'https://example.com/acme/a/b'],
    ['ssh://git@example.com/acme/config', 'ssh://jane@example.com/acme/config'],
    ['ssh://example.com/acme/config', 'ssh://jane@example.com/acme/config'],
    ['git@example.com:acme/config', 'ssh://git@example.com/acme/config'],
    ['https://example.com/.git', 'https://example.com/'],
  ])('tells %s from %s', (one, other) => {
    expect(addressKey(other)).not.toBe(addressKey(one));
  });

  it('of a folder is that of its git directory, through whatever links', async () => {
    const [home, bare] = [await createRepo(), await createRepo({ bare: true })];
    const folder = await temporaryFolder();
    const link = join(folder, 'link');
    await symlink(home.folder, link);
    const spaced = join(folder, 'a b');
    await mkdir(spaced);
    for (const spelling of [
      home.folder,
      `${home.folder}/.git`,
      link,
      `file://${link}/`,
      `file://localhost${link}`,
    ])
      expect(addressKey(spelling)).toBe(addressKey(home.gitDir));
    expect(addressKey(`file://${bare.folder}`)).toBe(addressKey(bare.folder));
    expect(addressKey(`file://${folder}/a%20b`)).toBe(addressKey(spaced));
    expect(addressKey(`file://${folder}/gone`)).toBe(addressKey(join(folder, 'x/../gone')));
    expect(addressKey(home.folder)).not.toBe(addressKey(bare.folder));
  });
});
