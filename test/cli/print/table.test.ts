import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeStyle } from '../../../cli/print/style.ts';
import { table } from '../../../cli/print/table.ts';

const COLUMNS = [
  { head: 'id' },
  { head: 'who', drop: 2 },
  { head: 'when', drop: 1 },
  { head: 'why', wrap: true },
];
const ROWS = [
  ['rbk-0123456789', 'jane@example.com', '2026-11-20 10:00', 'it answers 500 on every request'],
  ['rbk-9876543210', 'bob@example.com', '2026-11-21 10:00', 'short'],
];
const at = (columns: number | null, rows = ROWS) => table(makeStyle(false, { columns }), COLUMNS, rows);
const widest = (text: string) => Math.max(...text.split('\n').map(({ length }) => length));

describe('a table', () => {
  it('is as wide as it needs to be where nobody says how wide the terminal is', () => {
    expect(at(null)).toBe(
      [
        'id              who               when              why',
        'rbk-0123456789  jane@example.com  2026-11-20 10:00  it answers 500 on every request',
        'rbk-9876543210  bob@example.com   2026-11-21 10:00  short',
      ].join('\n'),
    );
  });

  it('has cells of several lines on a narrower terminal', () => {
    expect(at(70)).toBe(
      [
        'id              who               when              why',
        'rbk-0123456789  jane@example.com  2026-11-20 10:00  it answers 500 on',
        '                                                    every request',
        'rbk-9876543210  bob@example.com   2026-11-21 10:00  short',
      ].join('\n'),
    );
  });

  it('loses columns on a narrow one, and says which', () => {
    const text = at(58);
    expect(widest(text)).toBeLessThanOrEqual(58);
    expect(text).toMatch(/^id {14}when {14}why\n/);
    expect(text).toMatch(/\nNot shown here: who\.$/);
  });

  it('never loses the column that says what a row is', () => {
    for (const columns of [40, 30, 20]) {
      const text = at(columns);
      expect(widest(text)).toBeLessThanOrEqual(columns);
      expect(text.replace(/\n/g, '')).toContain('rbk-');
    }
    expect(at(40)).toContain('rbk-0123456789');
  });

  it('leaves out a column of which nothing is known in any row', () => {
    const unknown = ROWS.map(([id = '', , when = '', why = '']) => [id, 'unknown', when, why]);
    expect(at(null, unknown)).not.toMatch(/who|unknown/);
    expect(at(null, [...unknown, ...ROWS])).toMatch(/who[^]*unknown/);
    expect(
      at(
        null,
        ROWS.map(([id = '', who = '', , why = '']) => [id, who, '', why]),
      ),
    ).not.toContain('when');
  });

  it('counts what a terminal shows, not characters of colours or halves of wide ones', () => {
    const text = table(
      makeStyle(true),
      [{}, {}],
      [
        [makeStyle(true).paint('red', 'ab'), 'x'],
        ['界界', 'y'],
      ],
    );
    expect(text.split('\n')[0]).toMatch(/ab\S* {4}x$/);
    expect(text.split('\n')[1]).toBe('界界  y');
  });

  it('fits, whatever it holds, and keeps every character of what it shows', () => {
    const cell = fc.stringMatching(/^[a-z@./ -]{0,40}$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 20, max: 120 }),
        (rows, columns) => {
          const style = makeStyle(false, { columns });
          const text = table(style, [{ head: 'a' }, { head: 'b', drop: 1 }, { wrap: true }, {}], rows);
          expect(widest(text)).toBeLessThanOrEqual(columns);
          const letters = (shown: string) => shown.replace(/\s/g, '');
          const lines = text.split('\n').filter((line) => !line.startsWith('Not shown'));
          const all = rows.map(([a, , c, d]) => a + c + d).join('');
          expect(letters(lines.join('')).length).toBeGreaterThanOrEqual(letters(all).length);
        },
      ),
    );
  });
});
