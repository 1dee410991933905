import type { EnvironmentName } from './policy.ts';
import type { Entry, ObjectId } from './git.ts';
import { formatCoordinates, type Scope } from './scope.ts';
import type { CheckCode } from './checks.ts';
import type { Finding } from './finding.ts';
import type { PlannedHolds } from './hold.ts';
import type { PullRequestView, Way } from './pull-request.ts';
import type { RequestId, RollbackRequest } from './request.ts';

/**
 * Version of the planning rules, recorded in each rollback commit as Rollback-Engine. Earlier versions stay callable, so that a commit
 * can be recomputed under the rules it was made with. 2: `kind:` in `keep` matches YAML and JSON documents only, and items of a List; a
 * symlink at the path of a scope's folder belongs to the scope.
 * 3: `.env` and `.properties` files and documents inside strings have parts, which layouts select and `keep` matches.
 * 4: where a quorum asks for signed approvals, a request is signed as well, unless the policy says otherwise.
 */
export type Rules = 1 | 2 | 3 | 4;
export const ENGINE: Rules = 4;

/** One path of the commit to create; `after` null deletes it. `content` is set if the blob is not in the repository yet. */
export interface Write {
  readonly path: string;
  readonly after: (Entry & { readonly content?: Uint8Array }) | null;
}

/** One file that the plan changes, with its content before and after. */
export interface FileChange extends Write {
  readonly before: Entry | null;
}

/** The difference of one field, for display. Secret values are already masked. */
export interface FieldChange {
  readonly selector: string;
  readonly op: 'add' | 'remove' | 'replace';
  /** Source text of the value; absent on the side that does not have the field. */
  readonly before?: string;
  readonly after?: string;
  /** Unified hunks of a value of several lines, or of one whose shortened text hides a difference; not shortened. */
  readonly diff?: string;
}

/** The difference of one file: by field for formats that have fields, else as a unified diff. Masked. */
export interface FileDifference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'modified';
  readonly fields?: readonly FieldChange[];
  readonly diff?: string;
}

export interface ServiceDifference {
  /** null: files that belong to the environment but to no service. */
  readonly service: string | null;
  readonly files: readonly FileDifference[];
}

/** A path, or a part of it, that `keep` excludes from the rollback. */
export interface KeptPath {
  readonly path: string;
  readonly selector?: string;
  /** The pattern of `keep` that matches it. */
  readonly by: string;
}

export interface Impact {
  readonly services: readonly string[];
  readonly bindings: readonly string[];
  readonly variables: readonly string[];
  readonly files: number;
  readonly fields: number;
}

export interface RevisionRef {
  readonly commit: ObjectId;
  /** vN of the scope; null if the commit is older than the scope's first revision. */
  readonly version: number | null;
}

/** What a rollback will change: a plain value, computed by a pure function. */
export interface Plan {
  readonly engine: Rules;
  readonly scope: Scope;
  readonly branch: string;
  readonly base: ObjectId;
  readonly target: RevisionRef;
  readonly current: RevisionRef;
  readonly digest: string;
  /** Files of the scope that change, in path order; verification compares them after the push. */
  readonly files: readonly FileChange[];
  /** The same change as tree edits: a whole folder by one object id if nothing in it is kept. Deletions first. */
  readonly writes: readonly Write[];
  readonly changes: readonly ServiceDifference[];
  readonly kept: readonly KeptPath[];
  /** Files restored as a whole instead of by the parts that the scope selects in them. */
  readonly wholeFiles: readonly string[];
  readonly impact: Impact;
  /** Environments that own a changed path, the scope's first: the policy of each applies. */
  readonly owners: readonly EnvironmentName[];
  readonly findings: readonly Finding[];
  /** Codes of checks that would block it, and that are overridden. */
  readonly overrides: readonly CheckCode[];
  /** What it does with holds; absent where there is none. */
  readonly holds?: PlannedHolds;
  /** It lifts holds, and restores nothing: the holds, by path. */
  readonly resumes?: readonly string[];
}

/** `proposed`: it waits to be merged, as a pull request or as a branch alone. */
export type Status = 'completed' | 'unchanged' | 'pending' | 'approved' | 'executing' | 'proposed' | 'failed';

/** The stages of a rollback, in order. */
export const STEPS = ['planned', 'staged', 'delivered', 'published', 'verified'] as const;
export type Step = (typeof STEPS)[number];

/** Output of `rollback -o json`. */
export interface RollbackResult {
  readonly requestId: RequestId;
  readonly status: Status;
  readonly mode: Scope['mode'];
  /** `tenant/environment/service`, as far as given. */
  readonly scope: string;
  readonly base: ObjectId;
  readonly target: ObjectId;
  readonly commit: ObjectId | null;
  readonly deliveryCommit: ObjectId | null;
  readonly digest: string;
  readonly findings: readonly Finding[];
  /** Where it is `proposed`: short names of the branch that waits to be merged, and of the one that it is for. */
  readonly proposed?: { readonly via: Exclude<Way, 'push'>; readonly branch: string; readonly into: string };
  /** The pull request for it; absent where there is none, or none is known yet. */
  readonly pullRequest?: PullRequestView;
}

/** The result or the current state of a request. `outcome`: its parts that are not empty. */
export function resultOf(
  {
    id,
    scope,
    base,
    target,
    digest,
  }: Pick<RollbackRequest, 'id' | 'scope' | 'target' | 'digest'> & {
    readonly base: RollbackResult['base'];
  },
  status: RollbackResult['status'],
  outcome: Partial<
    Pick<RollbackResult, 'commit' | 'deliveryCommit' | 'findings' | 'proposed' | 'pullRequest'>
  > = {},
): RollbackResult {
  return {
    requestId: id,
    status,
    mode: scope.mode,
    scope: formatCoordinates(scope),
    base,
    target,
    commit: outcome.commit ?? null,
    deliveryCommit: outcome.deliveryCommit ?? null,
    digest,
    findings: outcome.findings ?? [],
    ...(outcome.proposed && { proposed: outcome.proposed }),
    ...(outcome.pullRequest && { pullRequest: outcome.pullRequest }),
  };
}
