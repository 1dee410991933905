/** Restores parts of shared files: byte-exact edits of the base's file, one per selected part. */
import { type Entry, type FileChange, type Finding, type KeptPath, quotePath } from '../model/index.ts';
import { restoreField } from '../yaml/edit/edit.ts';
import { formatSelector, isWithin, type Selector } from '../yaml/core/selector.ts';
import { type ScopeContent, keptIn, type ScopeQuery, type SelectedPart } from '../snapshot/scope-content.ts';
import type { DigestItem } from './digest.ts';
import type { KeptPart } from '../layout/keep.ts';
import type { Restored } from './check-context.ts';
import { isFile } from '../snapshot/view.ts';

export async function restoreParts(
  query: ScopeQuery,
  base: ScopeContent,
  target: ScopeContent,
): Promise<Restored> {
  const outcomes: PathOutcome[] = [];
  for (const [path, selectors] of differingParts(base, target)) {
    outcomes.push(await restoreInFile(query, { path, selectors, base, target }));
  }
  return {
    files: outcomes.flatMap(({ file }) => file ?? []),
    items: outcomes.flatMap(({ items }) => items ?? []),
    kept: outcomes.flatMap(({ kept }) => kept ?? []),
    findings: outcomes.flatMap(({ findings }) => findings ?? []),
  };
}

export interface PathOutcome {
  readonly file?: FileChange;
  readonly items?: readonly DigestItem[];
  readonly kept?: readonly KeptPath[];
  readonly findings?: readonly Finding[];
}

/** Selectors of the parts that differ, by path. */
function differingParts(base: ScopeContent, target: ScopeContent): Map<string, Selector[]> {
  const byPath = new Map<string, Selector[]>();
  for (const key of [...new Set([...base.parts.keys(), ...target.parts.keys()])].sort()) {
    const [before, after] = [base.parts.get(key), target.parts.get(key)];
    const part = before ?? after;
    if (!part || before?.source === after?.source) continue;
    byPath.set(part.path, [...(byPath.get(part.path) ?? []), part.selector]);
  }
  return byPath;
}

interface PartsInFile {
  readonly path: string;
  readonly selectors: readonly Selector[];
  readonly base: ScopeContent;
  readonly target: ScopeContent;
}

async function restoreInFile(
  query: ScopeQuery,
  { path, selectors, base, target }: PartsInFile,
): Promise<PathOutcome> {
  const { snapshot, scope } = query;
  const before = base.shared.get(path) ?? null;
  const then = target.shared.get(path) ?? null;
  const kept = await keptIn(snapshot, path, [before, then]);
  if (kept.whole !== null) return keptOutcome({ path, by: kept.whole }, scope.mode === 'field');
  const old = await snapshot.text(before);
  const goal = then === null ? '' : await snapshot.text(then);
  if (before === null) return refuse(path, 'it does not exist now', WHOLE);
  if (old === null) return refuse(path, `it is ${noText(before)} now`, WHOLE);
  if (goal === null) return refuse(path, `it was ${noText(then)} at the target`, WHOLE);
  let text = old;
  const items: DigestItem[] = [];
  const keptHere: KeptPath[] = [];
  for (const selector of selectors) {
    const owner = kept.parts.find((part) => isWithin(selector, part.selector));
    if (owner) {
      if (scope.mode === 'field')
        return keptOutcome({ path, selector: formatSelector(selector), by: owner.by }, true);
      keptHere.push({ path, selector: formatSelector(selector), by: owner.by });
      continue;
    }
    const inner = kept.parts.filter((part) => isWithin(part.selector, selector));
    const [own, other] = [base, target].map(({ parts }) => parts.get(`${path}#${formatSelector(selector)}`));
    keptHere.push(...inner.map((part) => ({ path, selector: formatSelector(part.selector), by: part.by })));
    if (own && other && own.restorable === other.restorable) continue;
    const edited = restorePart({ path, text, old, goal, selector, inner });
    if ('refusal' in edited) return refuse(path, edited.refusal, edited.hint);
    text = edited.text;
    items.push({
      path,
      selector: formatSelector(selector),
      before: sideOf(before.mode, own),
      after: sideOf(before.mode, other),
    });
  }
  if (text === old) return { kept: keptHere };
  const content = new TextEncoder().encode(text);
  const after = { mode: before.mode, id: snapshot.hasher.blobId(content), content };
  return { file: { path, before: { mode: before.mode, id: before.id }, after }, items, kept: keptHere };
}

/** Restores one part, then restores the base's kept parts inside it. */
function restorePart(input: {
  path: string;
  text: string;
  old: string;
  goal: string;
  selector: Selector;
  inner: readonly KeptPart[];
}): { text: string } | { refusal: string; hint: string } {
  const restored = restoreField({
    path: input.path,
    base: input.text,
    target: input.goal,
    selector: input.selector,
  });
  if (!restored.ok) return { refusal: restored.message, hint: restored.hint };
  let { text } = restored;
  for (const { selector } of input.inner) {
    const kept = restoreField({ path: input.path, base: text, target: input.old, selector });
    if (!kept.ok) return { refusal: kept.message, hint: kept.hint };
    text = kept.text;
  }
  return { text };
}

function sideOf(mode: string, part: SelectedPart | undefined): DigestItem['before'] {
  return part === undefined || part.restorable === null ? null : { mode, bytes: part.restorable };
}

/** KEPT blocks in field mode, where the field was selected explicitly; in a wider scope a kept part is only reported. */
export function keptOutcome(kept: KeptPath, isExplicit: boolean): PathOutcome {
  if (!isExplicit) return { kept: [kept] };
  const message = `${quotePath(kept.path)}${kept.selector === undefined ? '' : `#${kept.selector}`} is excluded from every rollback (keep: ${kept.by}).`;
  return { findings: [{ code: 'KEPT', severity: 'block', message, path: kept.path }] };
}

const WHOLE = 'Restore the whole file with --whole-file.';
const BY_HAND = 'Change it by hand: --whole-file does not support files with a "#" in their name.';

const noText = (entry: Entry | null) =>
  entry === null || isFile(entry.mode) ? 'not UTF-8 text, or too large,' : 'not a regular file';

function refuse(path: string, sentence: string, advice: string): PathOutcome {
  const namesWhole = advice.includes('--whole-file');
  const hint = path.includes('#') && namesWhole ? BY_HAND : advice;
  const remedy = namesWhole && hint === advice ? ({ remedy: 'whole-file' } as const) : {};
  const message = `${quotePath(path)} cannot be edited: ${sentence.replace(/\.$/, '')}.`;
  return {
    findings: [{ code: 'EDIT_REFUSED', severity: 'block', message, hint, path, ...remedy }],
  };
}
