import type { Document } from 'yaml';
import { isMap } from 'yaml';
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
 * `sops` is not parsed and gives [] as well, because this runs over whole trees.
 */
export function describeDocuments(text: string): DocumentDescription[] {
  if (!text.includes('kind') && !text.includes('sops')) return [];
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
  const { contents } = document;
  const metadata = childOf(contents, 'metadata');
  const sops = childOf(contents, 'sops');
  const apiVersion = scalarText(childOf(contents, 'apiVersion'));
  const kind = scalarText(childOf(contents, 'kind'));
  const name = scalarText(childOf(metadata, 'name'));
  const namespace = scalarText(childOf(metadata, 'namespace'));
  return {
    ...(apiVersion === null ? {} : { apiVersion }),
    ...(kind === null ? {} : { kind }),
    ...(name === null ? {} : { name }),
    ...(namespace === null ? {} : { namespace }),
    sops: SOPS_KEYS.some((key) => childOf(sops, key) !== undefined),
  };
}
