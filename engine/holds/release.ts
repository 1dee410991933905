/** Holds without fields that they hold no longer, and what they took away for those. */
import {
  type FileChange,
  type Finding,
  type HeldField,
  type Hold,
  MODE,
  type ObjectId,
  quotePath,
  type TakenPart,
} from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Texts } from './apply.ts';
import { giveBack } from './give-back.ts';
import { overlaps } from './held.ts';
import { printHold } from './hold-file.ts';

/** An item of a plan's digest. */
export interface HoldItem {
  readonly path: string;
  readonly selector: string;
  readonly before: { readonly mode: string; readonly bytes: string } | null;
  readonly after: { readonly mode: string; readonly bytes: string } | null;
}

export interface Released {
  /** What is left of the hold; null: nothing. */
  readonly rest: Hold | null;
  /** What it took away for the fields that it holds no longer. */
  readonly parts: readonly TakenPart[];
}

/** A hold without the fields that one of these covers. */
export function release(hold: Hold, covered: readonly Pick<HeldField, 'path' | 'selector'>[]): Released {
  const fields = hold.fields.filter((field) => !covered.some((one) => overlaps(one, field)));
  if (fields.length === 0) return { rest: null, parts: hold.taken };
  const stays = ({ path, of }: TakenPart) =>
    of === undefined || fields.some((field) => overlaps(field, { path, selector: of }));
  return {
    rest: { ...hold, fields, taken: hold.taken.filter(stays) },
    parts: hold.taken.filter((part) => !stays(part)),
  };
}

/** Those that can be given back, in reverse of how they were taken: a finding that blocks for each other one. */
export async function giveAllBack(texts: Texts, parts: readonly TakenPart[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const part of parts.toReversed()) {
    const text = await texts.read(part.path);
    const given = text === null ? { problem: 'does not exist any more' } : giveBack(text, part);
    if ('text' in given) {
      if (given.text !== text) texts.write(part.path, given.text);
      continue;
    }
    findings.push({
      code: 'HOLD_STUCK',
      severity: 'block',
      message: `${quotePath(part.path)} ${given.problem}.`,
      hint: 'Write by hand what is to be there, and remove the file of the hold in the same commit.',
      path: part.path,
    });
  }
  return findings;
}

/** What an older hold took away stays away, and is on record in the new one; what is there again is not. */
export async function stillTaken(texts: Texts, parts: readonly TakenPart[]): Promise<TakenPart[]> {
  const still: TakenPart[] = [];
  for (const part of parts) {
    const text = await texts.read(part.path);
    const given = text === null ? null : giveBack(text, part);
    if (given === null || ('text' in given && given.text === text)) continue;
    still.push(part);
  }
  return still;
}

/** The file of a hold as it is left; null: removed. */
export function rewritten(
  { hasher }: Snapshot,
  path: string,
  { mode, id }: { readonly mode: string; readonly id: ObjectId },
  rest: Hold | null,
): FileChange {
  const content = rest && new TextEncoder().encode(printHold(rest));
  return {
    path,
    before: { mode, id },
    after: content && { mode: MODE.file, id: hasher.blobId(content), content },
  };
}

/** What is beside it in the file may change meanwhile. */
export function contextFree(part: TakenPart): object {
  return Object.fromEntries(Object.entries(part).filter(([key]) => key !== 'before' && key !== 'after'));
}

export const replacedItem = ({ path, before, after }: FileChange): HoldItem => ({
  path,
  selector: '',
  before: before && { mode: before.mode, bytes: before.id },
  after: after && { mode: after.mode, bytes: after.id },
});

export const givenItem = (part: TakenPart): HoldItem => ({
  path: part.path,
  selector: `${part.selector} ${part.adapter}`,
  before: null,
  after: { mode: 'given', bytes: JSON.stringify(contextFree(part)) },
});
