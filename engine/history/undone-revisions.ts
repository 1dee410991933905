/** Revisions that were undone by `git revert`, or because the scope returned to its former content. */
import type { ObjectId, PathChange } from '../model/index.ts';
import { type ScopeQuery } from '../snapshot/scope-content.ts';
import { restorableSources } from './counted-changes.ts';
import type { Revision } from './revision.ts';

type ChangedRevision = Pick<Revision, 'commit' | 'changes'>;

export interface UndoneRevisions {
  /** Undone revisions, with the newer commit that undid each. */
  readonly undone: ReadonlyMap<ObjectId, ObjectId>;
  /** Revisions that still contain what a newer commit undid elsewhere, with that commit: those between a `git revert` and what it reverts. */
  readonly holding: ReadonlyMap<ObjectId, ObjectId>;
}

/**
 * The undone revisions with the newer commit that undid each. A revision that was itself undone does not count, so that the revert of a
 * revert goes forward. `revisions`: newest first.
 */
export async function undoneRevisions(
  query: ScopeQuery,
  revisions: readonly ChangedRevision[],
): Promise<UndoneRevisions> {
  const states = await statesOf(query, revisions);
  const undone = new Map<ObjectId, ObjectId>();
  const holding = new Map<ObjectId, ObjectId>();
  const places = new Map(revisions.map(({ commit }, index) => [commit.id, index]));
  const positions = new Map<string, number[]>();
  for (const [index, state] of states.entries())
    positions.set(state, [...(positions.get(state) ?? []), index]);
  for (const [index, { commit }] of revisions.entries()) {
    if (undone.has(commit.id)) continue;
    const mark = (id: ObjectId) => {
      if (!undone.has(id)) undone.set(id, commit.id);
    };
    const same = positions.get(states[index] ?? '')?.find((other) => other > index);
    for (const between of revisions.slice(index + 1, same ?? index)) mark(between.commit.id);
    for (const id of commit.reverts) {
      const place = places.get(id) ?? -1;
      if (place <= index) continue;
      mark(id);
      for (const between of revisions.slice(index + 1, place))
        holding.set(between.commit.id, holding.get(between.commit.id) ?? commit.id);
    }
  }
  return { undone, holding };
}

/**
 * The state of the scope at each revision, as a text that is equal if the content is: an additive hash over its items (AdHash, Bellare
 * and Micciancio 1997) relative to the newest revision, so that each change costs its own size. Not cryptographic; only `previous` uses it.
 */
async function statesOf(query: ScopeQuery, revisions: readonly ChangedRevision[]): Promise<string[]> {
  const sum = [0, 0];
  const states: string[] = [];
  for (const { changes } of revisions) {
    states.push(sum.join());
    for (const change of changes)
      for (const [side, sign] of [
        ['after', -1],
        ['before', 1],
      ] as const)
        for (const item of await itemsOf(query, change, side)) {
          const [one, other] = hash(item);
          sum[0] = ((sum[0] ?? 0) + sign * one) >>> 0;
          sum[1] = ((sum[1] ?? 0) + sign * other) >>> 0;
        }
  }
  return states;
}

/** The items of the scope on one side of a change: the entry of a whole path, or the sources of the selected parts. */
async function itemsOf(query: ScopeQuery, change: PathChange, side: 'before' | 'after'): Promise<string[]> {
  const entry = change[side];
  if (entry === null) return [];
  const items = new Set<string>();
  for (const selection of query.selections) {
    if (selection.paths.match(change.path) === null) continue;
    if (selection.selector === null) return [`${change.path}\0${entry.mode}\0${entry.id}`];
    const sources = await restorableSources(query, selection, { path: change.path, entry, like: null });
    for (const [selector, source] of sources) items.add(`${change.path}#${selector}\0${source}`);
  }
  return [...items];
}

/** Two 32-bit FNV-1a hashes with different seeds. */
function hash(text: string): [number, number] {
  let [one, other] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ (unit + at), 0x85ebca6b);
  }
  return [one >>> 0, other >>> 0];
}
