/** Gitea's JSON, held to the types of its client. */
import type {
  Branch,
  BranchProtection,
  CombinedStatus,
  CommitStatus,
  Label,
  PullRequest,
  PullReview,
  Repository,
} from 'gitea-js';
import { z } from 'zod';
import { accountId, type HostContext } from './context.ts';
import { isProtected } from '../repository/protection.ts';
import type { Check, Pull, Verdict } from '../pulls.ts';

const REVIEWS = {
  approved: 'APPROVED',
  'changes-requested': 'REQUEST_CHANGES',
  commented: 'COMMENT',
  dismissed: 'APPROVED',
} as const;
const WORDS = { pending: 'pending', passed: 'success', failed: 'failure' } as const;

export function createBodies({ origin, name, settings, store }: HostContext) {
  const user = (login: string) => ({ id: accountId(login), login });

  const pull = (of: Pull, verdict: Verdict) =>
    ({
      id: of.number,
      number: of.number,
      url: `${origin}/${name}/pulls/${of.number}`,
      html_url: `${origin}/${name}/pulls/${of.number}`,
      state: of.state === 'open' ? 'open' : 'closed',
      title: of.title,
      body: of.body,
      user: user(of.author),
      labels: of.labels.map(labels.add),
      draft: of.isDraft,
      // Of conflicts and drafts alone: what rules ask for has no part in it.
      mergeable: of.state === 'open' && !['conflict', 'draft', 'unknown'].includes(verdict),
      merged: of.state === 'merged',
      ...(of.mergedAt !== null && { merged_at: of.mergedAt }),
      ...(of.mergeCommit !== null && { merge_commit_sha: of.mergeCommit }),
      ...(of.mergedBy !== null && { merged_by: user(of.mergedBy) }),
      head: { label: of.branch, ref: of.branch, sha: of.head, repo_id: 1 },
      base: { label: of.into, ref: of.into, sha: of.base, repo_id: 1 },
      created_at: of.createdAt,
      updated_at: of.updatedAt,
      ...(of.closedAt !== null && { closed_at: of.closedAt }),
    }) satisfies PullRequest;

  const labels = createLabels();

  const repository = () =>
    ({
      id: 1,
      name: name.split('/').at(-1) ?? '',
      full_name: name,
      private: true,
      html_url: `${origin}/${name}`,
      default_branch: 'main',
      allow_merge_commits: settings.methods.includes('merge'),
      allow_rebase: settings.methods.includes('rebase'),
      allow_rebase_explicit: false,
      allow_squash_merge: settings.methods.includes('squash'),
      allow_fast_forward_only_merge: false,
      default_merge_style: settings.methods[0] ?? 'merge',
      default_delete_branch_after_merge: settings.deleteBranchOnMerge,
      has_pull_requests: true,
      permissions: { admin: settings.mayAdminister, push: settings.mayWrite, pull: true },
    }) satisfies Repository;

  const reviews = (of: Pull) =>
    of.reviews.map(
      (review) =>
        ({
          id: review.id,
          user: user(review.actor),
          state: REVIEWS[review.state],
          dismissed: review.state === 'dismissed',
          stale: review.commit !== of.head,
          official: true,
          submitted_at: review.at,
          commit_id: review.commit,
        }) satisfies PullReview,
    );

  const statuses = (sha: string) =>
    store
      .checksOf(sha)
      .map(
        (check, index) =>
          ({ id: index + 1, context: check.name, status: WORDS[check.state] }) satisfies CommitStatus,
      );

  function status(sha: string): CombinedStatus {
    const all = statuses(sha);
    const worst = (['failed', 'pending', 'passed'] satisfies Check['state'][]).find((state) =>
      all.some((one) => one.status === WORDS[state]),
    );
    // Without any status all is empty.
    if (worst === undefined) return { state: '', sha: '', total_count: 0 };
    return { state: WORDS[worst], sha, total_count: all.length, statuses: all };
  }

  const protection = (rule: string) =>
    ({
      rule_name: rule,
      branch_name: rule,
      enable_push: settings.mayBypass,
      required_approvals: settings.requiredReviews,
      require_signed_commits: settings.requireSignatures,
      block_on_rejected_reviews: true,
      block_on_outdated_branch: settings.requireUpToDate,
      block_admin_merge_override: !settings.mayBypass,
      dismiss_stale_approvals: settings.dismissStaleReviews,
      enable_status_check: settings.requiredChecks.length > 0,
      status_check_contexts: [...settings.requiredChecks],
    }) satisfies BranchProtection;

  const branch = (of: string, id: string) =>
    ({
      name: of,
      commit: { id },
      protected: isProtected(of, settings),
      required_approvals: settings.requiredReviews,
      enable_status_check: settings.requiredChecks.length > 0,
      status_check_contexts: [...settings.requiredChecks],
      user_can_push: settings.mayWrite && (settings.mayBypass || !isProtected(of, settings)),
      user_can_merge: settings.mayWrite,
    }) satisfies Branch;

  return { pull, labels, repository, reviews, statuses, status, protection, branch };
}

/** Labels are the repository's: one that it has not cannot be given to a pull request. */
function createLabels() {
  const known: string[] = [];
  const show = (name: string) => ({ id: known.indexOf(name) + 1, name, color: '00aabb' }) satisfies Label;
  return {
    add(this: void, name: string) {
      if (!known.includes(name)) known.push(name);
      return show(name);
    },
    all: () => known.map(show),
    /** By id or by name; those that are not there are left out. */
    names: (given: unknown): string[] =>
      z
        .array(z.union([z.number(), z.string()]))
        .catch([])
        .parse(given)
        .map((label) => (typeof label === 'number' ? (known[label - 1] ?? '') : label))
        .filter((label) => known.includes(label)),
  };
}
