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
  const after = range.from === null ? {} : { after: range.from };
  for (const { id, subject } of await reader.history.log({ tip: range.to, path: HOLDS, ...after }))
    if (!isOurs(line.marks.get(id)) && !arrived.has(id))
      found.push({ commit: id, reverts: null, kind: 'hold', subject });
  const placeOf = ({ commit }: OutsideCommit) => line.places.get(commit) ?? 0;
  return found.sort((one, other) => placeOf(one) - placeOf(other));
}

const isOurs = (mark: Mark | undefined) =>
  mark !== undefined && mark.kind !== 'revert' && mark.kind !== 'imitation';
