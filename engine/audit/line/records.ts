/** Which of our trailers a commit carries, whole or not. */
import type { RequestId } from '../../model/index.ts';
import { parseTrailerLines } from '../../record/trailers.ts';
import type { CommitText } from './commit-text.ts';

export type Kind = 'rollback' | 'resume' | 'delivery' | 'imitation' | 'revert';

const RESUME = /^resume-(?:hold|plan|ledger)$/;
const ROLLBACK = /^rollback-(?:request-id|tenant|environment|target|base|plan|engine|field|ledger|hold)$/;

/** null: it has nothing to do with us. */
export function kindOf({
  trailers,
  subject,
  reverts,
  isLike,
}: Pick<CommitText, 'trailers' | 'subject' | 'reverts' | 'isLike'>): Kind | null {
  const keys = [...parseTrailerLines(trailers).keys()];
  if (keys.includes('rollback-request-id')) return 'rollback';
  if (keys.includes('resume-request-id')) return 'resume';
  if (keys.includes('delivery-of') || keys.includes('delivery-request')) return 'delivery';
  // One alone may be another program's.
  const own = keys.filter((key) => ROLLBACK.test(key));
  if (own.length > 1) return 'rollback';
  if (keys.some((key) => RESUME.test(key))) return 'resume';
  if (own.length > 0 || isLike || isOurSubject(subject)) return 'imitation';
  return reverts.length > 0 ? 'revert' : null;
}

/** As Backtrail writes it where no template makes it. */
const isOurSubject = (subject: string) =>
  // Two looks, as one that matches both ends takes a time that is the square of the length.
  (/^[^"]{1,120}: (?:tenant\/.+ )?env\/./.test(subject) && / → revision [0-9a-f]{7}$/.test(subject)) ||
  /^Resume: (?:tenant\/.+ )?env\/.+/.test(subject);

/** The numbers of the rules that trailers name. */
export function rulesNamed(trailers: readonly string[]): readonly number[] {
  const values = parseTrailerLines(trailers).get('rollback-engine') ?? [];
  return values.filter((value) => /^\d{1,3}$/.test(value)).map(Number);
}

/** The ids of all requests that trailers name. */
export function requestsNamed(trailers: readonly string[]): readonly RequestId[] {
  const values = parseTrailerLines(trailers);
  return ['rollback-request-id', 'resume-request-id'].flatMap((key) => values.get(key) ?? []);
}
