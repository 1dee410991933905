/** The content of a scope at one commit: whole files, and parts of shared files. */
import {
  type Entry,
  type KeptPath,
  MODE,
  type ObjectId,
  type PathChange,
  type Scope,
} from '../model/index.ts';
import { excise } from '../yaml/core/locate.ts';
import { parseFile } from '../yaml/core/parse-file.ts';
import { formatSelector, type Selector } from '../yaml/core/selector.ts';
import type { KeptPart } from '../layout/keep.ts';
import type { Layout, Selection } from '../layout/layout.ts';
import { toBindings } from '../layout/pattern.ts';
import type { KeptIn, Snapshot } from './snapshot.ts';
import { type FileEntry, isFile, walkFiles } from './view.ts';

export interface SelectedPart {
  readonly path: string;
  readonly selector: Selector;
  readonly service: string | null;
  readonly source: string;
  /** `source` without kept parts inside it; null if the whole part is kept. */
  readonly restorable: string | null;
}

export interface ScopeContent {
  readonly files: ReadonlyMap<string, FileEntry>;
  /** By `path#selector`. */
  readonly parts: ReadonlyMap<string, SelectedPart>;
  /** Files that selections select parts of, whether or not the part exists in them. */
  readonly shared: ReadonlyMap<string, FileEntry>;
  /** Folders that the scope owns completely, with their tree ids. */
  readonly trees: ReadonlyMap<string, ObjectId>;
}

export interface ScopeQuery {
  readonly snapshot: Snapshot;
  readonly scope: Scope;
  readonly selections: readonly Selection[];
}

export async function readContent(query: ScopeQuery, commit: ObjectId): Promise<ScopeContent> {
  const { snapshot, selections } = query;
  const view = await snapshot.view(commit);
  const files = new Map<string, FileEntry>();
  const shared = new Map<string, FileEntry>();
  const parts = new Map<string, SelectedPart>();
  const trees = new Map<string, ObjectId>();
  for (const selection of selections) {
    const { paths } = selection;
    const found = await walkFiles(view, paths.prefix, (folder) => paths.reaches(folder));
    const selected = found.filter((file) => isSelected(snapshot.layout, selection, file));
    if (selection.selector === null && selection.paths.kind === 'tree' && selected.length === found.length) {
      const folder = await view.entry(selection.paths.prefix);
      if (folder?.mode === MODE.tree) trees.set(selection.paths.prefix, folder.id);
    }
    for (const file of selected) {
      if (selection.selector === null) {
        files.set(file.path, file);
        continue;
      }
      shared.set(file.path, file);
      for (const part of await selectedParts(query, selection, file))
        parts.set(`${part.path}#${formatSelector(part.selector)}`, part);
    }
  }
  // A file that the scope owns as a whole needs no parts.
  for (const [key, { path }] of parts) if (files.has(path)) parts.delete(key);
  for (const path of files.keys()) shared.delete(path);
  return { files, parts, shared, trees };
}

function isSelected(layout: Layout, { paths }: Selection, { path }: FileEntry): boolean {
  return paths.match(path) !== null && !layout.isExcluded(path);
}

async function selectedParts(
  { snapshot, scope }: ScopeQuery,
  { paths, selector }: Selection,
  file: FileEntry,
): Promise<SelectedPart[]> {
  if (selector === null || !isFile(file.mode)) return [];
  const bindings = { ...toBindings(scope), ...paths.match(file.path) };
  const kept = keptSelectors(snapshot, file.path);
  const parts = await snapshot.parts(file, {
    path: file.path,
    selector,
    bindings,
    kept,
    isExplicit: scope.mode === 'field',
  });
  return parts.map((part) => ({ ...part, path: file.path, service: part.bindings.service ?? null }));
}

/** Selectors that `keep` excludes in a file by path patterns alone, regardless of content. */
export const keptSelectors = ({ layout }: Snapshot, path: string): Selector[] =>
  layout.keep.parts(path, []).map(({ selector }) => selector);

/** Files of a content that are kept as a whole. */
export async function keptFiles(
  snapshot: Snapshot,
  { files }: Pick<ScopeContent, 'files'>,
): Promise<KeptPath[]> {
  const kept: KeptPath[] = [];
  for (const [path, file] of files) {
    const { whole } = await keptIn(snapshot, path, [file]);
    if (whole !== null) kept.push({ path, by: whole });
  }
  return kept;
}

/** Whether two contents are equal in everything that a rollback would restore. */
export async function sameContent(snapshot: Snapshot, a: ScopeContent, b: ScopeContent): Promise<boolean> {
  for (const key of new Set([...a.parts.keys(), ...b.parts.keys()])) {
    const [one, other] = [a.parts.get(key), b.parts.get(key)];
    if ((one?.restorable ?? null) === (other?.restorable ?? null)) continue;
    const path = one?.path ?? other?.path ?? '';
    const sides = [a.shared.get(path) ?? null, b.shared.get(path) ?? null];
    if ((await keptIn(snapshot, path, sides)).whole === null) return false;
  }
  for (const path of new Set([...a.files.keys(), ...b.files.keys()])) {
    const [before, after] = [a.files.get(path) ?? null, b.files.get(path) ?? null];
    if (await differs(snapshot, { path, before, after })) return false;
  }
  return true;
}

/** Whether a change of a selected path affects more than kept parts. */
export async function differs(snapshot: Snapshot, { path, before, after }: PathChange): Promise<boolean> {
  if (before?.id === after?.id && before?.mode === after?.mode) return false;
  const kept = await keptIn(snapshot, path, [before, after]);
  if (kept.whole !== null) return false;
  if (kept.parts.length === 0 || !before || !after || before.mode !== after.mode) return true;
  const [old, now] = [await snapshot.text(before), await snapshot.text(after)];
  return (
    old === null ||
    now === null ||
    withoutParts(path, old, kept.parts) !== withoutParts(path, now, kept.parts)
  );
}

/** What is kept of a path, judged by its name and by its content on every side. */
export async function keptIn(
  snapshot: Snapshot,
  path: string,
  sides: readonly (Entry | null)[],
): Promise<KeptIn> {
  const { keep } = snapshot.layout;
  const by = keep.path(path);
  if (by !== null) return { whole: by, parts: [] };
  const found = new Map(keep.parts(path, []).map((part) => [formatSelector(part.selector), part]));
  // History is read from new to old: the last side is known already.
  const [last = null] = sides.slice(-1);
  for (const side of sides) {
    const { whole, parts } = await snapshot.kept(path, side, last);
    if (whole !== null) return { whole, parts: [] };
    for (const part of parts) found.set(formatSelector(part.selector), part);
  }
  return { whole: null, parts: [...found.values()] };
}

/** A text without its kept parts, for comparing and for digests; the text itself if it cannot be parsed. */
export function withoutParts(path: string, text: string, parts: readonly KeptPart[]): string {
  try {
    return excise(
      parseFile(path, text),
      parts.map(({ selector }) => selector),
    );
  } catch {
    return text;
  }
}
