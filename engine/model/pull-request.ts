import type { LogCommit, ObjectId, Person } from './git.ts';
import { isRequestId, type RequestId } from './request.ts';

/** How an environment's rollbacks reach the branch: `branch` pushes a branch beside it and leaves the rest to people. */
export const WAYS = ['push', 'pull-request', 'branch'] as const;
export type Way = (typeof WAYS)[number];

/** In the order in which one is chosen where the configuration names none. */
export const MERGE_METHODS = ['merge', 'rebase', 'squash'] as const;
export type MergeMethod = (typeof MERGE_METHODS)[number];

export const HOST_KINDS = ['github', 'gitlab', 'gitea'] as const;
export type HostKind = (typeof HOST_KINDS)[number];

/** One entry of `publish` in the configuration; the first that matches an environment applies. */
export interface PublishRule {
  /** Environments, as in `EnvironmentPolicy.match`. */
  readonly match: string;
  readonly via: Way;
  /** `auto`: a worker merges what the host says may be merged; `manual`: a person does. */
  readonly merge: 'auto' | 'manual';
  /** null: the first of MERGE_METHODS that the host allows. */
  readonly method: MergeMethod | null;
  readonly labels: readonly string[];
}

/** `host` in the configuration: what the address of the repository does not say. */
export interface HostNaming {
  readonly kind: HostKind | null;
  /** `owner/name`, with groups for GitLab: `acme/platform/config`. */
  readonly repository: string | null;
}

/** Branches of ours start with it; the id of a request follows. */
export const PROPOSED_BRANCH = 'backtrail/';

/** Short name of a branch of ours, for one request. */
export function isProposedBranch(branch: string): boolean {
  return branch.startsWith(PROPOSED_BRANCH) && isRequestId(branch.slice(PROPOSED_BRANCH.length));
}

/**
 * What a pull request brings to the branch, as digests of what a commit changes against its first parent (`changeDigest`): it is found on the
 * branch by these, whatever the host made of its message.
 */
interface ProposedChange {
  readonly revert: string;
  /** null: no delivery commit. */
  readonly delivery: string | null;
  /** Of both together: a merge or a squash of one request's pull request. */
  readonly whole: string;
}

/** How a rollback came to the branch: `queue` where the host's merge queue or train did it. */
export const ARRIVALS = ['merge', 'rebase', 'squash', 'queue'] as const;
export type Arrival = (typeof ARRIVALS)[number];

/** What was proposed for a request, while it is open. */
export interface Proposed {
  readonly via: Exclude<Way, 'push'>;
  /** Short name of the branch that was pushed: `backtrail/<id>`, of the first request where several share one. */
  readonly branch: string;
  /** The tip that it was made on. */
  readonly base: ObjectId;
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
  /** Where the branch was then: behind the last of those that share it. */
  readonly tip: ObjectId;
  readonly messages: { readonly revert: string; readonly delivery: string | null };
  readonly change: ProposedChange;
  /** Of everything that the branch brings, where several requests share it; absent: `change.whole`. */
  readonly together?: string;
}

/** The pull request itself, as the ledger and the host name it. */
export interface PullRequestLink {
  readonly number: number;
  readonly url: string;
}

/** `https://…` or `http://…`, in visible characters: it is printed, and people open it. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s\p{C}"'<>]+$/u.test(text) && URL.canParse(text);
}

/** What a host says of the checks on a commit. */
export interface StatusChecks {
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly pending: number;
}

export const HOST_REVIEW_STATES = ['approved', 'changes-requested', 'commented', 'dismissed'] as const;

export interface HostReview {
  /** Their name on the host. */
  readonly actor: string;
  readonly state: (typeof HOST_REVIEW_STATES)[number];
  /** ISO 8601. */
  readonly at: string;
}

/** A pull request as people and scripts see it. */
export interface PullRequestView extends PullRequestLink {
  readonly state: 'open' | 'closed' | 'merged';
  /** null: the host was not asked, or says nothing of it. */
  readonly statusChecks: StatusChecks | null;
}

export interface PullRequest extends PullRequestLink {
  readonly state: 'open' | 'closed' | 'merged';
  readonly isDraft: boolean;
  /** Short name of the branch that it brings; of another repository, with its name before it (`octo/fork:main`). */
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
  /** It takes signed commits alone: what it rebases itself has no signature, and `rebase` is not among the methods. Absent: it does not say. */
  readonly requiresSignatures?: boolean;
}

export interface NewPullRequest {
  readonly branch: string;
  /** Where the branch is; absent: anywhere. One that brought another commit of it, and was merged, is not it. */
  readonly head?: ObjectId;
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
  /**
   * What is open or merged for the branch already is given back: one, never two. Beside one that is closed, another is made. Labels that the host
   * does not take are left out.
   */
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

/** The code hosts that the operator lists. */
export interface CodeHosts {
  /**
   * The host of a repository, by the address of its remote. It is kept until these are closed: whoever opens it does not close it.
   *
   * @throws HOST_NOT_ALLOWED, CONFIG_INVALID, INVALID_REQUEST (the operator's own file)
   */
  open(address: string, naming: HostNaming): Promise<CodeHost>;
  /** The token may be the one of a workflow of GitHub Actions (`ghs_…`), as far as that can be seen. */
  hasActionsToken?(address: string, naming: HostNaming): Promise<boolean>;
  close(): Promise<void>;
}

/** A rollback or a resume that a pull request brought to the branch: the ledger says so, and the commit bears it out. */
export interface ArrivedChange {
  readonly requestId: RequestId;
  /** What brought it: a commit of the first-parent line, whatever its message says. `changes` is empty. */
  readonly commit: LogCommit;
  /** null: there are no manifests; `commit` itself where they came along with it. */
  readonly deliveryCommit: ObjectId | null;
  /** Those of our own commit, as `LogCommit.trailers`. */
  readonly trailers: readonly string[];
  /** Who asked for it. */
  readonly author: Person;
  readonly how: Arrival;
  /** The pull request; null where the ledger names none. */
  readonly link: PullRequestLink | null;
}

/** What pull requests brought to one line of commits. */
export interface Arrivals {
  /** A commit may bring several. */
  readonly at: ReadonlyMap<ObjectId, readonly ArrivedChange[]>;
  readonly of: ReadonlyMap<RequestId, ArrivedChange>;
}

export const NO_ARRIVALS: Arrivals = { at: new Map(), of: new Map() };
