import type { ObjectId, Person } from './git.ts';
import type { Scope } from './scope.ts';
import type { Finding } from './finding.ts';

/** `rbk-` and 26 characters of Crockford's base 32. */
export type RequestId = string;

export function isRequestId(text: string): text is RequestId {
  return /^rbk-[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function base32(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value, i = 0; i < digits; i += 1, rest >>= 5n)
    text = `${BASE32[Number(rest & 31n)]}${text}`;
  return text;
}

const bytesToInteger = (bytes: Uint8Array) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/**
 * A new request id: a ULID (48 bits of time in milliseconds, 80 random bits; github.com/ulid/spec) behind `rbk-`.
 * `random` holds at least 10 bytes.
 */
export function makeRequestId(now: number, random: Uint8Array): RequestId {
  return `rbk-${base32(BigInt(now), 10)}${base32(bytesToInteger(random.subarray(0, 10)), 16)}`;
}

/** As `makeRequestId`, for an event of the ledger and a break-glass session. */
export function makeEventId(now: number, random: Uint8Array): string {
  return makeRequestId(now, random).replace('rbk', 'evt');
}

export function makeSessionId(now: number, random: Uint8Array): string {
  return makeRequestId(now, random).replace('rbk', 'bgs');
}

export function isSessionId(text: string): boolean {
  return /^bgs-[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}

/** The request id that always belongs to these 16 or more bytes (of a hash): the same input asks for the same rollback. */
export function deriveRequestId(bytes: Uint8Array): RequestId {
  return `rbk-${base32(bytesToInteger(bytes.subarray(0, 16)), 26)}`;
}

/** Everything that executing a confirmed rollback needs: what a worker gets, and nothing that it would have to resolve anew. */
export interface RollbackRequest {
  readonly id: RequestId;
  readonly scope: Scope;
  /** A commit id: `previous`, `vN` and times were resolved when the plan was confirmed. */
  readonly target: ObjectId;
  /** The commit that the plan was made on: where the search for this request's own commit begins; null: at the beginning. */
  readonly base: ObjectId | null;
  /** Digest of the plan that was confirmed. */
  readonly digest: string;
  readonly reason: string;
  readonly author: Person;
  /** ISO 8601; the time of the commits. */
  readonly requestedAt: string;
  readonly allowRemoval: boolean;
  /** Digest of the manifests that were approved with it; absent where approvals do not bind to them. */
  readonly rendered?: string | null | undefined;
  /** What the commit says of the request's life in the ledger; null where it has none. */
  readonly provenance?: Provenance | undefined;
}

/** Trailers of the commit besides those that every rollback has. */
export interface Provenance {
  /** `Approved by bob@example.com (quorum: 1/1)`, an entry an approver. */
  readonly approvals: readonly string[];
  /** The event that let it go ahead. */
  readonly ledger: ObjectId;
  /** The session, and its ticket. */
  readonly breakGlass: string | null;
  /** ISO 8601: when it was let go ahead. */
  readonly at: string;
}

export type Status = 'completed' | 'unchanged' | 'pending' | 'approved' | 'executing' | 'failed';

/** The five states of progress, in their only order. */
export const STEPS = ['planned', 'staged', 'delivered', 'published', 'verified'] as const;
export type Step = (typeof STEPS)[number];

/** What `rollback -o json` prints. */
export interface RollbackResult {
  readonly requestId: RequestId;
  readonly status: Status;
  readonly mode: Scope['mode'];
  /** `tenant/environment/service` as far as given. */
  readonly scope: string;
  readonly base: ObjectId;
  readonly target: ObjectId;
  readonly commit: ObjectId | null;
  readonly deliveryCommit: ObjectId | null;
  readonly digest: string;
  readonly findings: readonly Finding[];
}
