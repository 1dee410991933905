import { describe, expect, it } from 'vitest';
import { observeTargets } from '../../../engine/live/observe.ts';
import type { Observer } from '../../../engine/live/observer.ts';
import {
  BacktrailError,
  type ClusterAnswer,
  type LiveTarget,
  type ObjectQuery,
} from '../../../engine/model/index.ts';
import { context, found, rule, target } from './observers/seen.ts';

const query = (kind: string, name: string | null = null): ObjectQuery => ({
  apiVersion: 'v1',
  kind,
  namespace: 'acme',
  name,
});

/** Sees a shared object and one of its own, then pods; says what it saw. */
const observer: Observer = {
  source: 'kubernetes',
  isFor: ({ kubernetes }) => kubernetes !== null,
  queries: async ({ service = '' }) => [query('Shared', 'all'), query('Service', service)],
  details: async () => [query('Pod')],
  judge: async ({ target, answers, details }) => [
    {
      source: 'kubernetes',
      cluster: target.rule.cluster,
      object: target.service ?? '',
      state: 'live',
      revision: null,
      message: [...answers, ...details]
        .map(({ objects, problem }) => problem?.code ?? JSON.stringify(objects))
        .join(' '),
      observedAt: target.since,
    },
  ],
};

const of = (service: string, cluster = 'a'): LiveTarget =>
  target({ service, rule: rule({ cluster, kubernetes: { namespace: null } }) });

function clusters(
  answer: (cluster: string, query: ObjectQuery) => ClusterAnswer = (_, { kind, name }) =>
    found({ kind, name }),
) {
  const asked: string[] = [];
  return {
    asked,
    async get(cluster: string, queries: readonly ObjectQuery[]) {
      asked.push(`${cluster}: ${queries.map(({ kind, name }) => `${kind} ${name ?? '*'}`).join(', ')}`);
      return queries.map((query) => answer(cluster, query));
    },
  };
}
const contextOf = () => context();

describe('observing many targets', () => {
  it('asks each cluster once, and once more for details, whatever their number', async () => {
    const port = clusters();
    const targets = [of('api'), of('web'), of('api', 'b')];
    const observed = await observeTargets({ targets, clusters: port, contextOf, observers: [observer] });
    expect(port.asked.toSorted()).toEqual([
      'a: Pod *',
      'a: Shared all, Service api, Service web',
      'b: Pod *',
      'b: Shared all, Service api',
    ]);
    expect(observed.map(({ target }) => target)).toEqual(targets);
    expect(observed.map(({ observations }) => observations.map(({ message }) => message))).toEqual(
      ['api', 'web', 'api'].map((name) => [
        `[{"kind":"Shared","name":"all"}] [{"kind":"Service","name":"${name}"}] [{"kind":"Pod","name":null}]`,
      ]),
    );
  });

  it('asks nobody for nothing, and observes nobody that no rule names', async () => {
    const port = clusters();
    expect(await observeTargets({ targets: [], clusters: port, contextOf })).toEqual([]);
    const bare = target({ rule: rule({}) });
    expect(
      await observeTargets({ targets: [bare], clusters: port, contextOf, observers: [observer] }),
    ).toEqual([{ target: bare, observations: [] }]);
    expect(port.asked).toEqual([]);
  });

  it('waits for no cluster before it goes on with another', async () => {
    const plain = clusters();
    let release: (answers: ClusterAnswer[]) => void = () => undefined;
    const hanging = new Promise<ClusterAnswer[]>((resolve) => {
      release = resolve;
    });
    let isAsked = () => {};
    const otherIsDone = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const get = async (cluster: string, queries: readonly ObjectQuery[]) => {
      if (cluster === 'hangs') return hanging;
      if (queries.some(({ kind }) => kind === 'Pod')) isAsked();
      return plain.get(cluster, queries);
    };
    const all = observeTargets({
      targets: [of('api', 'hangs'), of('api', 'a')],
      clusters: { get },
      contextOf,
      observers: [observer],
    });
    await otherIsDone;
    release([]);
    expect((await all)[0]?.observations[0]?.message).toBe(
      'CLUSTER_NONSENSE CLUSTER_NONSENSE CLUSTER_NONSENSE',
    );
  });

  it.each(['queries', 'details', 'judge'] as const)(
    'says so where an observer fails in %s, and goes on',
    async (step) => {
      const fail = (at: string, { service }: LiveTarget) => {
        if (at === step && service === 'web') throw new TypeError('odd\nthing');
      };
      const failing: Observer = {
        ...observer,
        queries: async (target, context) => {
          fail('queries', target);
          return observer.queries(target, context);
        },
        details: async ({ target }) => {
          fail('details', target);
          return [];
        },
        judge: async (seen) => {
          fail('judge', seen.target);
          return observer.judge(seen);
        },
      };
      const observed = await observeTargets({
        targets: [of('web'), of('api')],
        clusters: clusters(),
        contextOf,
        observers: [failing],
      });
      expect(observed[0]?.observations).toMatchObject([
        { state: 'unconfirmed', code: 'OBSERVER_FAILED', message: 'It could not be observed: odd thing' },
      ]);
      expect(observed[1]?.observations).toMatchObject([{ state: 'live' }]);
    },
  );

  it('says no path of this machine where the system fails it', async () => {
    const error = Object.assign(new Error("ENOENT: no such file, open '/home/op/key'"), { code: 'ENOENT' });
    const failing: Observer = { ...observer, queries: () => Promise.reject(error) };
    const asked = { targets: [of('api')], clusters: clusters(), contextOf, observers: [failing] };
    const [observed] = await observeTargets(asked);
    expect(observed?.observations).toMatchObject([{ message: 'It could not be observed: ENOENT' }]);
  });

  it('takes a cluster that fails for one that cannot be asked, and ends where nobody waits', async () => {
    const rejecting = (error: Error) =>
      observeTargets({
        targets: [of('api')],
        clusters: { get: async () => Promise.reject(error) },
        contextOf,
        observers: [observer],
      });
    expect((await rejecting(new Error('broken')))[0]?.observations[0]?.message).toContain('CLUSTER_NONSENSE');
    await expect(rejecting(new BacktrailError('INTERRUPTED', 'Stopped.'))).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  it('lets no more than a few ask Git at once', async () => {
    let [now, most] = [0, 0];
    const slow: Observer = {
      ...observer,
      queries: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return [];
      },
    };
    const targets = Array.from({ length: 100 }, (_, at) => of(`s${at}`));
    await observeTargets({ targets, clusters: clusters(), contextOf, observers: [slow] });
    expect(most).toBe(8);
  });
});
