/** GitLab: docs.gitlab.com/api/merge_requests. How a project merges is its own setting; a merge request's is only whether it is squashed. */
import { z } from 'zod';
import { type HostReview, type MergeMethod, PROPOSED_BRANCH, type StatusChecks } from '../../model/index.ts';
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
  webUrl,
} from '../answers.ts';
import {
  type CheckState,
  countChecks,
  foreignBranch,
  type HostContext,
  lookUntil,
  MOST_PAGES,
  isGiven,
  newest,
  PER_PAGE,
  wordOf,
} from './context.ts';
import { GITLAB_DRAFT, titleAs } from './draft-title.ts';
import { openGitbeaker } from './gitlab-client.ts';
import type {
  CodeHost,
  Mergeability,
  MergeSettings,
  Merging,
  NewPullRequest,
  PullRequest,
  PullRequestDetails,
} from '../../model/index.ts';

const person = z.object({ username: line }).nullish();
const requestSchema = z.object({
  iid: numbered,
  web_url: webUrl,
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
  title: z.string().max(4000),
  draft: z.boolean().default(false),
  source_branch: line,
  target_branch: line,
  sha: objectId,
  updated_at: time,
});
/** Of a fork that is gone, the source is null. */
const key = z.object({ source_branch: line, source_project_id: count, target_project_id: count });
const detailsSchema = requestSchema.extend({
  source_project_id: count.nullish(),
  target_project_id: count,
  detailed_merge_status: line.default('checking'),
  has_conflicts: z.boolean().default(false),
  merge_commit_sha: objectId.nullish(),
  squash_commit_sha: objectId.nullish(),
  merge_user: person,
  merged_by: person,
  head_pipeline: z.object({ sha: objectId, status: line }).nullish(),
});
type Details = z.output<typeof detailsSchema>;

const projectSchema = z.object({
  merge_method: z.enum(['merge', 'rebase_merge', 'ff']),
  squash_option: z.enum(['never', 'always', 'default_on', 'default_off']).default('default_off'),
  merge_trains_enabled: z.boolean().nullish(),
});
const branchSchema = z.object({ protected: z.boolean(), can_push: z.boolean().optional() });
/** Of paid editions, which answer with nothing where there is none. */
const pushRuleSchema = z.object({ reject_unsigned_commits: z.boolean().nullish() });
const statusesSchema = z.array(
  z.object({ name: line, status: line, allow_failure: z.boolean().default(false) }),
);
const approvalsSchema = z.object({
  approved_by: z
    .array(z.object({ user: z.object({ username: line }), approved_at: time.nullish() }))
    .default([]),
});
const reviewersSchema = z.array(
  z.object({ user: z.object({ username: line }), state: line, created_at: time }),
);

/** docs.gitlab.com/api/merge_requests, "Merge status". */
const MERGEABILITY: Readonly<Record<string, Mergeability>> = {
  mergeable: 'yes',
  need_rebase: 'behind',
  conflict: 'conflict',
  broken_status: 'conflict',
  checking: 'unknown',
  unchecked: 'unknown',
  preparing: 'unknown',
  approvals_syncing: 'unknown',
};

export function createGitlab(context: HostContext): CodeHost {
  const { place, connection, clock } = context;
  const host = { name: place.name, scrub: connection.scrub };
  const { mergeRequests, approvals, projects, pushRule, branches, commits } = openGitbeaker(context);
  const project = place.repository;

  const readOwn = (data: unknown, isBranch: (branch: string) => boolean) =>
    readOurs(host, data, {
      key,
      isOurs: (of) => of.source_project_id === of.target_project_id && isBranch(of.source_branch),
      schema: requestSchema,
    }).map(toPullRequest);

  const readDetails = async (number: number) =>
    readAnswer(host, detailsSchema, await mergeRequests.show(project, number));

  async function find(branch: string): Promise<PullRequest | null> {
    const found = await mergeRequests.all({
      projectId: project,
      sourceBranch: branch,
      scope: 'all',
      orderBy: 'created_at',
      sort: 'desc',
      perPage: PER_PAGE,
      page: 1,
    });
    return newest(readOwn(found, (other) => other === branch));
  }

  async function listOpen(): Promise<readonly PullRequest[]> {
    const pulls: PullRequest[] = [];
    for (let page: number | null = 1; page !== null && page <= MOST_PAGES; ) {
      const { data, paginationInfo } = await mergeRequests.all({
        projectId: project,
        state: 'opened',
        scope: 'all',
        orderBy: 'created_at',
        sort: 'asc',
        perPage: PER_PAGE,
        page,
        showExpanded: true,
      });
      pulls.push(...readOwn(data, (branch) => branch.startsWith(PROPOSED_BRANCH)));
      const { next } = paginationInfo as { next: number | null };
      page = next !== null && next > page ? next : null;
    }
    return pulls;
  }

  async function readChecks({
    head_pipeline: pipeline,
    detailed_merge_status,
  }: Details): Promise<StatusChecks> {
    // Asked for, and not begun.
    const isMissing = ['ci_must_pass', 'ci_still_running'].includes(detailed_merge_status);
    if (!pipeline) return countChecks([], isMissing ? ['pipeline'] : []);
    const checks: { name: string; state: CheckState }[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const which = { all: false, perPage: PER_PAGE, page };
      // Where the project keeps its pipelines to itself, what the pipeline says as a whole is all.
      const found = await unlessHidden(commits.allStatuses(project, pipeline.sha, which));
      const statuses = found === null ? [] : readAnswer(host, statusesSchema, found);
      for (const { name, status, allow_failure } of statuses)
        checks.push({ name, state: stateOf(status, allow_failure) });
      if (statuses.length < PER_PAGE) break;
    }
    return countChecks(
      checks.length > 0 ? checks : [{ name: 'pipeline', state: stateOf(pipeline.status, false) }],
    );
  }

  async function readReviews(number: number, updatedAt: string): Promise<HostReview[]> {
    const approved = await unlessHidden(approvals.showConfiguration(project, { mergerequestIId: number }));
    const reviewers = await unlessHidden(mergeRequests.showReviewers(project, number));
    return [
      ...readAnswer(host, approvalsSchema, approved ?? {}).approved_by.map(
        ({ user, approved_at }): HostReview => ({
          actor: user.username,
          state: 'approved',
          at: approved_at ?? updatedAt,
        }),
      ),
      ...readAnswer(host, reviewersSchema, reviewers ?? [])
        .filter(({ state }) => state === 'requested_changes')
        .map(
          ({ user, created_at }): HostReview => ({
            actor: user.username,
            state: 'changes-requested',
            at: created_at,
          }),
        ),
    ];
  }

  async function read(number: number): Promise<PullRequestDetails> {
    const request = await lookUntil(
      () => readDetails(number),
      (found) => found.state !== 'opened' || mergeabilityOf(found) !== 'unknown',
      clock,
    );
    const isMerged = request.state === 'merged';
    const { source_project_id: from, source_branch } = request;
    return {
      ...toPullRequest(request),
      ...(from === request.target_project_id ? {} : { branch: foreignBranch(from, source_branch) }),
      mergeability: mergeabilityOf(request),
      hostState: request.detailed_merge_status,
      checks: await readChecks(request),
      reviews: await readReviews(number, request.updated_at),
      // Without either, the branch was moved to the head itself.
      mergeCommit: isMerged ? (request.merge_commit_sha ?? request.squash_commit_sha ?? request.sha) : null,
      mergedBy: isMerged ? (request.merge_user?.username ?? request.merged_by?.username ?? null) : null,
    };
  }

  async function settings(into: string): Promise<MergeSettings> {
    const found = readAnswer(host, projectSchema, await projects.show(project));
    const seen = await unlessHidden(branches.show(project, into));
    const branch = seen === null ? null : readAnswer(host, branchSchema, seen);
    const rule = await unlessHidden(pushRule(project));
    const requiresSignatures = pushRuleSchema.safeParse(rule).data?.reject_unsigned_commits ?? null;
    return {
      // What it rebases has no signature.
      methods: methodsOf(found).filter((method) => method !== 'rebase' || requiresSignatures !== true),
      hasQueue: found.merge_trains_enabled ?? false,
      // It merges nothing past its rules; who may push goes around them.
      mayBypass: branch?.can_push === undefined ? null : branch.protected && branch.can_push,
      hasDrafts: true,
      ...(requiresSignatures !== null && { requiresSignatures }),
    };
  }

  async function create({ branch, head, into, title, body, labels }: NewPullRequest): Promise<PullRequest> {
    const known = await find(branch);
    if (known !== null && isGiven(known, { head, into })) return known;
    try {
      const made = await mergeRequests.create(project, branch, into, title, {
        description: body,
        labels: labels.join(','),
        removeSourceBranch: false,
      });
      return toPullRequest(readAnswer(host, requestSchema, made));
    } catch (error) {
      // Another worker was faster.
      const other = statusOf(error) === 409 ? await find(branch) : null;
      if (other === null || !isGiven(other, { head, into })) throw error;
      return other;
    }
  }

  async function update(number: number, change: { title?: string; body?: string }): Promise<void> {
    const { title, body: description } = change;
    // A new title does not end a draft.
    const isDraft = title !== undefined && (await readDetails(number)).draft;
    await mergeRequests.edit(project, number, {
      ...(title !== undefined && { title: titleAs(title, isDraft, GITLAB_DRAFT) }),
      ...(description !== undefined && { description }),
    });
  }

  async function setDraft(number: number, isDraft: boolean): Promise<void> {
    const { draft, title } = await readDetails(number);
    if (draft !== isDraft)
      await mergeRequests.edit(project, number, { title: titleAs(title, isDraft, GITLAB_DRAFT) });
  }

  async function setState(number: number, state: 'opened' | 'closed'): Promise<void> {
    const found = await readDetails(number);
    if (found.state === 'merged') throw alreadyMerged(host, number);
    if (found.state === state) return;
    await mergeRequests.edit(project, number, { stateEvent: state === 'closed' ? 'close' : 'reopen' });
  }

  async function merge(number: number, merging: Merging): Promise<'merged' | 'moved' | 'refused'> {
    const { head: sha, method, title, message } = merging;
    const text = message === '' ? title : `${title}\n\n${message}`;
    const isSquash = method === 'squash';
    try {
      const answer = await mergeRequests.merge(project, number, {
        sha,
        squash: isSquash,
        ...(isSquash ? { squashCommitMessage: text } : { mergeCommitMessage: text }),
        shouldRemoveSourceBranch: false,
      });
      return readAnswer(host, requestSchema, answer).state === 'merged' ? 'merged' : 'refused';
    } catch (error) {
      if (statusOf(error) === 409) return 'moved';
      // 406 before GitLab 16, for conflicts; 422 where it fails on the way.
      if ([405, 406, 422].includes(statusOf(error) ?? 0)) return 'refused';
      throw error;
    }
  }

  return {
    kind: 'gitlab',
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
    reopenPullRequest: (number) => setState(number, 'opened'),
    merge,
    close: () => connection.close(),
  };
}

/** Squashed and with a merge commit beside it, our message would not be on the first-parent line: there, squashing is not offered. */
function methodsOf({ merge_method, squash_option }: z.output<typeof projectSchema>): MergeMethod[] {
  if (merge_method !== 'ff') return ['merge'];
  if (squash_option === 'always') return ['squash'];
  return squash_option === 'never' ? ['rebase'] : ['rebase', 'squash'];
}

function toPullRequest(request: z.output<typeof requestSchema>): PullRequest {
  const { iid, web_url, state, draft, source_branch, target_branch, sha, updated_at } = request;
  return {
    number: iid,
    url: web_url,
    state: state === 'opened' || state === 'locked' ? 'open' : state,
    isDraft: draft,
    branch: source_branch,
    into: target_branch,
    head: sha,
    updatedAt: updated_at,
  };
}

function mergeabilityOf({ state, has_conflicts, detailed_merge_status }: Details): Mergeability {
  if (state !== 'opened') return 'unknown';
  const word = wordOf(MERGEABILITY, detailed_merge_status);
  return has_conflicts && word !== 'unknown' ? 'conflict' : word;
}

/** docs.gitlab.com/ci/jobs, "Job statuses". A job that waits for a person holds a pipeline only where it may not fail. */
function stateOf(status: string, mayFail: boolean): CheckState {
  if (status === 'success' || status === 'skipped') return 'passed';
  if (status === 'manual' && mayFail) return 'passed';
  if (status === 'failed' || status === 'canceled') return mayFail ? 'passed' : 'failed';
  return 'pending';
}
