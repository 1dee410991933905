/** What stood in a scope at a revision, and how two revisions differ. Masked. */
import type { ServiceDifference } from '../model/index.ts';
import { parseText } from '../yaml/document.ts';
import { locate } from '../yaml/locate.ts';
import { maskText } from '../yaml/mask.ts';
import { formatSelector, isWithin, parseSelector } from '../yaml/selector.ts';
import { byService, differenceOfFile } from './changes.ts';
import { type Content, readContent, type ScopeQuery } from './content.ts';
import { compareText } from './layout.ts';
import { decode } from './snapshot.ts';
import type { FileEntry } from './view.ts';

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
  for (const file of content.files.values()) shown.push(await showFile(query, file));
  for (const { path, selector } of content.parts.values()) {
    const file = content.shared.get(path);
    if (!file) continue;
    const whole = await showFile(query, file);
    const text = whole.text === null ? null : partOf(whole.text, formatSelector(selector));
    shown.push({ ...whole, selector: formatSelector(selector), text });
  }
  return shown.sort((a, b) => compareText(`${a.path}#${a.selector ?? ''}`, `${b.path}#${b.selector ?? ''}`));
}

async function showFile({ snapshot }: ScopeQuery, { path, mode, id, utf8 }: FileEntry): Promise<ShownFile> {
  const kept = snapshot.layout.keep.path(path);
  const readable = utf8 && mode !== '160000';
  const text = readable ? decode(await snapshot.reader.blob(id)) : null;
  const masked = text === null || text.includes('\0') ? null : maskText(text, path);
  return { path, mode, id, text: masked, ...(kept !== null && { kept }) };
}

/** The part's own lines of a masked text. Masked as a whole file first: what is secret may hang on what stands around the part. */
function partOf(text: string, selector: string): string | null {
  try {
    const parsed = parseText(text);
    const node = locate(parsed, parseSelector(selector));
    return node && text.slice(text.lastIndexOf('\n', node.start - 1) + 1, node.end).replace(/\n?$/, '\n');
  } catch {
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
    if (old?.id === now?.id && old?.mode === now?.mode) continue;
    const file = await differenceOfFile(query.snapshot, { path, before: old ?? null, after: now ?? null });
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
