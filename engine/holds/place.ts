/** What a rollback does with holds: it replaces those over its fields, and places its own where that is asked for. */
import {
  type EnvironmentName,
  type FileChange,
  type Finding,
  type HeldField,
  type HoldBody,
  type HoldTerms,
  type ObjectId,
  type PlannedHolds,
  type Scope,
  type TakenPart,
} from '../model/index.ts';
import { selectionsOf, serviceOfPath } from '../layout/layout.ts';
import { readContent } from '../snapshot/scope-content.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isFile } from '../snapshot/view.ts';
import { settingsFor } from './settings.ts';
import { type Texts, textOf, textsOf } from './apply.ts';
import { placedFinding, replacedFinding, unstopped } from './findings.ts';
import {
  type ChangedFields,
  changedFields,
  type ChangedText,
  heldFields,
  isSameValue,
  leavesOf,
  overlaps,
  valuesIn,
} from './held.ts';
import { HOLDS, holdFolder } from './hold-file.ts';
import { readHolds } from './read.ts';
import {
  contextFree,
  givenItem,
  giveAllBack,
  type HoldItem,
  release,
  replacedItem,
  rewritten,
  stillTaken,
} from './release.ts';
import { type Candidate, findsAutomation, mayFindAutomation, take, type TakeInput } from './take.ts';

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

interface Restored {
  readonly file: ChangedText;
  readonly changed: ChangedFields;
  /** Fields that older holds held in it, where all of the file is restored. */
  readonly earlier: ReadonlySet<string>;
}

export async function placeHolds(input: PlaceInput): Promise<PlacedHolds> {
  const { snapshot, files, owners, hold } = input;
  const found = await readAll(snapshot, owners);
  const nothing: PlacedHolds = { files, items: [], findings: found.findings, holds: null };
  if (files.length === 0 || (hold === null && found.holds.length === 0)) return nothing;
  const texts = textsOf(snapshot, files);
  const candidates = hold === null ? [] : await candidatesOf(input, texts);
  const readsScope = hold !== null;
  const unheld = {
    ...nothing,
    holds: readsScope ? { placed: null, replaced: [], readsScope } : null,
  };
  if (hold === 'auto' && found.holds.length === 0 && !candidates.some(mayFindAutomation)) return unheld;
  const restored: Restored[] = [];
  for (const file of files) {
    const held = input.isWhole(file.path) ? found.holds.flatMap((one) => one.hold.fields) : [];
    restored.push(withHeld(await restoredIn(snapshot, file), held));
  }
  const covered = restored.flatMap(({ file, changed }) =>
    (changed.selectors ?? ['']).map((selector) => ({ path: file.path, selector })),
  );
  const older = found.holds.filter(({ hold: { fields } }) =>
    fields.some((field) => covered.some((one) => overlaps(one, field))),
  );
  if (covered.length === 0) return nothing;
  const takings = candidates.map((one) => withFields(one, restored));
  const terms =
    hold === 'auto' ? (older.length > 0 || takings.some(findsAutomation) ? { seconds: null } : null) : hold;
  const findings = [...found.findings];
  if (terms === null && older.length === 0) return unheld;
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
  // The same rollback once more, over its own hold.
  if (terms !== null && after.length === 0) return { files: [], items: [], findings, holds: null };
  const replaced = older.map(({ hold: { path }, entry }, index) =>
    rewritten(snapshot, path, entry, released[index]?.rest ?? null),
  );
  const placed = terms && (await bodyOf(input, { terms, restored, texts, taken }));
  const hidden = placed === null ? [] : [itemOf(input, placed)];
  return {
    files: [...after, ...replaced].sort((a, b) => (a.path < b.path ? -1 : 1)),
    items: [...hidden, ...replaced.map(replacedItem), ...(placed === null ? parts.map(givenItem) : [])],
    findings: [...findings, ...replacedFinding(older), ...(placed === null ? [] : [placedFinding(placed)])],
    holds: { placed, replaced: replaced.map(({ path }) => path), readsScope },
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
  return { file, changed: changedFields(file), earlier: new Set() };
}

/** What is held in a file that is restored as a whole stays held, also where it does not change now. */
function withHeld(restored: Restored, held: readonly HeldField[]): Restored {
  const { file, changed } = restored;
  const own = held.filter(({ path }) => path === file.path);
  if (own.length === 0 || changed.selectors === null) return restored;
  const earlier = new Set(own.map(({ selector }) => selector));
  const secrets = new Set([
    ...changed.secrets,
    ...own.filter(({ secret }) => secret).map(({ selector }) => selector),
  ]);
  const selectors = earlier.has('') ? null : [...new Set([...changed.selectors, ...earlier])];
  return { file, changed: { selectors, secrets }, earlier };
}

/** The files that adapters look at: those that change, and the others of the services that they belong to. */
async function candidatesOf(
  { snapshot, scope, target, files }: PlaceInput,
  texts: Texts,
): Promise<Candidate[]> {
  const { layout, base } = snapshot;
  const made = new Map<string, Candidate>();
  const settings = settingsFor(snapshot, target);
  const add = async (path: string, isChanged: boolean) => {
    const text = made.has(path) ? null : await texts.read(path);
    if (text !== null) made.set(path, { path, text, settings: settings(path), isChanged });
  };
  for (const { path } of files) await add(path, true);
  const { tenant, environment, service } = scope;
  const home = { ...(tenant !== undefined && { tenant }), environment };
  const coordinates = { ...home, ...(service !== undefined && { service }) };
  const around: Scope = { mode: service === undefined ? 'full' : 'service', ...coordinates };
  const selections = selectionsOf(layout, coordinates).filter(({ selector }) => selector === null);
  const content = await readContent({ snapshot, scope: around, selections }, base);
  const touched = new Set(files.map(({ path }) => serviceOfPath(layout, home, path)));
  const changed = new Set(files.map(({ path }) => path));
  for (const [path, { mode }] of content.files) {
    const isOther = service === undefined && !touched.has(serviceOfPath(layout, home, path));
    if (isOther || changed.has(path) || !isFile(mode) || !/\.(?:ya?ml|json)$/i.test(path)) continue;
    if (layout.keep.path(path) === null) await add(path, false);
  }
  return [...made.values()];
}

function withFields(candidate: Candidate, restored: readonly Restored[]): TakeInput {
  const { path, text } = candidate;
  const changed = restored.find(({ file }) => file.path === path)?.changed;
  return { ...candidate, fields: changed ? (changed.selectors ?? leavesOf(path, text)) : [] };
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
  const undone: HeldField[] = [];
  for (const { file, changed, earlier } of restored) {
    const text = file.after === null ? null : await texts.read(file.path);
    const id = text === null ? file.id : snapshot.hasher.blobId(new TextEncoder().encode(text));
    const was = valuesIn(file.path, file.before ?? '');
    for (const field of heldFields({ ...file, id }, changed, text)) {
      // A key that an adapter set back to what it was is not restored.
      const isUndone = field.selector !== '' && !field.secret && isSameValue(was(field.selector), field.held);
      if (isUndone && !earlier.has(field.selector)) undone.push(field);
      else fields.push(field);
    }
  }
  const { tenant, environment, service, mode } = scope;
  return {
    ...terms,
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
    mode,
    target,
    fields: fields.length > 0 ? fields : undone,
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
