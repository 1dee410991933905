/** Hunks of two texts, at a bounded cost: hostile texts with no equal lines must not take seconds. */
import { structuredPatch } from 'diff';
import type { StructuredPatch } from 'diff';

/** Steps that are left for finding smallest differences; used up by one comparison after the other. */
export interface Effort {
  steps: number;
}

/** Edits of the largest smallest difference that is looked for. The steps to find one grow with its square. */
const EDIT_LIMIT = 2000;
const CONTEXT = 3;

export const makeEffort = (): Effort => ({ steps: EDIT_LIMIT ** 2 });

/** How many edits the steps that are left are enough for; `spend` takes off what was used. */
export const editsLeft = ({ steps }: Effort): number => Math.floor(Math.sqrt(Math.max(0, steps)));

export function spend(effort: Effort, edits: number): void {
  effort.steps -= edits ** 2;
}

export interface Texts {
  readonly before: string;
  readonly after: string;
}

/** Smallest difference; where that takes too long, everything between the common beginning and the common end, in one hunk. */
export function lineHunks({ before, after }: Texts, effort: Effort): StructuredPatch['hunks'] {
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
