import type { Document } from 'yaml';
import { isAlias, isMap } from 'yaml';
import { childOf, scalarText } from './nodes.ts';
import { tryParse } from './try-parse.ts';

/** What a document says that it is. */
export interface DocumentDescription {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  /** Encrypted by SOPS (github.com/getsops/sops): a `sops` map at the top that holds its metadata. */
  readonly sops: boolean;
}

const SOPS_KEYS = ['mac', 'lastmodified', 'encrypted_regex', 'kms', 'pgp', 'age', 'hc_vault', 'key_groups'];

/**
 * Describes the documents of a YAML or JSON text that are maps; [] where it does not parse. A text without the words `kind` and
 * `sops`, and without a backslash that could write them otherwise, is not parsed and gives [] as well, because this runs over whole trees.
 */
export function describeDocuments(text: string): DocumentDescription[] {
  if (!/kind|sops|\\/.test(text)) return [];
  return (tryParse(text) ?? []).filter((document) => isMap(document.contents)).map(describe);
}

/** Does a text hold a document of this kind? Cheap where the kind's name is not in the text. */
export function holdsKind(text: string, kind: string): boolean {
  return text.includes(kind) && describeDocuments(text).some((document) => document.kind === kind);
}

/** Is a text a file that SOPS encrypted? Cheap where it is not. */
export function isSopsFile(text: string): boolean {
  return text.includes('sops') && describeDocuments(text).some((document) => document.sops);
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
  return {
    ...(apiVersion === null ? {} : { apiVersion }),
    ...(kind === null ? {} : { kind }),
    ...(name === null ? {} : { name }),
    ...(namespace === null ? {} : { namespace }),
    sops: SOPS_KEYS.some((key) => childOf(sops, key) !== undefined),
  };
}
