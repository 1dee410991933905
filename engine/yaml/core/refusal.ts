import { BacktrailError } from '../../model/index.ts';

/** Why a text cannot be edited by field: `details.reason` of EDIT_REFUSED, and `reason` of an edit's result. */
export type RefusalReason =
  | 'format'
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
  | 'no-string'
  | 'prototype-key'
  | 'flow-unsupported'
  | 'unsupported'
  | 'verify-mismatch';

const WHOLE = 'restore the whole file with --whole-file';
const WHOLE_ONLY = 'Restore the whole file with --whole-file.';
const PARENT = `Restore the parent field instead, or ${WHOLE}.`;

/** Hint if a string contains a document whose fields cannot be edited. */
export const WHOLE_STRING = `Restore the whole string instead, by leaving out the "|" and what follows it, or ${WHOLE.replace('restore ', '')}.`;

const HINTS: Record<RefusalReason, string> = {
  format: WHOLE_ONLY,
  syntax: `Fix its syntax first, or ${WHOLE}.`,
  templated: `Fields of templates cannot be restored one by one: ${WHOLE}.`,
  'duplicate-key': `Remove one of the two keys first, or ${WHOLE}.`,
  'alias-bomb': WHOLE_ONLY,
  'too-large': WHOLE_ONLY,
  'too-deep': WHOLE_ONLY,
  alias: `Restore the field that has the anchor, or ${WHOLE}.`,
  anchor: `Restore a field that contains the anchor and all its aliases, or ${WHOLE}.`,
  'merge-key': `Restore the map that the key is merged from, or ${WHOLE}.`,
  ambiguous: `Match on more of its keys, for example [name=api,namespace=shop], or ${WHOLE}.`,
  'several-documents': `Start the selector with the document, for example [kind=Deployment,metadata.name=api], or ${WHOLE}.`,
  document: WHOLE_ONLY,
  'missing-parent': PARENT,
  'no-string': WHOLE_ONLY,
  'prototype-key': WHOLE_ONLY,
  'flow-unsupported': PARENT,
  unsupported: PARENT,
  'verify-mismatch': PARENT,
};

/**
 * Refuses to edit a text by field. `message` gives the position and never the content of the file.
 * @throws EDIT_REFUSED
 */
export function refuse(reason: RefusalReason, message: string, hint: string = HINTS[reason]): never {
  throw new BacktrailError('EDIT_REFUSED', message, { hint, details: { reason } });
}

/** The reason of an EDIT_REFUSED thrown by `refuse`; null for any other error. */
export function refusalReason(error: unknown): RefusalReason | null {
  if (!(error instanceof BacktrailError) || error.code !== 'EDIT_REFUSED') return null;
  const { reason } = error.details as { reason?: unknown };
  return typeof reason === 'string' && isReason(reason) ? reason : null;
}

const isReason = (text: string): text is RefusalReason => Object.hasOwn(HINTS, text);
