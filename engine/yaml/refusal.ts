import { BacktrailError } from '../model/index.ts';

/** Why a text is not edited by fields. `details.reason` of an EDIT_REFUSED, and `reason` of an edit's result. */
export type RefusalReason =
  | 'syntax'
  | 'templated'
  | 'duplicate-key'
  | 'alias-bomb'
  | 'too-large'
  | 'too-deep'
  | 'alias'
  | 'anchor'
  | 'merge-key'
  | 'ambiguous'
  | 'several-documents'
  | 'document'
  | 'missing-parent'
  | 'prototype-key'
  | 'flow-unsupported'
  | 'unsupported'
  | 'verify-mismatch';

const HINTS: Record<RefusalReason, string> = {
  syntax: 'Restore the whole file, or mend its syntax first.',
  templated: 'Fields of templates cannot be restored one by one: restore the whole file.',
  'duplicate-key': 'Remove one of the two keys first, or restore the whole file.',
  'alias-bomb': 'Restore the whole file.',
  'too-large': 'Restore the whole file.',
  'too-deep': 'Restore the whole file.',
  alias: 'Restore the field that carries the anchor, or the whole file.',
  anchor: 'Restore the whole file, or edit it by hand: aliases repeat this value elsewhere.',
  'merge-key': 'Restore the map that the key is merged from, or the whole file.',
  ambiguous: 'Name the item by more of its keys, for example [name=api,namespace=shop].',
  'several-documents':
    'Begin the selector with the document, for example [kind=Deployment,metadata.name=api].',
  document: 'Restore the whole file.',
  'missing-parent': 'Restore the parent field instead.',
  'prototype-key': 'Restore the whole file.',
  'flow-unsupported': 'Restore the parent field, or the whole file.',
  unsupported: 'Restore the parent field, or the whole file.',
  'verify-mismatch': 'Restore the parent field, the whole file, or edit it by hand.',
};

/** Throws EDIT_REFUSED; `message` is a sentence that names the place and never the content of the file. */
export function refuse(reason: RefusalReason, message: string, hint: string = HINTS[reason]): never {
  throw new BacktrailError('EDIT_REFUSED', message, { hint, details: { reason } });
}

/** The reason of an EDIT_REFUSED that `refuse` threw; null for any other error. */
export function refusalReason(error: unknown): RefusalReason | null {
  if (!(error instanceof BacktrailError) || error.code !== 'EDIT_REFUSED') return null;
  const { reason } = error.details as { reason?: unknown };
  return typeof reason === 'string' && isReason(reason) ? reason : null;
}

const isReason = (text: string): text is RefusalReason => Object.hasOwn(HINTS, text);
