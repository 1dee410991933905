import type { FailureCode } from './failure.ts';
import type { Severity } from './checks.ts';

/** Codes of findings that never block. A blocking finding uses a code of the failure table. */
export type NoticeCode =
  | 'NOTHING_TO_DO'
  | 'KEPT_PATH'
  | 'NO_RECORDS'
  | 'RENDER_DIFFERS'
  | 'DELIVERY_DRIFT'
  | 'NOT_RENDERED'
  | 'FIELD_NUMBERING'
  | 'REMOVAL_ALLOWED'
  | 'TIMES_DISORDERED'
  | 'UNDONE_SKIPPED'
  | 'INELIGIBLE_SKIPPED'
  | 'RECORDS_UNREADABLE'
  | 'RECORD_LEFT_OUT'
  | 'SCOPE_OVERLAP'
  | 'FILE_UNREADABLE'
  | 'TAG_DIFFERS'
  | 'SUBMODULE_IN_SCOPE'
  | 'WHOLE_FILE'
  | 'UPSTREAM_NOT_UPDATED'
  | 'UPSTREAM_NOT_READ'
  | 'BRANCH_DIFFERS'
  | 'UPSTREAM_BRANCH'
  | 'LOCAL_COMMITS'
  | 'LOCAL_NOT_UPDATED'
  | 'REMOTE_OFFLINE'
  | 'MIRROR_RENEWED'
  | 'ONE_ENVIRONMENT'
  | 'NO_SERVICES'
  | 'NAMES_IGNORED'
  | 'NAMES_DIFFER'
  | 'PATTERN_LEFT_OUT'
  | 'PATHS_UNCOVERED'
  | 'TREE_SAMPLED'
  | 'APPROVAL_NEEDED'
  | 'PLAN_AGREED'
  | 'PULL_REQUEST'
  | 'BREAK_GLASS'
  | 'OVERRIDE_UNUSED'
  | 'HOLD_PLACED'
  | 'HOLD_REPLACED'
  | 'HOLD_LIFTED'
  | 'HOLD_ADVISED'
  | 'HOLD_INCOMPLETE'
  | 'HOLD_INVALID';

/** `override` of its code, the removal of what the target lacks, or whole files in place of parts of them. */
export type Remedy = 'override' | 'allow-removal' | 'whole-file';

/** A result of a check. Findings are collected, never thrown. */
export interface Finding {
  readonly code: FailureCode | NoticeCode;
  readonly severity: Severity;
  /** One sentence. */
  readonly message: string;
  readonly hint?: string;
  readonly path?: string;
  /** What whoever asks may add for it to go ahead although this blocks it. Absent: nothing. */
  readonly remedy?: Remedy;
  /** It would block, and the person who asks has overridden it. */
  readonly overridden?: true;
}

/** One result of a `doctor` probe. A probe gives one `ok`, or one result per problem. */
export interface Check {
  readonly area: 'machine' | 'repository' | 'configuration' | 'publishing' | 'queue';
  readonly name: string;
  /** `fail`: a function of Backtrail does not work until this is fixed. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** One sentence. */
  readonly message: string;
  /** How to fix it. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
