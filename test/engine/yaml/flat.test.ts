import dotenv from 'dotenv';
import fc from 'fast-check';
import { getProperties } from 'properties-file';
import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../engine/yaml/edit/edit.ts';
import { flatEntries } from '../../../engine/yaml/formats/flat.ts';
import { refusalReason } from '../../../engine/yaml/core/refusal.ts';
import { runs } from '../../helpers/run/proof.ts';

/** What is read of a text; null where it is refused. */
function read(text: string, format: 'dotenv' | 'properties'): Readonly<Record<string, string>> | null {
  try {
    return Object.fromEntries(flatEntries(text, format).map(({ key, value }) => [key, value]));
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

function readsAlike(
  format: 'dotenv' | 'properties',
  units: readonly string[],
  other: (text: string) => Readonly<Record<string, string>>,
): number {
  let seen = 0;
  const anyText = fc.string({ unit: fc.constantFrom(...units), maxLength: 24 });
  fc.assert(
    fc.property(anyText, (text) => {
      const own = read(text, format);
      if (own === null) return;
      seen += 1;
      expect(own).toEqual({ ...other(text) });
    }),
    { numRuns: runs(20_000) },
  );
  return seen;
}

describe('any text of lines', () => {
  it('is read as java.util.Properties reads it, or refused', () => {
    const units = [
      'a',
      'b',
      '=',
      ':',
      ' ',
      '\t',
      '\\',
      '\n',
      '\r\n',
      '\r',
      '#',
      '!',
      '\\u0041',
      'n',
      '\f',
      '\\\n',
    ];
    expect(readsAlike('properties', units, getProperties)).toBeGreaterThan(runs(5000));
  });

  it('is read as dotenv reads it, or refused', () => {
    const units = [
      'A',
      'B',
      '=',
      ' ',
      '\n',
      '\r\n',
      '"',
      "'",
      'x',
      ' #',
      '\nA=',
      '\nexport B=',
      'export ',
      '\t',
    ];
    expect(readsAlike('dotenv', units, (text) => dotenv.parse(text))).toBeGreaterThan(runs(1000));
  });
});

describe('a large text of lines', () => {
  it('is refused soon where a line of blanks is none', () => {
    expect(read(`${' '.repeat(1_000_000)}!\n`, 'dotenv')).toBeNull();
  });

  it('takes a line of another that has no other line in common', () => {
    const lines = (name: string) =>
      Array.from({ length: 20_000 }, (_, index) => `${name}${index}=1\n`).join('');
    const result = restoreField({
      path: 'a.properties',
      base: lines('a'),
      target: lines('b'),
      selector: [{ key: 'b19999' }],
    });
    expect(result).toMatchObject({ ok: true, text: `${lines('a')}b19999=1\n` });
  });
});
