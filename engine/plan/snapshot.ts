/** What planning reads: one branch tip, seen through ports, with caches by object id (objects never change). */
import type { Hasher, HistoryReader, ObjectId, ObjectReader, TreeView } from '../model/index.ts';
import { type ParsedText, parseText } from '../yaml/document.ts';
import { selectSource } from '../yaml/locate.ts';
import { formatSelector, type Selector } from '../yaml/selector.ts';
import { type BoundSelector, expandSelector, isOpenSelector } from './expand-selector.ts';
import type { Layout } from './layout.ts';
import type { Bindings } from './pattern.ts';
import { treeView } from './view.ts';

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
  /** Text of a blob; null where it is not UTF-8. */
  text(blob: ObjectId): Promise<string | null>;
  /** The parts of a blob that a selector (which may hold open placeholders) selects. */
  parts(blob: ObjectId, selector: Selector, bindings: Bindings): Promise<readonly Part[]>;
}

export interface Part {
  readonly selector: Selector;
  readonly bindings: Bindings;
  /** Canonical source of the value, equal exactly when the value and its spelling are. */
  readonly source: string;
}

export type SnapshotInput = Pick<Snapshot, 'branch' | 'base' | 'layout' | 'reader' | 'history' | 'hasher'>;

const CACHED = 20_000;

export function makeSnapshot(input: SnapshotInput): Snapshot {
  const views = new Map<ObjectId, Promise<TreeView>>();
  const parts = new Map<string, Promise<readonly Part[]>>();
  const text = async (blob: ObjectId) => decode(await input.reader.blob(blob));
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
    parts: (blob, selector, bindings) =>
      remember(parts, `${blob}${formatSelector(selector)}`, async () =>
        readParts(blob, await text(blob), selector, bindings),
      ),
  };
}

async function readPositions({ history, base }: SnapshotInput): Promise<ReadonlyMap<ObjectId, number>> {
  const line = await history.firstParents(base);
  return new Map(line.map((id, index) => [id, index]));
}

/** UTF-8 text with its byte order mark, or null. */
export function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Where a file does not parse, the whole of it stands for the part: any change of it is then a change of the part. */
function readParts(
  blob: ObjectId,
  text: string | null,
  selector: Selector,
  bindings: Bindings,
): readonly Part[] {
  const unreadable = [{ selector, bindings, source: `\0${blob}` }];
  if (text === null) return unreadable;
  try {
    const parsed = parseText(text);
    const bound = { selector, bindings };
    const matches = isOpenSelector(selector) ? expandSelector(parsed, bound) : [bound];
    return matches.flatMap((match) => located(parsed, match));
  } catch {
    return unreadable;
  }
}

function located(parsed: ParsedText, match: BoundSelector): Part[] {
  const source = selectSource(parsed, match.selector);
  return source === null ? [] : [{ ...match, source }];
}
