import { describe, expect, it } from 'vitest';
import type { Answer } from '../../scripts/chaos/ledger/answers.ts';
import { requestPath } from '../../engine/record/ledger-file.ts';
import { checkLedger } from '../../scripts/chaos/ledger/check.ts';
import { explain, type Life } from '../../scripts/chaos/ledger/explain.ts';
import { fileOf, forge, messageOf, print } from '../helpers/people/forge.ts';
import { LEDGER, request, type Scene, scene } from '../helpers/people/scene.ts';

const person = (name: string) => ({ name, email: `${name}@example.com` });
const LIFE: Life = [
  { position: 1, event: { id: 'e1', type: 'opened', actor: person('jane') } },
  { position: 3, event: { id: 'e3', type: 'approved', actor: person('bob'), settles: false } },
  { position: 4, event: { id: 'e4', type: 'approved', actor: person('carol'), settles: true } },
  { position: 6, event: { id: 'e6', type: 'noted', actor: person('jane') } },
];

/** What the check says of one answer, to a call that began and ended at these events. */
function problemsOf(
  answer: Pick<Answer, 'operation' | 'refused'> & { actor: string; event?: string },
  [from, to]: readonly [number, number],
): string[] {
  const positions = new Map(Array.from({ length: 7 }, (_, index) => [`c${index}`, index]));
  const call = {
    request: 'rbk',
    before: `c${from}`,
    after: `c${to}`,
    message: '',
    milliseconds: 1,
    ...answer,
    event: answer.event ?? null,
    actor: `${answer.actor}@example.com`,
  };
  return explain([call], new Map([['rbk', LIFE]]), positions);
}

describe('the check of a ledger explains', () => {
  it.each([
    ['a vote that is there', { operation: 'approve', actor: 'bob', refused: null, event: 'e3' }, [1, 3]],
    ['a note after the end', { operation: 'note', actor: 'jane', refused: null, event: 'e6' }, [4, 6]],
    [
      'a vote that came too late',
      { operation: 'approve', actor: 'dave', refused: 'REQUEST_NOT_PENDING' },
      [2, 4],
    ],
    ['a second vote', { operation: 'reject', actor: 'bob', refused: 'ALREADY_REVIEWED' }, [3, 3]],
    ['an own vote', { operation: 'approve', actor: 'jane', refused: 'OWN_REQUEST' }, [1, 1]],
  ] as const)('%s', (_, answer, window) => {
    expect(problemsOf(answer, window)).toEqual([]);
  });

  it.each([
    ['a vote that is not there', { operation: 'approve', actor: 'dave', refused: null, event: 'e9' }, [1, 6]],
    [
      'a vote that came before its call',
      { operation: 'approve', actor: 'bob', refused: null, event: 'e3' },
      [3, 6],
    ],
    [
      'an end that had not come',
      { operation: 'approve', actor: 'dave', refused: 'REQUEST_NOT_PENDING' },
      [1, 3],
    ],
    [
      'a vote of somebody who had none',
      { operation: 'reject', actor: 'dave', refused: 'ALREADY_REVIEWED' },
      [3, 3],
    ],
    ['a request that is not theirs', { operation: 'approve', actor: 'bob', refused: 'OWN_REQUEST' }, [1, 1]],
    ['a failure of any other kind', { operation: 'note', actor: 'bob', refused: 'BRANCH_MOVED' }, [1, 6]],
  ] as const)('nothing of %s', (_, answer, window) => {
    expect(problemsOf(answer, window)).toHaveLength(1);
  });
});

describe('the check of a ledger finds', () => {
  const accepted = (stage: Scene, id: string): Answer => ({
    actor: stage.jane.person.email,
    operation: 'open',
    request: id,
    before: null,
    after: null,
    refused: null,
    message: '',
    event: null,
    milliseconds: 1,
  });

  it('nothing wrong with a ledger as it should be', async () => {
    const stage = await scene();
    const { id } = await request(stage.jane);
    expect(checkLedger(stage.repo.folder, [accepted(stage, id)])).toEqual({
      events: 1,
      requests: 1,
      problems: [],
    });
  });

  it('an event that was told and is lost', async () => {
    const stage = await scene();
    await request(stage.jane);
    const { problems } = checkLedger(stage.repo.folder, [accepted(stage, 'rbk-lost')]);
    expect(problems.join()).toContain('open of rbk-lost');
  });

  it('an event that is there twice, a state that is not the fold, and a merge', async () => {
    const stage = await scene();
    const { repo, jane } = stage;
    const { id } = await request(jane);
    const before = await repo.git('rev-parse', LEDGER);
    const note = { id, actor: jane.person, text: 'Seen' };
    await jane.engine.requests.note(note);
    const file = await fileOf(repo, id);
    const last = file.events.at(-1);
    if (last === undefined) throw new Error('The note is missing.');
    const twice = { ...file, state: { ...file.state, status: 'approved' }, events: [...file.events, last] };
    await forge(repo, {
      files: { [requestPath(id)]: print(twice) },
      author: jane.person,
      message: messageOf(last, id),
      parents: [await repo.git('rev-parse', LEDGER), before],
    });
    const { problems } = checkLedger(repo.folder, []);
    expect(problems.join('\n')).toMatch(/is a merge/);
    expect(problems.join('\n')).toMatch(/is there twice/);
    expect(problems.join('\n')).toMatch(/is not what its events make/);
  });
});
