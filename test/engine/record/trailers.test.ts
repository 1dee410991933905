import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRequestId } from '../../../engine/model/index.ts';
import { readRollback } from '../../../engine/record/read.ts';
import { quoteName, unquoteName } from '../../../engine/record/text.ts';
import { cleanValue, parseTrailerLines } from '../../../engine/record/trailers.ts';
import { anyCharacter } from '../../helpers/trees/any-character.ts';

const id = makeRequestId(0, new Uint8Array(10));
const GOOD = [
  'Mode: service',
  'Service: api',
  'Justification: why',
  'Author: jane@example.com',
  `Rollback-Request-ID: ${id}`,
  'Rollback-Environment: production',
  `Rollback-Target: ${'a'.repeat(40)}`,
  `Rollback-Base: ${'b'.repeat(40)}`,
  `Rollback-Plan: sha256:${'c'.repeat(64)}`,
  'Rollback-Engine: 1',
];
const anyText = fc.string({ unit: anyCharacter, maxLength: 2000 });

describe('cleanValue', () => {
  it.each([
    ['a\nb', 'a b'],
    ['a\r\n\tb', 'a b'],
    [' \ufeffa\u0000 ', 'a'],
    ['a\u2028b\u2029c\u0085d', 'a b c d'],
    ['a\u202eb', 'a\ufffdb'],
    ['a\ud800b', 'a\ufffdb'],
    ['Grüße 👋', 'Grüße 👋'],
  ])('writes %j as %j', (text, wanted) => {
    expect(cleanValue(text)).toBe(wanted);
  });

  it('cuts at 1 KiB of UTF-8 between characters', () => {
    expect(cleanValue('x'.repeat(1024))).toBe('x'.repeat(1024));
    expect(cleanValue('x'.repeat(1025))).toBe(`${'x'.repeat(1021)}…`);
    expect(cleanValue('👋'.repeat(300))).toBe(`${'👋'.repeat(255)}…`);
  });

  it('is one line of at most 1 KiB for any text, and cleaning again changes nothing', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const value = cleanValue(text);
        expect(value).not.toMatch(/[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/u);
        expect(Buffer.byteLength(value)).toBeLessThanOrEqual(1024);
        expect(value.trim()).toBe(value);
        expect(cleanValue(value)).toBe(value);
      }),
    );
  });
});

describe('quoteName', () => {
  it('leaves an ordinary name alone and quotes what a line would change', () => {
    expect(quoteName('api-gateway')).toBe('api-gateway');
    expect(quoteName('größe x')).toBe('größe x');
    expect(quoteName('prod\n')).toBe(String.raw`"prod\n"`);
    expect(quoteName('"x"')).toBe(String.raw`"\"x\""`);
    expect(quoteName(' x\u202e')).toBe(String.raw`" x\u202e"`);
  });

  it('reads back to exactly the same name', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 1 }), (name) => {
        const value = quoteName(name);
        expect(cleanValue(value)).toBe(value);
        expect(unquoteName(value)).toBe(name);
      }),
    );
  });

  it('accepts no second spelling of a name', () => {
    expect(unquoteName('"api"')).toBeNull();
    expect(unquoteName('"a')).toBeNull();
    expect(unquoteName('')).toBeNull();
  });
});

describe('parseTrailerLines', () => {
  it('collects values by key without regard to case, in order', () => {
    const values = parseTrailerLines([
      'Approval: a',
      'mode: x',
      'APPROVAL:b',
      '',
      'no trailer',
      '__proto__: y',
      'Proto: z',
    ]);
    expect([...values]).toEqual([
      ['approval', ['a', 'b']],
      ['mode', ['x']],
      ['proto', ['z']],
    ]);
  });
});

describe('readRollback', () => {
  it('is null unless there is exactly one request id', () => {
    expect(readRollback([])).toBeNull();
    expect(readRollback(['Mode: full'])).toBeNull();
    expect(readRollback([...GOOD, `rollback-request-id: ${id}`])).toBeNull();
  });

  it('ignores keys that it does not know', () => {
    expect(readRollback([...GOOD, 'Signed-off-by: x', 'Rollback-Colour: y'])?.problems).toEqual([]);
  });

  it('takes a duplicate of a single-valued key for tampering', () => {
    expect(readRollback([...GOOD, 'mode: full'])?.problems).toEqual(['Trailer Mode occurs 2 times.']);
  });

  it('lets a wider rollback name files that it restored as a whole, and no fields', () => {
    const read = (field: string) => readRollback([...GOOD, `Rollback-Field: ${field}`]);
    expect(read('clusters/prod.yaml')).toMatchObject({ record: { mode: 'service' }, problems: [] });
    expect(read('clusters/prod.yaml#/a')?.problems).toEqual([
      'Trailer Mode is service, but the other trailers describe mode field.',
    ]);
  });

  it.each([
    ['Mode: service', 'Mode: all', 'Trailer Mode is not valid: all.'],
    ['Mode: service', 'Mode: full', 'Trailer Mode is full, but the other trailers describe mode service.'],
    ['Rollback-Environment: production', '', 'Trailer Rollback-Environment is missing.'],
    [
      `Rollback-Target: ${'a'.repeat(40)}`,
      'Rollback-Target: HEAD',
      'Trailer Rollback-Target is not valid: HEAD.',
    ],
    ['Rollback-Engine: 1', 'Rollback-Engine: -1', 'Trailer Rollback-Engine is not valid: -1.'],
    [`Rollback-Request-ID: ${id}`, 'Rollback-Request-ID: 1', 'Trailer Rollback-Request-ID is not valid: 1.'],
  ])('reports %j written as %j', (line, other, problem) => {
    expect(readRollback(GOOD.map((good) => (good === line ? other : good)))?.problems).toEqual([problem]);
  });

  it('gives no control character on to a terminal', () => {
    const lines = GOOD.map((line) => line.replace('why', 'why\u001b[2J').replace('api', 'a\u001b[2Jpi'));
    expect(JSON.stringify(readRollback(lines))).not.toContain(String.raw`\u001b`);
  });

  it('never throws, whatever the lines are', () => {
    const line = fc.oneof(
      anyText,
      fc.constantFrom(...GOOD),
      fc.tuple(fc.constantFrom(...GOOD), anyText).map((p) => p.join('')),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        expect(() => readRollback(lines)).not.toThrow();
      }),
    );
  });
});
