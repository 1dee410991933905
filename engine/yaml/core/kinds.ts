import type { Document } from 'yaml';
import { isAlias, isMap, isSeq } from 'yaml';
import { childOf, scalarText } from './nodes.ts';
import { tryParse } from './try-parse.ts';

/** Identifies a Kubernetes object. */
export interface ObjectName {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** What a YAML or JSON document declares itself to be. */
export interface DocumentDescription extends ObjectName {
  readonly apiVersion?: string;
  /** Encrypted by SOPS (github.com/getsops/sops): has a top-level `sops` map with SOPS metadata. */
  readonly sops: boolean;
  /** Kinds of the objects in a list; absent if the document is not a list. */
  readonly inside?: readonly string[];
  /** The objects of a `kind: List`, if all of them have a kind and a name. */
  readonly items?: readonly ObjectName[];
}

/** Maximum depth of nested lists that are searched. */
const MAX_LIST_DEPTH = 20;
const SOPS_KEYS = ['mac', 'lastmodified', 'encrypted_regex', 'kms', 'pgp', 'age', 'hc_vault', 'key_groups'];

/**
 * Describes the documents of a YAML or JSON text that are maps, or lists of objects with a kind; [] if the text does not parse.
 * A text that contains none of `kind`, `sops` and a backslash (which could escape these words) is not parsed: this runs over whole trees.
 */
export function describeDocuments(text: string): DocumentDescription[] {
  if (!/kind|sops|\\/.test(text)) return [];
  return (tryParse(text) ?? []).flatMap((document) => {
    const description = describe(document);
    return isMap(document.contents) || description.inside ? [description] : [];
  });
}

/**
 * Whether a text that cannot be parsed, such as a template, declares an object of this kind, or a list of it.
 * Ignores quotes, indentation and the sign between key and value: errs on the side of yes.
 */
export function claimsKind(text: string, kind: string): boolean {
  if (!text.includes(kind) || !text.includes('kind')) return false;
  CLAIM.lastIndex = 0;
  for (let match = CLAIM.exec(text); match !== null; match = CLAIM.exec(text))
    if (match[1] === kind || match[1] === `${kind}List`) return true;
  return false;
}

/**
 * Whether a text is block maps whose top-level keys are read off its lines: none is `sops`, and each `kind` is a plain word that is not
 * one of `kinds`, nor a list. Such a text describes nothing of these kinds, and need not be parsed to know it; anything unusual is no.
 */
export function hasPlainOutline(text: string, kinds: readonly string[]): boolean {
  let isInside = false;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at);
    const end = next < 0 ? text.length : next;
    const first = text.charCodeAt(at);
    // Of an indented line only its place matters: before the first key it would be the map itself.
    if (first === SPACE || first === TAB) {
      if (!isInside && !/^\s*(?:#.*)?$/.test(text.slice(at, end))) return false;
    } else {
      const line = text.slice(at, end);
      if (/^---\s*(?:#.*)?$/.test(line)) isInside = false;
      else if (!/^(?:\r?$|#)/.test(line)) {
        const key = /^([A-Za-z_][\w.-]*):(?=\s|$)/.exec(line)?.[1];
        if (key === undefined || key === 'sops') return false;
        const kind = /^kind: +([A-Za-z][\w.-]*)\s*(?:#.*)?$/.exec(line)?.[1];
        if (key === 'kind' && (kind === undefined || kind.endsWith('List') || kinds.includes(kind)))
          return false;
        isInside = true;
      }
    }
    at = end + 1;
  }
  return true;
}

const SPACE = 32;
const TAB = 9;

const CLAIM =
  /(?<![\w.-])kind\\?["']?[ \t]{0,99}[:=][ \t]{0,99}(?:[!&][^\s"']{0,99}[ \t]{1,9}){0,2}\\?["']?(\w{1,128})(?![\w-])/g;

/** Kinds of the objects inside a list: `items` of a `List` or a `SecretList` (whose items may omit their kind), or an array. */
function kindsInside(node: unknown, document: Document.Parsed): string[] {
  const kinds = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (item: unknown, depth: number): void => {
    const target = isAlias(item) ? item.resolve(document) : item;
    if (seen.has(target) || depth > MAX_LIST_DEPTH) return;
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

/** null if an item has no kind or no name, or is itself a list. */
function namedItems(list: unknown, child: (node: unknown, key: string) => unknown): ObjectName[] | null {
  if (!isSeq(list)) return null;
  const items = list.items.map((item): ObjectName | null => {
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
