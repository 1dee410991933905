/**
 * Whether a commit may lift the holds that it touches. A person does so by removing the file; automation of `holds.bots` may not, whatever its
 * trailers say. What claims to be a rollback or a resume has to be one by its own trailers, paths and bytes.
 */
import type {
  Config,
  Entry,
  Hold,
  LogCommit,
  ObjectId,
  ObjectReader,
  PathChange,
  TreeView,
} from '../model/index.ts';
import type { Layout } from '../layout/layout.ts';
import { readResume, readRollback } from '../record/read.ts';
import { decode } from '../yaml/core/text.ts';
import { isListed } from './bots.ts';
import { giveBack } from './give-back.ts';
import { holdPath, isHoldPath, parseHold } from './hold-file.ts';
import { outside } from './read.ts';
import { stateReader } from './state.ts';

export type ViewOf = (commit: ObjectId) => Promise<TreeView>;

/** The holds that a commit touches, as it leaves them; null: removed, or no hold any more. */
export type Touched = ReadonlyMap<string, Hold | null>;

export async function readTouched(
  { reader, layout }: { readonly reader: ObjectReader; readonly layout: Layout },
  changes: readonly PathChange[],
): Promise<Touched> {
  const touched = new Map<string, Hold | null>();
  for (const { path, after } of changes) {
    const text = await textOf(reader, after);
    const parsed = text === null ? null : parseHold(path, text);
    const hold = parsed && 'hold' in parsed && outside(layout, parsed.hold) === null ? parsed.hold : null;
    touched.set(path, hold);
  }
  return touched;
}

async function textOf(reader: ObjectReader, entry: Entry | null): Promise<string | null> {
  const bytes = entry && (await reader.blob(entry.id).catch(() => null));
  return bytes && decode(bytes);
}

interface Judging {
  readonly reader: ObjectReader;
  readonly config: Config;
  readonly viewOf: ViewOf;
}

interface Lifting {
  readonly commit: LogCommit;
  readonly touched: Touched;
  /** Those that were in force before it. */
  readonly holds: ReadonlyMap<string, Hold>;
}

export async function mayLift(judging: Judging, lifting: Lifting): Promise<boolean> {
  const { author, trailers } = lifting.commit;
  // Anybody can write trailers: what they say makes nobody of a bot.
  if (isListed(judging.config, author)) return false;
  if (!trailers.some((line) => /^(?:rollback|resume)-request-id:/i.test(line))) return true;
  return (await isRollback(judging, lifting)) || (await isResume(judging, lifting));
}

/** It places the holds that it names, and what they hold is what there was at its target. */
async function isRollback({ viewOf }: Judging, { commit, touched, holds }: Lifting): Promise<boolean> {
  const claim = readRollback(commit.trailers);
  if (claim === null || claim.problems.length > 0) return false;
  const { record } = claim;
  const added = [...touched.values()].filter((hold) => hold !== null).filter(({ path }) => !holds.has(path));
  const paths = added.map(({ path }) => path);
  if (
    !isSameList(paths, record.holds ?? []) ||
    paths.some((path) => path !== holdPath(record, record.requestId))
  )
    return false;
  for (const hold of added) {
    const then = hold.target === record.target ? await viewOf(hold.target).catch(() => null) : null;
    if (then === null) return false;
    const viewAt = () => Promise.resolve(then);
    const stateOf = stateReader({ view: then, viewAt, unmasked: () => [] });
    for (const field of hold.fields) {
      const isTaken = hold.taken.some(
        ({ path, selector, put }) =>
          path === field.path &&
          (field.selector === '' || (put !== undefined && selector === field.selector)),
      );
      if (!isTaken && (await stateOf(hold, field)).broken) return false;
    }
  }
  return true;
}

/** It lifts the holds that it names, and gives back what they took away: nothing else. */
async function isResume({ reader }: Judging, { commit, touched, holds }: Lifting): Promise<boolean> {
  const claim = readResume(commit.trailers);
  if (claim === null || claim.problems.length > 0) return false;
  const ended = [...touched.keys()].filter((path) => holds.has(path));
  if (!isSameList([...touched.keys()], claim.record.holds) || ended.length !== touched.size) return false;
  const parts = ended.flatMap((path) => {
    const left = new Set(touched.get(path)?.taken.map((part) => JSON.stringify(part)));
    return holds.get(path)?.taken.filter((part) => !left.has(JSON.stringify(part))) ?? [];
  });
  for (const { path, before, after } of commit.changes) {
    if (isHoldPath(path)) continue;
    let text = await textOf(reader, before);
    for (const part of parts.toReversed().filter((one) => one.path === path)) {
      const given = text === null ? null : giveBack(text, part);
      text = given && 'text' in given ? given.text : null;
    }
    if (text === null || text !== (await textOf(reader, after)) || before?.mode !== after?.mode) return false;
  }
  return true;
}

const isSameList = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.toSorted().join('\n') === other.toSorted().join('\n');
