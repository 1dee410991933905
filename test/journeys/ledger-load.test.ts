import { describe, expect, it } from 'vitest';
import { compiled } from '../helpers/program/compiled.ts';
import { runs, someOf } from '../helpers/run/proof.ts';
import { ledgerLoad } from '../../scripts/chaos/ledger/load.ts';

describe.each(
  someOf(
    [
      { where: 'one repository', remote: false, requests: runs(50, 20), actors: 10 },
      { where: 'two mirrors of one remote', remote: true, requests: runs(20, 6), actors: runs(10, 6) },
    ],
    1,
  ),
)('$requests requests by $actors actors at once on $where', ({ remote, requests, actors }) => {
  it('leave a ledger that holds every event once, and explains every answer', async () => {
    const seed = 20_261_121;
    const program = compiled('scripts/chaos/ledger/actor.ts');
    const done = await ledgerLoad({ requests, others: 2, actors, processes: 3, seed, remote, program });
    const { problems, answers, events } = done;
    expect(problems).toEqual([]);
    // While an approved one waits for a worker, its scope takes no other.
    const busy = answers.filter(({ refused }) => refused === 'SCOPE_BUSY').length;
    expect(done.requests).toBe(requests - busy);
    expect(answers).toHaveLength(requests * 3);
    // Others were faster now and then, or nothing raced.
    expect(answers.filter(({ refused }) => refused !== null).length).toBeGreaterThan(requests / 5);
    expect(events).toBeGreaterThan(requests * 1.3);
  });
});
