import { documentIn, locateWithin } from '../formats/strings.ts';
import type { ParsedText } from './document.ts';
import { documentNames, isMatch, itemNames, type Items, stepsTo, textAt } from './identity.ts';
import type { Located } from './located.ts';
import { isMerge, isMerged } from './merge.ts';
import type { Body, Entry, Outline } from './outline.ts';
import { refusalReason, refuse } from './refusal.ts';
import { ENTER, formatSelector, type Selector, type Step } from './selector.ts';
import { canonicalFile, canonicalSource } from './source.ts';
import type { Splice } from './splice.ts';
import { placeOf } from './text.ts';

/**
 * Finds a node; null where there is none. Throws EDIT_REFUSED where the way to it is not certain: several matches, several documents and none
 * chosen, a way through an alias, a key that `<<` brings.
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
  const entered = enter(parsed, selector);
  if (entered === null) return null;
  const { body, rest } = entered;
  const path: Entry[] = [];
  const ancestors: Outline[] = [];
  const steps: Step[] = [...entered.step];
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
 * What a node says (see `canonicalSource`): equal if and only if the field is the same, wherever it stands. For a scalar this is its source as written.
 * null where there is no such node; throws as `locate`.
 */
export function selectSource(parsed: ParsedText, selector: Selector): string | null {
  if (selector.length === 0) return parsed.bodies.length === 0 ? null : canonicalFile(parsed);
  const found = locate(parsed, selector);
  return found && canonicalSource(found.parsed, found.outline);
}

/**
 * Lists what may take the place of a placeholder in the step behind `parent`: the keys of a map (`key` null), or the different values of
 * `key` in the items of a list or in the documents of a file. Empty where `parent` is not there or is something else.
 */
export function listNames(parsed: ParsedText, parent: Selector, key: string | null): string[] {
  const list = itemsBelow(parsed, parent);
  if (key !== null)
    return [
      ...new Set(list.items.map((item) => textAt(list.parsed, item, key)).filter((text) => text !== null)),
    ];
  const map = findQuietly(parsed, parent)?.outline;
  if (map?.kind !== 'map') return [];
  return map.entries.filter((entry) => !isMerge(entry)).flatMap((entry) => entry.key ?? []);
}

/** Values of `key` that several items of a list, or several documents of a file, have. */
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

/** The text with the values of these nodes cut out; those that are not there cut nothing. Throws as `locate`. */
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

/** Strings that hold a document of which something is cut out, with what is left of it. */
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

interface Entered {
  readonly body: Body;
  /** The canonical step that chose the document. */
  readonly step: Selector;
  readonly rest: Selector;
}

function enter(parsed: ParsedText, selector: Selector): Entered | null {
  const { bodies } = parsed;
  const [first, ...rest] = selector;
  const [only] = bodies;
  if (!only) return null;
  if (bodies.length > 1) return enterOne(parsed, selector);
  if (first && 'match' in first && only.root.kind === 'map') {
    return isMatch(parsed, only.root, first.match) ? { body: only, step: [first], rest } : null;
  }
  if (first && 'index' in first && only.root.kind !== 'seq')
    return first.index === 0 ? { body: only, step: [], rest } : null;
  return { body: only, step: [], rest: selector };
}

function enterOne(parsed: ParsedText, selector: Selector): Entered | null {
  const { bodies } = parsed;
  const [first, ...rest] = selector;
  const index = first && indexOf(first);
  if (!first || (index === undefined && !('match' in first))) {
    refuse(
      'several-documents',
      `The file holds ${bodies.length} documents, and ${named(selector)} chooses none of them.`,
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

function stepInto(parsed: ParsedText, outline: Outline, step: Step, selector: Selector): Entry | null {
  if (outline.kind === 'alias') {
    refuse(
      'alias',
      `The way to ${named(selector)} leads through an alias (${placeOf(parsed.text, outline.start)}).`,
    );
  }
  if (outline.kind === 'seq') return itemAt(parsed, outline, step);
  if (outline.kind !== 'map' || !('key' in step)) return null;
  const own = outline.entries.find(({ key }) => key === step.key);
  if (own) return own;
  if (isMerged(parsed, outline, step.key)) {
    refuse('merge-key', `${named(selector)} is merged in with << (${placeOf(parsed.text, outline.start)}).`);
  }
  return null;
}

function itemAt(parsed: ParsedText, list: Outline, step: Step): Entry | null {
  const index = indexOf(step);
  if (index !== undefined) return list.entries[index] ?? null;
  if (!('match' in step)) return null;
  const found = itemsWith(parsed, list, step.match).filter(({ value }) => isMatch(parsed, value, step.match));
  if (found.length > 1) {
    refuse(
      'ambiguous',
      `${found.length} items of the list match ${named([step])} (${placeOf(parsed.text, list.start)}).`,
    );
  }
  return found[0] ?? null;
}

/** Items of each list by what a key says, so that hundreds of items are found in one pass over their list. */
const listIndexes = new WeakMap<Outline, Map<string, ReadonlyMap<string | null, readonly Entry[]>>>();

/** The items of a list whose text under the first of these names is the one that is asked for. */
function itemsWith(
  parsed: ParsedText,
  list: Outline,
  match: Readonly<Record<string, string>>,
): readonly Entry[] {
  const [[name, value] = []] = Object.entries(match);
  if (name === undefined || value === undefined) return list.entries;
  const indexes = listIndexes.get(list) ?? new Map<string, ReadonlyMap<string | null, readonly Entry[]>>();
  listIndexes.set(list, indexes);
  const index = indexes.get(name) ?? indexOfItems(parsed, list, name);
  indexes.set(name, index);
  return index.get(value) ?? [];
}

function indexOfItems(
  parsed: ParsedText,
  list: Outline,
  name: string,
): ReadonlyMap<string | null, readonly Entry[]> {
  const index = new Map<string | null, Entry[]>();
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

function canonicalStep(parsed: ParsedText, parent: Outline, entry: Entry): Step {
  if (parent.kind === 'map') return { key: entry.key ?? '' };
  const index = parent.entries.indexOf(entry);
  return stepsOf(parsed, parent)[index] ?? { index };
}

/** What identifies its items is asked of the whole list: once a list, not once an item. */
const listSteps = new WeakMap<Outline, readonly Step[]>();

function stepsOf(parsed: ParsedText, parent: Outline): readonly Step[] {
  const known = listSteps.get(parent);
  if (known) return known;
  const list = { parsed, items: parent.entries.map(({ value }) => value) };
  const steps = stepsTo(list, itemNames([list]));
  listSteps.set(parent, steps);
  return steps;
}

function itemsBelow(parsed: ParsedText, parent: Selector): Items {
  if (parent.length === 0 && parsed.bodies.length > 1)
    return { parsed, items: parsed.bodies.map(({ root }) => root) };
  const found = findQuietly(parsed, parent);
  if (!found) return { parsed, items: [] };
  const { outline } = found;
  if (outline.kind === 'seq')
    return { parsed: found.parsed, items: outline.entries.map(({ value }) => value) };
  return { parsed: found.parsed, items: parent.length === 0 && outline.kind === 'map' ? [outline] : [] };
}

function findQuietly(parsed: ParsedText, selector: Selector): Located | null {
  try {
    return locate(parsed, selector);
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return null;
  }
}

const named = (selector: Selector) => formatSelector(selector) || 'the selector';
