import { expect, it } from 'vitest';
import { cleanMessage } from '../../../../engine/live/judgement/message.ts';

it.each([
  ['two\r\nlines\tand \u001b[1mbold\u0007', 'two lines and [1mbold'],
  ['left\u202eright\u200b\ufeff\ud800', 'left right'],
  ['clone https://bot:hunter2@git.example/x failed', 'clone https://***@git.example/x failed'],
  ['Authorization: Bearer abcdefgh12345678', 'Authorization: Bearer ***'],
  ['DB_PASSWORD=hunter2 --user=api', 'DB_PASSWORD=*** --user=api'],
  ['"apiKey": "s3cr3t-value"', '"apiKey": "***"'],
  [
    'failed to fetch oauth token: unexpected status: 401 Unauthorized',
    'failed to fetch oauth token: unexpected status: 401 Unauthorized',
  ],
  ['exec: "--password=hunter2": not found', 'exec: "--password=***": not found'],
  ['exec ["app","--token","hunter2"] failed', 'exec ["app","--token","***"] failed'],
  ['app --api-key hunter2 --verbose', 'app --api-key *** --verbose'],
  ['unknown flag --password --verbose', 'unknown flag --password --verbose'],
  ['password: swordfish was refused', 'password: *** was refused'],
  ['secret "db" not found', 'secret "db" not found'],
])('cleans %j', (text, clean) => {
  expect(cleanMessage(text)).toBe(clean);
});

it('takes out what it is told is secret, wherever it is, and nothing shorter than a word', () => {
  expect(cleanMessage('psql -w hunter2 as on', ['hunter2', 'on', ''])).toBe('psql -w *** as on');
});

it('cuts between characters, in time for any length', () => {
  const text = cleanMessage('😀'.repeat(1_000_000));
  expect(Array.from(text)).toHaveLength(300);
  expect(text.endsWith('😀…')).toBe(true);
  expect(cleanMessage('a=b'.repeat(100_000)).length).toBeLessThanOrEqual(300);
  expect(cleanMessage(`a${'='.repeat(1_000_000)}`).length).toBeLessThanOrEqual(300);
});
