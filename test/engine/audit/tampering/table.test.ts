import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { KINDS } from './kinds/kinds.ts';
import { STORIES } from './stories.ts';
import { END, START, tamperingTable } from './table.ts';

it('docs/audit.md has the table of what is tried: `npm run docs:audit` writes it', async () => {
  const page = await readFile(resolve(import.meta.dirname, '../../../../docs/audit.md'), 'utf8');
  expect(page.slice(page.indexOf(START), page.indexOf(END) + END.length)).toBe(tamperingTable());
});

it('names each kind once, and says of each what is to be found', () => {
  const names = KINDS.map(({ group, name }) => `${group}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
  const cases = STORIES.flatMap((story) => story.cases);
  const vague = KINDS.flatMap((kind) =>
    cases
      .filter((of) => kind.applies(of))
      .filter(
        (of) =>
          ['row', 'gone', 'ledger'].includes(kind.expected(of).in) && kind.expected(of).codes.length === 0,
      )
      .map((of) => `${kind.name}: ${of.name}`),
  );
  expect(vague).toEqual([]);
});
