/** GitHub's JSON, held to its own description of the API. */
import { createHash } from 'node:crypto';
import type { components } from '@octokit/openapi-types';
import { accountId, type HostContext } from './context.ts';
import { isProtected } from '../repository/protection.ts';
import type { Check, Pull, Verdict } from '../pulls.ts';
import type { Given } from './routes.ts';

type Schemas = components['schemas'];

const RULESET = 7;

export function createBodies({ origin, name, settings, store }: HostContext) {
  const api = `${origin}/api/v3/repos/${name}`;
  const [owner = ''] = name.split('/');

  const user = (login: string) =>
    ({ login, id: accountId(login), type: 'User' }) satisfies Given<Schemas['simple-user']>;

  function simple(pull: Pull) {
    const side = (ref: string, sha: string) => ({
      label: `${owner}:${ref}`,
      ref,
      sha,
      user: user(owner),
      repo: { full_name: name },
    });
    return {
      url: `${api}/pulls/${pull.number}`,
      html_url: `${origin}/${name}/pull/${pull.number}`,
      id: 1000 + pull.number,
      node_id: `PR_${pull.number}`,
      number: pull.number,
      state: pull.state === 'open' ? ('open' as const) : ('closed' as const),
      title: pull.title,
      body: pull.body === '' ? null : pull.body,
      user: user(pull.author),
      labels: pull.labels.map((label, index) => ({ id: index + 1, name: label, color: 'ededed' })),
      draft: pull.isDraft,
      created_at: pull.createdAt,
      updated_at: pull.updatedAt,
      closed_at: pull.closedAt,
      merged_at: pull.mergedAt,
      merge_commit_sha: pull.mergeCommit ?? trial(pull),
      head: side(pull.branch, pull.head),
      base: side(pull.into, pull.base),
      auto_merge: pull.autoMerge === null ? null : { merge_method: pull.autoMerge },
    } satisfies Given<Schemas['pull-request-simple']>;
  }

  function details(pull: Pull, verdict: Verdict) {
    const isOpen = pull.state === 'open';
    const isKnown = isOpen && verdict !== 'unknown';
    return {
      ...simple(pull),
      merged: pull.state === 'merged',
      mergeable: isKnown ? verdict !== 'conflict' : null,
      rebaseable: isKnown ? verdict !== 'conflict' : null,
      mergeable_state: isOpen ? stateWord(verdict) : 'unknown',
      merged_by: pull.mergedBy === null ? null : user(pull.mergedBy),
    } satisfies Given<Schemas['pull-request']>;
  }

  function stateWord(verdict: Verdict): string {
    if (verdict === 'clean' && settings.hasHooks) return 'has_hooks';
    return verdict === 'conflict' ? 'dirty' : verdict;
  }

  function repository() {
    const has = (method: (typeof settings.methods)[number]) => settings.methods.includes(method);
    return {
      id: 1,
      name: name.split('/').at(-1) ?? '',
      full_name: name,
      private: true,
      html_url: `${origin}/${name}`,
      default_branch: 'main',
      allow_merge_commit: has('merge'),
      allow_rebase_merge: has('rebase'),
      allow_squash_merge: has('squash'),
      allow_auto_merge: false,
      delete_branch_on_merge: settings.deleteBranchOnMerge,
      merge_commit_title: settings.mergeTitle,
      merge_commit_message: settings.mergeMessage,
      squash_merge_commit_title: settings.squashTitle === 'PR_TITLE' ? 'PR_TITLE' : 'COMMIT_OR_PR_TITLE',
      squash_merge_commit_message: settings.squashMessage,
      permissions: {
        admin: settings.mayAdminister,
        maintain: settings.mayAdminister,
        push: settings.mayWrite,
        triage: settings.mayWrite,
        pull: true,
      },
    } satisfies Given<Schemas['full-repository']>;
  }

  const reviews = (pull: Pull) =>
    pull.reviews.map(
      (review) =>
        ({
          id: review.id,
          user: user(review.actor),
          state: review.state.toUpperCase().replace('-', '_'),
          body: '',
          submitted_at: review.at,
          commit_id: review.commit,
        }) satisfies Given<Schemas['pull-request-review']>,
    );

  function status(sha: string) {
    const all = store.checksOf(sha).filter(({ isStatus }) => isStatus);
    const word = ({ state }: Check) =>
      state === 'passed' ? 'success' : state === 'failed' ? 'failure' : 'pending';
    const words = all.map(word);
    const state = words.includes('failure') ? 'failure' : words.includes('pending') ? 'pending' : 'success';
    return {
      // Without any status it is `pending` too.
      state: words.length === 0 ? 'pending' : state,
      sha,
      total_count: all.length,
      statuses: all.map((check, index) => ({ id: index + 1, context: check.name, state: word(check) })),
    } satisfies Given<Schemas['combined-commit-status']>;
  }

  const checkRuns = (sha: string) =>
    store
      .checksOf(sha)
      .filter(({ isStatus }) => !isStatus)
      .map(
        (check, index) =>
          ({
            id: index + 1,
            name: check.name,
            head_sha: sha,
            status: check.state === 'pending' ? 'in_progress' : 'completed',
            conclusion: check.state === 'pending' ? null : check.state === 'passed' ? 'success' : 'failure',
          }) satisfies Given<Schemas['check-run']>,
      );

  /** Of rulesets alone: what a branch protection asks for is not told here. */
  function rules(branch: string) {
    if (settings.protectedBy !== 'ruleset' || !isProtected(branch, settings)) return [];
    const of = { ruleset_id: RULESET, ruleset_source: name, ruleset_source_type: 'Repository' } as const;
    const pull = {
      ...of,
      type: 'pull_request',
      parameters: {
        allowed_merge_methods: [...settings.methods],
        dismiss_stale_reviews_on_push: settings.dismissStaleReviews,
        require_code_owner_review: false,
        require_last_push_approval: false,
        required_approving_review_count: settings.requiredReviews,
        required_review_thread_resolution: false,
      },
    } satisfies Schemas['repository-rule-detailed'];
    const checks = {
      ...of,
      type: 'required_status_checks',
      parameters: {
        required_status_checks: settings.requiredChecks.map((context) => ({ context })),
        strict_required_status_checks_policy: settings.requireUpToDate,
      },
    } satisfies Schemas['repository-rule-detailed'];
    const words = { merge: 'MERGE', rebase: 'REBASE', squash: 'SQUASH' } as const;
    const queue = settings.queue !== null && {
      ...of,
      type: 'merge_queue' as const,
      parameters: {
        check_response_timeout_minutes: 60,
        grouping_strategy: 'ALLGREEN' as const,
        max_entries_to_build: 5,
        max_entries_to_merge: 5,
        merge_method: words[settings.queue],
        min_entries_to_merge: 1,
        min_entries_to_merge_wait_minutes: 5,
      },
    };
    return [
      pull,
      ...(settings.requiredChecks.length > 0 || settings.requireUpToDate ? [checks] : []),
      ...(queue ? [queue satisfies Schemas['repository-rule-detailed']] : []),
    ];
  }

  const ruleset = () =>
    ({
      id: RULESET,
      name: 'main',
      source: name,
      enforcement: 'active',
      current_user_can_bypass: settings.mayBypass ? 'always' : 'never',
    }) satisfies Given<Schemas['repository-ruleset']>;

  const protection = () =>
    ({
      required_signatures: { url: api, enabled: settings.requireSignatures },
      enforce_admins: { url: api, enabled: !settings.mayBypass },
      required_status_checks: {
        strict: settings.requireUpToDate,
        contexts: [...settings.requiredChecks],
        checks: settings.requiredChecks.map((context) => ({ context, app_id: null })),
      },
      required_pull_request_reviews: {
        required_approving_review_count: settings.requiredReviews,
        dismiss_stale_reviews: settings.dismissStaleReviews,
        require_code_owner_reviews: false,
      },
    }) satisfies Given<Schemas['branch-protection']>;

  const branch = (of: string, sha: string) =>
    ({
      name: of,
      commit: { sha },
      protected: isProtected(of, settings),
      protection: { enabled: isProtected(of, settings) && settings.protectedBy === 'protection' },
    }) satisfies Given<Schemas['branch-with-protection']>;

  return { simple, details, repository, reviews, status, checkRuns, rules, ruleset, protection, branch };
}

/** While it is open, GitHub names the merge that it tried: a commit that is on no branch. */
function trial(pull: Pull): string | null {
  if (pull.state !== 'open' || pull.looks === 0) return null;
  return createHash('sha1').update(`${pull.base}${pull.head}`).digest('hex');
}
