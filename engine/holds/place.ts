/** What a rollback does with holds: it replaces those over its fields, and places its own where that is asked for. */
import {
  type EnvironmentName,
  type FileChange,
  type Finding,
  type HeldField,
  type Hold,
  type HoldBody,
  type HoldTerms,
  MODE,
  type ObjectId,
  type PlannedHolds,
  quotePath,
  type Scope,
  type TakenPart,
} from '../model/index.ts';
import { selectionsOf } from '../layout/layout.ts';
import { readContent } from '../snapshot/scope-content.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isFile } from '../snapshot/view.ts';
import { settingsFor } from './settings.ts';
import { type Texts, textOf, textsOf } from './apply.ts';
import { giveBack } from './give-back.ts';
import {
  type ChangedFields,
  changedFields,
  type ChangedText,
  fieldName,
  heldFields,
  leavesOf,
  overlaps,
} from './held.ts';
import { HOLDS, holdFolder, printHold } from './hold-file.ts';
import { type FoundHold, readHolds } from './read.ts';
import { findsAutomation, take, type TakeInput } from './take.ts';

/** `auto`: where the restored fields show that automation moves them. */
export type HoldWish = HoldTerms | 'auto' | null;

export interface PlaceInput {
  readonly snapshot: Snapshot;
  readonly scope: Scope;
  readonly target: ObjectId;
  /** What is restored. */
  readonly files: readonly FileChange[];
  /** Files that are restored as a whole: nothing of what holds took away in them is left. */
  readonly isWhole: (path: string) => boolean;
  readonly owners: readonly EnvironmentName[];
  readonly hold: HoldWish;
}

export interface PlacedHolds {
  readonly files: readonly FileChange[];
  /** For the digest: absent where holds have no part in the plan. */
  readonly items: readonly HoldItem[];
  readonly findings: readonly Finding[];
  readonly holds: PlannedHolds | null;
}

export interface HoldItem {
  readonly path: string;
  readonly selector: string;
  readonly before: { readonly mode: string; readonly bytes: string } | null;
  readonly after: { readonly mode: string; readonly bytes: string } | null;
}

interface Restored {
  readonly file: ChangedText;
  readonly changed: ChangedFields;
}

export async function placeHolds(input: PlaceInput): Promise<PlacedHolds> {
  const { snapshot, files, owners, hold } = input;
  const found = await readAll(snapshot, owners);
  const folders = owners.map(holdFolder);
  const nothing: PlacedHolds = { files, items: [], findings: found.findings, holds: null };
  if (files.length === 0 || (hold === null && found.holds.length === 0)) return nothing;
  const restored: Restored[] = [];
  for (const file of files) restored.push(await restoredIn(snapshot, file));
  const covered = restored.flatMap(({ file, changed }) =>
    (changed.selectors ?? ['']).map((selector) => ({ path: file.path, selector })),
  );
  const older = found.holds.filter(({ hold: { fields } }) =>
    fields.some((field) => covered.some((one) => overlaps(one, field))),
  );
  const texts = textsOf(snapshot, files);
  const takings = hold === null ? [] : await takingsOf(input, restored, texts);
  const terms = hold === 'auto' ? (takings.some(findsAutomation) ? { seconds: null } : null) : hold;
  const readsScope = hold !== null;
  const findings = [...found.findings];
  if (terms === null && older.length === 0)
    return { ...nothing, holds: readsScope ? { placed: null, replaced: [], folders, readsScope } : null };
  const released = older.map((one) => release(one.hold, covered));
  const parts = released.flatMap(({ parts: own }) => own).filter(({ path }) => !input.isWhole(path));
  const taken: TakenPart[] = [];
  if (terms === null) findings.push(...(await giveAllBack(texts, parts)));
  else {
    taken.push(...(await stillTaken(texts, parts)));
    for (const one of takings) {
      const text = (await texts.read(one.path)) ?? one.text;
      const made = take({ ...one, text });
      if (made.text !== text) texts.write(one.path, made.text);
      taken.push(...made.parts);
      findings.push(...made.problems.map((problem) => unstopped(one.path, problem)));
    }
  }
  const after = await texts.files();
  const isNothing = terms !== null && older.length > 0 && after.length === 0;
  // The same rollback once more, over its own hold.
  if (isNothing) return { files: [], items: [], findings, holds: null };
  const replaced = await replacedFiles(snapshot, older, released);
  const placed = terms && (await bodyOf(input, { terms, restored, texts, taken }));
  const hidden = placed === null ? [] : [itemOf(input, placed)];
  return {
    files: [...after, ...replaced].sort((a, b) => (a.path < b.path ? -1 : 1)),
    items: [...hidden, ...replaced.map(replacedItem), ...(placed === null ? parts.map(givenItem) : [])],
    findings: [...findings, ...replacedFinding(older), ...(placed === null ? [] : [placedFinding(placed)])],
    holds: { placed, replaced: replaced.map(({ path }) => path), folders, readsScope },
  };
}

async function readAll(snapshot: Snapshot, owners: readonly EnvironmentName[]) {
  const { layout, reader, base } = snapshot;
  const view = await snapshot.view(base);
  const found =
    (await view.list(HOLDS)).length === 0
      ? []
      : await Promise.all(owners.map((owner) => readHolds({ view, layout, reader }, owner)));
  return { holds: found.flatMap(({ holds }) => holds), findings: found.flatMap(({ findings }) => findings) };
}

async function restoredIn(snapshot: Snapshot, { path, before, after }: FileChange): Promise<Restored> {
  const [own, other] = [await textOf(snapshot, before), await textOf(snapshot, after)];
  const exists = { before: before !== null, after: after !== null };
  const unmasked = snapshot.layout.unmasked(path);
  const file = { path, before: own, after: other, exists, id: after?.id ?? null, unmasked };
  return { file, changed: changedFields(file) };
}

/** The files that adapters look at: those that change, and the others of the scope. */
async function takingsOf(
  { snapshot, scope, target }: PlaceInput,
  restored: readonly Restored[],
  texts: Texts,
): Promise<TakeInput[]> {
  const made: TakeInput[] = [];
  const settings = settingsFor(snapshot, target);
  for (const { file, changed } of restored) {
    const text = file.after;
    if (text === null) continue;
    const fields = changed.selectors ?? leavesOf(file.path, text);
    made.push({ path: file.path, text, fields, settings: settings(file.path), isChanged: true });
  }
  const { tenant, environment, service } = scope;
  const coordinates = {
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
  };
  const around: Scope = { mode: service === undefined ? 'full' : 'service', ...coordinates };
  const selections = selectionsOf(snapshot.layout, coordinates).filter(({ selector }) => selector === null);
  const content = await readContent({ snapshot, scope: around, selections }, snapshot.base);
  for (const [path, { mode }] of content.files) {
    if (!isFile(mode) || !/\.(?:ya?ml|json)$/i.test(path) || made.some((one) => one.path === path)) continue;
    if (snapshot.layout.keep.path(path) !== null || restored.some(({ file }) => file.path === path)) continue;
    const text = await texts.read(path);
    if (text !== null) made.push({ path, text, fields: [], settings: settings(path), isChanged: false });
  }
  return made;
}

interface Released {
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
async function stillTaken(texts: Texts, parts: readonly TakenPart[]): Promise<TakenPart[]> {
  const still: TakenPart[] = [];
  for (const part of parts) {
    const text = await texts.read(part.path);
    const given = text === null ? null : giveBack(text, part);
    if (given === null || ('text' in given && given.text === text)) continue;
    still.push(part);
  }
  return still;
}

async function replacedFiles(
  snapshot: Snapshot,
  older: readonly FoundHold[],
  released: readonly Released[],
): Promise<FileChange[]> {
  return older.map(({ hold, entry }, index) =>
    rewritten(snapshot, hold.path, entry, released[index]?.rest ?? null),
  );
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

interface Placing {
  readonly terms: HoldTerms;
  readonly restored: readonly Restored[];
  readonly texts: Texts;
  readonly taken: readonly TakenPart[];
}

async function bodyOf(
  { scope, target, snapshot }: PlaceInput,
  { terms, restored, texts, taken }: Placing,
): Promise<HoldBody> {
  const fields: HeldField[] = [];
  for (const { file, changed } of restored) {
    const text = file.after === null ? null : await texts.read(file.path);
    const id = text === null ? file.id : snapshot.hasher.blobId(new TextEncoder().encode(text));
    fields.push(...heldFields({ ...file, id }, changed, text));
  }
  const { tenant, environment, service, mode } = scope;
  return {
    ...terms,
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
    mode,
    target,
    fields,
    taken,
  };
}

/** Without the id of the request and without times. */
function itemOf({ scope }: PlaceInput, { seconds, fields, taken }: HoldBody): HoldItem {
  return {
    path: `${holdFolder(scope)}/*`,
    selector: '',
    before: null,
    after: { mode: 'hold', bytes: JSON.stringify([seconds, fields, taken.map(contextFree)]) },
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

function replacedFinding(older: readonly FoundHold[]): Finding[] {
  return older.map(({ hold }) => ({
    code: 'HOLD_REPLACED',
    severity: 'info',
    message: `The hold of ${hold.requestId}, by ${hold.author}, is replaced for what this rollback restores.`,
    path: hold.path,
  }));
}

function placedFinding({ fields, seconds, taken }: HoldBody): Finding {
  const names = fields.slice(0, 3).map(fieldName).join(', ');
  const more = fields.length > 3 ? ` and ${fields.length - 3} more` : '';
  const until = seconds === null ? 'until it is resumed' : `for ${spanText(seconds)}`;
  const adapters = [...new Set(taken.map(({ adapter }) => adapter))];
  const places = taken.slice(0, 3).map(({ path, selector }) => fieldName({ path, selector }));
  const stopped =
    taken.length === 0
      ? ''
      : ` ${adapters.join(', ')} cannot move it: ${taken.length === 1 ? 'one part is' : `${taken.length} parts are`} taken away at ${places.join(', ')}${taken.length > 3 ? ', …' : ''}.`;
  return {
    code: 'HOLD_PLACED',
    severity: 'info',
    message: `Automation must not move ${names}${more} ${until}.${stopped}`,
    hint: '`backtrail resume` lifts it; with --no-hold nothing is held.',
  };
}

/** `7d`, `36h`, `90m` */
export function spanText(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const)
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  return `${seconds}s`;
}

function unstopped(path: string, problem: string): Finding {
  return { code: 'HOLD_INCOMPLETE', severity: 'warn', message: `${quotePath(path)} ${problem}.`, path };
}
