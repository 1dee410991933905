import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { LONGEST } from '../helpers/run/sequencer.ts';

it('runs first, of the tests, files that are there: one that is moved would run last, and be waited for alone', () => {
  const files = readdirSync(resolve(import.meta.dirname, '..'), { recursive: true }).map(String);
  expect(LONGEST.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});
