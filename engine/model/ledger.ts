import type { ObjectId, Person } from './git.ts';
import type { RequestId } from './request.ts';
import type { Scope } from './scope.ts';

/** Requests, as the ledger keeps them. Times are ISO 8601 in UTC. */

export const REQUEST_STATUSES = [
  'pending',
  'approved',
  'executing',
  'completed',
  'failed',
  'rejected',
  'superseded',
  'expired',
  'cancelled',
] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** `evt-`, `bgs-` and 26 characters of Crockford's base 32, as of a request id. */
export type EventId = string;
export type SessionId = string;

/** What somebody asks for: fixed when the request is opened. */
export interface Proposal {
  readonly id: RequestId;
  readonly scope: Scope;
  /** The revision that is returned to. */
  readonly target: ObjectId;
  /** vN of the scope when it was asked for. */
  readonly targetVersion: number | null;
  readonly allowRemoval: boolean;
  readonly justification: string;
  /** `Rollback to revision v3 (3f2c9ab) of acme/production/api-gateway`. */
  readonly message: string;
  readonly author: Person;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** The failed request that this one takes up. */
  readonly follows: RequestId | null;
  /** The pending request of the same scope that gave way to this one. */
  readonly supersedes: RequestId | null;
  /** It was proposed, to be decided on by a person: it needs an approval also where no policy asks for one. Absent: false. */
  readonly propose?: true;
  /** Requests of earlier versions could bring a configuration along; those are not executed any more. */
  readonly config: { readonly name: string; readonly text: string } | null;
}

/** What reviewers see and agree to; another one after the plan changed. */
export interface Terms {
  /** The commit that the plan was made on. */
  readonly base: ObjectId;
  readonly digest: string;
  /** `sha256:` over the manifests; null where there is no delivery. */
  readonly rendered: string | null;
  readonly affectedServices: readonly string[];
}

/** How approvals stood when an event was written. */
export interface Quorum {
  readonly have: number;
  readonly need: number;
}

interface EventBase {
  readonly id: EventId;
  readonly at: string;
  readonly actor: Person;
}

export type RequestEvent = EventBase &
  (
    | {
        readonly type: 'opened';
        readonly proposal: Proposal;
        readonly terms: Terms;
        /** What lets it go ahead at once: no policy, or a break-glass session; null: reviews are needed. */
        readonly gate: 'no-policy' | 'break-glass' | null;
        readonly session: { readonly id: SessionId; readonly ticket: string | null } | null;
      }
    /** `settles`: with it, approvals suffice. */
    | {
        readonly type: 'approved';
        readonly digest: string;
        readonly comment: string | null;
        readonly quorum: Quorum;
        readonly settles: boolean;
      }
    | {
        readonly type: 'rejected';
        readonly digest: string;
        readonly comment: string | null;
        readonly settles: boolean;
      }
    /** The policy changed, or keys are known here: the reviews there are suffice now. */
    | {
        readonly type: 'settled';
        readonly quorum: Quorum;
        readonly reason: string;
        /** It is the rejections there are that suffice. */
        readonly rejects?: true;
      }
    /** The approvals do not suffice (any more): reviewers are asked again. */
    | { readonly type: 'reopened'; readonly reason: string }
    /** The plan is another one: reviewers are asked again, with the difference. */
    | { readonly type: 'replanned'; readonly terms: Terms; readonly difference: readonly string[] }
    | { readonly type: 'superseded'; readonly by: RequestId }
    | { readonly type: 'expired' }
    | { readonly type: 'cancelled'; readonly reason: string | null }
    | {
        readonly type: 'completed';
        readonly outcome: 'completed' | 'unchanged';
        readonly commit: ObjectId | null;
        readonly deliveryCommit: ObjectId | null;
      }
    | { readonly type: 'failed'; readonly code: string; readonly message: string }
    | { readonly type: 'retried' }
    | { readonly type: 'noted'; readonly text: string; readonly kind: NoteKind }
    /** Somebody else has looked at a use of break-glass. */
    | { readonly type: 'inspected'; readonly comment: string }
  );

export const NOTE_KINDS = ['note', 'root-cause', 'corrective-action', 'incident'] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

export type RequestEventType = RequestEvent['type'];

export interface Review {
  /** Of the event. */
  readonly id: EventId;
  readonly decision: 'approved' | 'rejected';
  readonly actor: Person;
  readonly at: string;
  readonly comment: string | null;
  /** What it is bound to; it counts no longer when the request's is another one. */
  readonly digest: string;
}

export interface Note {
  readonly id: EventId;
  readonly actor: Person;
  readonly at: string;
  readonly kind: NoteKind;
  readonly text: string;
}

/** A request as its events make it. */
export interface LedgerRequest extends Proposal, Terms {
  readonly status: RequestStatus;
  readonly updatedAt: string;
  readonly gate: 'no-policy' | 'break-glass' | null;
  readonly breakGlass: {
    readonly session: SessionId;
    readonly ticket: string | null;
    /** Open until somebody else has looked at it. */
    readonly review: {
      readonly id: EventId;
      readonly actor: Person;
      readonly at: string;
      readonly comment: string;
    } | null;
  } | null;
  readonly supersededBy: RequestId | null;
  readonly reviews: readonly Review[];
  readonly notes: readonly Note[];
  /** Why reviewers are asked again. */
  readonly reopened: {
    readonly at: string;
    readonly reason: string;
    readonly difference: readonly string[];
  } | null;
  readonly result:
    | null
    | {
        readonly status: 'completed' | 'unchanged';
        readonly commit: ObjectId | null;
        readonly deliveryCommit: ObjectId | null;
      }
    | { readonly status: 'failed'; readonly code: string; readonly message: string };
}

/** A time in which its holder's requests need no approval. */
export interface BreakGlassSession {
  readonly id: SessionId;
  /** `[tenant/]environment[/service]`. */
  readonly scope: string;
  readonly holder: Person;
  readonly justification: string;
  readonly ticket: string | null;
  readonly openedAt: string;
  readonly expiresAt: string;
  readonly closed: { readonly at: string; readonly actor: Person } | null;
}

export type SessionEvent = EventBase &
  (
    | { readonly type: 'session-opened'; readonly session: Omit<BreakGlassSession, 'closed'> }
    | { readonly type: 'session-closed' }
  );

/** Whose event it is, as far as a key proves it. */
export interface Signature {
  /** `good`: by a key that this machine's own configuration trusts, for `principal`. `unknown`: by another key. `none`: not signed. */
  readonly state: 'good' | 'unknown' | 'bad' | 'none';
  /** Emails, as the list of allowed signers says them. */
  readonly principals: readonly string[];
  /** `SHA256:…` of the key. */
  readonly key: string | null;
}
