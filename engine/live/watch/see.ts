/** What clusters say of many scopes at once: one question a kind and cluster. */
import { observeTargets } from '../observe.ts';
import { combine } from '../combine.ts';
import { observerContext } from '../context.ts';
import type { See } from './open.ts';

export const see: See = async ({ context, clusters, signal }, watched) => {
  const { git, clock } = context;
  const snapshot = await context.observe();
  const { address } = await git.destination(snapshot.branch);
  const now = clock.now();
  const about = observerContext({ snapshot, git, addresses: [address], now });
  const targets = watched.flatMap((each) => each.targets);
  const observed = await observeTargets({ targets, clusters, contextOf: () => about, signal });
  const of = new Map(observed.map((each) => [each.target, each]));
  return new Map(
    watched.map(({ scope, targets: own }) => {
      const { state, live } = combine(
        own.flatMap((target) => of.get(target) ?? []),
        now,
      );
      return [scope, { state: state ?? 'unconfirmed', observations: live }];
    }),
  );
};
