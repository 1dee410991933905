/** What planning reads: one branch tip, seen through ports, with caches by object id (objects never change). */
import { type BoundSelector, expandSelector, isOpenSelector } from '../layout/expand-selector.ts';
import type { KeptPart } from '../layout/keep.ts';
import type { Layout } from '../layout/layout.ts';
import type { Bindings } from '../layout/pattern.ts';
import {
  type Entry,
  type Hasher,
  type HistoryReader,
  isFailure,
  type ObjectId,
  type ObjectReader,
  type TreeView,
} from '../model/index.ts';
import type { ParsedText } from '../yaml/core/document.ts';
import { excise, locate, selectSource } from '../yaml/core/locate.ts';
import { parseFile, parseFileLoosely } from '../yaml/core/parse-file.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import { formatSelector, isWithin, type Selector } from '../yaml/core/selector.ts';
import { canonicalSource } from '../yaml/core/source.ts';
import { columnOf, decode } from '../yaml/core/text.ts';
import { moveRanges, type Range } from '../yaml/edit/untouched.ts';
import { type FileKind, fileKind, isFlat } from '../yaml/formats/format.ts';
import { isFile, treeView } from './view.ts';

export interface Snapshot {
  readonly branch: string;
  /** The tip of the branch when the snapshot was taken. */
  readonly base: ObjectId;
  readonly layout: Layout;
  readonly reader: ObjectReader;
  readonly history: HistoryReader;
  readonly hasher: Hasher;
  view(commit: ObjectId): Promise<TreeView>;
  /** Place of each commit on the first-parent line, 0 is the tip. */
  positions(): Promise<ReadonlyMap<ObjectId, number>>;
  /** Text of a regular file; null for a link, a folder, a submodule, for what is not UTF-8, and for a file over the reader's limit. */
  text(entry: Entry | null): Promise<string | null>;
  /** What is kept of a file for what it holds; nothing of a file without a text. */
  kept(path: string, entry: Entry | null): Promise<KeptIn>;
  /** The parts of a file that a selector (which may hold open placeholders) selects. */
  parts(entry: Entry, wanted: WantedParts): Promise<readonly Part[]>;
}

/** The rule that keeps a file as a whole, or the parts that are kept. */
export interface KeptIn {
  readonly whole: string | null;
  readonly parts: readonly KeptPart[];
}

export interface WantedParts {
  readonly path: string;
  readonly selector: Selector;
  readonly bindings: Bindings;
  /** What is kept of the file. */
  readonly kept: readonly Selector[];
  /** Somebody named this very field: a file that has no fields stands for it as a whole. */
  readonly isAsked?: boolean;
  /** Another version of the file, whose parts are known already: where both differ elsewhere only, they are the same parts. */
  readonly like?: Entry | null;
}

export interface Part {
  readonly selector: Selector;
  readonly bindings: Bindings;
  /** Canonical source of the value, equal exactly when the value and its spelling are. */
  readonly source: string;
  /** The same without what is kept within it; null where all of it is kept. */
  readonly restorable: string | null;
  /** Where it stands in the text; null where the text cannot be read. */
  readonly range: Range | null;
}

export type SnapshotInput = Pick<Snapshot, 'branch' | 'base' | 'layout' | 'reader' | 'history' | 'hasher'>;

const CACHED = 20_000;

export function makeSnapshot(input: SnapshotInput): Snapshot {
  const views = new Map<ObjectId, Promise<TreeView>>();
  const parts = new Map<string, Promise<readonly Part[]>>();
  const kept = new Map<string, Promise<KeptIn>>();
  const text = (entry: Entry | null) => readText(input.reader, entry);
  const remember = <T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const known = cache.get(key);
    if (known) return known;
    if (cache.size >= CACHED) cache.clear();
    const made = make();
    cache.set(key, made);
    made.catch(() => cache.delete(key));
    return made;
  };
  let positions: Promise<ReadonlyMap<ObjectId, number>> | undefined;
  return {
    ...input,
    text,
    positions: () => (positions ??= readPositions(input)),
    view: (commit) =>
      remember(views, commit, async () => treeView(input.reader, (await input.reader.commit(commit)).tree)),
    kept: (path, entry) =>
      entry === null
        ? Promise.resolve(NONE)
        : remember(kept, `${entry.id} ${entry.mode} ${path}`, () => keptOf(input, path, entry)),
    parts: (entry, wanted) => {
      const { path, selector, bindings, kept, isAsked, like } = wanted;
      const isNew = isFlat(path) || selector.some((step) => 'enter' in step);
      if (input.layout.rules < 3 && isNew) return Promise.resolve([]);
      const kind = fileKind(path);
      const rest = JSON.stringify([
        formatSelector(selector),
        bindings,
        kept.map(formatSelector),
        kind,
        isAsked,
      ]);
      const known = like && parts.get(`${like.id}${rest}`);
      return remember(parts, `${entry.id}${rest}`, async () => {
        const own = await text(entry);
        const moved =
          known && isYaml(kind)
            ? moveParts({ path, kept, parts: await known, text: await text(like), other: own, selector })
            : null;
        return moved ?? readParts(entry.id, own, wanted);
      });
    },
  };
}

const NONE: KeptIn = { whole: null, parts: [] };

/** A file over the reader's limit is too large to be a Secret that we could judge; it is restored as a whole. */
async function keptOf({ layout, reader }: SnapshotInput, path: string, entry: Entry): Promise<KeptIn> {
  const text = await readText(reader, entry);
  if (text === null) return NONE;
  const whole = layout.keep.content(path, text);
  return { whole, parts: whole === null ? layout.keep.documents(path, text) : [] };
}

/** What moves parts knows lines of YAML; JSON without comments is some. */
const isYaml = (kind: FileKind) => kind.is !== 'known' || kind.format === 'yaml';

async function readPositions({ history, base }: SnapshotInput): Promise<ReadonlyMap<ObjectId, number>> {
  const line = await history.firstParents(base);
  return new Map(line.map((id, index) => [id, index]));
}

async function readText(reader: ObjectReader, entry: Entry | null): Promise<string | null> {
  if (entry === null || !isFile(entry.mode)) return null;
  try {
    return decode(await reader.blob(entry.id));
  } catch (error) {
    if (isFailure(error) && error.code === 'FILE_TOO_LARGE') return null;
    throw error;
  }
}

interface KnownVersion {
  readonly path: string;
  readonly kept: readonly Selector[];
  readonly parts: readonly Part[];
  readonly text: string | null;
  readonly other: string | null;
  readonly selector: Selector;
}

/** The parts of one version as they are in another, where that is certain without taking all of it apart; null otherwise. */
function moveParts({ path, kept, parts, text, other, selector }: KnownVersion): readonly Part[] | null {
  const ranges = parts.flatMap(({ range }) => range ?? []);
  if (text === null || other === null || ranges.length < parts.length) return null;
  const keys = selector.flatMap((step) => ('match' in step ? Object.keys(step.match) : []));
  // A dotted name may be written with any of its dots in a key.
  const names = new Set(
    keys.flatMap((key) => key.split('.').map((_, index, words) => words.slice(index).join('.'))),
  );
  // What is kept within a changed part would have to be found anew.
  const moved = moveRanges({ text, ranges, other, names, within: kept.length === 0 });
  if (moved === null) return null;
  const found: Part[] = [];
  for (const [index, part] of parts.entries()) {
    const { changed, ...range } = moved[index] ?? { start: 0, end: 0 };
    if (!changed) {
      found.push({ ...part, range });
      continue;
    }
    // Read by itself, a part has to say what it said within its file; only then is its other version believed.
    if (part.range === null || sourceAt(path, text, part.range) !== part.source) return null;
    const source = sourceAt(path, other, range);
    if (source === null) return null;
    found.push({ ...part, source, restorable: source, range });
  }
  return found;
}

/** The canonical source of a part that is taken out of its text, in the column in which it was. */
function sourceAt(path: string, text: string, { start, end }: Range): string | null {
  try {
    const parsed = parseFileLoosely(path, ' '.repeat(columnOf(text, start)) + text.slice(start, end));
    const [body, more] = parsed.bodies;
    return body && !more ? canonicalSource(parsed, body.root) : null;
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

/** Where a file does not parse, the whole of it stands for the part: any change of it is then a change of the part. */
export function readParts(blob: ObjectId, text: string | null, wanted: WantedParts): readonly Part[] {
  const { path, selector, bindings, kept, isAsked } = wanted;
  const source = `\0${blob}`;
  const unreadable = [{ selector, bindings, source, restorable: source, range: null }];
  if (text === null) return unreadable;
  try {
    const parsed = (isAsked ? parseFile : parseFileLoosely)(path, text);
    const matches = isOpenSelector(selector) ? expandSelector(parsed, wanted) : [{ selector, bindings }];
    return matches.flatMap((match) => located({ path, parsed, kept }, match));
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return unreadable;
  }
}

interface ReadFile {
  readonly path: string;
  readonly parsed: ParsedText;
  readonly kept: readonly Selector[];
}

function located({ path, parsed, kept }: ReadFile, match: BoundSelector): Part[] {
  const { selector, bindings } = match;
  const found = selector.length === 0 ? null : locate(parsed, selector);
  const source = found ? canonicalSource(found.parsed, found.outline) : selectSource(parsed, selector);
  if (source === null) return [];
  const range = found && { start: found.start, end: found.end };
  if (kept.some((outer) => isWithin(selector, outer)))
    return [{ selector, bindings, source, restorable: null, range }];
  const inner = kept.filter((part) => isWithin(part, selector));
  const rest = inner.length === 0 ? source : sourceWithout({ path, parsed, kept: inner }, selector);
  return [{ selector, bindings, source, restorable: rest ?? source, range }];
}

/** null where what is left cannot be read by itself. */
function sourceWithout({ path, parsed, kept }: ReadFile, selector: Selector): string | null {
  try {
    return selectSource(parseFileLoosely(path, excise(parsed, kept)), selector);
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}
