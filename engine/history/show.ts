/** The masked content of a scope at a revision, and the masked difference between two revisions. */
import { type Entry, MODE, type ServiceDifference } from '../model/index.ts';
import { locate } from '../yaml/core/locate.ts';
import { maskText } from '../yaml/mask/mask.ts';
import { parseFileLoosely } from '../yaml/core/parse-file.ts';
import { refusalReason } from '../yaml/core/refusal.ts';
import { MASK } from '../yaml/mask/secrets.ts';
import { formatSelector, isWithin, parseSelector, type Selector } from '../yaml/core/selector.ts';
import { byService, differenceOfFile } from '../plan/changes.ts';
import {
  type ScopeContent,
  differs,
  keptIn,
  readContent,
  type ScopeQuery,
} from '../snapshot/scope-content.ts';
import { compareText } from '../layout/layout.ts';
import { type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';
import type { FileEntry } from '../snapshot/view.ts';

export interface MaskedFile {
  readonly path: string;
  /** Set if only a part of the file belongs to the scope. */
  readonly selector?: string;
  readonly mode: string;
  readonly id: string;
  /** Masked text; null for binary files, submodules and the like. */
  readonly text: string | null;
  /** The rule of `keep` that matches the path. */
  readonly kept?: string;
}

export async function readMaskedContent(query: ScopeQuery, commit: string): Promise<MaskedFile[]> {
  const content = await readContent(query, commit);
  const shown: MaskedFile[] = [];
  for (const file of content.files.values()) shown.push(await readMaskedFile(query, file, null));
  for (const { path, selector } of content.parts.values()) {
    const file = content.shared.get(path);
    if (file) shown.push(await readMaskedFile(query, file, selector));
  }
  return shown.sort((a, b) => compareText(`${a.path}#${a.selector ?? ''}`, `${b.path}#${b.selector ?? ''}`));
}

async function readMaskedFile(
  { snapshot }: ScopeQuery,
  { path, mode, id }: FileEntry,
  selector: Selector | null,
): Promise<MaskedFile> {
  const kept = (await keptIn(snapshot, path, [{ mode, id }])).whole;
  const text = await displayText(snapshot, { mode, id });
  const shown = snapshot.layout.unmasked(path);
  const part = selector && { selector: formatSelector(selector) };
  const masked =
    text === null
      ? null
      : selector === null
        ? maskText(text, path, () => MASK, shown)
        : maskPart(text, { path, selector, shown });
  return { path, ...part, mode, id, text: masked, ...(kept !== null && { kept }) };
}

/** The target of a symlink counts as its text. */
async function displayText(snapshot: Snapshot, entry: Entry): Promise<string | null> {
  const text =
    entry.mode === MODE.symlink ? decode(await snapshot.reader.blob(entry.id)) : await snapshot.text(entry);
  return text === null || text.includes('\0') ? null : text;
}

/**
 * The masked lines of a part. Masks the whole file first, because the context decides what is secret. Uses a word as mask until the part
 * is located, since `***` would parse as an alias. null if the part cannot be located.
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

/** The differences between two commits, within the scope. */
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
    const inScope = partial
      ? {
          ...file,
          fields: (file.fields ?? []).filter(({ selector }) => isSelected(selector, path, [before, after])),
        }
      : file;
    if (!partial || inScope.fields?.length) differences.push(inScope);
  }
  return byService(query, differences);
}

function isSelected(selector: string, path: string, contents: readonly ScopeContent[]): boolean {
  const field = parseSelector(selector);
  const parts = contents
    .flatMap((content) => [...content.parts.values()])
    .filter((part) => part.path === path);
  return parts.some((part) => isWithin(field, part.selector) || isWithin(part.selector, field));
}
