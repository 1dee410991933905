import { isScalar } from 'yaml';
import type { ParsedText } from './document.ts';
import { type Outline, plainText } from './outline.ts';
import type { Step } from './selector.ts';

/**
 * Fields that may identify list items, in order of preference: the first that every item has and that is unique in the list.
 * Merge keys of Kubernetes come first; composite keys come after the single keys that they refine.
 */
const ITEM_NAMES: readonly (readonly string[])[] = [
  ['name'],
  ['metadata.name'],
  ['path'],
  ['containerPort'],
  ['mountPath'],
  ['ip'],
  ['id'],
  ['key'],
  ['port'],
  ['host'],
  ['hostname'],
  ['url'],
  ['topologyKey'],
  ['devicePath'],
  ['secretName'],
  ['repoURL'],
  ['repository'],
  ['type'],
  ['kind'],
  ['namespace', 'name'],
  ['kind', 'name'],
  ['kind', 'metadata.name'],
  ['kind', 'metadata.namespace', 'metadata.name'],
  ['name', 'mountPath'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
];

const DOCUMENT_NAMES: readonly (readonly string[])[] = [
  ['kind', 'metadata.name'],
  ['kind', 'metadata.namespace', 'metadata.name'],
  ['apiVersion', 'kind', 'metadata.name'],
  ['apiVersion', 'kind', 'metadata.namespace', 'metadata.name'],
];

/** Nodes of one list, or the roots of one file. */
export interface ListItems {
  readonly parsed: ParsedText;
  readonly items: readonly Outline[];
}

/** The first of ITEM_NAMES that identifies the items in all lists; null if none does. */
export function itemNames(lists: readonly ListItems[]): readonly string[] | null {
  return ITEM_NAMES.find((names) => lists.every((list) => isUnique(list, names, true))) ?? null;
}

/** The first of DOCUMENT_NAMES that identifies the documents in all files; null if none does. The namespace is optional. */
export function documentNames(lists: readonly ListItems[]): readonly string[] | null {
  return DOCUMENT_NAMES.find((names) => lists.every((list) => isUnique(list, names, false))) ?? null;
}

function isUnique({ parsed, items }: ListItems, names: readonly string[], strict: boolean): boolean {
  const ids = new Set<string>();
  for (const item of items) {
    const match = matchOf(parsed, item, names);
    if (match === null || (strict && Object.keys(match).length < names.length)) return false;
    ids.add(JSON.stringify(Object.values(match)));
  }
  return ids.size === items.length;
}

/** Values of the named fields of an item. A missing namespace is left out; null if another field is missing. */
export function matchOf(
  parsed: ParsedText,
  item: Outline,
  names: readonly string[],
): Record<string, string> | null {
  const match: Record<string, string> = Object.create(null);
  for (const name of names) {
    const value = textAt(parsed, item, name);
    if (value !== null) match[name] = value;
    else if (name !== 'metadata.namespace') return null;
  }
  return match;
}

/** Whether an item has all these scalar values. */
export function isMatch(parsed: ParsedText, item: Outline, match: Readonly<Record<string, string>>): boolean {
  return Object.entries(match).every(([name, value]) => textAt(parsed, item, name) === value);
}

/** The canonical selector step of each item of a list. */
export function stepsTo(list: ListItems, names: readonly string[] | null): Step[] {
  return list.items.map((item, index) => {
    const match = names === null ? null : matchOf(list.parsed, item, names);
    return match ? { match } : { index };
  });
}

/** The text of the scalar at a name: one key, or several joined by dots. Plain scalars as written. */
export function textAt(parsed: ParsedText, item: Outline, name: string): string | null {
  const map = resolved(parsed, item);
  const own = map.entries.find(({ key }) => key === name);
  if (own) return scalarText(resolved(parsed, own.value));
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const entry = map.entries.find(({ key }) => key === name.slice(0, dot));
    if (entry) return textAt(parsed, entry.value, name.slice(dot + 1));
  }
  return null;
}

const resolved = (parsed: ParsedText, outline: Outline): Outline =>
  (outline.kind === 'alias' && outline.node && parsed.aliases.get(outline.node)) || outline;

function scalarText({ node }: Outline): string | null {
  if (!node || !isScalar(node) || node.value === null || node.value === undefined) return null;
  return node.type === 'PLAIN' ? (node.source ?? null) : plainText(node.value);
}
