/** Who moved what is held: each commit of a line is compared with the holds that were in force before it. */
import {
  type Finding,
  formatCoordinates,
  type HeldField,
  type Hold,
  type LogCommit,
  type ObjectId,
  type ObjectReader,
  type PathChange,
  type Person,
  shellWord,
  type TreeView,
} from '../model/index.ts';
import type { Layout } from '../layout/layout.ts';
import { treeView } from '../snapshot/view.ts';
import { decode } from '../yaml/core/text.ts';
import { fieldName } from './held.ts';
import { isHoldPath, parseHold } from './hold-file.ts';
import { isOver } from './list.ts';
import { mayLift, readTouched, type ViewOf } from './may-lift.ts';
import { readAllHolds } from './read.ts';
import { stateReader } from './state.ts';

export interface Violation {
  /** Path of the hold. */
  readonly hold: string;
  readonly requestId: string;
  readonly path: string;
  /** '' for the whole file. */
  readonly selector: string;
  readonly held: string | null;
  readonly now: string | null;
  /** The commit that moved it, or that lifted the hold and might not. */
  readonly commit: ObjectId;
  readonly author: Person;
  /** The command that restores it. */
  readonly restore: string;
}

export interface Guarded {
  readonly violations: readonly Violation[];
  /** Files that are no holds. */
  readonly findings: readonly Finding[];
}

export interface GuardInput {
  readonly reader: ObjectReader;
  readonly layout: Layout;
  /** The commit whose holds are in force, and the one that is looked at. */
  readonly base: ObjectId;
  readonly head: ObjectId;
  /** The commits between the two, oldest first, with what each changes against its first parent. */
  readonly commits: readonly LogCommit[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A violation is what is still so at the head: who moves a field back, or lifts the hold as a person may, ends it. */
export async function guardLine(input: GuardInput): Promise<Guarded> {
  const { reader, layout, base, commits, now } = input;
  const viewOf = memo(async (commit) => treeView(reader, (await reader.commit(commit)).tree));
  const found = await readAllHolds({ view: await viewOf(base), layout, reader });
  const isInForce = (hold: Hold) => !isOver(hold, now);
  const holds = new Map(found.holds.map(({ hold }) => [hold.path, hold]));
  const suspects = new Map<string, Suspect>();
  const suspect = (hold: Hold, field: HeldField, { id, author }: LogCommit, how: Suspect['how']) => {
    const key = `${hold.path} ${fieldName(field)}`;
    if (isInForce(hold) && !suspects.has(key)) suspects.set(key, { hold, field, commit: id, author, how });
  };
  for (const commit of commits) {
    const files = commit.changes.filter(({ path }) => isHoldPath(path));
    if (holds.size === 0 && files.length === 0) continue;
    const before = [...holds.values()];
    const touched = await readTouched(input, files);
    const may = await mayLift({ reader, config: layout.config, viewOf }, { commit, touched, holds });
    for (const [path, after] of touched) {
      const old = holds.get(path);
      if (old === undefined) {
        if (after) holds.set(path, after);
        continue;
      }
      const lifted = old.fields.filter((field) => !after?.fields.some((kept) => isSameField(kept, field)));
      if (may && after) holds.set(path, after);
      else if (may) holds.delete(path);
      else for (const field of lifted) suspect(old, field, commit, 'lifted');
    }
    let sides: Awaited<ReturnType<typeof statesAround>> | null = null;
    for (const old of before) {
      const hold = holds.get(old.path);
      if (hold === undefined) continue;
      const fields = hold.fields.filter(({ path }) => commit.changes.some((change) => isBelow(path, change)));
      if (fields.length === 0) continue;
      sides ??= await statesAround(input, viewOf, commit);
      const { was, is } = sides;
      for (const field of fields) {
        const [then, here] = [was && (await was(hold, field)), await is(hold, field)];
        if (here.broken && !(then?.broken && (field.secret || then.now === here.now)))
          suspect(hold, field, commit, 'moved');
      }
    }
  }
  return { violations: await violationsOf(input, viewOf, { suspects, holds }), findings: found.findings };
}

interface Suspect {
  readonly hold: Hold;
  readonly field: HeldField;
  readonly commit: ObjectId;
  readonly author: Person;
  readonly how: 'moved' | 'lifted';
}

function memo(read: ViewOf): ViewOf {
  const known = new Map<ObjectId, Promise<TreeView>>();
  return (commit) => {
    const view = known.get(commit) ?? read(commit);
    known.set(commit, view);
    return view;
  };
}

async function states({ layout }: GuardInput, viewOf: ViewOf, commit: ObjectId) {
  const viewAt = (target: ObjectId) => viewOf(target).catch(() => null);
  return stateReader({ view: await viewOf(commit), viewAt, unmasked: layout.unmasked });
}

/** The fields before a commit and after it. */
async function statesAround(input: GuardInput, viewOf: ViewOf, { id, parents: [parent] }: LogCommit) {
  const was = parent === undefined ? null : await states(input, viewOf, parent);
  return { was, is: await states(input, viewOf, id) };
}

const isBelow = (path: string, change: PathChange) => change.path === path;

const isSameField = (one: HeldField, other: HeldField) =>
  one.path === other.path && one.selector === other.selector && one.held === other.held;

async function violationsOf(
  input: GuardInput,
  viewOf: ViewOf,
  { suspects, holds }: { suspects: ReadonlyMap<string, Suspect>; holds: ReadonlyMap<string, Hold> },
): Promise<Violation[]> {
  const atHead = await viewOf(input.head);
  const stateOf = await states(input, viewOf, input.head);
  const left: (Suspect & { readonly now: string | null })[] = [];
  for (const one of suspects.values()) {
    const { hold, field, how } = one;
    // Lifted since, by somebody who may.
    if (!holds.get(hold.path)?.fields.some((kept) => isSameField(kept, field))) continue;
    const { now, broken } = await stateOf(hold, field);
    const isThere = how === 'lifted' && (await holdsAt(atHead, hold, field));
    if (broken || (how === 'lifted' && !isThere)) left.push({ ...one, now });
  }
  const violations: Violation[] = [];
  for (const { hold, field, commit, author, now } of left) {
    const fields = left.filter((other) => other.hold.path === hold.path).map((other) => other.field);
    const restore = await restoreCommand(atHead, hold, fields, input.now);
    const { path, selector, held } = field;
    violations.push({
      hold: hold.path,
      requestId: hold.requestId,
      path,
      selector,
      held,
      now,
      commit,
      author,
      restore,
    });
  }
  return violations;
}

/** Whether the file of the hold is there (again), and holds the field. */
async function holdsAt(view: TreeView, hold: Hold, field: HeldField): Promise<boolean> {
  const text = decode((await view.read(hold.path)) ?? new Uint8Array());
  const parsed = text === null || text === '' ? null : parseHold(hold.path, text);
  return parsed !== null && 'hold' in parsed && parsed.hold.fields.some((kept) => isSameField(kept, field));
}

/** A rollback to where the hold's own returned to: of these fields, where each can be named, else of the hold's whole scope. */
async function restoreCommand(
  view: TreeView,
  hold: Hold,
  fields: readonly HeldField[],
  now: number,
): Promise<string> {
  const isNamed = async ({ path, selector }: HeldField) =>
    selector !== '' && !path.includes('#') && (await view.entry(path)) !== null;
  const named = (await Promise.all(fields.map(isNamed))).every(Boolean);
  const { requestId, target, until } = hold;
  const minutes = until === null ? 0 : Math.ceil((Date.parse(until) - now) / 60_000);
  return [
    'backtrail rollback',
    shellWord(formatCoordinates(hold)),
    `--to ${target}`,
    ...(named ? fields.map((field) => `--field ${shellWord(fieldName(field))}`) : []),
    minutes > 0 && minutes < 1_000_000 ? `--hold-for ${minutes}m` : '--hold',
    `--reason ${shellWord(`Restore what ${requestId} holds`)}`,
    '--yes',
  ].join(' ');
}
