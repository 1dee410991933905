/** Requests that the branch holds already: what came of each, on one look. */
import {
  isFailure,
  type HistoryReader,
  type LogCommit,
  type ObjectId,
  type RequestId,
  type RollbackResult,
  resultOf,
} from '../../model/index.ts';
import { readResume, readRollback } from '../../record/read.ts';
import { readDone } from '../../rollback/execute.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { requestOf } from './member.ts';
import { executesRequest } from '../restored.ts';
import { settleAll } from './look-once.ts';

/**
 * The results of those that the branch holds beyond doubt: the commit says so, and restores what was asked for. Whatever else there is about one
 * is left to its own execution, which explains it.
 */
export async function reportPublished(
  snapshot: Snapshot,
  found: readonly EligibilityInput[],
  published: ReadonlyMap<RequestId, ObjectId>,
): Promise<readonly RollbackResult[]> {
  const [first] = found;
  if (first === undefined) return [];
  const { context } = first;
  const { git } = context;
  const line = await snapshot.history.firstParents(snapshot.base);
  const places = new Map(line.map((commit, index) => [commit, index]));
  const placed = found.flatMap((each) => {
    const commit = published.get(each.file.state.id) ?? '';
    const place = places.get(commit);
    const base = places.get(each.file.state.base) ?? line.length;
    // Of before its base it is another one's, or nobody's.
    return place === undefined || place >= base ? [] : [{ each, commit, next: line[place - 1] }];
  });
  const ids = placed.flatMap(({ commit, next }) => (next === undefined ? [commit] : [commit, next]));
  const messages = await git.messages([...new Set(ids)]);
  const written = new Map(
    (
      await inspectAll(
        git,
        placed.map(({ commit }) => commit),
      )
    ).map((commit) => [commit.id, commit]),
  );
  const inspect = async (wanted: readonly ObjectId[]) => {
    const known = wanted.flatMap((id) => written.get(id) ?? []);
    return known.length === wanted.length ? known : git.inspect(wanted);
  };
  const looking = { ...context, git: { ...git, inspect } };
  const looked = { ...snapshot, history: onLine(snapshot.history, line, places) };
  const settled = await settleAll(placed, async ({ each, commit, next }) => {
    const { state } = each.file;
    const trailers = messages.get(commit)?.trailers ?? [];
    const claim = state.resume ? readResume(trailers) : readRollback(trailers);
    const request = requestOf(each, null);
    if (claim === null || !(await executesRequest(looking, looked, state, { ...claim.record, commit })))
      return null;
    const { base, digest, deliveryCommit } = readDone({ commit, next, messages, request, base: state.base });
    return resultOf({ ...request, base, digest }, 'completed', { commit, deliveryCommit });
  });
  const results = settled.flatMap((each) => {
    if (each.status === 'fulfilled') return each.value ?? [];
    if (!isFailure(each.reason)) throw each.reason;
    return [];
  });
  await git.deleteStaging(...results.map(({ requestId }) => requestId));
  const [next] = results
    .map(({ commit, deliveryCommit }) => deliveryCommit ?? commit ?? '')
    .toSorted((one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0));
  if (next === undefined) return [];
  // After a crash, the local branch may not have been updated to what was published.
  const findings = await git.followUp({ branch: snapshot.branch, next });
  return results.map((result) => ({ ...result, findings }));
}

/** Commits that are read at a time. */
const TOGETHER = 500;

export async function inspectAll(
  git: EligibilityInput['context']['git'],
  commits: readonly ObjectId[],
): Promise<readonly LogCommit[]> {
  const found: LogCommit[] = [];
  for (let at = 0; at < commits.length; at += TOGETHER)
    found.push(...(await git.inspect(commits.slice(at, at + TOGETHER))));
  return found;
}

/** Answers for tips on a line that is known. */
export function onLine(
  history: HistoryReader,
  line: readonly ObjectId[],
  places: ReadonlyMap<ObjectId, number>,
): HistoryReader {
  return {
    ...history,
    firstParents: (tip) => {
      const place = places.get(tip);
      return place === undefined ? history.firstParents(tip) : Promise.resolve(line.slice(place));
    },
    isOnLine: (tip, commit) => {
      const [place, searched] = [places.get(tip), places.get(commit)];
      if (place === undefined) return history.isOnLine(tip, commit);
      return Promise.resolve(searched !== undefined && searched >= place);
    },
  };
}
