/** What was done without Backtrail to what it made: reverts by hand, and commits that look like rollbacks and are none. */
import type { Audit } from './audit.ts';
import { readCommit } from './line/commit-text.ts';
import type { Mark } from './line/line.ts';
import type { OutsideCommit } from './types.ts';

export async function outsideOf(
  { line, reader }: Audit,
  isWithin: (mark: Mark) => boolean,
): Promise<readonly OutsideCommit[]> {
  const found: OutsideCommit[] = [];
  for (const mark of line.marks.values()) {
    if (!isWithin(mark) || (mark.kind !== 'revert' && mark.kind !== 'imitation')) continue;
    const ours = (line.reverts.get(mark.id) ?? []).filter((id) => isOurs(line.marks.get(id)));
    if (mark.kind === 'revert' && ours.length === 0) continue;
    const { subject } = readCommit(mark.id, await reader.commitBytes(mark.id));
    const kind = mark.kind;
    for (const reverts of ours.length === 0 ? [null] : ours)
      found.push({ commit: mark.id, reverts, kind, subject });
  }
  return found;
}

const isOurs = (mark: Mark | undefined) =>
  mark !== undefined && mark.kind !== 'revert' && mark.kind !== 'imitation';
