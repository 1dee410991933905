import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../../engine/layout/expression.ts';

describe('expressions of the configuration', () => {
  it.each([
    ['^promote', 'promote billing 1.4.0 to acme/production', true],
    ['^promote', 'do not promote', false],
    ['\\bbot\\b', 'image-bot <image-bot@example.com>', true],
    ['\\[bot\\]$', 'renovate[bot]', true],
    [
      '^(chore|fix)(\\([\\w-]+\\))?: bump .+ to v\\d+\\.\\d+\\.\\d+$',
      'chore(deps): bump api to v1.20.3',
      true,
    ],
    ['^.$', '😀', true],
    ['^[A-Z]{2,5}-\\d{1,6}:', 'OPS-123: deploy', true],
  ])('%s on %s: %s', (source, subject, found) => {
    expect(compileExpression(source)(subject)).toBe(found);
  });

  it.each([
    '(a+)+$',
    '^(a|a|aa)*$',
    '(.*a){20}b',
    `${'a?'.repeat(100)}${'a'.repeat(100)}b`,
    `${'a*'.repeat(100)}b`,
  ])('take their time in proportion to the text: %s', (source) => {
    // Where the time grew with the ways through the text, this would not end within the test's own limit.
    expect(typeof compileExpression(source)(`${'a'.repeat(499)}!`)).toBe('boolean');
  });

  it.each(['(', 'a**b(', '(?=a)', '(?<!a)b', '(a)\\1'])('refuse %s in one sentence', (source) => {
    expect(() => compileExpression(source)).toThrow(/^[^\n]+\.$/);
  });
});
