import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csv } from '../../../cli/print/changes-csv.ts';
import { runs } from '../../helpers/run/proof.ts';

/** RFC 4180, as a reader that knows nothing of the writer takes it apart. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let [line, value, isQuoted]: [string[], string, boolean] = [[], '', false];
  for (let at = 0; at < text.length; at += 1) {
    const two = text.slice(at, at + 2);
    if (isQuoted && two === '""') [value, at] = [`${value}"`, at + 1];
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (isQuoted) value += text[at];
    else if (text[at] === ',') [line, value] = [[...line, value], ''];
    else if (two === '\r\n') {
      lines.push([...line, value]);
      [line, value, at] = [[], '', at + 1];
    } else throw new Error(`A character is outside of quotes: ${JSON.stringify(text[at])}.`);
  }
  return lines;
}

const FORMULA = /^\s*[=+\-@|＝＋－＠\t\r]/u;

const piece = fc.constantFrom(
  '"',
  ',',
  '\r',
  '\n',
  '\t',
  '\0',
  '\u001b[2J',
  '=',
  '+',
  '-',
  '@',
  '|',
  '＝',
  ' ',
  'a',
  'ä',
  ';',
  "'",
);
const text = fc.oneof(
  fc.string(),
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
);

it('writes tables that are read back as they were, a line a row, with nothing in them that a spreadsheet or a terminal obeys', () => {
  const table = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .chain(([rows, columns]) =>
      fc.array(fc.array(text, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
  fc.assert(
    fc.property(table, (rows) => {
      const kept: [string, string][] = [];
      const written = csv(rows);
      const read = parseCsv(written);
      expect(read.map((row) => row.length)).toEqual(rows.map((row) => row.length));
      expect(written.split('\r\n')).toHaveLength(rows.length + 1);
      for (const [index, row] of rows.entries())
        for (const [place, value] of row.entries()) {
          const cell = read[index]?.[place] ?? '';
          expect(cell).not.toMatch(FORMULA);
          // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
          expect(cell).not.toMatch(/[\u0000-\u0008\u000a-\u001f]/);
          const plain = value.trimEnd();
          // Of printable characters nothing is lost.
          if (/^[ -~]*$/.test(plain)) kept.push([cell, FORMULA.test(plain) ? `'${plain}` : plain]);
        }
      for (const [cell, plain] of kept) expect(cell).toBe(plain);
    }),
    { numRuns: runs(2000, 100) },
  );
});
