import { documentIn, locateWithin } from '../formats/strings.ts';
import type { ParsedText } from './document.ts';
import { documentNames, isMatch, itemNames, type ListItems, stepsTo, textAt } from './identity.ts';
import type { Located } from './located.ts';
import { isMerge, isMerged } from './merge.ts';
import type { DocumentBody, OutlineEntry, Outline } from './outline.ts';
import { refusalReason, refuse } from './refusal.ts';
import { ENTER, formatSelector, type Selector, type Step } from './selector.ts';
import { canonicalFile, canonicalSource } from './source.ts';
import type { Splice } from './splice.ts';
import { positionOf } from './text.ts';

/**
 * Finds the node that a selector selects; null if it does not exist.
 * @throws EDIT_REFUSED if the selector is ambiguous: several matches, several documents and none selected, a path through an alias, a
 * key merged in with `<<`
 */
export function locate(parsed: ParsedText, selector: Selector): Located | null {
  const at = selector.findIndex((step) => 'enter' in step);
  if (at < 0) return locateIn(parsed, selector);
  const outer = locateIn(parsed, selector.slice(0, at));
  const inner = outer && documentIn(outer);
  const found = inner && locateWithin(outer, () => locate(inner, selector.slice(at + 1)));
  if (!outer || !found) return null;
  const { start, end } = outer;
  return { ...found, start, end, selector: [...outer.selector, ENTER, ...found.selector] };
}

function locateIn(parsed: ParsedText, selector: Selector): Located | null {
  const selected = selectDocument(parsed, selector);
  if (selected === null) return null;
  const { body, rest } = selected;
  const path: OutlineEntry[] = [];
  const ancestors: Outline[] = [];
  const steps: Step[] = [...selected.step];
  let outline = body.root;
  for (const step of rest) {
    const entry = stepInto(parsed, outline, step, selector);
    if (entry === null) return null;
    steps.push(canonicalStep(parsed, outline, entry));
    ancestors.push(outline);
    path.push(entry);
    outline = entry.value;
  }
  const entry = path.at(-1) ?? null;
  return {
    parsed,
    outline,
    node: outline.node,
    entry,
    keyNode: entry?.keyNode ?? null,
    parent: ancestors.at(-1) ?? null,
    path,
    ancestors,
    start: outline.start,
    end: outline.end,
    body,
    document: body.index,
    selector: steps,
  };
}

/**
 * The canonical source of a node (see `canonicalSource`): equal if and only if the field is the same, regardless of position and
 * layout. null if the node does not exist.
 * @throws EDIT_REFUSED like `locate`
 */
export function selectSource(parsed: ParsedText, selector: Selector): string | null {
  if (selector.length === 0) return parsed.bodies.length === 0 ? null : canonicalFile(parsed);
  const found = locate(parsed, selector);
  return found && canonicalSource(found.parsed, found.outline);
}

/**
 * Lists the values that a placeholder can take in the step after `parent`: the keys of a map (`key` null), or the distinct values of
 * `key` in the items of a list or the documents of a file. Empty if `parent` does not exist or is something else.
 */
export function listNames(parsed: ParsedText, parent: Selector, key: string | null): string[] {
  const list = itemsBelow(parsed, parent);
  if (key !== null)
    return [
      ...new Set(list.items.map((item) => textAt(list.parsed, item, key)).filter((text) => text !== null)),
    ];
  const map = tryLocate(parsed, parent)?.outline;
  if (map?.kind !== 'map') return [];
  return map.entries.filter((entry) => !isMerge(entry)).flatMap((entry) => entry.key ?? []);
}

/** Values of `key` that occur in more than one item of a list, or more than one document of a file. */
export function repeatedNames(parsed: ParsedText, parent: Selector, key: string): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  const list = itemsBelow(parsed, parent);
  for (const item of list.items) {
    const text = textAt(list.parsed, item, key);
    if (text !== null && seen.has(text)) repeated.add(text);
    if (text !== null) seen.add(text);
  }
  return [...repeated];
}

/**
 * The text without the values of these nodes; a selector without a node removes nothing.
 * @throws EDIT_REFUSED like `locate`
 */
export function excise(parsed: ParsedText, selectors: readonly Selector[]): string {
  const own = selectors.filter((selector) => !selector.some((step) => 'enter' in step));
  const ranges = own.flatMap((selector) => {
    if (selector.length === 0) return [{ start: 0, end: parsed.text.length, text: '' }];
    const found = locate(parsed, selector);
    return found ? [{ start: found.start, end: found.end, text: '' }] : [];
  });
  ranges.push(...excisedStrings(parsed, selectors));
  let text = '';
  let at = 0;
  for (const { start, end, text: instead } of ranges.sort((a, b) => a.start - b.start)) {
    if (start >= at) text += parsed.text.slice(at, start) + instead;
    at = Math.max(at, end);
  }
  return text + parsed.text.slice(at);
}

/** Replacements for strings that contain a document from which something is removed. */
function excisedStrings(parsed: ParsedText, selectors: readonly Selector[]): Splice[] {
  const strings = new Map<string, { outer: Located; inner: ParsedText; rest: Selector[] }>();
  for (const selector of selectors) {
    const at = selector.findIndex((step) => 'enter' in step);
    const outer = at < 0 ? null : locate(parsed, selector.slice(0, at));
    const inner = outer && documentIn(outer);
    if (!outer || !inner) continue;
    const key = formatSelector(outer.selector);
    const known = strings.get(key)?.rest ?? [];
    strings.set(key, { outer, inner, rest: [...known, selector.slice(at + 1)] });
  }
  return [...strings.values()].map(({ outer, inner, rest }) => ({
    start: outer.start,
    end: outer.end,
    text: JSON.stringify(excise(inner, rest)),
  }));
}

interface SelectedDocument {
  readonly body: DocumentBody;
  /** The canonical step that selected the document; empty if none was needed. */
  readonly step: Selector;
  readonly rest: Selector;
}

function selectDocument(parsed: ParsedText, selector: Selector): SelectedDocument | null {
  const { bodies } = parsed;
  const [first, ...rest] = selector;
  const [only] = bodies;
  if (!only) return null;
  if (bodies.length > 1) return selectOneOfSeveral(parsed, selector);
  if (first && 'match' in first && only.root.kind === 'map') {
    return isMatch(parsed, only.root, first.match) ? { body: only, step: [first], rest } : null;
  }
  if (first && 'index' in first && only.root.kind !== 'seq')
    return first.index === 0 ? { body: only, step: [], rest } : null;
  return { body: only, step: [], rest: selector };
}

function selectOneOfSeveral(parsed: ParsedText, selector: Selector): SelectedDocument | null {
  const { bodies } = parsed;
  const [first, ...rest] = selector;
  const index = first && indexOf(first);
  if (!first || (index === undefined && !('match' in first))) {
    refuse(
      'several-documents',
      `The file has ${bodies.length} documents, and ${named(selector)} does not select one of them.`,
    );
  }
  const found =
    'match' in first
      ? bodies.filter(({ root }) => isMatch(parsed, root, first.match))
      : bodies.slice(index, (index ?? 0) + 1);
  const [body] = found;
  if (!body) return null;
  if (found.length > 1) refuse('ambiguous', `${found.length} documents of the file match ${named([first])}.`);
  const roots = { parsed, items: bodies.map(({ root }) => root) };
  const step = stepsTo(roots, documentNames([roots]))[bodies.indexOf(body)] ?? first;
  return { body, step: [step], rest };
}

function stepInto(parsed: ParsedText, outline: Outline, step: Step, selector: Selector): OutlineEntry | null {
  if (outline.kind === 'alias') {
    refuse(
      'alias',
      `The path to ${named(selector)} goes through an alias (${positionOf(parsed.text, outline.start)}).`,
    );
  }
  if (outline.kind === 'seq') return itemAt(parsed, outline, step);
  if (outline.kind !== 'map' || !('key' in step)) return null;
  const own = outline.entries.find(({ key }) => key === step.key);
  if (own) return own;
  if (isMerged(parsed, outline, step.key)) {
    refuse(
      'merge-key',
      `${named(selector)} is merged in with << (${positionOf(parsed.text, outline.start)}).`,
    );
  }
  return null;
}

function itemAt(parsed: ParsedText, list: Outline, step: Step): OutlineEntry | null {
  const index = indexOf(step);
  if (index !== undefined) return list.entries[index] ?? null;
  if (!('match' in step)) return null;
  const found = itemsWith(parsed, list, step.match).filter(({ value }) => isMatch(parsed, value, step.match));
  if (found.length > 1) {
    refuse(
      'ambiguous',
      `${found.length} items of the list match ${named([step])} (${positionOf(parsed.text, list.start)}).`,
    );
  }
  return found[0] ?? null;
}

/** Items of each list by what a key says, so that hundreds of items are found in one pass over their list. */
const listIndexes = new WeakMap<Outline, Map<string, ReadonlyMap<string | null, readonly OutlineEntry[]>>>();

/** The items of a list whose text under the first of these names is the one that is asked for. */
function itemsWith(
  parsed: ParsedText,
  list: Outline,
  match: Readonly<Record<string, string>>,
): readonly OutlineEntry[] {
  const [[name, value] = []] = Object.entries(match);
  if (name === undefined || value === undefined) return list.entries;
  const indexes =
    listIndexes.get(list) ?? new Map<string, ReadonlyMap<string | null, readonly OutlineEntry[]>>();
  listIndexes.set(list, indexes);
  const index = indexes.get(name) ?? indexOfItems(parsed, list, name);
  indexes.set(name, index);
  return index.get(value) ?? [];
}

function indexOfItems(
  parsed: ParsedText,
  list: Outline,
  name: string,
): ReadonlyMap<string | null, readonly OutlineEntry[]> {
  const index = new Map<string | null, OutlineEntry[]>();
  for (const entry of list.entries) {
    const text = textAt(parsed, entry.value, name);
    const same = index.get(text);
    if (same) same.push(entry);
    else index.set(text, [entry]);
  }
  return index;
}

function indexOf(step: Step): number | undefined {
  if ('index' in step) return step.index;
  return 'key' in step && /^(0|[1-9]\d{0,8})$/.test(step.key) ? Number(step.key) : undefined;
}

function canonicalStep(parsed: ParsedText, parent: Outline, entry: OutlineEntry): Step {
  if (parent.kind === 'map') return { key: entry.key ?? '' };
  const index = parent.entries.indexOf(entry);
  return stepsOf(parsed, parent)[index] ?? { index };
}

/** Cached per list: finding the identifying fields reads the whole list. */
const listSteps = new WeakMap<Outline, readonly Step[]>();

function stepsOf(parsed: ParsedText, parent: Outline): readonly Step[] {
  const known = listSteps.get(parent);
  if (known) return known;
  const list = { parsed, items: parent.entries.map(({ value }) => value) };
  const steps = stepsTo(list, itemNames([list]));
  listSteps.set(parent, steps);
  return steps;
}

function itemsBelow(parsed: ParsedText, parent: Selector): ListItems {
  if (parent.length === 0 && parsed.bodies.length > 1)
    return { parsed, items: parsed.bodies.map(({ root }) => root) };
  const found = tryLocate(parsed, parent);
  if (!found) return { parsed, items: [] };
  const { outline } = found;
  if (outline.kind === 'seq')
    return { parsed: found.parsed, items: outline.entries.map(({ value }) => value) };
  return { parsed: found.parsed, items: parent.length === 0 && outline.kind === 'map' ? [outline] : [] };
}

function tryLocate(parsed: ParsedText, selector: Selector): Located | null {
  try {
    return locate(parsed, selector);
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

const named = (selector: Selector) => formatSelector(selector) || 'the selector';
