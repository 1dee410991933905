/** Which commits of the line are meant. */
import { BacktrailError, type HistoryReader, type ObjectId } from '../model/index.ts';
import { isRefName } from '../model/index.ts';

export interface Range {
  /** Not in it; null: from the beginning of the line. */
  readonly from: ObjectId | null;
  readonly to: ObjectId;
}

interface Line {
  readonly ids: readonly ObjectId[];
  readonly places: ReadonlyMap<ObjectId, number>;
}

/** @throws REVISION_UNKNOWN, REVISION_INVALID, REVISION_NOT_ON_BRANCH */
export async function rangeOf(
  history: Pick<HistoryReader, 'findCommit' | 'named' | 'firstParentBefore'>,
  { ids, places }: Line,
  text: string | undefined,
): Promise<Range> {
  const [tip = ''] = ids;
  const find = async (text: string): Promise<ObjectId> => {
    const [, name = text, back = '0'] = /^(.+)~(\d{1,7})$/.exec(text) ?? [];
    const start = await commitNamed(history, tip, name);
    const place = start === null ? undefined : places.get(start);
    const commit = Number(back) === 0 || place === undefined ? start : (ids[place + Number(back)] ?? null);
    if (commit === null)
      throw new BacktrailError('REVISION_UNKNOWN', `There is no revision ${JSON.stringify(name)}.`);
    if (places.has(commit)) return commit;
    throw new BacktrailError(
      'REVISION_NOT_ON_BRANCH',
      `The commit ${commit} is not on the first-parent line of the branch.`,
    );
  };
  if (text === undefined || text === '..') return { from: null, to: tip };
  const dots = text.indexOf('..');
  if (dots < 0) {
    const to = await find(text);
    return { from: ids[(places.get(to) ?? 0) + 1] ?? null, to };
  }
  const [start, end] = [text.slice(0, dots), text.slice(dots + 2)];
  const range = { from: start === '' ? null : await find(start), to: end === '' ? tip : await find(end) };
  const isBackwards = range.from !== null && (places.get(range.from) ?? 0) < (places.get(range.to) ?? 0);
  if (isBackwards)
    throw new BacktrailError(
      'REVISION_INVALID',
      `In ${JSON.stringify(text)} the first revision comes after the second.`,
    );
  return range;
}

/** A commit id, the beginning of one, a time (`@2026-11-20T10:00Z`), HEAD (the tip), a tag or a branch. */
async function commitNamed(
  history: Pick<HistoryReader, 'findCommit' | 'named' | 'firstParentBefore'>,
  tip: ObjectId,
  name: string,
): Promise<ObjectId | null> {
  if (name === 'HEAD' || name === '@') return tip;
  if (/^@\d{4}-/.test(name)) return history.firstParentBefore(tip, name.slice(1));
  if (/^[0-9a-f]{7,64}$/.test(name)) {
    const found = await history.findCommit(name);
    if (found !== null) return found;
  }
  if (!isRefName(name))
    throw new BacktrailError('REVISION_INVALID', `${JSON.stringify(name)} is not a valid revision.`);
  const { tag, branch } = await history.named(name);
  return tag ?? branch;
}
