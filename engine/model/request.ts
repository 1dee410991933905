import type { ObjectId, Person } from './git.ts';
import type { HoldTerms } from './hold.ts';
import type { Scope } from './scope.ts';
import type { CheckCode } from './checks.ts';

/** `rbk-` and 26 characters of Crockford's base 32. */
export type RequestId = string;

export function isRequestId(text: string): text is RequestId {
  return /^rbk-[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}

/** One line of at most 200 characters, with none that a terminal obeys or does not show: it is typed, listed and compared. */
export function isIncidentId(text: string): boolean {
  return text.length > 0 && text.length <= 200 && text.trim() === text && !UNPRINTABLE.test(text);
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function base32(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value, i = 0; i < digits; i += 1, rest >>= 5n)
    text = `${BASE32[Number(rest & 31n)]}${text}`;
  return text;
}

const bytesToInteger = (bytes: Uint8Array) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/**
 * A new request id: `rbk-` and a ULID (48 bits of milliseconds since 1970, 80 random bits; github.com/ulid/spec).
 * `random` has at least 10 bytes.
 */
export function makeRequestId(now: number, random: Uint8Array): RequestId {
  return `rbk-${base32(BigInt(now), 10)}${base32(bytesToInteger(random.subarray(0, 10)), 16)}`;
}

/** Same as `makeRequestId`, for ledger events and break-glass sessions. */
export function makeEventId(now: number, random: Uint8Array): string {
  return makeRequestId(now, random).replace('rbk', 'evt');
}

export function makeSessionId(now: number, random: Uint8Array): string {
  return makeRequestId(now, random).replace('rbk', 'bgs');
}

export function isSessionId(text: string): boolean {
  return /^bgs-[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}

/** A request id derived from at least 16 bytes of a hash: the same input gives the same request. */
export function deriveRequestId(bytes: Uint8Array): RequestId {
  return `rbk-${base32(bytesToInteger(bytes.subarray(0, 16)), 26)}`;
}

/** What an automatic rollback is told by: the same scope and revision are the same request, whoever asks. */
export const automaticKey = (scope: string, revision: ObjectId) =>
  `automatic rollback\n${scope}\n${revision}`;

/** All input for executing a confirmed rollback, fully resolved: this is what a worker receives. */
export interface RollbackRequest {
  readonly id: RequestId;
  readonly scope: Scope;
  /** A commit id: `previous`, `vN` and times are resolved when the plan is confirmed. */
  readonly target: ObjectId;
  /** The commit that the plan was made on: where the search for this request's own commit begins; null: at the beginning. */
  readonly base: ObjectId | null;
  /** Digest of the plan that was confirmed. */
  readonly digest: string;
  readonly reason: string;
  readonly author: Person;
  /** ISO 8601; author and committer time of the commits. */
  readonly requestedAt: string;
  readonly allowRemoval: boolean;
  /** Codes of checks whose block the author has overridden. */
  readonly overrides?: readonly CheckCode[] | undefined;
  /** The hold that it places; absent or null: none. */
  readonly hold?: HoldTerms | null | undefined;
  /** It lifts holds of its scope, and restores nothing. */
  readonly resume?: true | undefined;
  /** Digest of the approved manifests; absent if approvals do not bind to them. */
  readonly rendered?: string | null | undefined;
  /** Its commits are signed, whatever the configuration says. */
  readonly sign?: true | undefined;
  /** Approval facts for the commit's trailers; null if the request has no ledger entry. */
  readonly provenance?: Provenance | undefined;
}

/** Approval facts that the commit records besides the trailers of every rollback. */
export interface Provenance {
  /** `Approved by bob@example.com (quorum: 1/1)`, one per approver. */
  readonly approvals: readonly string[];
  /** The ledger commit of the event that allowed execution. */
  readonly ledger: ObjectId;
  /** The break-glass session and its ticket. */
  readonly breakGlass: string | null;
  /** ISO 8601: when execution was allowed. */
  readonly at: string;
}
