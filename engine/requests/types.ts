/** What can be done with requests: the shapes that the command line, workers and scripts see. */
import type {
  Actor,
  Authentication,
  BreakGlassSession,
  EnvironmentName,
  EventId,
  FailureCode,
  Finding,
  LedgerRequest,
  Mode,
  NoteKind,
  ObjectId,
  Person,
  PullRequestView,
  RequestId,
  RequestStatus,
  Review,
  SessionId,
} from '../model/index.ts';
import type { ExecuteOptions } from '../rollback/execute.ts';
import type { Approval, Permit } from '../policy/gate.ts';
import type { Planned } from '../rollback/planning/planned.ts';
import type { RollbackPlan } from '../rollback/plan-value.ts';

/** `verified`: a key that this machine trusts signed it for that person. */
export type Identity = 'verified' | 'unverified';

export interface ReviewView extends Review {
  readonly identity: Identity;
  /** Towards the quorum, or the rejections that end the request. */
  readonly counts: boolean;
  /** It was given for another place than this. Absent: no. */
  readonly elsewhere?: true;
}

export interface RequestView extends LedgerRequest {
  /** `acme/production/api-gateway` */
  readonly scopeName: string;
  readonly authorIdentity: Identity;
  readonly reviews: readonly ReviewView[];
  readonly approval: Approval;
  /** What is returned to. */
  readonly rollbackOf: { readonly commit: ObjectId; readonly version: number | null };
  /** It was asked for at another place than this, and is not executed here. Absent: no. */
  readonly elsewhere?: true;
  /** The one that waits to be merged, or that brought it: `result.arrived` says how. Absent where the ledger names none. */
  readonly pullRequest?: PullRequestView;
  /** Who withdrew it, and why. Absent: it was not cancelled. */
  readonly cancelled?: { readonly actor: Person; readonly at: string; readonly reason: string | null };
  /** In which respects the branch does not bear out what the ledger says, one sentence each; absent: none is known. */
  readonly problems?: readonly string[];
}

export interface ProposalInput {
  readonly planned: Planned;
  readonly author: Person;
  /** It waits for an approval also where no policy asks for one. */
  readonly propose?: boolean;
}

/** An earlier rollback that is asked for again. */
export interface Repeated {
  /** As it was planned then. */
  readonly planned: Planned;
  /** null: it has no record but its commit on the branch. */
  readonly request: RequestView | null;
}

export interface Repair {
  readonly requestId: RequestId;
  /** `proposed`: its pull request was opened, or its branch made anew; `withdrawn`: its pull request is closed. */
  readonly action: 'completed' | 'expired' | 'settled' | 'reopened' | 'proposed' | 'withdrawn' | 'failed';
  /** A sentence. */
  readonly detail: string;
}

/** Why one that waits to be merged could not be looked at; it is looked at again. */
export interface Problem {
  readonly requestId: RequestId;
  readonly code: FailureCode;
  /** A sentence. */
  readonly message: string;
}

export interface SessionView extends BreakGlassSession {
  readonly active: boolean;
  readonly identity: Identity;
  /** What whoever opens it should know; absent: nothing. */
  readonly findings?: readonly Finding[];
}

/** One event of the ledger. */
export interface AuditEntry {
  readonly commit: ObjectId;
  readonly eventId: string;
  /** `opened`, `approved`, …, `session-opened`, `session-closed`. */
  readonly event: string;
  readonly at: string;
  readonly actor: Person;
  /** How a server knew them; absent: they wrote it themselves. */
  readonly authenticated?: Authentication;
  readonly identity: Identity;
  readonly requestId: RequestId | null;
  readonly sessionId: SessionId | null;
  readonly scope: string;
  /** The request's after it. */
  readonly status: string | null;
  readonly subject: string;
  readonly comment: string | null;
  /** In which respects the commit says something else than its event, one sentence each; [] for what Backtrail wrote. */
  readonly problems: readonly string[];
}

/** One event and where it stands in the ledger: `<commit>.<number>`, the number of the event in its commit, from 1. */
export interface LedgerEvent extends AuditEntry {
  readonly position: string;
  /** What the ledger said of its request, or its session, as of then. Absent where that was not asked for, or the commit holds no event. */
  readonly state?: { readonly request: LedgerRequest | null; readonly session: BreakGlassSession | null };
}

/** What the ledger gained after a position. */
export interface LedgerEvents {
  /** Oldest first. */
  readonly events: readonly LedgerEvent[];
  /** Where to go on from. Of a ledger without events: `0`. */
  readonly position: string;
  /** There are more after these. */
  readonly hasMore: boolean;
  /** By the policy of the moment in which they were read: for each of many who ask. */
  readonly mayRead: (reader: Actor, scope: string) => boolean;
  /** `acme/production` of `acme/production/api`: by the layout of that moment. */
  readonly environmentOf: (scope: string) => EnvironmentName;
}

/** How many requests wait, and for how long: names nobody. */
export interface LedgerOverview {
  /** Requests that wait for approval. */
  readonly pending: number;
  /** Approved requests that wait for a worker, or are with one. */
  readonly waiting: number;
  /** Approved requests that wait to be merged. */
  readonly proposed: number;
  /** ISO 8601: since when the one of `waiting` that has waited longest may go ahead; null: none waits. */
  readonly waitingSince: string | null;
  /** As in `LedgerEvents`. */
  readonly position: string;
  /** What ended after the position that was named, oldest first; [] where none was. */
  readonly ended: readonly EndedRollback[];
}

export interface EndedRollback {
  /** Of the ledger: rollbacks that were published in one push have the same. */
  readonly commit: ObjectId;
  readonly mode: Mode;
  readonly outcome: 'completed' | 'unchanged' | 'failed';
  /** From the event that let it go ahead, as the ledger dates both; null where none did. */
  readonly seconds: number | null;
}

/** What waits to be merged. */
export interface Unmerged {
  readonly requestId: RequestId;
  readonly branch: string;
  /** Of its pull request; null where there is none yet, and for `via: branch`. */
  readonly url: string | null;
  /** Closed a moment ago: it counts as failed once whoever closed it had the time to write down why. */
  readonly isClosed: boolean;
}

/** Requests and break-glass sessions. Every call looks at the ledger anew; each that writes is one event, or none. */
export interface Requests {
  /**
   * Newest first. `reader`: only what they may read.
   *
   * @throws CONFIG_INVALID, LEDGER_REWOUND, LEDGER_TAMPERED, REMOTE_UNAVAILABLE; so do all others
   */
  list(filter: {
    readonly scope?: string;
    /** `null`: those without a tenant. */
    readonly tenant?: string | null;
    readonly environment?: string;
    /** An email: only what that person asked for. */
    readonly author?: string;
    readonly statuses?: readonly RequestStatus[];
    /** The id of an incident file: only what that asked for. */
    readonly incident?: string;
    readonly reader: Person;
    /** At most so many. */
    readonly limit?: number;
    /** Only those that come after this one, the last of another page. REQUEST_UNKNOWN where it is none of them. */
    readonly after?: RequestId;
  }): Promise<RequestView[]>;
  /** Of every request that they may read, newest first: to find one by a part of its id. */
  ids(filter: { readonly reader: Person }): Promise<RequestId[]>;
  /**
   * `reader`: who asks, where that is a person: they need the permission to `read`.
   *
   * @throws REQUEST_UNKNOWN, PERMISSION_DENIED
   */
  show(input: { readonly id: RequestId; readonly reader?: Person }): Promise<RequestView>;
  /**
   * Planned again on the present tip, for a person.
   *
   * @throws REQUEST_UNKNOWN, PERMISSION_DENIED, and what planning fails with
   */
  plan(input: {
    readonly id: RequestId;
    readonly reader: Person;
    readonly revisions?: boolean;
  }): Promise<RequestPlan>;
  /** The same for every open request of an incident, oldest first: each fails to be planned by itself. Never more than one look at the branch. */
  planIncident(input: {
    readonly incident: string;
    readonly reader: Person;
    readonly revisions?: boolean;
  }): Promise<readonly IncidentPlan[]>;
  /**
   * `digest`, `rendered`: of the plan that was looked at (`RequestPlan`); only that is approved. Where it is the plan of now, and not the one that
   * reviewers are asked about, they are asked again, about it.
   *
   * @throws REQUEST_NOT_PENDING, OWN_REQUEST, PERMISSION_DENIED, ALREADY_REVIEWED, PLACE_DIFFERS, and PLAN_CHANGED where what was looked at is not, or
   * not any more, what reviewers are asked about
   */
  approve(
    input: Act & { readonly comment?: string; readonly digest?: string; readonly rendered?: string },
  ): Promise<RequestView>;
  /** @throws REQUEST_NOT_PENDING, OWN_REQUEST, PERMISSION_DENIED, ALREADY_REVIEWED, PLACE_DIFFERS */
  reject(input: Act & { readonly comment?: string }): Promise<RequestView>;
  /**
   * Many votes of one person in one signed commit of the ledger and one push. Each is judged as `approve` or `reject` would, and refused by itself:
   * the others are written. Results are in the order of the votes.
   *
   * @throws INVALID_REQUEST where a request is named twice
   */
  reviewMany(input: {
    readonly actor: Person;
    readonly decision: Review['decision'];
    readonly comment?: string;
    readonly votes: readonly {
      readonly id: RequestId;
      /** Of the plan that was looked at. */
      readonly digest?: string;
      /** Of its manifests, where approvals bind to them; of no account for a rejection. */
      readonly rendered?: string;
    }[];
  }): Promise<readonly PromiseSettledResult<RequestView>[]>;
  /** @throws REQUEST_NOT_PENDING, PERMISSION_DENIED */
  cancel(input: Act & { readonly reason?: string }): Promise<RequestView>;
  /**
   * `event`: the id of its event; the same again adds no other note, and calls `onRepeated`.
   *
   * @throws INVALID_REQUEST, PERMISSION_DENIED, KEY_REUSED where the event is another one
   */
  note(
    input: Act & {
      readonly text: string;
      readonly kind?: NoteKind;
      readonly event?: EventId | undefined;
      readonly onRepeated?: () => void;
    },
  ): Promise<RequestView>;
  /**
   * A failed one, to the same target: it waits to be executed again, and its approvals are judged again then. For another target, ask
   * for one that follows it.
   *
   * @throws REQUEST_NOT_FAILED, PERMISSION_DENIED, PLACE_DIFFERS
   */
  retry(input: Act): Promise<RequestView>;
  /**
   * Many of them by one person, in one signed commit of the ledger and one push. Each is judged as `retry` would, and refused by itself: the others
   * are written. Results are in the order of the ids.
   *
   * @throws INVALID_REQUEST where a request is named twice
   */
  retryMany(input: {
    readonly ids: readonly RequestId[];
    readonly actor: Person;
  }): Promise<readonly PromiseSettledResult<RequestView>[]>;
  /**
   * Brings the ledger up to what the branch, the clock, the policy and code hosts say; `waiting`: approved, and not executed yet. `asksHost`: hosts are
   * asked now about their pull requests, however long ago they were asked last: for whoever hears of a change from them.
   *
   * @throws FORBIDDEN with a configuration from outside
   */
  reconcile(options?: { readonly asksHost?: boolean }): Promise<{
    readonly repairs: readonly Repair[];
    readonly waiting: readonly RequestId[];
    /** Approved, and waiting to be merged; absent: none. */
    readonly proposed?: readonly Unmerged[];
    /** Absent: none. */
    readonly problems?: readonly Problem[];
  }>;
  /** @throws BREAK_GLASS_FORBIDDEN, PERMISSION_DENIED, IDENTITY_UNVERIFIED, REASON_REQUIRED, INVALID_REQUEST, KEY_REUSED */
  openSession(input: {
    /** `bgs-` and 26 characters: the same again is the same session, and KEY_REUSED where another one was opened under it. A new one where absent. */
    readonly id?: SessionId;
    readonly scope: string;
    readonly holder: Person;
    readonly reason: string;
    readonly ticket?: string;
    /** As long as the policy allows, where absent. */
    readonly minutes?: number;
    /** Called where the session was opened before. */
    readonly onRepeated?: () => void;
  }): Promise<SessionView>;
  /** @throws SESSION_UNKNOWN, PERMISSION_DENIED */
  session(input: { readonly id: SessionId; readonly reader: Person }): Promise<SessionView>;
  /** @throws SESSION_UNKNOWN, PERMISSION_DENIED */
  closeSession(input: { readonly id: SessionId; readonly actor: Person }): Promise<SessionView>;
  /** `reviews`: requests that went ahead without approval, and that no one else has looked at yet. */
  sessions(reader: Person): Promise<{
    readonly sessions: readonly SessionView[];
    readonly reviews: readonly RequestView[];
  }>;
  /**
   * Closes the review of a request that went ahead without approval.
   *
   * @throws REVIEW_NOT_OPEN, OWN_REVIEW, IDENTITY_UNVERIFIED, PERMISSION_DENIED
   */
  inspect(input: Act & { readonly comment: string }): Promise<RequestView>;
  /**
   * Newest first. `since`: ISO 8601; `actor`: an email; `after`: only what comes after this one, the last of another page, as `COMMIT.EVENT-ID`.
   *
   * @throws INVALID_REQUEST where the ledger has none such
   */
  audit(filter: {
    readonly scope?: string;
    readonly since?: string;
    readonly actor?: string;
    readonly limit: number;
    readonly after?: string;
    readonly reader: Person;
  }): Promise<AuditEntry[]>;
  /**
   * What came after a position, for whoever follows the ledger: at most so many. Without a position: only where the ledger is now, or was before what
   * came `since`, in milliseconds since 1970 by the dates of its commits. Gives what anybody may read, and whom it may be shown to (`mayRead`): one
   * look serves many. `states`: with what the ledger said of each request as of then.
   *
   * @throws INVALID_REQUEST for a text that is no position, EVENT_UNKNOWN for one that the ledger does not hold
   */
  events(input: {
    readonly after?: string;
    readonly since?: number;
    readonly states?: boolean;
    readonly limit: number;
  }): Promise<LedgerEvents>;
  /** The request that an event of this id belongs to; null where the ledger has none such. */
  ofEvent(id: EventId): Promise<RequestId | null>;
  /** One email for all that `policy.people` of the branch joins with this one: the first of them, in lower case. */
  personId(email: string): Promise<string>;
  /**
   * How the ledger stands, and what ended after a position; fails where the repository cannot be reached, also where it is opened `offline`.
   *
   * @throws INVALID_REQUEST, EVENT_UNKNOWN as `events`
   */
  overview(input?: { readonly after?: string }): Promise<LedgerOverview>;
}

/** What a request would change now. */
export interface RequestPlan {
  /** Its `target` is named as it was when it was asked for. */
  readonly plan: RollbackPlan;
  readonly request: RequestView;
  /** It is not what reviewers are asked about. */
  readonly changed: boolean;
  /** Digest of the manifests, where approvals bind to them as well; null where they do not. */
  readonly rendered: string | null;
  /** What the reader may do with it now, and why not. */
  readonly may: {
    readonly approve: Permit;
    readonly reject: Permit;
    readonly retry: Permit;
    readonly cancel: Permit;
  };
}

/** One request of an incident, and what it would change now. */
export interface IncidentPlan {
  readonly request: RequestView;
  readonly planned: PromiseSettledResult<RequestPlan>;
}

export interface Act {
  readonly id: RequestId;
  readonly actor: Person;
}

export interface ExecuteRequestOptions extends ExecuteOptions {
  /** Whoever calls tries again after a failure that may pass: the request is not recorded as failed then. */
  readonly willRetry?: boolean;
  /**
   * In the name of the person who runs this, with their own right to push: where they have no list of trusted keys, signatures that
   * no one here can judge are taken on trust, and the commit says that they are unverified. A worker never does so.
   */
  readonly onTrust?: boolean;
  /** Who runs this, where that is a person: they need the permission to `deploy`. */
  readonly actor?: Person;
}
