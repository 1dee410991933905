/** What stood in a scope at a revision, and how two revisions differ. Masked. */
import { type Entry, MODE, type ServiceDifference } from '../model/index.ts';
import { locate } from '../yaml/core/locate.ts';
import { maskText } from '../yaml/mask/mask.ts';
import { parseFileLoosely } from '../yaml/core/parse-file.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import { MASK } from '../yaml/mask/secrets.ts';
import { formatSelector, isWithin, parseSelector, type Selector } from '../yaml/core/selector.ts';
import { byService, differenceOfFile } from '../plan/changes.ts';
import { type Content, differs, keptIn, readContent, type ScopeQuery } from '../snapshot/content.ts';
import { compareText } from '../layout/layout.ts';
import { type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';
import type { FileEntry } from '../snapshot/view.ts';

export interface ShownFile {
  readonly path: string;
  /** Set where only a part of the file belongs to the scope. */
  readonly selector?: string;
  readonly mode: string;
  readonly id: string;
  /** Masked text; null for binary files, folders of other repositories and the like. */
  readonly text: string | null;
  /** The rule of `keep` that holds the path, where one does. */
  readonly kept?: string;
}

export async function showContent(query: ScopeQuery, commit: string): Promise<ShownFile[]> {
  const content = await readContent(query, commit);
  const shown: ShownFile[] = [];
  for (const file of content.files.values()) shown.push(await showFile(query, file, null));
  for (const { path, selector } of content.parts.values()) {
    const file = content.shared.get(path);
    if (file) shown.push(await showFile(query, file, selector));
  }
  return shown.sort((a, b) => compareText(`${a.path}#${a.selector ?? ''}`, `${b.path}#${b.selector ?? ''}`));
}

async function showFile(
  { snapshot }: ScopeQuery,
  { path, mode, id }: FileEntry,
  selector: Selector | null,
): Promise<ShownFile> {
  const kept = (await keptIn(snapshot, path, [{ mode, id }])).whole;
  const text = await shownText(snapshot, { mode, id });
  const shown = snapshot.layout.shown(path);
  const part = selector && { selector: formatSelector(selector) };
  const masked =
    text === null
      ? null
      : selector === null
        ? maskText(text, path, () => MASK, shown)
        : maskPart(text, { path, selector, shown });
  return { path, ...part, mode, id, text: masked, ...(kept !== null && { kept }) };
}

/** A link is shown as where it leads. */
async function shownText(snapshot: Snapshot, entry: Entry): Promise<string | null> {
  const text =
    entry.mode === MODE.symlink ? decode(await snapshot.reader.blob(entry.id)) : await snapshot.text(entry);
  return text === null || text.includes('\0') ? null : text;
}

/**
 * The part's own lines, masked. The whole file is masked first: what is secret may hang on what stands around the part. `***` would be
 * an alias to a parser, so that a word stands in its place until the part is found; null where it cannot be found.
 */
function maskPart(
  text: string,
  { path, selector, shown }: { path: string; selector: Selector; shown: readonly Selector[] },
): string | null {
  let word = 'hidden-by-backtrail';
  while (text.includes(word)) word += '-x';
  const masked = maskText(text, path, () => word, shown);
  try {
    const node = locate(parseFileLoosely(path, masked), selector);
    if (node === null) return null;
    const lines = masked.slice(masked.lastIndexOf('\n', Math.max(0, node.start - 1)) + 1, node.end);
    return lines.replace(/\n?$/, '\n').replaceAll(word, MASK);
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

/** Differences from one commit to another, within the scope only. */
export async function compareContents(
  query: ScopeQuery,
  from: string,
  to: string,
): Promise<ServiceDifference[]> {
  const [before, after] = [await readContent(query, from), await readContent(query, to)];
  const paths = [before, after].flatMap(({ files, parts }) => [
    ...files.keys(),
    ...[...parts.values()].map(({ path }) => path),
  ]);
  const differences = [];
  for (const path of [...new Set(paths)].sort(compareText)) {
    const sides = [before, after].map(
      (content) => content.files.get(path) ?? content.shared.get(path) ?? null,
    );
    const [old, now] = sides.map((file) => file && { mode: file.mode, id: file.id });
    const change = { path, before: old ?? null, after: now ?? null };
    if (!(await differs(query.snapshot, change))) continue;
    const file = await differenceOfFile(query.snapshot, change);
    const partial = !before.files.has(path) && !after.files.has(path);
    const seen = partial
      ? {
          ...file,
          fields: (file.fields ?? []).filter(({ selector }) => isSelected(selector, path, [before, after])),
        }
      : file;
    if (!partial || seen.fields?.length) differences.push(seen);
  }
  return byService(query, differences);
}

function isSelected(selector: string, path: string, contents: readonly Content[]): boolean {
  const field = parseSelector(selector);
  const parts = contents
    .flatMap((content) => [...content.parts.values()])
    .filter((part) => part.path === path);
  return parts.some((part) => isWithin(field, part.selector) || isWithin(part.selector, field));
}
