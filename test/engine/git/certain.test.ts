import { expect, test } from 'vitest';
import { certain } from '../../../engine/git/process/certain.ts';

/** Gives these answers one after the other; an error is thrown. */
function answering(...answers: (boolean | Error)[]) {
  let asked = 0;
  const ask = (): Promise<boolean> => {
    const answer = answers[asked++];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer === true);
  };
  return { ask, asked: () => asked };
}

test('a yes is asked for once, also by many at the same time', async () => {
  const [repository, { ask, asked }] = [{}, answering(true)];
  const answers = await Promise.all([1, 2, 3].map(() => certain(repository, 'a b', ask)));
  expect([...answers, await certain(repository, 'a b', ask)]).toEqual([true, true, true, true]);
  expect(asked()).toBe(1);
});

test('a no and a failure are asked again, by each of those who wait', async () => {
  const [repository, { ask, asked }] = [{}, answering(false, new Error('gone'), true)];
  const first = certain(repository, 'a b', ask);
  const second = certain(repository, 'a b', ask);
  expect(await first).toBe(false);
  await expect(second).rejects.toThrow('gone');
  expect(await certain(repository, 'a b', ask)).toBe(true);
  expect(await certain(repository, 'a b', ask)).toBe(true);
  expect(asked()).toBe(3);
});

test('another question, and another repository, is asked for by itself', async () => {
  const [repository, { ask, asked }] = [{}, answering(true, true, true)];
  for (const [where, question] of [
    [repository, 'a b'],
    [repository, 'b a'],
    [{}, 'a b'],
  ] as const)
    await certain(where, question, ask);
  expect(asked()).toBe(3);
});
