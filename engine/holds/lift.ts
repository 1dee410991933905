/** What a resume does: the fields that are asked for are held no longer, and what was taken away for them is given back. */
import {
  BacktrailError,
  type FileChange,
  type Finding,
  formatCoordinates,
  type HeldField,
  type Hold,
  type Scope,
  type TakenPart,
} from '../model/index.ts';
import { fieldSelection } from '../layout/fields/field.ts';
import { selectionsOf } from '../layout/layout.ts';
import { isWithin, parseSelector } from '../yaml/core/selector.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { textsOf } from './apply.ts';
import { type FoundHold, readHolds } from './read.ts';
import { liftedFinding } from './findings.ts';
import { givenItem, giveAllBack, type HoldItem, release, replacedItem, rewritten } from './release.ts';

export interface LiftedHolds {
  /** What adapters took away, given back, and the files of the holds. */
  readonly files: readonly FileChange[];
  readonly items: readonly HoldItem[];
  readonly findings: readonly Finding[];
  /** The files of the holds that are removed or rewritten. */
  readonly holds: readonly string[];
}

/** @throws HOLD_UNKNOWN where nothing of the scope is held */
export async function liftHolds(snapshot: Snapshot, scope: Scope): Promise<LiftedHolds> {
  const { layout, reader, base } = snapshot;
  const view = await snapshot.view(base);
  const { holds, findings } = await readHolds({ view, layout, reader }, scope);
  const lifted: { found: FoundHold; fields: readonly HeldField[] }[] = [];
  for (const found of holds) {
    const fields = found.hold.fields.filter((field) => isAsked(snapshot, scope, found.hold, field));
    if (fields.length > 0) lifted.push({ found, fields });
  }
  if (lifted.length === 0) throw notHeld(scope, findings);
  const texts = textsOf(snapshot, []);
  const parts: TakenPart[] = [];
  const replaced: FileChange[] = [];
  for (const { found, fields } of lifted) {
    const { rest, parts: own } = release(found.hold, fields);
    // Two holds may have one part on record, the newer one from the older.
    parts.push(...own);
    replaced.push(rewritten(snapshot, found.hold.path, found.entry, rest));
  }
  const stuck = await giveAllBack(texts, parts);
  const files = [...(await texts.files()), ...replaced].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files,
    items: [...replaced.map(replacedItem), ...parts.map(givenItem)],
    findings: [
      ...findings,
      ...stuck,
      ...lifted.map(({ found, fields }) => liftedFinding(found.hold, fields, parts)),
    ],
    holds: replaced.map(({ path }) => path),
  };
}

function isAsked({ layout }: Snapshot, scope: Scope, hold: Hold, field: HeldField): boolean {
  if (scope.mode === 'field')
    return (scope.fields ?? [])
      .map(fieldSelection)
      .some(({ paths, selector }) =>
        paths.match(field.path) !== null && selector !== null && field.selector !== ''
          ? isWithin(parseSelector(field.selector), selector)
          : false,
      );
  if (scope.service === undefined || hold.service === scope.service) return true;
  if (hold.service !== undefined) return false;
  const held = parseSelector(field.selector);
  return selectionsOf(layout, scope).some(
    ({ paths, selector }) =>
      paths.match(field.path) !== null && (selector === null || isWithin(held, selector)),
  );
}

function notHeld({ mode, fields = [], ...coordinates }: Scope, findings: readonly Finding[]): BacktrailError {
  const name = formatCoordinates(coordinates);
  const what = mode === 'field' ? `${fields.slice(0, 3).join(', ')} of ${name}` : name;
  const message = `Nothing of ${what} is held.`;
  const [invalid] = findings;
  return new BacktrailError('HOLD_UNKNOWN', message, invalid ? { hint: invalid.message } : {});
}
