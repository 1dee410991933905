import type { ObjectId } from './git.ts';
import type { Mode } from './scope.ts';

/** How long automation is kept from moving what a rollback restored. `seconds` null: until the hold is lifted. */
export interface HoldTerms {
  readonly seconds: number | null;
}

/** A field that automation must not move. */
export interface HeldField {
  readonly path: string;
  /** Canonical selector; '' for the whole file. */
  readonly selector: string;
  /** Canonical source of the value, the object id of a whole file; null: it does not exist. `***` for a secret, whose value is read at the hold's target. */
  readonly held: string | null;
  readonly secret?: true;
}

/**
 * What an adapter took away in a file, and what is needed to give it back:
 * - `line-end`: a comment, on the line where the value at `selector` ends, behind the text `after`;
 * - `above`: whole lines, above the line of the key at `selector`;
 * - `value`: the source of the value at `selector`, now `put`;
 * - `entry`: key and value of the entry at `selector`, now `put`;
 * - `lines`: text between `before` and `after`, in the document at `selector`.
 */
export interface TakenPart {
  readonly adapter: string;
  readonly path: string;
  readonly kind: 'line-end' | 'above' | 'value' | 'entry' | 'lines';
  readonly selector: string;
  readonly took: string;
  readonly put?: string;
  readonly before?: string;
  readonly after?: string;
  /** Selector of the held field of the same file that it was taken for; given back with it. Absent: with the last field. */
  readonly of?: string;
}

/** What is fixed when a rollback is planned; request, times, author and reason are added when it is written. */
export interface HoldBody extends HoldTerms {
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  readonly mode: Mode;
  /** The commit that the rollback returned to. */
  readonly target: ObjectId;
  readonly fields: readonly HeldField[];
  readonly taken: readonly TakenPart[];
}

/** A file `.backtrail/holds/[tenant/]environment/<request-id>.yaml`. */
export interface Hold extends Omit<HoldBody, 'seconds'> {
  /** Of the file. */
  readonly path: string;
  /** `rbk-…` */
  readonly requestId: string;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string | null;
  readonly reason: string;
  /** Email. */
  readonly author: string;
}

/** What a plan does with holds. */
export interface PlannedHolds {
  /** The hold that the rollback places; null: none. */
  readonly placed: HoldBody | null;
  /** Files of holds that are removed or rewritten, as some or all of their fields are held no longer, or by this rollback. */
  readonly replaced: readonly string[];
  /** Files of the whole service were read. */
  readonly readsScope: boolean;
}
