import type { Document } from 'yaml';
import { isAlias, isMap, isSeq } from 'yaml';
import { childOf, scalarText } from './nodes.ts';
import { tryParse } from './try-parse.ts';

/** What a manifest is known by. */
export interface Named {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** What a document says that it is. */
export interface DocumentDescription extends Named {
  readonly apiVersion?: string;
  /** Encrypted by SOPS (github.com/getsops/sops): a `sops` map at the top that holds its metadata. */
  readonly sops: boolean;
  /** Kinds of what it lists; absent where it is no list. */
  readonly inside?: readonly string[];
  /** Of a `kind: List` whose items all have a kind and a name: these. */
  readonly items?: readonly Named[];
}

/** Lists in lists that are looked into. */
const DEPTH = 20;
const SOPS_KEYS = ['mac', 'lastmodified', 'encrypted_regex', 'kms', 'pgp', 'age', 'hc_vault', 'key_groups'];

/**
 * Describes the documents of a YAML or JSON text that are maps, or lists of things that have a kind; [] where it does not parse. A text without the words `kind` and
 * `sops`, and without a backslash that could write them otherwise, is not parsed and gives [] as well, because this runs over whole trees.
 */
export function describeDocuments(text: string): DocumentDescription[] {
  if (!/kind|sops|\\/.test(text)) return [];
  return (tryParse(text) ?? []).flatMap((document) => {
    const description = describe(document);
    return isMap(document.contents) || description.inside ? [description] : [];
  });
}

/**
 * Does a text that cannot be read by its structure, such as a template, say somewhere that it holds this kind, or a list of it?
 * Quotes, indentation and the sign between key and value do not matter: doubt counts as yes.
 */
export function claimsKind(text: string, kind: string): boolean {
  if (!text.includes(kind) || !text.includes('kind')) return false;
  CLAIM.lastIndex = 0;
  for (let match = CLAIM.exec(text); match !== null; match = CLAIM.exec(text))
    if (match[1] === kind || match[1] === `${kind}List`) return true;
  return false;
}

const CLAIM =
  /(?<![\w.-])kind\\?["']?[ \t]{0,99}[:=][ \t]{0,99}(?:[!&][^\s"']{0,99}[ \t]{1,9}){0,2}\\?["']?(\w{1,128})(?![\w-])/g;

/** The kinds that stand within a list: `items` of a `List`, a `SecretList` (whose items need not name theirs), an array. */
function kindsInside(node: unknown, document: Document.Parsed): string[] {
  const kinds = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (item: unknown, depth: number): void => {
    const target = isAlias(item) ? item.resolve(document) : item;
    if (seen.has(target) || depth > DEPTH) return;
    seen.add(target);
    if (isSeq(target)) for (const each of target.items) visit(each, depth + 1);
    if (!isMap(target)) return;
    const value = childOf(target, 'kind');
    const kind = scalarText(isAlias(value) ? value.resolve(document) : value) ?? '';
    if (target !== node && kind !== '') kinds.add(kind);
    if (!kind.endsWith('List')) return;
    if (kind !== 'List') kinds.add(kind.slice(0, -'List'.length));
    visit(childOf(target, 'items'), depth + 1);
  };
  visit(node, 0);
  return [...kinds];
}

/** null where one of them is not known by a kind and a name, or is a list in its turn. */
function namedItems(list: unknown, child: (node: unknown, key: string) => unknown): Named[] | null {
  if (!isSeq(list)) return null;
  const items = list.items.map((item): Named | null => {
    const kind = isMap(item) ? scalarText(child(item, 'kind')) : null;
    const name = isMap(item) ? scalarText(child(child(item, 'metadata'), 'name')) : null;
    const namespace = isMap(item) ? scalarText(child(child(item, 'metadata'), 'namespace')) : null;
    if (kind === null || name === null || kind.endsWith('List')) return null;
    return { kind, name, ...(namespace !== null && { namespace }) };
  });
  return items.every((item) => item !== null) ? items : null;
}

function describe(document: Document.Parsed): DocumentDescription {
  const follow = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  const child = (node: unknown, key: string) => follow(childOf(node, key));
  const { contents } = document;
  const metadata = child(contents, 'metadata');
  const sops = child(contents, 'sops');
  const apiVersion = scalarText(child(contents, 'apiVersion'));
  const kind = scalarText(child(contents, 'kind'));
  const name = scalarText(child(metadata, 'name'));
  const namespace = scalarText(child(metadata, 'namespace'));
  const inside = kindsInside(contents, document);
  const items = kind === 'List' ? namedItems(child(contents, 'items'), child) : null;
  return {
    ...(apiVersion === null ? {} : { apiVersion }),
    ...(kind === null ? {} : { kind }),
    ...(name === null ? {} : { name }),
    ...(namespace === null ? {} : { namespace }),
    sops: SOPS_KEYS.some((key) => childOf(sops, key) !== undefined),
    ...(inside.length > 0 && { inside }),
    ...(items !== null && { items }),
  };
}
