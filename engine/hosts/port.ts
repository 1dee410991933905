/** What is asked of a code host, in one language for all of them. Every call is bounded in time, waits as long as the host asks, and follows no redirect to another host. */
import type {
  HostKind,
  HostReview,
  MergeMethod,
  ObjectId,
  PullRequestLink,
  StatusChecks,
} from '../model/index.ts';

export interface PullRequest extends PullRequestLink {
  readonly state: 'open' | 'closed' | 'merged';
  readonly isDraft: boolean;
  /** Short name of the branch that it brings. */
  readonly branch: string;
  /** Short name of the branch that it is for. */
  readonly into: string;
  /** Where the branch was when the host looked at it last. */
  readonly head: ObjectId;
  /** ISO 8601. Changes with everything that a look at the details could show, checks excepted. */
  readonly updatedAt: string;
}

/**
 * Whether the host would merge it: `yes`; `behind` (its rules ask for a newer base); `conflict`; `blocked` (by rules, reviews or checks that are
 * not met yet); `unknown` (not worked out yet: ask again).
 */
export type Mergeability = 'yes' | 'behind' | 'conflict' | 'blocked' | 'unknown';

export interface PullRequestDetails extends PullRequest {
  readonly mergeability: Mergeability;
  /** The host's own word for it: `blocked`, `ci_still_running`. */
  readonly hostState: string;
  readonly checks: StatusChecks;
  readonly reviews: readonly HostReview[];
  /** Once merged: the commit that the host names, and who merged it; null where it does not say. */
  readonly mergeCommit: ObjectId | null;
  readonly mergedBy: string | null;
}

/** What the host's settings say of merging into one branch. */
export interface MergeSettings {
  /** In the order of MERGE_METHODS. */
  readonly methods: readonly MergeMethod[];
  /** A merge queue or train merges, and nobody else. */
  readonly hasQueue: boolean;
  /** The token may merge past the rules; null where the host does not say. */
  readonly mayBypass: boolean | null;
  /** Pull requests can be drafts. */
  readonly hasDrafts: boolean;
}

export interface NewPullRequest {
  readonly branch: string;
  readonly into: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly labels: readonly string[];
}

export interface Merging {
  /** Merged only while the branch is there. */
  readonly head: ObjectId;
  readonly method: MergeMethod;
  /** Of the commit that the host makes. */
  readonly title: string;
  readonly message: string;
}

/**
 * One repository on one host. All reject with HOST_UNAVAILABLE (no answer in time, 5xx, or asked to wait longer than a call may), HOST_DENIED (401,
 * 403, or 404 where the token cannot see it), HOST_REFUSED (the host's own rules, with its message).
 */
export interface CodeHost {
  readonly kind: HostKind;
  /** `github.example.com`. */
  readonly name: string;
  /** `owner/name`. */
  readonly repository: string;
  settings(into: string): Promise<MergeSettings>;
  /** The newest one that brings this branch of this repository, in any state; null where there is none. */
  find(branch: string): Promise<PullRequest | null>;
  /** The open ones whose branch starts with PROPOSED_BRANCH. Pages of 100; asked conditionally where the host can. */
  listOpen(): Promise<readonly PullRequest[]>;
  read(number: number): Promise<PullRequestDetails>;
  /** What there is for the branch already is given back: one, never two. */
  create(input: NewPullRequest): Promise<PullRequest>;
  update(number: number, change: { readonly title?: string; readonly body?: string }): Promise<void>;
  setDraft(number: number, isDraft: boolean): Promise<void>;
  /** Closing what is closed, and reopening what is open, does nothing. HOST_REFUSED where it is merged. */
  closePullRequest(number: number): Promise<void>;
  reopenPullRequest(number: number): Promise<void>;
  /**
   * One call. `merged`, or why not: `moved` (the branch is elsewhere), `refused` (its rules are not met, or a queue merges).
   */
  merge(number: number, merging: Merging): Promise<'merged' | 'moved' | 'refused'>;
  /** Ends connections. */
  close(): Promise<void>;
}
