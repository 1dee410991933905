import { expect, it } from 'vitest';
import { createTurns } from '../../../../engine/live/clusters/turns.ts';

it('asks a cluster so many things at once, the rest in their order, and other clusters beside it', async () => {
  const turns = createTurns(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (cluster: string, name: string) =>
    turns(cluster)(async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return name;
    });
  const asked = ['a', 'b', 'c', 'd'].map((name) => ask('prod-eu', name));
  const other = ask('prod-us', 'x');
  expect(begun).toEqual(['a', 'b', 'x']);
  ends.get('b')?.();
  await asked[1];
  await Promise.resolve();
  expect(begun).toEqual(['a', 'b', 'x', 'c']);
  for (const name of ['a', 'c', 'x']) ends.get(name)?.();
  await Promise.all([asked[0], asked[2], other]);
  await Promise.resolve();
  ends.get('d')?.();
  expect(await asked[3]).toBe('d');
});

it('goes on after what fails', async () => {
  const inTurn = createTurns(1)('prod-eu');
  await expect(inTurn(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  await expect(inTurn(() => Promise.resolve(1))).resolves.toBe(1);
});
