/** GitHub and GitHub Enterprise: docs.github.com/rest/pulls. What only GraphQL has are drafts. */
import type { Octokit } from '@octokit/core';
import { z } from 'zod';
import { type HostReview, PROPOSED_BRANCH } from '../../model/index.ts';
import {
  alreadyMerged,
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
  wordOf,
} from './context.ts';
import { answered, nameOf, openOctokit } from './github-client.ts';
import { readBranchRules, readSettings } from './github-rules.ts';
import type {
  CodeHost,
  Mergeability,
  Merging,
  NewPullRequest,
  PullRequest,
  PullRequestDetails,
} from '../../model/index.ts';

const pullSchema = z.object({
  number: numbered,
  html_url: webUrl,
  state: z.enum(['open', 'closed']),
  draft: z.boolean().optional(),
  merged_at: time.nullable(),
  updated_at: time,
  head: z.object({ ref: line, sha: objectId }),
  base: z.object({ ref: line }),
});
/** Of a fork that is gone, the repository is null. */
const key = z.object({ head: z.object({ ref: line, repo: z.object({ full_name: line }) }) });
const detailsSchema = pullSchema.extend({
  node_id: line,
  mergeable: z.boolean().nullable(),
  mergeable_state: line,
  merge_commit_sha: objectId.nullable(),
  merged_by: z.object({ login: line }).nullable(),
  head: pullSchema.shape.head.extend({ repo: z.object({ full_name: line }).nullable() }),
});
type Pull = z.output<typeof pullSchema>;
type Details = z.output<typeof detailsSchema>;

const reviewSchema = z.object({
  user: z.object({ login: line }).nullable(),
  state: line,
  submitted_at: time.optional(),
});
const runSchema = z.object({
  check_runs: z.array(z.object({ name: line, status: line, conclusion: line.nullable() })),
});
const statusSchema = z.object({ statuses: z.array(z.object({ context: line, state: line })) });

/** docs.github.com/graphql, "MergeStateStatus". `unstable`: checks that are not required have not passed. */
const MERGEABILITY: Readonly<Record<string, Mergeability>> = {
  clean: 'yes',
  unstable: 'yes',
  has_hooks: 'yes',
  behind: 'behind',
  dirty: 'conflict',
  unknown: 'unknown',
};
const REVIEWS: Readonly<Record<string, HostReview['state']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
};

const TO_DRAFT =
  'mutation ($id: ID!) { convertPullRequestToDraft(input: { pullRequestId: $id }) { pullRequest { isDraft } } }';
const TO_READY =
  'mutation ($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }';

/** A page that was listed, and what GitHub calls this state of it: asked for again, it costs nothing of the rate. */
interface Listed {
  readonly etag: string;
  readonly pulls: readonly PullRequest[];
  readonly hasNext: boolean;
}

export function createGithub(context: HostContext): CodeHost {
  const { place, connection, clock } = context;
  const host = nameOf(context);
  const [owner = '', repo = ''] = place.repository.split('/');
  const at = { owner, repo };
  const listed = new Map<number, Listed>();
  let opening: Promise<Octokit> | undefined;

  async function octokit(): Promise<Octokit> {
    opening ??= openOctokit(context).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }
  /** One call. An app whose token or key is not taken any more starts anew, once: a call that was refused so was not done. */
  async function ask<Value>(call: (client: Octokit) => Promise<Value>): Promise<Value> {
    const client = await octokit();
    try {
      return await answered(context, call(client));
    } catch (error) {
      if (place.credentials.kind !== 'app' || statusOf(error) !== 401) throw error;
      opening = undefined;
      return answered(context, call(await octokit()));
    }
  }
  const isOwn = (name: string | undefined) => name?.toLowerCase() === place.repository.toLowerCase();
  /** Each is looked at: forks in one organisation share an owner, and a filter that is not understood is ignored. */
  function readOwn(data: unknown, isBranch: (branch: string) => boolean): PullRequest[] {
    const isOurs = ({ head }: z.output<typeof key>) => isBranch(head.ref) && isOwn(head.repo.full_name);
    return readOurs(host, data, { key, isOurs, schema: pullSchema }).map(toPullRequest);
  }

  async function readPull(number: number): Promise<Details> {
    const { data } = await ask((client) =>
      client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...at, pull_number: number }),
    );
    return readAnswer(host, detailsSchema, data);
  }

  async function find(branch: string): Promise<PullRequest | null> {
    const { data } = await ask((client) =>
      client.request('GET /repos/{owner}/{repo}/pulls', {
        ...at,
        state: 'all',
        head: `${owner}:${branch}`,
        sort: 'created',
        direction: 'desc',
        per_page: PER_PAGE,
      }),
    );
    return newest(readOwn(data, (other) => other === branch));
  }

  async function listPage(page: number): Promise<Listed> {
    const known = listed.get(page);
    try {
      const { data, headers } = await ask((client) =>
        client.request('GET /repos/{owner}/{repo}/pulls', {
          ...at,
          state: 'open',
          sort: 'created',
          direction: 'asc',
          per_page: PER_PAGE,
          page,
          headers: known ? { 'if-none-match': known.etag } : {},
        }),
      );
      const pulls = readOwn(data, (branch) => branch.startsWith(PROPOSED_BRANCH));
      const read = { etag: headers.etag ?? '', pulls, hasNext: hasNextPage(headers.link) };
      if (read.etag === '') listed.delete(page);
      else listed.set(page, read);
      return read;
    } catch (error) {
      if (statusOf(error) === 304 && known) return known;
      throw error;
    }
  }

  async function listOpen(): Promise<readonly PullRequest[]> {
    const pulls: PullRequest[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { pulls: more, hasNext } = await listPage(page);
      pulls.push(...more);
      if (!hasNext) break;
    }
    return pulls;
  }

  async function readReviews(number: number): Promise<HostReview[]> {
    const reviews: HostReview[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { data, headers } = await ask((client) =>
        client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
          ...at,
          pull_number: number,
          per_page: PER_PAGE,
          page,
        }),
      );
      for (const { user, state, submitted_at } of readAnswer(host, z.array(reviewSchema), data)) {
        const known = REVIEWS[state];
        // Without a time it is not submitted yet.
        if (known && submitted_at)
          reviews.push({ actor: user?.login ?? 'ghost', state: known, at: submitted_at });
      }
      if (!hasNextPage(headers.link)) break;
    }
    return reviews;
  }

  async function readChecks(ref: string) {
    const checks: { name: string; state: CheckState }[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      // Tokens of some kinds may not read them.
      const answer = await unlessHidden(
        ask((client) =>
          client.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
            ...at,
            ref,
            per_page: PER_PAGE,
            page,
          }),
        ),
      );
      if (answer === null) break;
      for (const { name, status, conclusion } of readAnswer(host, runSchema, answer.data).check_runs)
        checks.push({ name, state: stateOfRun(status, conclusion) });
      if (!hasNextPage(answer.headers.link)) break;
    }
    const combined = await unlessHidden(
      ask((client) =>
        client.request('GET /repos/{owner}/{repo}/commits/{ref}/status', { ...at, ref, per_page: PER_PAGE }),
      ),
    );
    if (combined !== null)
      for (const { context: name, state } of readAnswer(host, statusSchema, combined.data).statuses)
        checks.push({ name, state: stateOfStatus(state) });
    return checks;
  }

  async function read(number: number): Promise<PullRequestDetails> {
    const pull = await lookUntil(
      () => readPull(number),
      ({ state, mergeable }) => state !== 'open' || mergeable !== null,
      clock,
    );
    const rules = await readBranchRules(context, ask, pull.base.ref);
    const checks = countChecks(await readChecks(pull.head.sha), rules.requiredChecks);
    const isMerged = pull.merged_at !== null;
    const { ref, repo: from } = pull.head;
    return {
      ...toPullRequest(pull),
      ...(isOwn(from?.full_name) ? {} : { branch: foreignBranch(from?.full_name, ref) }),
      mergeability: mergeabilityOf(pull),
      hostState: pull.mergeable_state,
      checks,
      reviews: await readReviews(number),
      // While it is open, it names a merge that GitHub tried.
      mergeCommit: isMerged ? pull.merge_commit_sha : null,
      mergedBy: isMerged ? (pull.merged_by?.login ?? null) : null,
    };
  }

  async function create(input: NewPullRequest): Promise<PullRequest> {
    const { branch, head, into, title, body, labels } = input;
    const known = await find(branch);
    if (known !== null && isGiven(known, { head, into })) return known;
    let pull: PullRequest;
    try {
      const { data } = await ask((client) =>
        client.request('POST /repos/{owner}/{repo}/pulls', { ...at, head: branch, base: into, title, body }),
      );
      pull = toPullRequest(readAnswer(host, pullSchema, data));
    } catch (error) {
      // Another worker was faster.
      const other = statusOf(error) === 422 ? await find(branch) : null;
      if (other === null || !isGiven(other, { head, into })) throw error;
      return other;
    }
    if (labels.length > 0) await unlessRefused(addLabels(pull.number, labels));
    return pull;
  }

  const addLabels = (number: number, labels: readonly string[]) =>
    ask((client) =>
      client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
        ...at,
        issue_number: number,
        labels: [...labels],
      }),
    );

  async function edit(
    number: number,
    change: { title?: string; body?: string; state?: 'open' | 'closed' },
  ): Promise<Details> {
    const { data } = await ask((client) =>
      client.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
        ...at,
        pull_number: number,
        ...change,
      }),
    );
    return readAnswer(host, detailsSchema, data);
  }

  async function setState(number: number, state: 'open' | 'closed'): Promise<void> {
    const pull = await readPull(number);
    const isMerged = ({ merged_at }: Pull) => merged_at !== null;
    if (isMerged(pull) || (pull.state !== state && isMerged(await edit(number, { state }))))
      throw alreadyMerged(host, number);
  }

  async function setDraft(number: number, isDraft: boolean): Promise<void> {
    const { node_id: id, draft = false } = await readPull(number);
    if (draft !== isDraft) await ask((client) => client.graphql(isDraft ? TO_DRAFT : TO_READY, { id }));
  }

  async function merge(number: number, merging: Merging): Promise<'merged' | 'moved' | 'refused'> {
    try {
      await ask((client) =>
        client.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge', {
          ...at,
          pull_number: number,
          sha: merging.head,
          merge_method: merging.method,
          commit_title: merging.title,
          commit_message: merging.message,
        }),
      );
      return 'merged';
    } catch (error) {
      if (statusOf(error) === 409) return 'moved';
      if (statusOf(error) === 405) return 'refused';
      throw error;
    }
  }

  return {
    kind: 'github',
    name: place.name,
    repository: place.repository,
    settings: (into) => readSettings(context, ask, into),
    find,
    listOpen,
    read,
    create,
    update: async (number, change) => void (await edit(number, change)),
    setDraft,
    closePullRequest: (number) => setState(number, 'closed'),
    reopenPullRequest: (number) => setState(number, 'open'),
    merge,
    close: () => connection.close(),
  };
}

function toPullRequest({
  number,
  html_url,
  state,
  draft,
  merged_at,
  updated_at,
  head,
  base,
}: Pull): PullRequest {
  return {
    number,
    url: html_url,
    state: merged_at === null ? state : 'merged',
    isDraft: draft ?? false,
    branch: head.ref,
    into: base.ref,
    head: head.sha,
    updatedAt: updated_at,
  };
}

function mergeabilityOf({ state, mergeable, mergeable_state }: Details): Mergeability {
  if (state !== 'open' || mergeable === null) return 'unknown';
  return mergeable ? wordOf(MERGEABILITY, mergeable_state) : 'conflict';
}

/** docs.github.com/rest/checks: `neutral` and `skipped` count as passed. */
function stateOfRun(status: string, conclusion: string | null): CheckState {
  if (status !== 'completed' || conclusion === null) return 'pending';
  return ['success', 'neutral', 'skipped'].includes(conclusion) ? 'passed' : 'failed';
}

function stateOfStatus(state: string): CheckState {
  if (state === 'success') return 'passed';
  return state === 'pending' ? 'pending' : 'failed';
}
