/** Which records count: where this machine knows keys, those that one of them signed for somebody with the permission `record`. */
import type { CountedRecord, Deployment, ObjectId } from '../model/index.ts';
import { hasPermission, samePerson } from '../policy/policy.ts';
import { vouchedBy } from '../policy/vouched.ts';
import { foldDeployment } from '../record/deployment-transitions.ts';
import type { RequestContext, Rules } from '../requests/context.ts';
import { signaturesOf } from '../requests/ledger/signed.ts';
import { eventTimes, isFuture } from '../requests/ledger/times.ts';
import type { DeploymentStore, StoredDeployment, StoredEvent } from './store.ts';

/** A record as people see it, and as it counts. */
export interface JudgedDeployment {
  /** All that it says. */
  readonly state: Deployment;
  /** What counts of it; null: nothing. */
  readonly counted: Deployment | null;
  /** All of it counts. */
  readonly verified: boolean;
}

interface Judging {
  readonly context: RequestContext;
  readonly rules: Pick<Rules, 'policy' | 'knowsKeys'>;
  readonly store: DeploymentStore;
}

export async function judgeDeployments(
  judging: Judging,
  records: readonly StoredDeployment[],
): Promise<readonly JudgedDeployment[]> {
  const counting = judging.rules.knowsKeys ? await countingCommits(judging, records) : null;
  return records.flatMap(({ events }) => {
    const state = foldDeployment(events.map(({ event }) => event));
    if (state === null) return [];
    const own = events.filter(
      ({ event, commit }) =>
        counting === null || (counting.has(commit.id) && isTheirs(judging, state, event)),
    );
    const counted = foldDeployment(own.map(({ event }) => event));
    return [{ state, counted, verified: own.length === events.length }];
  });
}

function isTheirs({ rules }: Judging, state: Deployment, { actor }: StoredEvent['event']): boolean {
  return hasPermission(rules.policy, actor, 'record', state);
}

/** Commits that a trusted key signed for whoever wrote them, who is the actor of their events. */
async function countingCommits(
  { context, store }: Judging,
  records: readonly StoredDeployment[],
): Promise<ReadonlySet<ObjectId>> {
  const times = new Map<ObjectId, number>();
  const all = records.flatMap(({ events }) => events);
  for (const { events } of records) {
    const dated = events.map(({ event, commit }) => ({ commit, at: Date.parse(event.at) }));
    for (const [id, time] of await eventTimes(context, store, dated)) times.set(id, time);
  }
  const commits = [...new Map(all.map(({ commit }) => [commit.id, commit])).values()];
  const signatures = await signaturesOf(context, commits, times);
  const strangers = new Set<ObjectId>();
  for (const { event, commit } of all)
    if (!samePerson(event.actor.email, commit.author.email)) strangers.add(commit.id);
  return new Set(
    commits
      .filter(({ id, author, time }) => {
        const signature = signatures.get(id);
        return (
          signature !== undefined &&
          vouchedBy(signature, author.email) !== null &&
          !strangers.has(id) &&
          !isFuture(context, times.get(id) ?? time)
        );
      })
      .map(({ id }) => id),
  );
}

export function countedRecord(
  { id, commit, status, updatedAt, times, sources, automatic, supersededBy, rolledBackBy }: Deployment,
  isWider: boolean,
): CountedRecord {
  return { id, commit, status, updatedAt, times, sources, automatic, supersededBy, rolledBackBy, isWider };
}
