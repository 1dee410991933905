/** The records on the branch: of messages, and of what the ledger says pull requests brought. */
import { type LogCommit, NO_ARRIVALS } from '../model/index.ts';
import { type Recorded, recordsAt } from '../record/arrived.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

export interface CommitRecord extends Recorded {
  readonly commit: LogCommit;
}

/** Newest first: of rollbacks, resumes and deliveries. A commit may have several. */
export async function recordsOf({
  base,
  history,
  arrivals: port,
  positions,
}: Pick<Snapshot, 'base' | 'history' | 'arrivals' | 'positions'>): Promise<readonly CommitRecord[]> {
  const [commits, arrivals] = [await history.recorded(base), (await port?.on(base)) ?? NO_ARRIVALS];
  const all = new Map(commits.map((commit) => [commit.id, commit]));
  for (const { commit } of arrivals.of.values()) if (!all.has(commit.id)) all.set(commit.id, commit);
  const inLine = [...all.values()];
  if (all.size > commits.length) {
    const places = await positions();
    inLine.sort((one, other) => (places.get(one.id) ?? 0) - (places.get(other.id) ?? 0));
  }
  return inLine.flatMap((commit) => recordsAt(arrivals, commit).map((record) => ({ ...record, commit })));
}
