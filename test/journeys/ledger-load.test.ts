import { describe, expect, it } from 'vitest';
import { soak } from '../../scripts/soak/soak.ts';

describe.each([
  { where: 'one repository', remote: false, requests: 50 },
  { where: 'two mirrors of one remote', remote: true, requests: 20 },
])('$requests requests by 10 actors at once on $where', ({ remote, requests }) => {
  it('leave a ledger that holds every event once, and explains every answer', async () => {
    const done = await soak({ requests, others: 2, actors: 10, processes: 3, seed: 20_261_121, remote });
    const { problems, answers, events } = done;
    expect(problems).toEqual([]);
    expect(done.requests).toBe(requests);
    expect(answers).toHaveLength(requests * 3);
    // Others were faster now and then, or nothing raced.
    expect(answers.filter(({ refused }) => refused !== null).length).toBeGreaterThan(requests / 5);
    expect(events).toBeGreaterThan(requests * 1.3);
  });
});
