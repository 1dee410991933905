/** Many who ask a cluster the same are one question, for as long as its answer is young. */
import { describe, expect, it } from 'vitest';
import { shareAnswers } from '../../../../engine/live/clusters/shared.ts';
import { BacktrailError, type ClusterAnswer, type ObjectQuery } from '../../../../engine/model/index.ts';

const QUERY: ObjectQuery = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'acme', name: 'api' };

/** Questions wait until they are answered; the time is what the test says. */
function scene() {
  const clock = { ms: 0 };
  const asked: { signal: AbortSignal | undefined; answer: (name: string) => void; fail: () => void }[] = [];
  const shared = shareAnswers(
    {
      get: (_cluster, _queries, signal) =>
        new Promise((resolve, reject) => {
          asked.push({
            signal,
            answer: (name) => resolve([{ objects: [{ metadata: { name } }], problem: null }]),
            fail: () => reject(new BacktrailError('INTERRUPTED', 'It failed.')),
          });
        }),
      annotate: () => Promise.resolve(null),
    },
    { now: () => clock.ms },
  );
  return { clock, asked, shared };
}

const nameIn = (answers: readonly ClusterAnswer[]) => JSON.stringify(answers[0]?.objects);

describe('a cluster that many ask', () => {
  it('is asked once for all who ask the same, at once or soon after', async () => {
    const { clock, asked, shared } = scene();
    const ten = Array.from({ length: 10 }, () => shared.within(1000).clusters.get('prod', [QUERY]));
    expect(asked).toHaveLength(1);
    clock.ms = 500;
    asked[0]?.answer('one');
    expect(new Set((await Promise.all(ten)).map(nameIn)).size).toBe(1);
    clock.ms = 1500;
    const asking = shared.within(1000);
    expect(nameIn(await asking.clusters.get('prod', [QUERY]))).toContain('one');
    // Its answer is as old as its question.
    expect([asking.askedAt('prod'), asking.askedAt('other')]).toEqual([0, undefined]);
    expect(asked).toHaveLength(1);
  });

  it('is asked anew for another question, where the answer is too old, and by whoever takes none of others', async () => {
    const { clock, asked, shared } = scene();
    const get = (maxAge: number, cluster = 'prod', query = QUERY) => {
      const answers = shared.within(maxAge).clusters.get(cluster, [query]);
      asked.at(-1)?.answer('one');
      return answers;
    };
    await get(1000);
    await get(1000, 'staging');
    await get(1000, 'prod', { ...QUERY, name: 'web' });
    expect(asked).toHaveLength(3);
    clock.ms = 1001;
    await get(1000);
    expect(asked).toHaveLength(4);
    await get(0);
    expect(asked).toHaveLength(5);
  });

  it('answers who waits when another has gone, and is left alone when all have', async () => {
    const { asked, shared } = scene();
    const [first, second] = [new AbortController(), new AbortController()];
    const get = (signal: AbortSignal) => shared.within(1000).clusters.get('prod', [QUERY], signal);
    const gone = get(first.signal);
    const stays = get(second.signal);
    first.abort();
    await expect(gone).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(asked[0]?.signal?.aborted).toBe(false);
    second.abort();
    await expect(stays).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(asked[0]?.signal?.aborted).toBe(true);
    const later = get(new AbortController().signal);
    asked[1]?.answer('two');
    expect(nameIn(await later)).toContain('two');
  });

  it('is asked anew after a question that failed', async () => {
    const { asked, shared } = scene();
    const get = () => shared.within(1000).clusters.get('prod', [QUERY]);
    const failed = get();
    asked[0]?.fail();
    await expect(failed).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const again = get();
    asked[1]?.answer('two');
    expect(nameIn(await again)).toContain('two');
  });
});
