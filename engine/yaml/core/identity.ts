import { isScalar } from 'yaml';
import type { ParsedText } from './document.ts';
import { type Outline, plainText } from './outline.ts';
import type { Step } from './selector.ts';

/**
 * What identifies the items of a list, the likeliest first: the first that all items have and that differs from item to item.
 * What Kubernetes merges by stands first; composite names come behind the single ones that they refine.
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
export interface Items {
  readonly parsed: ParsedText;
  readonly items: readonly Outline[];
}

/** The names by which the items of all these lists are told apart; null where none does it. */
export function itemNames(lists: readonly Items[]): readonly string[] | null {
  return ITEM_NAMES.find((names) => lists.every((list) => isUnique(list, names, true))) ?? null;
}

/** The same of documents. A namespace may be missing. */
export function documentNames(lists: readonly Items[]): readonly string[] | null {
  return DOCUMENT_NAMES.find((names) => lists.every((list) => isUnique(list, names, false))) ?? null;
}

function isUnique({ parsed, items }: Items, names: readonly string[], strict: boolean): boolean {
  const ids = new Set<string>();
  for (const item of items) {
    const match = matchOf(parsed, item, names);
    if (match === null || (strict && Object.keys(match).length < names.length)) return false;
    ids.add(JSON.stringify(Object.values(match)));
  }
  return ids.size === items.length;
}

/** The values of some names in an item; a missing namespace is left out, null where another one is missing. */
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

/** Does an item have all these scalars? */
export function isMatch(parsed: ParsedText, item: Outline, match: Readonly<Record<string, string>>): boolean {
  return Object.entries(match).every(([name, value]) => textAt(parsed, item, name) === value);
}

/** The canonical step to each item of a list. */
export function stepsTo(list: Items, names: readonly string[] | null): Step[] {
  return list.items.map((item, index) => {
    const match = names === null ? null : matchOf(list.parsed, item, names);
    return match ? { match } : { index };
  });
}

/** The text of the scalar under a name: one key, or several with dots between; as written where it has no quotes. */
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
