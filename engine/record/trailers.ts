import type { Mode, ObjectId, RequestId } from '../model/index.ts';
import { BacktrailError } from '../model/index.ts';
import { byteLength, cleanValue, NAME_LIMIT, quoteName } from './text.ts';

export { cleanValue } from './text.ts';

/** Every trailer key that Backtrail writes or reads; `true` where a commit may carry it more than once. */
export const TRAILERS = {
  Mode: false,
  Service: false,
  Justification: false,
  Author: false,
  Approval: true,
  'Rollback-Request-ID': false,
  'Rollback-Tenant': false,
  'Rollback-Environment': false,
  'Rollback-Target': false,
  'Rollback-Base': false,
  'Rollback-Plan': false,
  'Rollback-Engine': false,
  'Rollback-Field': true,
  'Rollback-Override': true,
  'Rollback-Break-Glass': false,
  'Rollback-Ledger': false,
  'Delivery-Of': false,
  'Delivery-Renderer': false,
  'Delivery-Request': false,
} as const;

export type TrailerKey = keyof typeof TRAILERS;
export type Trailer = readonly [key: TrailerKey, value: string];

/** What a rollback commit says about itself. Claims, until compared with the commit's place and content. */
export interface RollbackRecord {
  readonly mode: Mode;
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  readonly justification: string;
  /** An email. */
  readonly author: string;
  /** One sentence an approver. */
  readonly approvals: readonly string[];
  readonly requestId: RequestId;
  readonly target: ObjectId;
  readonly base: ObjectId;
  /** `sha256:` and the digest of the plan. */
  readonly plan: string;
  /** Version of the planning rules. */
  readonly engine: number;
  /** Sorted: `path#selector` of each field in mode `field`, and in any mode `path` of a file restored as a whole in place of its parts. */
  readonly fields: readonly string[];
  /** What was allowed against a check, for example `allow-removal`. */
  readonly overrides?: readonly string[];
  /** The session that took the place of approval, and its ticket. */
  readonly breakGlass?: string;
  /** The event of the ledger that let it go ahead. */
  readonly ledger?: ObjectId;
}

/** What a delivery commit says about itself. */
export interface DeliveryRecord {
  /** The revert commit that the manifests were rendered from. */
  readonly of: ObjectId;
  /** Renderers and their versions, for example `workload 1, plain 1`. */
  readonly renderer: string;
  readonly requestId: RequestId;
}

/**
 * The trailers of a rollback commit, in their order: what git must read back from it.
 * Free text is cleaned; names read back exactly (see `quoteName`). Optional values that are empty are left out.
 * Throws REASON_REQUIRED where nothing readable is left of the justification, and SCOPE_INVALID or FIELD_INVALID for a name over 8 KiB.
 */
export function rollbackTrailers(record: RollbackRecord): Trailer[] {
  const justification = cleanValue(record.justification);
  if (justification === '') {
    throw new BacktrailError(
      'REASON_REQUIRED',
      'The reason holds nothing but blanks and control characters.',
    );
  }
  const trailers: Trailer[] = [
    ['Mode', record.mode],
    ['Service', scopeName(record.service ?? '')],
    ['Justification', justification],
    ['Author', cleanValue(record.author)],
    ...record.approvals.map((approval): Trailer => ['Approval', cleanValue(approval)]),
    ['Rollback-Request-ID', cleanValue(record.requestId)],
    ['Rollback-Tenant', scopeName(record.tenant ?? '')],
    ['Rollback-Environment', scopeName(record.environment)],
    ['Rollback-Target', cleanValue(record.target)],
    ['Rollback-Base', cleanValue(record.base)],
    ['Rollback-Plan', cleanValue(record.plan)],
    ['Rollback-Engine', String(record.engine)],
    ...record.fields.map((field): Trailer => ['Rollback-Field', fieldName(field)]),
    ...(record.overrides ?? []).map((override): Trailer => ['Rollback-Override', cleanValue(override)]),
    ['Rollback-Break-Glass', cleanValue(record.breakGlass ?? '')],
    ['Rollback-Ledger', cleanValue(record.ledger ?? '')],
  ];
  return trailers.filter(([, value]) => value !== '');
}

/** The trailers of a delivery commit, in their order. */
export function deliveryTrailers(record: DeliveryRecord): Trailer[] {
  return [
    ['Delivery-Of', cleanValue(record.of)],
    ['Delivery-Renderer', cleanValue(record.renderer)],
    ['Delivery-Request', cleanValue(record.requestId)],
  ];
}

export function formatTrailers(trailers: readonly (readonly [key: string, value: string])[]): string[] {
  return trailers.map(([key, value]) => `${key}: ${value}`);
}

/**
 * Values by key in lower case, in the order of the lines. `lines` are `Key: value` as git prints them with
 * `%(trailers:only,unfold)`. Keys are compared without regard to case because git does so (`%(trailers:key=mode)` finds `Mode`):
 * a `mode:` beside a `Mode:` is a second value of the same key. Lines without a key are left out.
 */
export function parseTrailerLines(lines: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const line of lines) {
    const match = /^([A-Za-z0-9-]+)[ \t]*:(.*)$/s.exec(line);
    const key = match?.[1]?.toLowerCase();
    if (key === undefined) continue;
    const value = (match?.[2] ?? '').trim();
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

function scopeName(name: string): string {
  return boundedName(name, 'SCOPE_INVALID');
}

function fieldName(field: string): string {
  return boundedName(field, 'FIELD_INVALID');
}

function boundedName(name: string, code: 'SCOPE_INVALID' | 'FIELD_INVALID'): string {
  if (name === '') return '';
  const value = quoteName(name);
  if (byteLength(value) <= NAME_LIMIT) return value;
  throw new BacktrailError(
    code,
    `A name beginning with ${cleanValue(name.slice(0, 60))} is too long for a commit message.`,
    {
      hint: `Names and fields may have up to ${NAME_LIMIT} bytes; choose a wider scope.`,
    },
  );
}
