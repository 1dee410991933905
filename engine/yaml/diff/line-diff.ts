/** Line diffs at a bounded cost: diffing large texts without common lines is quadratic. */
import { structuredPatch } from 'diff';
import type { StructuredPatch } from 'diff';

/** Remaining steps for finding minimal diffs; shared by consecutive comparisons. */
export interface DiffBudget {
  steps: number;
}

/** Maximum number of edits of a minimal diff. Finding it takes steps quadratic in this number. */
const EDIT_LIMIT = 2000;
const CONTEXT = 3;

export const makeDiffBudget = (): DiffBudget => ({ steps: EDIT_LIMIT ** 2 });

/** Number of edits that the remaining steps suffice for; `spend` subtracts used steps. */
export const editsLeft = ({ steps }: DiffBudget): number => Math.floor(Math.sqrt(Math.max(0, steps)));

export function spend(effort: DiffBudget, edits: number): void {
  effort.steps -= edits ** 2;
}

export interface TextPair {
  readonly before: string;
  readonly after: string;
}

/** Hunks of a minimal diff; above the budget one hunk with everything between the common prefix and suffix. */
export function lineHunks({ before, after }: TextPair, effort: DiffBudget): StructuredPatch['hunks'] {
  const limit = editsLeft(effort);
  const options = { context: CONTEXT, maxEditLength: limit };
  const patch = structuredPatch('', '', before, after, undefined, undefined, options);
  const edits = patch?.hunks.flatMap(({ lines }) => lines).filter((line) => /^[+-]/.test(line)).length;
  spend(effort, edits ?? limit);
  return patch?.hunks ?? [coarseHunk(before, after)];
}

function coarseHunk(before: string, after: string): StructuredPatch['hunks'][number] {
  const old = before.replace(/\n$/, '').split('\n');
  const next = after.replace(/\n$/, '').split('\n');
  const shorter = Math.min(old.length, next.length);
  let head = 0;
  while (head < shorter && old[head] === next[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === next.at(-1 - tail)) tail += 1;
  const removed = old.slice(head, old.length - tail);
  const added = next.slice(head, next.length - tail);
  return {
    oldStart: head + 1,
    oldLines: removed.length,
    newStart: head + 1,
    newLines: added.length,
    lines: [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)],
  };
}
