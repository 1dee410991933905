import { describe, expect, it, vi } from 'vitest';
import { printFindings } from '../../../cli/print/plan.ts';
import { makeStyle } from '../../../cli/print/style.ts';

const warn = (message: string, hint = 'Look at it.') =>
  ({ code: 'IMAGE_MUTABLE', severity: 'warn', message, hint }) as const;

describe('findings of several plans', () => {
  it('are printed once where they are the same, with how often they were found', () => {
    const found = [warn('a:v1 is mutable.'), warn('b:v1 is mutable.'), warn('a:v1 is mutable.')];
    expect(printFindings(makeStyle(false), found)).toEqual([
      '! IMAGE_MUTABLE a:v1 is mutable. (2 times)\n    Look at it.',
      '! IMAGE_MUTABLE b:v1 is mutable.\n    Look at it.',
      '',
    ]);
  });

  it('are two where one of them is overridden, or has another hint', () => {
    const found = [warn('x'), { ...warn('x'), overridden: true as const }, warn('x', 'Leave it.')];
    expect(printFindings(makeStyle(false), found).join('\n')).not.toContain('times');
  });
});

describe('a colour', () => {
  it('is decided on once: an empty NO_COLOR says nothing, and a style is as good as several', () => {
    vi.stubEnv('NO_COLOR', '');
    const style = makeStyle(true);
    expect(style.paint('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(style.paint(['red'], 'x')).toBe(style.paint('red', 'x'));
    expect(makeStyle(false).paint('red', 'x')).toBe('x');
    vi.unstubAllEnvs();
  });
});
