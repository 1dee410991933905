import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { LARGEST, LONGEST } from '../helpers/run/sequencer.ts';

it('runs first and last, of the tests, files that are there: one that is moved would be waited for alone', () => {
  const files = readdirSync(resolve(import.meta.dirname, '..'), { recursive: true }).map(String);
  const placed = [...LONGEST, ...LARGEST];
  expect(placed.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});
