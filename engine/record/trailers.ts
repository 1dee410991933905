import type { Mode, ObjectId, RequestId } from '../model/index.ts';
import { BacktrailError } from '../model/index.ts';
import { byteLength, cleanValue, NAME_LIMIT, quoteName } from './text.ts';

export { cleanValue } from './text.ts';

/** All trailer keys that Backtrail writes or reads; `true`: may occur several times in a commit. */
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
  'Rollback-Hold': true,
  'Resume-Request-ID': false,
  'Resume-Hold': true,
  'Resume-Plan': false,
  'Resume-Ledger': false,
  'Delivery-Of': false,
  'Delivery-Renderer': false,
  'Delivery-Request': false,
} as const;

export type TrailerKey = keyof typeof TRAILERS;
export type Trailer = readonly [key: TrailerKey, value: string];

/** What a rollback commit states about itself. Claims, until verified against the commit's position and content. */
export interface RollbackRecord {
  readonly mode: Mode;
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  readonly justification: string;
  /** Email. */
  readonly author: string;
  /** One sentence per approver. */
  readonly approvals: readonly string[];
  readonly requestId: RequestId;
  readonly target: ObjectId;
  readonly base: ObjectId;
  /** `sha256:` digest of the plan. */
  readonly plan: string;
  /** Version of the planning rules. */
  readonly engine: number;
  /** Sorted: `path#selector` of each field in mode `field`; in any mode also the `path` of files restored as a whole instead of their parts. */
  readonly fields: readonly string[];
  /** Overridden checks, for example `allow-removal`. */
  readonly overrides?: readonly string[];
  /** The session used instead of approval, and its ticket. */
  readonly breakGlass?: string;
  /** The ledger commit of the event that allowed execution. */
  readonly ledger?: ObjectId;
  /** Paths of the holds that it places. */
  readonly holds?: readonly string[];
}

/** What the commit of a resume states about itself. */
export interface ResumeRecord {
  readonly justification: string;
  /** Email. */
  readonly author: string;
  readonly approvals: readonly string[];
  readonly requestId: RequestId;
  /** Paths of the holds that it lifts, in whole or in part. */
  readonly holds: readonly string[];
  /** `sha256:` digest of the plan. */
  readonly plan: string;
  /** The ledger commit of the event that allowed execution. */
  readonly ledger?: ObjectId;
}

/** What a delivery commit states about itself. */
export interface DeliveryRecord {
  /** The rollback commit that the manifests were rendered from. */
  readonly of: ObjectId;
  /** Renderers and versions, for example `workload 1, plain 1`. */
  readonly renderer: string;
  readonly requestId: RequestId;
}

/**
 * The trailers of a rollback commit, in order; git must parse the same ones from the message. Free text is cleaned; names are read back
 * exactly (see `quoteName`). Empty optional values are omitted.
 * @throws REASON_REQUIRED if the cleaned reason is empty; SCOPE_INVALID or FIELD_INVALID for a name over 8 KiB
 */
export function rollbackTrailers(record: RollbackRecord): Trailer[] {
  const justification = cleanValue(record.justification);
  if (justification === '') {
    throw new BacktrailError('REASON_REQUIRED', 'The reason has only spaces and control characters.');
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
    ...(record.holds ?? []).map((path): Trailer => ['Rollback-Hold', scopeName(path)]),
  ];
  return trailers.filter(([, value]) => value !== '');
}

/**
 * The trailers of the commit of a resume, in order.
 * @throws REASON_REQUIRED if the cleaned reason is empty
 */
export function resumeTrailers(record: ResumeRecord): Trailer[] {
  const justification = cleanValue(record.justification);
  if (justification === '')
    throw new BacktrailError('REASON_REQUIRED', 'The reason has only spaces and control characters.');
  const trailers: Trailer[] = [
    ['Justification', justification],
    ['Author', cleanValue(record.author)],
    ...record.approvals.map((approval): Trailer => ['Approval', cleanValue(approval)]),
    ...record.holds.map((path): Trailer => ['Resume-Hold', scopeName(path)]),
    ['Resume-Request-ID', cleanValue(record.requestId)],
    ['Resume-Plan', cleanValue(record.plan)],
    ['Resume-Ledger', cleanValue(record.ledger ?? '')],
  ];
  return trailers.filter(([, value]) => value !== '');
}

/** The trailers of a delivery commit, in order. */
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
 * Values by lower-case key, in the order of the lines. `lines`: `Key: value` as printed by git with `%(trailers:only,unfold)`. Keys are
 * compared without case, as git does (`%(trailers:key=mode)` finds `Mode`): `mode:` and `Mode:` are values of the same key. Lines
 * without a key are ignored.
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
    `A name starting with ${cleanValue(name.slice(0, 60))} is too long for a commit message.`,
    {
      hint: `Names and fields can have up to ${NAME_LIMIT} bytes; choose a wider scope.`,
    },
  );
}
