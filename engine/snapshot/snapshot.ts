/** Input of planning: one branch tip, read through ports, cached by object id (objects are immutable). */
import { type BoundSelector, expandSelector, isOpenSelector } from '../layout/expand-selector.ts';
import type { KeptPart } from '../layout/keep.ts';
import type { Layout } from '../layout/layout.ts';
import type { Bindings } from '../layout/pattern.ts';
import {
  type Arrivals,
  type Coordinates,
  type CountedRecord,
  type Entry,
  type Finding,
  type Hasher,
  type HistoryReader,
  isFailure,
  MODE,
  type ObjectId,
  type ObjectReader,
  type RevisionStanding,
  type Scope,
  type TreeView,
} from '../model/index.ts';
import type { ParsedText } from '../yaml/core/document.ts';
import { excise, locate, selectSource } from '../yaml/core/locate.ts';
import { parseFile, parseFileLoosely } from '../yaml/core/parse-file.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import { formatSelector, isWithin, type Selector } from '../yaml/core/selector.ts';
import { canonicalSource } from '../yaml/core/source.ts';
import { columnOf, decode } from '../yaml/core/text.ts';
import { differInValues, moveRanges, type PartRange } from '../yaml/edit/move-ranges.ts';
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
  /** What is recorded of deployments; absent where nobody may ask. */
  readonly deployments?: DeploymentsPort;
  /** What pull requests brought; absent where nobody may ask. */
  readonly arrivals?: ArrivalsPort;
  view(commit: ObjectId): Promise<TreeView>;
  /** Index of each commit on the first-parent line; 0 is the tip. */
  positions(): Promise<ReadonlyMap<ObjectId, number>>;
  /** Text of a regular file; null for any other entry, for content that is not UTF-8, and above the reader's limit. */
  text(entry: Entry | null): Promise<string | null>;
  /** What is kept of a file for what it holds; nothing of a file without a text. `like`: another version, which may be known already. */
  kept(path: string, entry: Entry | null, like?: Entry | null): Promise<KeptIn>;
  /** The files among these of whose content nothing is kept, as a look at the bytes of each shows, or a cache says: for histories only. */
  plain(ids: readonly ObjectId[]): Promise<ReadonlySet<ObjectId>>;
  /** The parts of a file that a selector (which may hold open placeholders) selects. */
  parts(entry: Entry, wanted: PartQuery): Promise<readonly FilePart[]>;
}

export interface DeploymentsPort {
  /** Records of the scope, and of its environment, that count; [] where there are none, or they cannot be read. */
  records(scope: Coordinates): Promise<readonly CountedRecord[]>;
  /** What they say of the revision that the scope is at with this commit: what a check of a target asks. */
  standing(scope: Scope, commit: ObjectId): Promise<RevisionStanding>;
  /** Why records were not read. */
  problems(): Promise<readonly Finding[]>;
}

export interface ArrivalsPort {
  /** On the first-parent line of a commit; none where the ledger cannot be read. */
  on(tip: ObjectId): Promise<Arrivals>;
  /** Why the ledger was not read. */
  problems(): Promise<readonly Finding[]>;
}

/** What was not read of records beside the branch, and why. */
export async function unreadRecords({
  deployments,
  arrivals,
}: Pick<Snapshot, 'deployments' | 'arrivals'>): Promise<readonly Finding[]> {
  return [...((await deployments?.problems()) ?? []), ...((await arrivals?.problems()) ?? [])];
}

/** The rule that keeps a file as a whole, or the parts that are kept. */
export interface KeptIn {
  readonly whole: string | null;
  readonly parts: readonly KeptPart[];
}

export interface PartQuery {
  readonly path: string;
  readonly selector: Selector;
  readonly bindings: Bindings;
  /** Kept selectors of the file. */
  readonly kept: readonly Selector[];
  /** The field was named by the user: a file without fields then counts as a whole. */
  readonly isExplicit?: boolean;
  /** Another version of the file whose parts are cached: if the versions differ only outside of these, they are reused. */
  readonly like?: Entry | null;
}

export interface FilePart {
  readonly selector: Selector;
  readonly bindings: Bindings;
  /** Canonical source of the value (see `canonicalSource`). */
  readonly source: string;
  /** `source` without kept parts inside it; null if the whole part is kept. */
  readonly restorable: string | null;
  /** PartRange in the text; null if the text cannot be parsed. */
  readonly range: PartRange | null;
}

export type SnapshotInput = Pick<
  Snapshot,
  'branch' | 'base' | 'layout' | 'reader' | 'history' | 'hasher' | 'deployments' | 'arrivals'
>;

const MAX_CACHED = 20_000;

export function makeSnapshot(input: SnapshotInput): Snapshot {
  const views = new Map<ObjectId, Promise<TreeView>>();
  const parts = new Map<string, Promise<readonly FilePart[]>>();
  const kept = new Map<string, Promise<KeptIn>>();
  const text = (entry: Entry | null) => readText(input.reader, entry);
  const memoize = <T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const known = cache.get(key);
    if (known) return known;
    if (cache.size >= MAX_CACHED) cache.clear();
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
      memoize(views, commit, async () => treeView(input.reader, (await input.reader.commit(commit)).tree)),
    kept: (path, entry, like) => {
      const key = ({ id, mode }: Entry) => `${id} ${mode} ${path}`;
      if (entry === null) return Promise.resolve(NONE);
      const known = like && kept.get(key(like));
      return memoize(kept, key(entry), async () => {
        const own = await text(entry);
        if (known && own !== null && isKeptAlike(await text(like), own)) return known;
        return keptOf(input, path, own);
      });
    },
    plain: (ids) => plainAmong(input, ids),
    parts: (entry, wanted) => {
      const { path, selector, bindings, kept, isExplicit: isAsked, like } = wanted;
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
      return memoize(parts, `${entry.id}${rest}`, async () => {
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
function keptOf({ layout }: SnapshotInput, path: string, text: string | null): KeptIn {
  if (text === null) return NONE;
  const whole = layout.keep.content(path, text);
  return { whole, parts: whole === null ? layout.keep.documents(path, text) : [] };
}

/** What decides about a document: two texts that differ in nothing near it are kept alike. */
const DECIDING = new Set(['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'items', 'sops']);

function isKeptAlike(text: string | null, other: string): boolean {
  if (text === null || !differInValues(text, other, DECIDING)) return false;
  // Words that count wherever they are written.
  const words = (of: string) => of.match(/(?:kind|sops).*/g)?.join('\n');
  return words(text) === words(other);
}

/** How many files are read at once. */
const READ_AT_ONCE = 500;

async function plainAmong(
  { layout, reader }: SnapshotInput,
  ids: readonly ObjectId[],
): Promise<ReadonlySet<ObjectId>> {
  const { contentRules, isPlain } = layout.keep;
  const passes = (bytes: Uint8Array) => {
    const text = decode(bytes);
    return text === null || isPlain(text);
  };
  if (reader.passing) return reader.passing(ids, { rules: contentRules, passes });
  const plain = new Set<ObjectId>();
  const look = async (id: ObjectId) => {
    const text = await readText(reader, { id, mode: MODE.file });
    if (text === null || isPlain(text)) plain.add(id);
  };
  for (let at = 0; at < ids.length; at += READ_AT_ONCE)
    await Promise.all(ids.slice(at, at + READ_AT_ONCE).map(look));
  return plain;
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
  readonly parts: readonly FilePart[];
  readonly text: string | null;
  readonly other: string | null;
  readonly selector: Selector;
}

/** The parts of one version as they are in another, where that is certain without taking all of it apart; null otherwise. */
function moveParts({ path, kept, parts, text, other, selector }: KnownVersion): readonly FilePart[] | null {
  const ranges = parts.flatMap(({ range }) => range ?? []);
  if (text === null || other === null || ranges.length < parts.length) return null;
  const keys = selector.flatMap((step) => ('match' in step ? Object.keys(step.match) : []));
  // A dotted name may be split into keys at any of its dots.
  const names = new Set(
    keys.flatMap((key) => key.split('.').map((_, index, words) => words.slice(index).join('.'))),
  );
  // What is kept within a changed part would have to be found anew.
  const moved = moveRanges({ text, ranges, other, names, within: kept.length === 0 });
  if (moved === null) return null;
  const found: FilePart[] = [];
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
function sourceAt(path: string, text: string, { start, end }: PartRange): string | null {
  try {
    const parsed = parseFileLoosely(path, ' '.repeat(columnOf(text, start)) + text.slice(start, end));
    const [body, more] = parsed.bodies;
    return body && !more ? canonicalSource(parsed, body.root) : null;
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

/** The parts of a text. If it cannot be parsed, the whole file counts as the part, so that any change of it is a change of the part. */
export function readParts(blob: ObjectId, text: string | null, wanted: PartQuery): readonly FilePart[] {
  const { path, selector, bindings, kept, isExplicit: isAsked } = wanted;
  const source = `\0${blob}`;
  const unreadable = [{ selector, bindings, source, restorable: source, range: null }];
  if (text === null) return unreadable;
  try {
    const parsed = (isAsked ? parseFile : parseFileLoosely)(path, text);
    const matches = isOpenSelector(selector) ? expandSelector(parsed, wanted) : [{ selector, bindings }];
    return matches.flatMap((match) => partsAt({ path, parsed, kept }, match));
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return unreadable;
  }
}

interface ParsedFile {
  readonly path: string;
  readonly parsed: ParsedText;
  readonly kept: readonly Selector[];
}

function partsAt({ path, parsed, kept }: ParsedFile, match: BoundSelector): FilePart[] {
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

/** null if the rest cannot be parsed. */
function sourceWithout({ path, parsed, kept }: ParsedFile, selector: Selector): string | null {
  try {
    return selectSource(parseFileLoosely(path, excise(parsed, kept)), selector);
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}
