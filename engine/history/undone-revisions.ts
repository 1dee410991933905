/** Revisions that were undone by `git revert`, or because the scope returned to its former content. */
import type { Entry, ObjectId } from '../model/index.ts';
import { type ScopeQuery } from '../snapshot/scope-content.ts';
import { restorableSources } from './counted-changes.ts';
import type { Revision } from './revision.ts';

type ChangedRevision = Pick<Revision, 'commit' | 'changes' | 'isResume'>;

export interface UndoneRevisions {
  /** Undone revisions, with the newer commit that undid each. */
  readonly undone: ReadonlyMap<ObjectId, ObjectId>;
  /** Revisions that still contain what a newer commit undid elsewhere, with that commit: those between a `git revert` and what it reverts. */
  readonly holding: ReadonlyMap<ObjectId, ObjectId>;
}

/**
 * The undone revisions with the newer commit that undid each. A revision that was itself undone does not count, so that the revert of a
 * revert goes forward. `revisions`: newest first. `more`: reverts besides those that a commit names itself.
 */
export async function undoneRevisions(
  query: ScopeQuery,
  revisions: readonly ChangedRevision[],
  more: ReadonlyMap<ObjectId, readonly ObjectId[]>,
): Promise<UndoneRevisions> {
  const states = await statesOf(query, revisions);
  const undone = new Map<ObjectId, ObjectId>();
  const holding = new Map<ObjectId, ObjectId>();
  const places = new Map(revisions.map(({ commit }, index) => [commit.id, index]));
  const next = nextOfSameState(states);
  for (const [index, { commit, isResume }] of revisions.entries()) {
    if (undone.has(commit.id) || isResume) continue;
    const mark = (id: ObjectId) => {
      if (!undone.has(id)) undone.set(id, commit.id);
    };
    for (const between of revisions.slice(index + 1, next[index])) mark(between.commit.id);
    for (const id of [...commit.reverts, ...(more.get(commit.id) ?? [])]) {
      const place = places.get(id) ?? -1;
      if (place <= index) continue;
      mark(id);
      for (const between of revisions.slice(index + 1, place))
        holding.set(between.commit.id, holding.get(between.commit.id) ?? commit.id);
    }
  }
  return { undone, holding };
}

/** Where the state of each revision was last seen before it; 0 where it never was. */
function nextOfSameState(states: readonly string[]): Uint32Array {
  const next = new Uint32Array(states.length);
  const last = new Map<string, number>();
  for (let index = states.length - 1; index >= 0; index -= 1) {
    const state = states[index] ?? '';
    next[index] = last.get(state) ?? 0;
    last.set(state, index);
  }
  return next;
}

/**
 * The state of the scope at each revision, as a text that is equal if the content is: an additive hash over its items (AdHash, Bellare
 * and Micciancio 1997) relative to the newest revision, so that each change costs its own size. Not cryptographic; only `previous` uses it.
 */
async function statesOf(query: ScopeQuery, revisions: readonly ChangedRevision[]): Promise<string[]> {
  const sum: Hash = [0, 0];
  const states: string[] = [];
  const placeOf = placesIn(query);
  const add = (sign: 1 | -1, [one, other]: Hash) => {
    sum[0] = (sum[0] + sign * one) >>> 0;
    sum[1] = (sum[1] + sign * other) >>> 0;
  };
  for (const { changes } of revisions) {
    states.push(sum.join());
    for (const change of changes) {
      const { path } = change;
      const place = placeOf(path);
      for (const [entry, sign] of [
        [change.after, -1],
        [change.before, 1],
      ] as const) {
        if (entry === null) continue;
        if (place.isWhole) add(sign, hash(entry.id, hash(entry.mode, place.start)));
        else for (const item of await partsOf(query, { path, entry })) add(sign, hash(item));
      }
    }
  }
  return states;
}

interface Place {
  /** Selected as a whole path. */
  readonly isWhole: boolean;
  /** What its items begin with, hashed. */
  readonly start: Hash;
}

function placesIn({ selections }: ScopeQuery): (path: string) => Place {
  const known = new Map<string, Place>();
  return (path) => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const isWhole = selections.some(({ paths, selector }) => selector === null && paths.match(path) !== null);
    const place = { isWhole, start: hash(`${path}\0`) };
    known.set(path, place);
    return place;
  };
}

/** The sources of the selected parts of a file. */
async function partsOf(
  query: ScopeQuery,
  { path, entry }: { readonly path: string; readonly entry: Entry },
): Promise<ReadonlySet<string>> {
  const items = new Set<string>();
  for (const selection of query.selections) {
    if (selection.selector === null || selection.paths.match(path) === null) continue;
    const sources = await restorableSources(query, selection, { path, entry, like: null });
    for (const [selector, source] of sources) items.add(`${path}#${selector}\0${source}`);
  }
  return items;
}

type Hash = [number, number];

/** Two 32-bit FNV-1a hashes with different seeds, or going on from others. */
function hash(text: string, from: Hash = [0x811c9dc5, 0x01000193]): Hash {
  let [one, other] = from;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ (unit + at), 0x85ebca6b);
  }
  return [one >>> 0, other >>> 0];
}
