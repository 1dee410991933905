import { describe, expect, it } from 'vitest';
import { shownPlace } from '../../server/place.ts';

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
