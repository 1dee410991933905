/** Gitea and Forgejo: docs.gitea.com/api. A page holds at most 50 there, unless its administrator allows more. */
import { z } from 'zod';
import { type HostReview, MERGE_METHODS, type MergeMethod, PROPOSED_BRANCH } from '../../model/index.ts';
import {
  alreadyMerged,
  count,
  line,
  numbered,
  objectId,
  readAnswer,
  readOurs,
  statusOf,
  time,
  unlessHidden,
  unlessRefused,
  webUrl,
} from '../answers.ts';
import {
  type CheckState,
  countChecks,
  foreignBranch,
  type HostContext,
  hasNextPage,
  lookUntil,
  MOST_PAGES,
  isGiven,
  newest,
  PER_PAGE,
} from './context.ts';
import { GITEA_DRAFT, titleAs } from './draft-title.ts';
import { answered, openGitea } from './gitea-client.ts';
import {
  areChecksGreen,
  areReviewsMet,
  type Check,
  type GiteaReview,
  type GiteaRules,
  unreported,
} from './gitea-rules.ts';
import type {
  CodeHost,
  Mergeability,
  MergeSettings,
  Merging,
  NewPullRequest,
  PullRequest,
  PullRequestDetails,
} from '../../model/index.ts';

/** `ref` names the pull request instead where the branch is gone; `label` keeps its name. */
const head = z.object({ label: line, ref: line, sha: objectId, repo_id: z.number().nullish() });
const pullSchema = z.object({
  number: numbered,
  html_url: webUrl,
  state: z.enum(['open', 'closed']),
  title: z.string().max(4000),
  draft: z.boolean().default(false),
  merged: z.boolean().default(false),
  mergeable: z.boolean().default(false),
  updated_at: time,
  head,
  base: z.object({ ref: line, sha: objectId, repo_id: z.number().nullish() }),
  merge_base: z.string().default(''),
  merge_commit_sha: objectId.nullish(),
  merged_by: z.object({ login: line }).nullish(),
});
/** Of a fork that is gone, it is -1. */
const key = z.object({
  head: z.object({ label: line, ref: line, repo_id: numbered }),
  base: z.object({ repo_id: numbered }),
});
type Pull = z.output<typeof pullSchema>;

const repositorySchema = z.object({
  allow_merge_commits: z.boolean().default(false),
  allow_rebase: z.boolean().default(false),
  allow_squash_merge: z.boolean().default(false),
  permissions: z.object({ admin: z.boolean().default(false) }).optional(),
});
const branchSchema = z.object({
  protected: z.boolean().default(false),
  required_approvals: count.default(0),
  enable_status_check: z.boolean().default(false),
  status_check_contexts: z.array(line).nullish(),
  user_can_push: z.boolean().optional(),
  effective_branch_protection_name: line.default(''),
});
const protectionsSchema = z.array(
  z.object({
    rule_name: line.default(''),
    block_on_outdated_branch: z.boolean().default(false),
    block_on_rejected_reviews: z.boolean().default(false),
    block_admin_merge_override: z.boolean().default(false),
    require_signed_commits: z.boolean().default(false),
  }),
);
const statusesSchema = z.object({
  statuses: z.array(z.object({ context: line, status: line })).nullish(),
  total_count: count.default(0),
});
const reviewSchema = z.object({
  user: z.object({ login: line }).nullish(),
  state: line,
  submitted_at: time,
  official: z.boolean().default(false),
  dismissed: z.boolean().default(false),
  stale: z.boolean().default(false),
});
const labelsSchema = z.array(z.object({ id: numbered, name: line }));

const REVIEWS: Readonly<Record<string, HostReview['state']>> = {
  APPROVED: 'approved',
  REQUEST_CHANGES: 'changes-requested',
  COMMENT: 'commented',
};
/** Its list has no filter for branches: so many pages of the newest are looked through for one. */
const FIND_PAGES = 20;

export function createGitea(context: HostContext): CodeHost {
  const { place, connection, clock } = context;
  const host = { name: place.name, scrub: connection.scrub };
  const { repos } = openGitea(context);
  const [owner = '', repo = ''] = place.repository.split('/');
  const ask = (asked: Parameters<typeof answered>[1]) => answered(context, asked);
  /** The client puts names into addresses as they are. */
  const inPath = (branch: string) => branch.split('/').map(encodeURIComponent).join('/');

  const readOwn = (data: unknown, isBranch: (branch: string) => boolean) =>
    readOurs(host, data, {
      key,
      isOurs: (pull) => isBranch(branchOf(pull)) && pull.head.repo_id === pull.base.repo_id,
      schema: pullSchema,
    }).map(toPullRequest);

  async function readPull(number: number): Promise<Pull> {
    return readAnswer(host, pullSchema, (await ask(repos.repoGetPullRequest(owner, repo, number))).data);
  }

  async function find(branch: string): Promise<PullRequest | null> {
    for (let page = 1; page <= FIND_PAGES; page += 1) {
      const { data, headers } = await ask(
        repos.repoListPullRequests(owner, repo, { state: 'all', limit: PER_PAGE, page }),
      );
      const found = newest(readOwn(data, (other) => other === branch));
      if (found !== null || !hasNextPage(headers.get('link'))) return found;
    }
    return null;
  }

  async function listOpen(): Promise<readonly PullRequest[]> {
    const pulls: PullRequest[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { data, headers } = await ask(
        repos.repoListPullRequests(owner, repo, { state: 'open', sort: 'oldest', limit: PER_PAGE, page }),
      );
      pulls.push(...readOwn(data, (branch) => branch.startsWith(PROPOSED_BRANCH)));
      if (!hasNextPage(headers.get('link'))) break;
    }
    return pulls;
  }

  async function readChecks(sha: string): Promise<Check[]> {
    const checks: Check[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { data } = await ask(
        repos.repoGetCombinedStatusByRef(owner, repo, sha, { limit: PER_PAGE, page }),
      );
      const { statuses, total_count: total } = readAnswer(host, statusesSchema, data);
      for (const { context: name, status } of statuses ?? []) checks.push({ name, state: stateOf(status) });
      if ((statuses ?? []).length === 0 || checks.length >= total) break;
    }
    return checks;
  }

  async function readReviews(number: number): Promise<GiteaReview[]> {
    const reviews: GiteaReview[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { data, headers } = await ask(
        repos.repoListPullReviews(owner, repo, number, { limit: PER_PAGE, page }),
      );
      for (const review of readAnswer(host, z.array(reviewSchema), data)) {
        const known = REVIEWS[review.state];
        if (known)
          reviews.push({
            actor: review.user?.login ?? 'ghost',
            state: review.dismissed ? 'dismissed' : known,
            at: review.submitted_at,
            counts: review.official && !review.dismissed && !review.stale,
          });
      }
      if (!hasNextPage(headers.get('link'))) break;
    }
    return reviews;
  }

  async function readRules(into: string): Promise<GiteaRules> {
    const branch = readAnswer(
      host,
      branchSchema,
      (await ask(repos.repoGetBranch(owner, repo, inPath(into)))).data,
    );
    // Shown to administrators alone.
    const seen = branch.protected
      ? await unlessHidden(ask(repos.repoListBranchProtection(owner, repo)))
      : null;
    const protection =
      seen === null
        ? undefined
        : readAnswer(host, protectionsSchema, seen.data).find(
            ({ rule_name }) => rule_name === (branch.effective_branch_protection_name || into),
          );
    return {
      isProtected: branch.protected,
      requiredApprovals: branch.required_approvals,
      requiredChecks: branch.enable_status_check ? (branch.status_check_contexts ?? []) : null,
      mustBeUpToDate: protection?.block_on_outdated_branch ?? false,
      noRejections: protection?.block_on_rejected_reviews ?? false,
      mayPush: branch.user_can_push ?? null,
      requiresSignatures: branch.protected ? (protection?.require_signed_commits ?? null) : false,
      adminsPass: protection === undefined ? null : !protection.block_admin_merge_override,
    };
  }

  async function read(number: number): Promise<PullRequestDetails> {
    // It says the same of a conflict and of what it has not worked out yet.
    const pull = await lookUntil(
      () => readPull(number),
      ({ state, draft, mergeable }) => state !== 'open' || draft || mergeable,
      clock,
    );
    const rules = await readRules(pull.base.ref);
    const checks = await readChecks(pull.head.sha);
    const reviews = await readReviews(number);
    const mergeability = mergeabilityOf(pull, rules, checks, reviews);
    const { head: from, base } = pull;
    return {
      ...toPullRequest(pull),
      ...(from.repo_id === base.repo_id ? {} : { branch: foreignBranch(from.repo_id, branchOf(pull)) }),
      mergeability,
      hostState: pull.draft ? 'draft' : pull.mergeable ? 'mergeable' : 'not mergeable',
      checks: countChecks(checks, unreported(rules, checks)),
      reviews: reviews.map(({ actor, state, at }) => ({ actor, state, at })),
      mergeCommit: pull.merged ? (pull.merge_commit_sha ?? null) : null,
      mergedBy: pull.merged ? (pull.merged_by?.login ?? null) : null,
    };
  }

  async function settings(into: string): Promise<MergeSettings> {
    const found = readAnswer(host, repositorySchema, (await ask(repos.repoGet(owner, repo))).data);
    const rules = await readRules(into);
    const { requiresSignatures } = rules;
    const allowed: Readonly<Record<MergeMethod, boolean>> = {
      merge: found.allow_merge_commits,
      // What it rebases has no signature.
      rebase: found.allow_rebase && requiresSignatures !== true,
      squash: found.allow_squash_merge,
    };
    return {
      methods: MERGE_METHODS.filter((method) => allowed[method]),
      hasQueue: false,
      mayBypass: mayBypass(rules, found.permissions?.admin ?? false),
      hasDrafts: true,
      ...(requiresSignatures !== null && { requiresSignatures }),
    };
  }

  /** Ids of labels; those that are not there are made. */
  async function readLabels(names: readonly string[]): Promise<number[]> {
    const ids = new Map<string, number>();
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { data, headers } = await ask(repos.issueListLabels(owner, repo, { limit: PER_PAGE, page }));
      for (const { id, name } of readAnswer(host, labelsSchema, data)) ids.set(name, id);
      if (!hasNextPage(headers.get('link'))) break;
    }
    for (const name of names)
      if (!ids.has(name)) {
        const { data } = await ask(repos.issueCreateLabel(owner, repo, { name, color: '#ededed' }));
        ids.set(name, readAnswer(host, z.object({ id: numbered }), data).id);
      }
    return names.flatMap((name) => ids.get(name) ?? []);
  }

  async function create({ branch, head, into, title, body, labels }: NewPullRequest): Promise<PullRequest> {
    const known = await find(branch);
    if (known !== null && isGiven(known, { head, into })) return known;
    const ids: number[] = [];
    if (labels.length > 0) await unlessRefused(readLabels(labels).then((found) => ids.push(...found)));
    try {
      const { data } = await ask(
        repos.repoCreatePullRequest(owner, repo, { head: branch, base: into, title, body, labels: ids }),
      );
      return toPullRequest(readAnswer(host, pullSchema, data));
    } catch (error) {
      // Another worker was faster.
      const other = statusOf(error) === 409 ? await find(branch) : null;
      if (other === null || !isGiven(other, { head, into })) throw error;
      return other;
    }
  }

  async function update(number: number, change: { title?: string; body?: string }): Promise<void> {
    const { title, body } = change;
    // A new title does not end a draft.
    const isDraft = title !== undefined && (await readPull(number)).draft;
    await ask(
      repos.repoEditPullRequest(owner, repo, number, {
        ...(title !== undefined && { title: titleAs(title, isDraft, GITEA_DRAFT) }),
        ...(body !== undefined && { body }),
      }),
    );
  }

  async function setDraft(number: number, isDraft: boolean): Promise<void> {
    const { draft, title } = await readPull(number);
    if (draft !== isDraft)
      await ask(
        repos.repoEditPullRequest(owner, repo, number, { title: titleAs(title, isDraft, GITEA_DRAFT) }),
      );
  }

  async function setState(number: number, state: 'open' | 'closed'): Promise<void> {
    const pull = await readPull(number);
    if (pull.merged) throw alreadyMerged(host, number);
    if (pull.state !== state) await ask(repos.repoEditPullRequest(owner, repo, number, { state }));
  }

  async function merge(number: number, merging: Merging): Promise<'merged' | 'moved' | 'refused'> {
    try {
      await ask(
        repos.repoMergePullRequest(owner, repo, number, {
          Do: merging.method,
          MergeTitleField: merging.title,
          MergeMessageField: merging.message,
          head_commit_id: merging.head,
          delete_branch_after_merge: false,
          force_merge: false,
        }),
      );
      return 'merged';
    } catch (error) {
      if (statusOf(error) === 405) return 'refused';
      if (statusOf(error) !== 409) throw error;
      // Of a head that moved, of conflicts, and of a push that was refused.
      return (await readPull(number)).head.sha === merging.head ? 'refused' : 'moved';
    }
  }

  return {
    kind: 'gitea',
    name: place.name,
    repository: place.repository,
    settings,
    find,
    listOpen,
    read,
    create,
    update,
    setDraft,
    closePullRequest: (number) => setState(number, 'closed'),
    reopenPullRequest: (number) => setState(number, 'open'),
    merge,
    close: () => connection.close(),
  };
}

const branchOf = ({ head }: { head: { label: string; ref: string } }) =>
  head.ref.startsWith('refs/') ? head.label : head.ref;

function toPullRequest(pull: Pull): PullRequest {
  const { number, html_url, state, draft, merged, updated_at, base } = pull;
  return {
    number,
    url: html_url,
    state: merged ? 'merged' : state,
    isDraft: draft,
    branch: branchOf(pull),
    into: base.ref,
    head: pull.head.sha,
    updatedAt: updated_at,
  };
}

function mergeabilityOf(
  { state, draft, mergeable, merge_base, base }: Pull,
  rules: GiteaRules,
  checks: readonly Check[],
  reviews: readonly GiteaReview[],
): Mergeability {
  if (state !== 'open') return 'unknown';
  if (draft) return 'blocked';
  if (!mergeable) return 'conflict';
  if (rules.mustBeUpToDate && merge_base !== '' && merge_base !== base.sha) return 'behind';
  return areChecksGreen(rules, checks) && areReviewsMet(rules, reviews) ? 'yes' : 'blocked';
}

function mayBypass({ isProtected, mayPush, adminsPass }: GiteaRules, isAdmin: boolean): boolean | null {
  if (!isProtected) return false;
  if (mayPush === true || (isAdmin && adminsPass === true)) return true;
  return mayPush === null || (isAdmin && adminsPass === null) ? null : false;
}

function stateOf(status: string): CheckState {
  if (status === 'success' || status === 'skipped') return 'passed';
  return status === 'pending' ? 'pending' : 'failed';
}
