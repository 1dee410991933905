/** What people write down: a reason, a comment, a note. */
import { BacktrailError } from '../model/index.ts';

/** @throws REASON_REQUIRED if no readable text is left */
export function requireReason(reason: string | undefined, what = 'A rollback'): asserts reason is string {
  if (reason === undefined || !READABLE.test(reason)) {
    throw new BacktrailError('REASON_REQUIRED', `${what} needs a reason.`);
  }
}

/** The record holds the beginning of a long text. */
export const recordable = (text: string, limit = 8000): string =>
  text.length > limit ? `${text.slice(0, limit)}…` : text;

/** The text for the record. @throws INVALID_REQUEST if no readable text is left */
export function requireText(text: string, what: string, limit?: number): string {
  if (READABLE.test(text)) return recordable(text, limit);
  throw new BacktrailError('INVALID_REQUEST', `${what} is empty.`);
}

const READABLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
