/** What was done without Backtrail to what it made: reverts by hand, commits that look like rollbacks and are none, and holds that were moved. */
import type { ObjectId } from '../model/index.ts';
import { HOLDS } from '../holds/hold-file.ts';
import type { Audit } from './audit.ts';
import { readCommit } from './line/commit-text.ts';
import type { Mark } from './line/line.ts';
import type { Range } from './range.ts';
import type { OutsideCommit } from './types.ts';

interface Looking {
  readonly range: Range;
  readonly isWithin: (place: Pick<Mark, 'at'>) => boolean;
  /** Commits that pull requests brought. */
  readonly arrived: ReadonlyMap<ObjectId, unknown>;
}

/** Newest first. */
export async function outsideOf(
  audit: Audit,
  { range, isWithin, arrived }: Looking,
): Promise<readonly OutsideCommit[]> {
  const { line, reader } = audit;
  const found: OutsideCommit[] = [];
  for (const mark of line.marks.values()) {
    if (!isWithin(mark) || (mark.kind !== 'revert' && mark.kind !== 'imitation')) continue;
    const ours = (line.reverts.get(mark.id) ?? []).filter(
      (id) => isOurs(line.marks.get(id)) || arrived.has(id),
    );
    if (arrived.has(mark.id) || (mark.kind === 'revert' && ours.length === 0)) continue;
    const { subject } = readCommit(mark.id, await reader.commitBytes(mark.id));
    const { kind } = mark;
    for (const reverts of ours.length === 0 ? [null] : ours)
      found.push({ commit: mark.id, reverts, kind, subject });
  }
  for (const id of await holdsMoved(audit, range)) {
    if (isOurs(line.marks.get(id)) || arrived.has(id)) continue;
    const { subject } = readCommit(id, await reader.commitBytes(id));
    found.push({ commit: id, reverts: null, kind: 'hold', subject });
  }
  const placeOf = ({ commit }: OutsideCommit) => line.places.get(commit) ?? 0;
  return found.sort((one, other) => placeOf(one) - placeOf(other));
}

/** Folders that are read at a time. */
const TOGETHER = 500;

/** Commits that change what is held, as their trees have it: a commit-graph is not asked. */
async function holdsMoved({ line, reader }: Audit, { from, to }: Range): Promise<readonly ObjectId[]> {
  const [start, end] = [
    line.places.get(to) ?? 0,
    from === null ? line.ids.length : (line.places.get(from) ?? 0),
  ];
  const holds = new Map<ObjectId, ObjectId | null>();
  const folderIn = async (tree: ObjectId, name: string) =>
    (await reader.objects.tree(tree)).find((entry) => entry.name === name)?.id ?? null;
  const holdsIn = async (tree: ObjectId | undefined) => {
    const own = tree === undefined ? null : await folderIn(tree, OWN);
    if (own === null) return null;
    const known = holds.get(own);
    if (known !== undefined) return known;
    const found = await folderIn(own, NAME).catch(() => null);
    holds.set(own, found);
    return found;
  };
  // Where nothing was held, and nothing is, there is nothing to be moved: most branches need not be read for it.
  if (!line.hasHolds && (await holdsIn(line.trees[0])) === null) return [];
  const moved: ObjectId[] = [];
  // The one before the first of the range as well: what that held is where it begins.
  for (let at = start; at < end; at += TOGETHER) {
    const last = Math.min(at + TOGETHER, end);
    const all = await Promise.all(line.trees.slice(at, last + 1).map(holdsIn));
    for (let place = at; place < last; place += 1) {
      const id = line.ids[place];
      const isCut = reader.shallow && place === line.ids.length - 1;
      if (id !== undefined && !isCut && all[place - at] !== (all[place - at + 1] ?? null)) moved.push(id);
    }
  }
  return moved;
}

const [OWN = '', NAME = ''] = HOLDS.split('/');

const isOurs = (mark: Mark | undefined) =>
  mark !== undefined && mark.kind !== 'revert' && mark.kind !== 'imitation';
