/** GitLab's JSON, held to the types of its client. */
import type {
  BranchSchema,
  CommitStatusSchema,
  ExpandedMergeRequestSchema,
  MergeRequestLevelMergeRequestApprovalSchema,
  MergeRequestReviewerSchema,
  MergeRequestSchemaWithBasicLabels,
  PipelineSchema,
  ProjectSchema,
  ProtectedBranchSchema,
} from '@gitbeaker/rest';
import { accountId, type HostContext } from './context.ts';
import type { Pull, Verdict } from '../pulls.ts';
import { isProtected } from '../repository/protection.ts';
import type { Named } from './routes.ts';

type Status = ExpandedMergeRequestSchema['detailed_merge_status'];
/** GitLab's documents name these; its client does not yet. */
type Newer = 'conflict' | 'need_rebase' | 'requested_changes';
interface Newest {
  readonly detailed_merge_status: Status | Newer;
  readonly merge_user: unknown;
}

const PROJECT = 1;
const STATES = { open: 'opened', closed: 'closed', merged: 'merged' } as const;

export function createBodies({ origin, name, settings, store }: HostContext) {
  const user = (username: string) => ({
    id: accountId(username),
    username,
    name: username,
    state: 'active',
    web_url: `${origin}/${username}`,
  });
  const isRequired = (check: string) => settings.requiredChecks.includes(check);

  /** `isLook`: it begins to work it out; a list only says what it knows. */
  function detailed(pull: Pull, verdict: Verdict, isLook: boolean): Status | Newer {
    if (pull.state !== 'open') return 'not_open';
    if (verdict === 'unknown') return isLook ? 'checking' : 'unchecked';
    if (verdict === 'conflict') return 'conflict';
    if (verdict === 'draft') return 'draft_status';
    if (verdict === 'behind') return 'need_rebase';
    if (verdict !== 'blocked') return 'mergeable';
    const [first = 'checks'] = store.unmet(pull);
    return UNMET[first];
  }

  function simple(pull: Pull, verdict: Verdict, isLook = false) {
    return {
      id: 1000 + pull.number,
      iid: pull.number,
      project_id: PROJECT,
      title: pull.title,
      description: pull.body,
      state: STATES[pull.state],
      created_at: pull.createdAt,
      updated_at: pull.updatedAt,
      merged_at: pull.mergedAt,
      merged_by: pull.mergedBy === null ? null : user(pull.mergedBy),
      merge_user: pull.mergedBy === null ? null : user(pull.mergedBy),
      closed_at: pull.state === 'closed' ? pull.closedAt : null,
      target_branch: pull.into,
      source_branch: pull.branch,
      source_project_id: PROJECT,
      target_project_id: PROJECT,
      author: user(pull.author),
      labels: [...pull.labels],
      draft: pull.isDraft,
      work_in_progress: pull.isDraft,
      merge_when_pipeline_succeeds: false,
      merge_status:
        verdict === 'unknown' ? 'unchecked' : verdict === 'conflict' ? 'cannot_be_merged' : 'can_be_merged',
      detailed_merge_status: detailed(pull, verdict, isLook),
      sha: pull.head,
      merge_commit_sha: pull.mergeCommit,
      squash_commit_sha: pull.squashCommit,
      squash: settings.projectSquash === 'always' || settings.projectSquash === 'default_on',
      has_conflicts: verdict === 'conflict',
      should_remove_source_branch: null,
      force_remove_source_branch: settings.deleteBranchOnMerge,
      reference: `!${pull.number}`,
      references: { short: `!${pull.number}`, relative: `!${pull.number}`, full: `${name}!${pull.number}` },
      web_url: `${origin}/${name}/-/merge_requests/${pull.number}`,
    } satisfies Named<MergeRequestSchemaWithBasicLabels, 'detailed_merge_status'> & Newest;
  }

  function details(pull: Pull, verdict: Verdict, isLook = false) {
    return {
      ...simple(pull, verdict, isLook),
      head_pipeline: pipelines(pull.head, pull.branch)[0] ?? null,
      diff_refs: { base_sha: pull.base, head_sha: pull.head, start_sha: pull.base },
      merge_error: null,
      user: { can_merge: settings.mayWrite },
    } satisfies Named<ExpandedMergeRequestSchema, 'detailed_merge_status'> & Newest;
  }

  function pipelines(sha: string, ref: string) {
    const all = store.checksOf(sha);
    if (all.length === 0) return [];
    const isFailed = all.some((check) => check.state === 'failed' && isRequired(check.name));
    const isRunning = all.some((check) => check.state === 'pending');
    const pipeline = {
      id: Number.parseInt(sha.slice(0, 6), 16),
      iid: 1,
      project_id: PROJECT,
      sha,
      ref,
      status: isFailed ? 'failed' : isRunning ? 'running' : 'success',
      source: 'push',
    } satisfies Named<PipelineSchema>;
    return [pipeline];
  }

  const statuses = (sha: string) =>
    store.checksOf(sha).map(
      (check, index) =>
        ({
          id: index + 1,
          sha,
          name: check.name,
          status: ({ pending: 'running', passed: 'success', failed: 'failed' } as const)[check.state],
          allow_failure: !isRequired(check.name),
        }) satisfies Named<CommitStatusSchema>,
    );

  /** Who approved, and not which commit. */
  function approvals(pull: Pull) {
    const approved = [...store.latest(pull)].filter(([, state]) => state === 'approved');
    return {
      id: 1000 + pull.number,
      iid: pull.number,
      project_id: PROJECT,
      title: pull.title,
      state: STATES[pull.state],
      updated_at: pull.updatedAt,
      approved: approved.length >= settings.requiredReviews,
      approvals_required: settings.requiredReviews,
      approvals_left: Math.max(0, settings.requiredReviews - approved.length),
      approved_by: approved.map(([actor]) => ({ user: user(actor) })),
    } satisfies Named<MergeRequestLevelMergeRequestApprovalSchema> & { approved: boolean };
  }

  const reviewers = (pull: Pull) =>
    [...new Map(pull.reviews.map((review) => [review.actor, review])).values()].map(
      (review) =>
        ({
          user: user(review.actor),
          state: REVIEWERS[review.state],
          created_at: review.at,
        }) satisfies Named<MergeRequestReviewerSchema>,
    );

  const project = () =>
    ({
      id: PROJECT,
      name: name.split('/').at(-1) ?? '',
      path_with_namespace: name,
      web_url: `${origin}/${name}`,
      default_branch: 'main',
      visibility: 'private',
      merge_requests_enabled: true,
      merge_method: settings.projectMerge,
      squash_option: settings.projectSquash,
      only_allow_merge_if_pipeline_succeeds: settings.requiredChecks.length > 0,
      remove_source_branch_after_merge: settings.deleteBranchOnMerge,
      merge_pipelines_enabled: settings.queue !== null,
      merge_trains_enabled: settings.queue !== null,
      permissions: {
        project_access: { access_level: settings.mayAdminister ? 40 : settings.mayWrite ? 30 : 20 },
      },
    }) satisfies Named<ProjectSchema> & { merge_trains_enabled: boolean; merge_pipelines_enabled: boolean };

  const protection = (rule: string, index: number) =>
    ({
      id: index + 1,
      name: rule,
      push_access_levels: [
        settings.mayBypass
          ? { id: 1, access_level: 30, access_level_description: 'Developers + Maintainers' }
          : { id: 1, access_level: 0, access_level_description: 'No one' },
      ],
      merge_access_levels: [
        { id: 2, access_level: 30, access_level_description: 'Developers + Maintainers' },
      ],
      allow_force_push: false,
      code_owner_approval_required: false,
    }) satisfies Named<ProtectedBranchSchema>;

  const branch = (of: string, sha: string) =>
    ({
      name: of,
      merged: false,
      protected: isProtected(of, settings),
      default: of === 'main',
      developers_can_push: !isProtected(of, settings),
      developers_can_merge: true,
      can_push: settings.mayWrite && (settings.mayBypass || !isProtected(of, settings)),
      web_url: `${origin}/${name}/-/tree/${of}`,
      commit: { id: sha },
    }) satisfies Named<BranchSchema>;

  return { branch, simple, details, pipelines, statuses, approvals, reviewers, project, protection };
}

const UNMET = {
  reviews: 'not_approved',
  rejected: 'requested_changes',
  checks: 'ci_must_pass',
  pending: 'ci_still_running',
} as const;
const REVIEWERS = {
  approved: 'approved',
  'changes-requested': 'requested_changes',
  commented: 'reviewed',
  dismissed: 'unreviewed',
} as const;
