import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { TRANSITIONS } from '../../engine/record/transitions.ts';

it('shows the life of a request in ARCHITECTURE.md as the code has it', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../ARCHITECTURE.md'), 'utf8');
  const [, table = ''] = text.split('| event | from | to |\n|---|---|---|\n');
  const shown = (table.split('\n\n')[0] ?? '').split('\n').flatMap((row) => {
    const [, event = '', from = '', to = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    return from.split(', ').map((status) => `${event}: ${status} → ${to}`);
  });
  const known = Object.entries(TRANSITIONS).flatMap(([event, ways]) =>
    Object.entries(ways).map(([from, to]) => `${event}: ${from} → ${to.join(', ')}`),
  );
  expect(shown.sort()).toEqual(known.sort());
  expect(known.length).toBeGreaterThan(15);
});
