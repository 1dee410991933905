import { describe, expect, it } from 'vitest';
import { parseRevision } from '../../../engine/history/revision-name.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
describe('what a user may write for a revision', () => {
  it.each([
    ['previous', { kind: 'previous' }],
    ['last-successful', { kind: 'last-successful' }],
    ['v1', { kind: 'version', version: 1 }],
    ['v999999999', { kind: 'version', version: 999_999_999 }],
    ['ABCD', { kind: 'commit', id: 'abcd' }],
    ['a'.repeat(40), { kind: 'commit', id: 'a'.repeat(40) }],
    ['@2026-11-20', { kind: 'time', time: '2026-11-20T00:00:00.000Z' }],
    ['@2026-11-20T10:00', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['@2026-11-20T10:00Z', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['@2026-11-20 10:00', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['2026-11-20 10:00', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['2026-11-20 10:00 UTC', { kind: 'time', time: '2026-11-20T10:00:59.999Z' }],
    ['@2026-11-20T10:00:07Z', { kind: 'time', time: '2026-11-20T10:00:07.999Z' }],
    ['@2026-11-20T10:00:05.5+02:00', { kind: 'time', time: '2026-11-20T08:00:05.500Z' }],
    ['@2024-02-29', { kind: 'time', time: '2024-02-29T00:00:00.000Z' }],
    ['@2h', { kind: 'time', time: '2026-11-28T10:00:00.000Z' }],
    ['@90m', { kind: 'time', time: '2026-11-28T10:30:00.000Z' }],
    ['@1w', { kind: 'time', time: '2026-11-21T12:00:00.000Z' }],
    ['@yesterday', { kind: 'time', time: '2026-11-27T12:00:00.000Z' }],
    ['HEAD', { kind: 'ref', name: null, as: 'any', back: 0 }],
    ['HEAD~2', { kind: 'ref', name: null, as: 'any', back: 2 }],
    ['HEAD^^~', { kind: 'ref', name: null, as: 'any', back: 3 }],
    ['release-7', { kind: 'ref', name: 'release-7', as: 'any', back: 0 }],
    ['v1.2.3~1', { kind: 'ref', name: 'v1.2.3', as: 'any', back: 1 }],
    ['tag:v3', { kind: 'ref', name: 'v3', as: 'tag', back: 0 }],
    ['branch:main~', { kind: 'ref', name: 'main', as: 'branch', back: 1 }],
    ['refs/tags/v3', { kind: 'ref', name: 'v3', as: 'tag', back: 0 }],
  ])('%s', (text, expected) => {
    expect(parseRevision(text, NOW)).toEqual(expected);
  });

  it.each([
    '',
    ' v1',
    'v1 ',
    'v1\n',
    'main@{u}',
    '--all',
    '-n1',
    ':/fix',
    '^abcd',
    '^{/fix}',
    '@{-1}',
    'HEAD^2',
    'HEAD@{1}',
    'tag:',
    'tag:-x',
    '--upload-pack=x',
    'a b',
    'a\nb',
    '../x',
    'main.lock',
    'abcd..ef01',
    '@',
    '@now',
    '@{u}',
    '@2026',
    '@2026-13-01',
    '@2026-02-30',
    '@2026-02-29T10:00Z',
    '@2026-11-20T25:00Z',
    '@2026-11-20T10:00 Z',
    '@2026-11-20T10:00z',
  ])('never %j', (text) => {
    expect(() => parseRevision(text, NOW)).toThrow(expect.objectContaining({ code: 'REVISION_INVALID' }));
  });

  it('is not repeated at length', () => {
    expect(() => parseRevision('x'.repeat(100_000), NOW)).toThrow(/^.{1,200}$/);
  });
});
