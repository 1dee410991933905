/** What an export of an audit says: every change of a period, and what proves that these are all. Times are ISO 8601 in UTC. */
import type {
  Arrival,
  FileDifference,
  Mode,
  ObjectId,
  Permission,
  Person,
  RequestId,
  RequestStatus,
  SessionId,
  VotePlace,
} from '../../model/index.ts';
import type { Problem, Verdict } from '../problems.ts';
import type { AuditRow, LedgerProblem, OutsideCommit, ReaderName } from '../types.ts';

export interface ExportAsk {
  /** A day (`2026-11-20`, in UTC) or a time (`2026-11-20T10:00Z`). */
  readonly from: string;
  /** A day, all of which belongs to it; or a time, from which on nothing belongs to it. */
  readonly to: string;
  /** Only changes of these, and of what is in them. What proves completeness is always that of the whole branch. */
  readonly scopes?: readonly string[];
  /** The second reader where the repository is small enough, where absent. */
  readonly reader?: ReaderName;
}

/** Somebody's deed, and what vouches for its being theirs. */
export interface Signed {
  readonly by: Person;
  readonly at: string;
  /** Fingerprint of the key that signed it; null: it is not signed, or has no event. */
  readonly key: string | null;
  /** `verified`: the list of trusted keys has that key for that person. */
  readonly identity: 'verified' | 'unverified';
  /** The commit of the ledger; null: the ledger has none of it. */
  readonly event: ObjectId | null;
  /** By the key of a server, which signs for people. Absent: no. */
  readonly server?: true;
}

export interface ExportedVote extends Signed {
  readonly decision: 'approved' | 'rejected';
  readonly comment: string | null;
  /** By the policy that was in force. */
  readonly counts: boolean;
  /** By whoever asked for it, or by the same key. */
  readonly isOwn: boolean;
  /** Where it is for. Absent: the configuration named no repository. */
  readonly place?: VotePlace;
}

/** What was asked of an environment; null for whom: everybody. */
export interface PolicyInForce {
  readonly environment: string;
  readonly match: string;
  readonly quorum: number;
  readonly selfApproval: boolean;
  /** Emails. */
  readonly approvers: readonly string[] | null;
  readonly rejections: number;
  readonly unsignedApprovals: boolean;
  readonly unsignedRequests: boolean;
  readonly bind: 'digest' | 'rendered';
  /** Only a person's own key vouches. Absent: also that of a server. */
  readonly signedBy?: 'person';
  /** Minutes; null: none. */
  readonly breakGlass: number | null;
}

export interface ExportedChange {
  /** '' where a commit names none, or several. */
  readonly requestId: string;
  /** `commit`: its commit belongs to the period. `events`: only events of its request do. */
  readonly within: 'commit' | 'events';
  readonly kind: AuditRow['kind'];
  readonly scope: string;
  readonly mode: Mode | null;
  readonly fields: readonly string[];
  readonly reason: string;
  /** Of the request now; null: the ledger has none. */
  readonly status: RequestStatus | null;
  readonly asked: Signed | null;
  readonly votes: readonly ExportedVote[];
  /** Whoever completed it. */
  readonly executed: Signed | null;
  readonly breakGlass: { readonly session: SessionId; readonly ticket: string | null } | null;
  /** By the configuration at the base: `config` is its blob; null where it cannot be read. */
  readonly policy: {
    readonly base: ObjectId;
    readonly config: ObjectId;
    readonly rules: readonly PolicyInForce[];
  } | null;
  readonly commit: ObjectId | null;
  /** null: the commit is not among those of the period. */
  readonly tree: ObjectId | null;
  /** The commit before it. */
  readonly base: ObjectId | null;
  readonly target: ObjectId | null;
  readonly deliveryCommit: ObjectId | null;
  readonly how: 'push' | Arrival | null;
  /** Of the commit, but not of its manifests. Secrets are masked. */
  readonly difference: readonly FileDifference[];
  /** Files whose differences were left out, as they are too large; their paths are there. */
  readonly omitted: number;
  readonly times: {
    readonly asked: string | null;
    /** The last vote that was needed. */
    readonly approved: string | null;
    /** The commit's own date. */
    readonly published: string | null;
    readonly completed: string | null;
  };
  /** null: nothing of it is on the branch that could be judged. */
  readonly audit: { readonly verdict: Verdict; readonly problems: readonly Problem[] } | null;
}

/** A line of the matrix: who asked, who approved, who executed. A change with two votes counts in two of them. */
export interface Duty {
  /** Emails. */
  readonly asked: string;
  /** null: nobody. */
  readonly approved: string | null;
  readonly executed: string;
  readonly count: number;
  readonly flags: readonly DutyFlag[];
  readonly requests: readonly string[];
}

/**
 * `self-approved`: who asked is who approved. `same-key`: one key asked and approved, in two names. `unapproved`: a policy asked for votes and none
 * counts. `break-glass`: no vote was asked for.
 */
export type DutyFlag = 'self-approved' | 'same-key' | 'unapproved' | 'break-glass';

export interface GlassReview extends Signed {
  readonly comment: string;
  /** By whoever broke the glass, or by the same key. */
  readonly isOwn: boolean;
}

export interface GlassUse {
  readonly requestId: RequestId;
  readonly scope: string;
  readonly commit: ObjectId | null;
  readonly at: string;
  readonly review: GlassReview | null;
  /** From the use to the review; null: nobody else has reviewed it. */
  readonly hoursToReview: number | null;
}

export interface GlassSession {
  readonly session: SessionId;
  readonly scope: string;
  readonly reason: string;
  readonly ticket: string | null;
  readonly opened: Signed;
  readonly expiresAt: string;
  readonly closed: Signed | null;
  readonly uses: readonly GlassUse[];
}

export interface ConfigurationChange {
  readonly commit: ObjectId;
  readonly author: Person;
  /** When it says that it was committed; null where it does not say. */
  readonly time: string | null;
  readonly subject: string;
  /** `policy` is another one than before. */
  readonly policy: boolean;
  /** Secrets are masked. */
  readonly difference: readonly FileDifference[];
  readonly omitted: number;
}

export interface Holder {
  /** Email; `*`: everybody. */
  readonly who: string;
  /** `approve`: is among those whose votes a policy asks for. */
  readonly permission: Permission | 'approve';
  /** The pattern of environments that it is for. */
  readonly in: string;
}

export interface Holders {
  readonly commit: ObjectId;
  readonly holders: readonly Holder[];
}

/** Commits that change an environment whose policy asks for votes, and are neither a rollback nor its manifests. */
export interface DirectCommits {
  readonly environment: string;
  /** Email, as the commits have it. */
  readonly author: string;
  readonly commits: number;
  readonly oldest: ObjectId;
  readonly newest: ObjectId;
}

export interface AuditExport {
  readonly form: 1;
  /** From the first of these times on, and before the second. */
  readonly period: { readonly from: string; readonly until: string };
  /** Without credentials. */
  readonly repository: string;
  readonly reader: ReaderName;
  readonly madeAt: string;
  readonly branch: {
    readonly name: string;
    readonly tip: ObjectId;
    /** The commit before the first one of the period; null: there is none. */
    readonly before: ObjectId | null;
    readonly first: ObjectId | null;
    readonly last: ObjectId | null;
    readonly commits: number;
    /** Rollbacks, resumes, and what says that it is one. */
    readonly rollbacks: number;
    /** Commits among them whose own date is not of the period. */
    readonly misdated: number;
    /** What was never fetched cannot be counted. */
    readonly shallow: boolean;
  };
  readonly ledger: {
    readonly ref: string;
    readonly tip: ObjectId | null;
    readonly before: ObjectId | null;
    readonly first: ObjectId | null;
    readonly last: ObjectId | null;
    readonly commits: number;
    readonly events: number;
    /** Commits whose events a trusted key of their actor signed. */
    readonly signed: number;
    /** With an event in the period, by what they are now. */
    readonly requests: number;
    readonly states: Readonly<Record<string, number>>;
    readonly problems: readonly LedgerProblem[];
  };
  readonly counts: {
    readonly changes: number;
    /** Whose commit belongs to the period. */
    readonly published: number;
    readonly honest: number;
    readonly tampered: number;
    readonly unverifiable: number;
    readonly selfApproved: number;
    readonly breakGlass: number;
    readonly unreviewed: number;
  };
  /** Newest first. */
  readonly changes: readonly ExportedChange[];
  readonly duties: readonly Duty[];
  readonly breakGlass: readonly GlassSession[];
  /** Seconds from the asking to the end of what was completed; null where nothing was. */
  readonly recovery: {
    readonly count: number;
    readonly median: number | null;
    readonly p95: number | null;
    /** Changes without a time of asking or of completion: the ledger has none of them. */
    readonly unmeasured: number;
  };
  readonly configuration: readonly ConfigurationChange[];
  readonly permissions: {
    /** null: there was no configuration that could be read. */
    readonly start: Holders | null;
    readonly end: Holders | null;
    readonly added: readonly Holder[];
    readonly removed: readonly Holder[];
  };
  readonly direct: {
    readonly commits: number;
    /** Commits of which it cannot be said, as what they change is missing here or too large. */
    readonly unreadable: number;
    readonly by: readonly DirectCommits[];
  };
  readonly outside: readonly OutsideCommit[];
  /** The list of keys that were trusted, as `ssh-keygen` reads it; null: there was none. */
  readonly signers: string | null;
  /** A script for `sh` that verifies it with git and ssh-keygen. */
  readonly script: string;
}
