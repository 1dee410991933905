import type { CheckCode } from './checks.ts';
import type { ObjectId, Person } from './git.ts';
import type { HoldTerms } from './hold.ts';
import type { Arrival, HostReview, Proposed, PullRequestLink } from './pull-request.ts';
import type { RequestId } from './request.ts';
import type { Scope } from './scope.ts';

/** Requests and break-glass sessions as recorded in the ledger. Times are ISO 8601 in UTC. */

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

/** `evt-` (events) or `bgs-` (sessions) and 26 characters of Crockford's base 32, as in a request id. */
export type EventId = string;
export type SessionId = string;

/** Where a request or a vote is for: it counts nowhere else. */
export interface VotePlace {
  /** As `repository` of the configuration named it then; see `repositoryKey`. */
  readonly repository: string;
  /** The branch that is rolled back, as it is named there. */
  readonly branch: string;
}

/** Of a rollback that was asked for by itself: which revision degraded, and what was seen of it. */
export interface AutomaticCause {
  /** The revision of the scope that is undone. */
  readonly revision: ObjectId;
  /** One sentence. */
  readonly seen: string;
}

/** What the author requested. Fixed when the request is opened. */
export interface RequestProposal {
  readonly id: RequestId;
  readonly scope: Scope;
  /** The commit whose state is restored. */
  readonly target: ObjectId;
  /** vN of the scope when the request was opened. */
  readonly targetVersion: number | null;
  readonly allowRemoval: boolean;
  /** Codes of checks that would have blocked it, and that its author has overridden. Absent: none. */
  readonly overrides?: readonly CheckCode[];
  readonly justification: string;
  /** `Rollback to revision v3 (3f2c9ab) of acme/production/api-gateway`. */
  readonly message: string;
  readonly author: Person;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** The failed request that this one replaces. */
  readonly follows: RequestId | null;
  /** The pending request of the same scope that this one superseded. */
  readonly supersedes: RequestId | null;
  /** It was proposed, to be decided on by a person: it needs an approval also where no policy asks for one. Absent: false. */
  readonly propose?: true;
  /** Nobody asked for it: a worker that observes the cluster did. Absent: somebody did. */
  readonly automatic?: AutomaticCause;
  /** The id of the incident file that asked for it; see `isIncidentId`. */
  readonly incident?: string;
  /** It is published in one push with others of its incident, or not at all. */
  readonly atomic?: AtomicGroup;
  /** The hold that it places. Absent: none. */
  readonly hold?: HoldTerms;
  /** It lifts holds of its scope, and restores nothing. */
  readonly resume?: true;
  /** Its commits are signed, whatever the configuration says. Absent: as the configuration says. */
  readonly sign?: true;
  /** Where it is to be executed. Absent: the configuration named no repository. */
  readonly place?: VotePlace;
  /** Requests of earlier versions could bring a configuration along; those are not executed any more. */
  readonly config: { readonly name: string; readonly text: string } | null;
}

/** Requests that are published together, or none of them: all name the first one, and that one names all. */
export interface AtomicGroup {
  readonly first: RequestId;
  /** In the first one alone: every request of the group, itself included, in the order of the incident. */
  readonly members?: readonly RequestId[];
}

/** What reviewers approve. Replaced when the plan changes. */
export interface Terms {
  /** The commit that the plan was made on. */
  readonly base: ObjectId;
  readonly digest: string;
  /** `sha256:` digest of the manifests; null if there is no delivery. */
  readonly rendered: string | null;
  readonly affectedServices: readonly string[];
}

/** Number of approvals when an event was written. */
export interface Quorum {
  readonly have: number;
  readonly need: number;
}

/** How a server knew who acted. */
export interface Authentication {
  readonly how: (typeof AUTHENTICATIONS)[number];
  /** The id of the token, or the issuer; null in single-user mode. */
  readonly by: string | null;
}

export const AUTHENTICATIONS = ['single-user', 'token', 'oidc'] as const;

interface EventBase {
  readonly id: EventId;
  readonly at: string;
  readonly actor: Person;
  /** Absent: whoever acted wrote it themselves. */
  readonly authenticated?: Authentication;
}

export type RequestEvent = EventBase &
  (
    | {
        readonly type: 'opened';
        readonly proposal: RequestProposal;
        readonly terms: Terms;
        /** Why no review is needed: no policy, or a break-glass session; null: reviews are needed. */
        readonly gate: 'no-policy' | 'break-glass' | null;
        readonly session: { readonly id: SessionId; readonly ticket: string | null } | null;
      }
    /** `settles`: this approval (or rejection) meets the policy's threshold. */
    | {
        readonly type: 'approved';
        readonly digest: string;
        readonly comment: string | null;
        readonly quorum: Quorum;
        readonly settles: boolean;
        readonly place?: VotePlace;
      }
    | {
        readonly type: 'rejected';
        readonly digest: string;
        readonly comment: string | null;
        readonly settles: boolean;
        readonly place?: VotePlace;
      }
    /** The existing reviews suffice since the policy or the trusted keys changed. */
    | {
        readonly type: 'settled';
        readonly quorum: Quorum;
        readonly reason: string;
        /** The request is settled by its rejections. */
        readonly rejects?: true;
      }
    /** The approvals no longer suffice; approval is requested again. */
    | { readonly type: 'reopened'; readonly reason: string }
    /** The plan changed; approval is requested again, and reviewers see the difference. */
    | { readonly type: 'replanned'; readonly terms: Terms; readonly difference: readonly string[] }
    | { readonly type: 'superseded'; readonly by: RequestId }
    | { readonly type: 'expired' }
    /** `approved`: it was, and no worker had executed it. */
    | { readonly type: 'cancelled'; readonly reason: string | null; readonly approved?: true }
    | {
        readonly type: 'completed';
        readonly outcome: 'completed' | 'unchanged';
        readonly commit: ObjectId | null;
        readonly deliveryCommit: ObjectId | null;
        /** It did not come by a push of ours. */
        readonly arrived?: Arrived;
      }
    /** A branch was pushed beside the one that is rolled back; again where it was made anew on a newer tip. */
    | { readonly type: 'proposed'; readonly proposed: Proposed }
    /** The pull request for that branch. */
    | { readonly type: 'linked'; readonly link: PullRequestLink }
    | { readonly type: 'failed'; readonly code: string; readonly message: string }
    | { readonly type: 'retried' }
    | { readonly type: 'noted'; readonly text: string; readonly kind: NoteKind }
    /** Another person reviewed a use of break-glass. */
    | { readonly type: 'inspected'; readonly comment: string }
  );

/** How a rollback that was proposed came to the branch. */
export interface Arrived {
  readonly how: Arrival;
  readonly link: PullRequestLink | null;
  /** Whom the host names as having merged it. */
  readonly by: string | null;
  /** Shown, never counted. */
  readonly reviews: readonly HostReview[];
}

export const NOTE_KINDS = ['note', 'root-cause', 'corrective-action', 'incident'] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

export type RequestEventType = RequestEvent['type'];

export interface Review {
  /** Id of the event. */
  readonly id: EventId;
  readonly decision: 'approved' | 'rejected';
  readonly actor: Person;
  readonly at: string;
  readonly comment: string | null;
  /** The plan digest that was reviewed; the review does not count once the request's digest differs. */
  readonly digest: string;
  /** Where it is for. Absent: the configuration named no repository. */
  readonly place?: VotePlace;
  /** Absent: its actor wrote it themselves. */
  readonly authenticated?: Authentication;
}

export interface Note {
  readonly id: EventId;
  readonly actor: Person;
  readonly at: string;
  readonly kind: NoteKind;
  readonly text: string;
}

/** The state of a request: its events, replayed. */
export interface LedgerRequest extends RequestProposal, Terms {
  /** How a server knew who asked; absent: its author wrote it themselves. */
  readonly authenticated?: Authentication;
  readonly status: RequestStatus;
  readonly updatedAt: string;
  readonly gate: 'no-policy' | 'break-glass' | null;
  readonly breakGlass: {
    readonly session: SessionId;
    readonly ticket: string | null;
    /** null until another person has reviewed the session's use. */
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
  /** What waits to be merged; null: nothing does. Kept with what became of it. */
  readonly proposed: Proposed | null;
  /** The pull request for it; null where there is none, or none is known yet. */
  readonly link: PullRequestLink | null;
  /** Why approval was requested again. */
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
        readonly arrived?: Arrived;
      }
    | { readonly status: 'failed'; readonly code: string; readonly message: string };
}

/** While a session is open, its holder's requests need no approval. */
export interface BreakGlassSession {
  readonly id: SessionId;
  /** `[tenant/]environment[/service]`. */
  readonly scope: string;
  readonly holder: Person;
  readonly justification: string;
  readonly ticket: string | null;
  readonly openedAt: string;
  readonly expiresAt: string;
  /** Where it was opened, and holds. Absent: the configuration named no repository. */
  readonly place?: VotePlace;
  readonly closed: { readonly at: string; readonly actor: Person } | null;
}

export type SessionEvent = EventBase &
  (
    | { readonly type: 'session-opened'; readonly session: Omit<BreakGlassSession, 'closed'> }
    | { readonly type: 'session-closed' }
  );

/** Who signed an event, as verified on this machine. */
export interface Signature {
  /** `good`: by a key that this machine's own configuration trusts. `unknown`: by another key. `none`: not signed. */
  readonly state: 'good' | 'unknown' | 'bad' | 'none';
  /** Of `unknown`: the list does not have the key at all; else it is there, and not valid at that time, or revoked. */
  readonly unlisted?: true;
  /** Emails that the allowed signers file gives the key. */
  readonly principals: readonly string[];
  /** Of a key that is listed by patterns, such as `*@example.com`: the names of each such line, in lower case. Absent: none. */
  readonly served?: readonly (readonly string[])[];
  /** Fingerprint `SHA256:…`. */
  readonly key: string | null;
}
