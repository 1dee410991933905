import { describe, expect, it } from 'vitest';
import { BacktrailError } from '../../engine/index.ts';
import { failingWithoutPaths, shownPlace } from '../../server/place.ts';

describe('where the repository is, as others are told', () => {
  it.each([
    ['https://git.example.com/acme/config.git', 'https://git.example.com/acme/config.git'],
    ['https://jane:secret@git.example.com/acme/config.git', 'https://git.example.com/acme/config.git'],
    ['https://ghp_secret@git.example.com/acme@home/config', 'https://git.example.com/acme@home/config'],
    ['ssh://git:secret@git.example.com:22/acme/config', 'ssh://git@git.example.com:22/acme/config'],
    ['git@git.example.com:acme/config.git', 'git@git.example.com:acme/config.git'],
    ['/srv/git/acme/config.git', 'config.git'],
    ['/home/jane/config/.git/', 'config'],
    ['file:///srv/git/config.git', 'config.git'],
    ['/srv/a:b', 'a:b'],
    ['./config', 'config'],
  ])('%s is %s', (place, shown) => expect(shownPlace(place)).toBe(shown));
});

describe('what fails at a repository of this machine', () => {
  it.each(['/srv/git/config.git', 'file:///srv/git/config.git'])(
    'says its name in place of %s',
    async (place) => {
      const details = {
        address: '/srv/git/config.git',
        all: [{ at: '/srv/git/config.git/hooks' }],
        code: 128,
      };
      const message = `file:///srv/git/config.git: '/srv/git/config.git' is gone, apps/srv/git/config.git is not, nor /srv/git/config.github.`;
      const failure = new BacktrailError('REMOTE_UNAVAILABLE', message, { details });
      const { one, all } = failingWithoutPaths(
        { one: { fails: () => Promise.reject(failure) }, all: async () => [{ reason: failure }, 'kept'] },
        place,
      );
      const said = {
        code: 'REMOTE_UNAVAILABLE',
        message:
          "config.git: 'config.git' is gone, apps/srv/git/config.git is not, nor /srv/git/config.github.",
        hint: failure.hint,
        details: { address: 'config.git', all: [{ at: 'config.git/hooks' }], code: 128 },
      };
      await expect(one.fails()).rejects.toMatchObject(said);
      expect(await all()).toMatchObject([{ reason: said }, 'kept']);
    },
  );
});
