import { describe, expect, it } from 'vitest';
import { isBehind, logPage, placesOf } from '../../../engine/queries/log-page.ts';

const commit = (letter: string) => ({ commit: letter.repeat(40) });
/** A pull request brought three with one commit. */
const LISTS = {
  rollbacks: ['a', 'b', 'b', 'b', 'c'].map(commit),
  resumes: ['a', 'd'].map(commit),
};

describe('pages of the log', () => {
  it.each([1, 2, 3, 4, 5, 6])('are the whole of both lists, %d at a time', (limit) => {
    const [rollbacks, resumes] = [[] as object[], [] as object[]];
    let after: string | undefined;
    for (let pages = 0; pages < 9; pages += 1) {
      const from = placesOf(after);
      const page = logPage(
        {
          rollbacks: LISTS.rollbacks.filter(isBehind(from.rollbacks)).slice(0, limit + 1),
          resumes: LISTS.resumes.filter(isBehind(from.resumes)).slice(0, limit + 1),
        },
        { limit, from },
      );
      rollbacks.push(...page.rollbacks);
      resumes.push(...page.resumes);
      if (page.next === null) break;
      after = page.next;
    }
    expect({ rollbacks, resumes }).toEqual(LISTS);
  });

  it.each(['', '-', 'x~-', '-~-~-', `${'a'.repeat(40)}~-`])('do not go on from %j', (after) => {
    expect(() => placesOf(after)).toThrow('nothing to go on from');
  });
});
