/**
 * The failure table: every error code of Backtrail with its HTTP status, exit code, retry rule and hint.
 * Edges (command line, worker, later HTTP) look a code up here and decide nothing themselves.
 */

import { CHECKS } from './checks.ts';

/** `never`: a retry fails the same way. `later`: the cause may be temporary. `replan`: plan again on the new tip at once. */
export type Retry = 'never' | 'later' | 'replan';

export interface FailureRule {
  /** HTTP status. */
  readonly status: number;
  /** Exit code of the command line: 1 unexpected, 2 invalid request, 3 blocked, 4 conflict, 5 awaiting approval, 6 remote or queue unavailable. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6;
  readonly retry: Retry;
  /** What the user can do, where the failing code gives no better hint. */
  readonly hint: string;
}

const invalid = (hint: string): FailureRule => ({ status: 400, exit: 2, retry: 'never', hint });
const missing = (hint: string): FailureRule => ({ status: 404, exit: 2, retry: 'never', hint });
const forbidden = (hint: string): FailureRule => ({ status: 403, exit: 3, retry: 'never', hint });
const blocked = (hint: string): FailureRule => ({ status: 422, exit: 3, retry: 'never', hint });

export const FAILURES = {
  INVALID_REQUEST: invalid('See `backtrail COMMAND --help`.'),
  SCOPE_INVALID: invalid(
    'Write a scope as [tenant/]environment[/service], for example acme/production/api-gateway.',
  ),
  SELECTOR_INVALID: invalid('Write a selector as a JSON Pointer, for example /releases[name=api]/version.'),
  REVISION_INVALID: invalid(
    'Use v12, a commit id, previous, last-successful, @2026-11-20T10:00Z, @2h, HEAD~1, or a tag or branch.',
  ),
  FIELD_INVALID: invalid(
    'Name a field as a short name of `fields` in the configuration, or as path#selector.',
  ),
  FIELD_NEEDS_SERVICE: invalid('Short field names belong to a service: add the service to the scope.'),
  FIELD_OUT_OF_SCOPE: invalid('Choose a field inside the scope, or a scope that holds the field.'),
  REASON_REQUIRED: invalid('Give the reason with --reason TEXT; it becomes part of the commit.'),
  CONFIRMATION_REQUIRED: invalid('Run it on a terminal, or confirm with --yes.'),
  CONFIG_INVALID: invalid('Correct the configuration at the position named.'),
  CONFIG_MISSING: invalid(
    '`backtrail init` proposes one; or commit .backtrail/config.yaml to the branch, or name a file with --config FILE.',
  ),
  CONFIG_PRESENT: invalid('Edit it there, or write a proposal beside it with --file FILE and compare.'),
  TARGET_REQUIRED: invalid('Name the revision to return to: `backtrail history SCOPE` lists them.'),
  FIELDS_REQUIRED: invalid('Name at least one field with --field.'),
  REQUEST_NOT_PENDING: invalid('`backtrail request show ID` shows its status.'),
  REQUEST_NOT_FAILED: invalid(
    'Only a failed request can be retried; `backtrail request show ID` shows its status.',
  ),
  REVIEW_NOT_OPEN: invalid('`backtrail break-glass list` shows the sessions that need a review.'),
  HOLD_UNKNOWN: missing('`backtrail holds` lists what is held.'),
  REQUEST_UNKNOWN: missing('`backtrail request list` lists them.'),
  EVENT_UNKNOWN: missing('Read what you follow anew, and go on from the newest event.'),
  DEPLOYMENT_UNKNOWN: missing('`backtrail deployment list` lists them.'),
  SESSION_UNKNOWN: missing('`backtrail break-glass list` lists them.'),
  TOKEN_UNKNOWN: missing('`backtrail token list` lists them.'),
  TENANT_UNKNOWN: missing('`backtrail environments` lists the tenants that the layout matches.'),
  ENVIRONMENT_UNKNOWN: missing('`backtrail environments` lists the environments that the layout matches.'),
  SERVICE_UNKNOWN: missing('`backtrail environments` lists the services that the layout matches.'),
  FIELD_UNKNOWN: missing('`backtrail show SCOPE HEAD` lists the fields that exist.'),
  REVISION_UNKNOWN: missing('`backtrail history SCOPE` lists the revisions.'),
  REVISION_NOT_ON_BRANCH: missing('Choose a commit of the branch: `backtrail history SCOPE` lists them.'),
  REPOSITORY_UNKNOWN: missing('Name a Git repository with --repo PATH or --repo URL.'),
  REPOSITORY_UNTRUSTED: blocked(
    'The repository belongs to another user: git config --global --add safe.directory PATH.',
  ),
  REPOSITORY_MIRRORS: blocked('Name the remote that it mirrors with --repo URL.'),
  LIVE_NOT_CONFIGURED: missing(
    'Say in `live` of the configuration which cluster runs it: docs/live.md shows how.',
  ),
  BRANCH_UNKNOWN: missing('Set `branch` in the configuration to a branch that exists.'),

  LAYOUT_UNCLEAR: blocked(
    'Name the environments (--environments prod,staging), a shape (--shape NAME) or an example (--like PATH=prod/api); or start from the template.',
  ),
  PLAN_BLOCKED: blocked('Read the findings of the plan.'),
  TARGET_ABSENT: blocked(
    'Choose a later revision, or add --allow-removal to remove what did not exist then.',
  ),
  HOLD_STUCK: blocked('Mend the file by hand, and remove the file of the hold in the same commit.'),
  EDIT_REFUSED: blocked('Restore the whole file with --whole-file, or edit it by hand.'),
  KEPT: blocked('The configuration excludes this path from every rollback (`keep`).'),
  PATH_COLLISION: blocked('Move the file that is in the way, or choose a wider scope.'),
  PATH_UNSAFE: blocked(
    'The tree holds a name that Git must not check out; remove it from the history first.',
  ),
  SHALLOW_TARGET: blocked('Fetch the full history: git fetch --unshallow.'),
  TARGET_INELIGIBLE: blocked(CHECKS.TARGET_INELIGIBLE.next),
  FIXED_FIELD: blocked(CHECKS.FIXED_FIELD.next),
  IMMUTABLE_FIELD: blocked(CHECKS.IMMUTABLE_FIELD.next),
  DESTRUCTIVE: blocked(CHECKS.DESTRUCTIVE.next),
  MIGRATION_CROSSED: blocked(CHECKS.MIGRATION_CROSSED.next),
  RAW_SECRET: blocked(CHECKS.RAW_SECRET.next),
  DANGLING_REFERENCE: blocked(CHECKS.DANGLING_REFERENCE.next),
  SHARED_FILE: blocked(CHECKS.SHARED_FILE.next),
  SHARED_CHANGED: blocked(CHECKS.SHARED_CHANGED.next),
  IMAGE_MISSING: blocked(CHECKS.IMAGE_MISSING.next),
  IMAGE_MUTABLE: blocked(CHECKS.IMAGE_MUTABLE.next),
  IMAGE_UNCHECKED: blocked(CHECKS.IMAGE_UNCHECKED.next),
  WINDOW_CLOSED: blocked(CHECKS.WINDOW_CLOSED.next),
  MODE_FORBIDDEN: blocked(CHECKS.MODE_FORBIDDEN.next),
  RECURRING: blocked(CHECKS.RECURRING.next),
  IN_FLIGHT: blocked(CHECKS.IN_FLIGHT.next),
  PUSH_DENIED: blocked(CHECKS.PUSH_DENIED.next),
  // Not fetched here: git would run programs named by the repository's own configuration (remote helpers, uploadpack).
  PARTIAL_CLONE: blocked(
    'Fetch the missing objects with `git fetch --refetch --no-filter`, or name the remote itself with --repo URL.',
  ),
  SHA256_UNSUPPORTED: blocked('Install git: a repository with SHA-256 object ids can only be read with git.'),
  FILE_TOO_LARGE: blocked('Choose a narrower scope.'),
  OUTPUT_UNSAFE: blocked('Change `delivery.output` in the configuration, or rename what is in the way.'),
  RENDER_FAILED: blocked('Fix the file named, or choose another target.'),
  WORKTREE_DIRTY: blocked('Commit or stash the local changes that overlap, then run it again.'),
  FILTER_UNTRUSTED: blocked(
    'Define the filter in your own settings (git config --global filter.NAME.smudge …), or name the remote itself with --repo URL.',
  ),
  BRANCH_CHECKED_OUT: blocked('The branch is checked out in another worktree; run it there.'),
  REMOTE_REJECTED: blocked('The server rejected the push by one of its own rules; read its message.'),
  HOST_REFUSED: blocked('The code host refused it by one of its own rules; read its message.'),
  HOST_NOT_ALLOWED: blocked(
    'List the host in the file that BACKTRAIL_HOSTS names, where rollbacks are executed; or use `via: branch`.',
  ),
  METHOD_REFUSED: blocked('Choose a method that the host allows, in `publish` of the configuration.'),
  DESCENT_BROKEN: blocked('The new value does not descend from the published one; nothing was forced.'),
  FORBIDDEN: {
    status: 403,
    exit: 3,
    retry: 'never',
    hint: 'Start a worker that serves it, or one without --repo.',
  },

  UNAUTHENTICATED: {
    status: 401,
    exit: 3,
    retry: 'never',
    hint: 'Send `Authorization: Bearer TOKEN`: `backtrail token create` makes one, and single-user mode prints its own.',
  },
  ORIGIN_FOREIGN: forbidden('Call the server by its own address, and from its own pages.'),
  BODY_UNSUPPORTED: {
    status: 415,
    exit: 2,
    retry: 'never',
    hint: 'Send it as Content-Type: application/json.',
  },
  NOT_ACCEPTABLE: { status: 406, exit: 2, retry: 'never', hint: 'Ask for the form that the call has.' },
  ISSUER_UNAVAILABLE: {
    status: 503,
    exit: 6,
    retry: 'later',
    hint: 'The issuer of the token cannot be asked for its keys; it is asked again in half a minute.',
  },
  SERVER_STOPPING: { status: 503, exit: 6, retry: 'later', hint: 'Ask again in a moment.' },
  HOOK_UNKNOWN: missing('List the host under `hooks` in the file that --server-config names.'),
  HOOK_UNPROVEN: forbidden(
    'Give the host the secret of the file that `hooks` names for it (docs/serving.md).',
  ),
  TOO_MANY_CALLS: { status: 429, exit: 6, retry: 'later', hint: 'Wait as long as Retry-After says.' },
  PERMISSION_DENIED: forbidden(
    'Ask a person who has the permission, or request it: `policy.permissions` in the configuration.',
  ),
  TOKEN_TOO_NARROW: forbidden(
    'Use other credentials: those that were sent allow less than the person may do (`backtrail token create --scope … --in …`).',
  ),
  OWN_REQUEST: forbidden('Ask another person to review it; the policy does not count the author.'),
  OWN_REVIEW: forbidden('Another person must review what was executed without approval.'),
  IDENTITY_UNVERIFIED: forbidden(
    'Sign with an SSH key that the worker trusts: git config --global gpg.format ssh; git config --global user.signingKey FILE.',
  ),
  PLACE_DIFFERS: forbidden(
    'Ask for it again where it is to be executed: `backtrail rollback`. `repository` in the configuration names where that is.',
  ),
  BREAK_GLASS_FORBIDDEN: forbidden('Request approval: `backtrail rollback` shows who can give it.'),
  POLICY_UNSATISFIABLE: blocked('Correct `policy` in the configuration on the branch.'),
  SIGNING_FAILED: blocked('Try it with `git commit -S` and the same user, then run it again.'),
  LEDGER_REWOUND: blocked(
    'The ledger was force-pushed to an earlier state: push the commit named to it again.',
  ),
  LEDGER_NEWER: blocked('Update this program: a newer version of it has written to the ledger.'),
  LEDGER_TAMPERED: blocked(
    'Compare `git log` of the ledger with other copies of it before executing anything.',
  ),
  ALREADY_REVIEWED: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'Each person has one vote; add a comment with `backtrail request note`.',
  },
  DEPLOYMENT_STATUS: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: '`backtrail deployment show ID` shows its status; docs/deployments.md has the table of transitions.',
  },
  DEPLOYMENT_AMBIGUOUS: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'Name the environment, the tenant or the service that is meant.',
  },
  SCOPE_BUSY: {
    status: 409,
    exit: 4,
    retry: 'later',
    hint: 'A worker executes a rollback of this scope: look at the request named, then ask again.',
  },
  AUDIT_BUSY: {
    status: 409,
    exit: 4,
    retry: 'later',
    hint: 'The server makes one audit at a time: ask again when it has ended.',
  },
  REQUEST_EXISTS: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'Use another --request-id; `backtrail log` and `backtrail request show ID` show the earlier rollback.',
  },
  KEY_BUSY: {
    status: 409,
    exit: 4,
    retry: 'later',
    hint: 'Wait for the answer of the first call, or send it again in a moment.',
  },
  KEY_REUSED: {
    status: 422,
    exit: 4,
    retry: 'never',
    hint: 'Send the same body again, or make a new key for another one.',
  },
  AWAITING_APPROVAL: {
    status: 409,
    exit: 5,
    retry: 'never',
    hint: '`backtrail request show ID` shows who can approve.',
  },
  REQUEST_CLOSED: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'Make a new request with `backtrail rollback`.',
  },
  EXECUTION_FAILED: {
    status: 500,
    exit: 1,
    retry: 'never',
    hint: 'Fix the cause named, then run `backtrail request retry ID`.',
  },
  PLAN_CHANGED: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'The scope changed after the plan was confirmed: plan again and confirm the new plan.',
  },
  PULL_REQUEST_CLOSED: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: '`backtrail request retry ID` opens it again.',
  },
  PULL_REQUEST_CHANGED: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'Somebody else changed the branch of the pull request: `backtrail request retry ID` makes it anew.',
  },
  MERGED_OTHERWISE: {
    status: 409,
    exit: 4,
    retry: 'never',
    hint: 'Look at what was merged with `backtrail compare`, then ask for the rollback again if it is still needed.',
  },
  BRANCH_MOVED: { status: 409, exit: 4, retry: 'replan', hint: 'The branch keeps moving: run it again.' },

  REMOTE_UNAVAILABLE: {
    status: 503,
    exit: 6,
    retry: 'later',
    hint: 'Check the address and the network, then try again.',
  },
  REMOTE_DENIED: {
    status: 502,
    exit: 6,
    retry: 'never',
    hint: 'Check the credentials that git uses for this remote.',
  },
  HOST_UNAVAILABLE: {
    status: 503,
    exit: 6,
    retry: 'later',
    hint: 'The code host does not answer, or asks to wait; it is tried again.',
  },
  HOST_DENIED: {
    status: 502,
    exit: 6,
    retry: 'never',
    hint: 'Check the token of the host in the file that BACKTRAIL_HOSTS names, and what it may do.',
  },
  QUEUE_UNAVAILABLE: {
    status: 503,
    exit: 6,
    retry: 'later',
    hint: 'Start Redis, or set REDIS_URL. One rollback needs none: without --queue it runs in this process.',
  },
  REPOSITORY_LOCKED: {
    status: 503,
    exit: 6,
    retry: 'later',
    hint: 'Another git process holds a lock; if none is running, remove the lock file named.',
  },
  GIT_MISSING: { status: 500, exit: 3, retry: 'never', hint: 'Install git 2.36 or later.' },
  GIT_TIMEOUT: { status: 504, exit: 6, retry: 'later', hint: 'Git took too long; try again.' },
  GIT_FAILED: { status: 500, exit: 1, retry: 'later', hint: 'Run `git fsck` on the repository.' },
  OBJECT_MISSING: { status: 500, exit: 1, retry: 'never', hint: 'Run `git fsck` on the repository.' },
  MESSAGE_MISMATCH: {
    status: 500,
    exit: 1,
    retry: 'never',
    hint: 'Please report this: nothing was published.',
  },
  VERIFY_FAILED: {
    status: 500,
    exit: 1,
    retry: 'never',
    hint: 'Compare the branch with the plan by hand before you continue.',
  },
  INTERRUPTED: {
    status: 499,
    exit: 1,
    retry: 'never',
    hint: 'Nothing was published; run it again if you still want it.',
  },
  INTERNAL: {
    status: 500,
    exit: 1,
    retry: 'never',
    hint: 'Please report this with the command that you ran.',
  },
} as const satisfies Record<string, FailureRule>;

export type FailureCode = keyof typeof FAILURES;

export interface FailureDetails {
  readonly [key: string]: unknown;
}

/** The only error that the engine throws on purpose. `message` is one sentence; match on `code`, never on the class. */
export class BacktrailError extends Error {
  readonly code: FailureCode;
  readonly hint: string;
  readonly details: FailureDetails;

  constructor(
    code: FailureCode,
    message: string,
    options: { hint?: string; details?: FailureDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BacktrailError';
    this.code = code;
    this.hint = options.hint ?? FAILURES[code].hint;
    this.details = options.details ?? {};
  }
}

/** True for a BacktrailError, also one from another copy of the package: compares by `code`, not by class. */
export function isFailure(error: unknown): error is BacktrailError {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && Object.hasOwn(FAILURES, error.code) && 'hint' in error;
}

/** Takes credentials out of a text that goes to a log, through the queue or into the ledger: those of URLs, and tokens of known forms. */
export function redact(text: string): string {
  return text
    .replace(/(:\/\/)(?:[^\s/"\\]|\\[^/])*@/g, '$1***@')
    .replace(/\b(gh[pousr]_|github_pat_|glpat-|bt_[0-9a-z]{16}_)[\w-]{10,}/g, '$1***')
    .replace(/\b(authorization\s*[:=]\s*"?)(?:(?:bearer|basic|token)\s+)?[^\s",]+/gi, '$1***');
}
