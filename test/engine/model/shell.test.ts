import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWord } from '../../../engine/model/index.ts';

const read = (words: readonly string[]) =>
  execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], { encoding: 'utf8' });

describe('a word of a command line', () => {
  it('is read by a shell as it was, whatever stands in it', () => {
    const tricky = [
      '$(touch x)',
      '`id`',
      "it's",
      'a;b',
      '-x',
      '~',
      '=x',
      '',
      'a b',
      '"',
      '\\',
      '*',
      '!',
      '#',
      'é\n',
    ];
    const word = fc.oneof(fc.constantFrom(...tricky), fc.string({ unit: 'grapheme' }));
    const words = fc.array(word, { minLength: 1 }).map((all) => all.map((text) => text.replaceAll('\0', '')));
    fc.assert(
      fc.property(words, (all) => {
        expect(read(all)).toBe(all.map((text) => `${text}\0`).join(''));
      }),
      { numRuns: 60, examples: [[tricky]] },
    );
  });

  it('stays as it is where nothing in it means anything', () => {
    expect(['a1b2c3d:apps/prod/api.yaml', '/tmp/x', '--to=v1'].map(shellWord)).toEqual([
      'a1b2c3d:apps/prod/api.yaml',
      '/tmp/x',
      '--to=v1',
    ]);
  });
});
