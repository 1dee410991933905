/** What a commit changes, masked, within a size: the document must not grow with what somebody committed. */
import type { FileDifference, PathChange } from '../../model/index.ts';
import { differenceOfFile, shortenDiff } from '../../plan/changes.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** Characters. */
const MOST_OF_ONE = 256 * 1024;
const MOST_OF_ALL = 64 * 1024 * 1024;

/** Characters that are left for all differences of an export. */
export interface Budget {
  left: number;
}

export const createBudget = (): Budget => ({ left: MOST_OF_ALL });

export interface Differences {
  readonly difference: readonly FileDifference[];
  /** Files of which only the path is there. */
  readonly omitted: number;
}

/** `snapshot` null: without a layout nothing says what has to be masked, and only paths are given. */
export async function differencesOf(
  snapshot: Snapshot | null,
  changes: readonly PathChange[],
  budget: Budget,
): Promise<Differences> {
  const difference: FileDifference[] = [];
  let [left, omitted] = [Math.min(MOST_OF_ONE, budget.left), 0];
  for (const change of changes.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
    const { path, before, after } = change;
    const kind = before === null ? 'added' : after === null ? 'removed' : 'modified';
    const isShown = left > 0 && omitted < MOST_TOO_LARGE && snapshot !== null;
    const whole = isShown ? await differenceOfFile(snapshot, change) : null;
    const one = whole && shortened(whole);
    const size = one === null ? Infinity : JSON.stringify(one).length;
    if (one !== null && size <= left) {
      difference.push(one);
      left -= size;
      budget.left -= size;
      continue;
    }
    omitted += 1;
    if (omitted <= MOST_PATHS) difference.push({ path, change: kind });
  }
  return { difference, omitted };
}

/** Files that are too large for what is left: then no more are tried. */
const MOST_TOO_LARGE = 20;
/** Paths of files that are left out. */
const MOST_PATHS = 1000;

const shortened = (difference: FileDifference): FileDifference =>
  difference.diff === undefined
    ? difference
    : { ...difference, diff: shortenDiff(difference.diff, 'the commit has it') };
