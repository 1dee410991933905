/** GitHub's REST API, as far as pull requests need it, and the two calls that only its GraphQL has. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { MergeMethod } from '../../../../../engine/model/index.ts';
import type { GitHubApp } from './github-app.ts';
import { type HostContext, textOf } from './context.ts';
import type { Answer, Call } from '../faults.ts';
import { createBodies } from './github-bodies.ts';
import { isProtected } from '../repository/protection.ts';
import { type Pull, Refusal } from '../pulls.ts';
import { createRoutes, pageOf } from './routes.ts';
import type { Dialect } from '../server.ts';

const failure = (status: number, message: string, errors?: readonly unknown[]): Answer => ({
  status,
  body: {
    message,
    ...(errors && { errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  },
});
const invalid = (error: Readonly<Record<string, unknown>>) =>
  failure(422, 'Validation Failed', [{ resource: 'PullRequest', ...error }]);
const NOT_FOUND = failure(404, 'Not Found');

export function github(context: HostContext, app: GitHubApp): Dialect {
  const { origin, name, store, settings, account } = context;
  const [owner = ''] = name.split('/');
  const bodies = createBodies(context);
  const R = `/repos/${name}`;
  const pullOf = (number: string) => store.get(Number(number));
  const ok = (body: unknown): Answer => ({ status: 200, body });

  function list(
    call: Call,
    items: readonly unknown[],
    wrap = (page: readonly unknown[]): unknown => page,
  ): Answer {
    const url = `${origin}/api/v3${call.path}`;
    const page = pageOf(items, call, { url, size: 'per_page', usual: 30, most: settings.pageLimit });
    return { status: 200, headers: page.headers, body: wrap(page.items) };
  }

  function pulls(call: Call): Answer {
    const { state = 'open', head, base, sort = 'created', direction = 'desc' } = call.query;
    // Without an owner the filter is ignored, and nobody is told.
    const branch = head?.includes(':') ? head : undefined;
    const key = sort === 'updated' ? 'updatedAt' : 'createdAt';
    const found = store.pulls
      .filter((pull) => state === 'all' || (state === 'open') === (pull.state === 'open'))
      .filter((pull) => branch === undefined || branch === `${owner}:${pull.branch}`)
      .filter((pull) => base === undefined || base === pull.into)
      .sort((one, other) => (one[key] < other[key] ? -1 : 1));
    return list(call, (direction === 'desc' ? found.reverse() : found).map(bodies.simple));
  }

  async function read(pull: Pull): Promise<Answer> {
    return ok(bodies.details(pull, await store.verdict(pull, { isLook: true })));
  }

  async function create({ body }: Call): Promise<Answer> {
    const [head = '', base = '', title = ''] = [
      textOf(body, 'head'),
      textOf(body, 'base'),
      textOf(body, 'title'),
    ];
    const branch = head.startsWith(`${owner}:`) ? head.slice(owner.length + 1) : head;
    if (title === '') return invalid({ field: 'title', code: 'missing_field' });
    const isDraft = body['draft'] === true;
    const text = textOf(body, 'body') ?? '';
    try {
      const pull = await store.create({ branch, into: base, title, body: text, author: account, isDraft });
      return { status: 201, body: bodies.details(pull, 'unknown') };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const message = `A pull request already exists for ${owner}:${branch}.`;
      if (error.reason === 'exists') return invalid({ code: 'custom', message });
      if (error.reason === 'no-branch') return invalid({ field: error.detail, code: 'invalid' });
      if (error.reason === 'no-drafts')
        return failure(422, 'Draft pull requests are not supported in this repository.');
      return invalid({ code: 'custom', message: `No commits between ${base} and ${branch}` });
    }
  }

  async function patch({ body }: Call, number: string): Promise<Answer> {
    const pull = pullOf(number);
    const [state, base] = [textOf(body, 'state'), textOf(body, 'base')];
    try {
      if (state === 'closed' && pull.state === 'open') store.close(pull);
      if (state === 'open') await store.reopen(pull);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const why =
        error.detail === 'deleted'
          ? `The ${pull.branch} branch has been deleted.`
          : error.detail === 'moved'
            ? `The ${pull.branch} branch was force-pushed or recreated.`
            : 'The pull request cannot be reopened.';
      return invalid({ field: 'state', code: 'invalid', message: `state cannot be changed. ${why}` });
    }
    const [title, text] = [textOf(body, 'title'), textOf(body, 'body')];
    if (title !== undefined) store.entitle(pull, title);
    if (text !== undefined) pull.body = text;
    if (base !== undefined) pull.into = base;
    if (text !== undefined || base !== undefined) store.touch(pull);
    await store.sync();
    return ok(bodies.details(pull, await store.verdict(pull)));
  }

  async function merge({ body }: Call, number: string): Promise<Answer> {
    const method = textOf(body, 'merge_method') ?? 'merge';
    if (!isMethod(method)) return failure(422, 'Invalid request.');
    try {
      const pull = await context.merge(Number(number), {
        by: account,
        method,
        title: textOf(body, 'commit_title'),
        message: textOf(body, 'commit_message'),
        head: textOf(body, 'sha'),
      });
      return ok({ sha: pull.mergeCommit, merged: true, message: 'Pull Request successfully merged' });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refusedMerge(error);
    }
  }

  function refusedMerge({ reason, detail }: Refusal): Answer {
    if (reason === 'no-such') return NOT_FOUND;
    if (reason === 'moved') return failure(409, 'Head branch was modified. Review and try the merge again.');
    if (reason === 'queue') return failure(405, 'Changes must be made through the merge queue');
    if (reason === 'draft') return failure(405, 'Pull Request is still a draft');
    if (reason === 'method') return failure(405, isMethod(detail) ? METHOD_WORDS[detail] : detail);
    if (reason === 'rules') return failure(405, ruleWords(detail));
    return failure(405, 'Pull Request is not mergeable');
  }

  function ruleWords(verdict: string): string {
    if (verdict === 'behind') return 'Head branch is out of date. Review and try the merge again.';
    const { requiredReviews } = settings;
    if (requiredReviews > 0)
      return `At least ${requiredReviews} approving review is required by reviewers with write access.`;
    return `Required status check "${settings.requiredChecks[0] ?? ''}" is expected.`;
  }

  async function graphql({ body }: Call): Promise<Answer> {
    const query = textOf(body, 'query') ?? '';
    const data = (of: unknown) => ok({ data: of });
    const refused = (type: string, message: string) => ok({ data: null, errors: [{ type, message }] });
    if (query.includes('mergeQueue'))
      return data({ repository: { mergeQueue: settings.queue === null ? null : { id: 'MQ_1' } } });
    const [, number = ''] = /"PR_(\d+)"/.exec(JSON.stringify(body['variables'] ?? {}) + query) ?? [];
    const pull = store.pulls.find((one) => one.number === Number(number));
    const [operation] = OPERATIONS.exec(query) ?? [];
    if (pull === undefined || operation === undefined)
      return refused('NOT_FOUND', 'Could not resolve to a node.');
    const isDraft = operation === 'convertPullRequestToDraft';
    if (isDraft && !settings.drafts) return refused('UNPROCESSABLE', 'Drafts are not supported.');
    if (operation === 'enablePullRequestAutoMerge') {
      if ((await store.verdict(pull, { isKnown: true })) === 'clean')
        return refused('UNPROCESSABLE', 'Pull request Pull request is in clean status');
      pull.autoMerge = 'merge';
    } else {
      if (pull.isDraft !== isDraft) store.touch(pull);
      pull.isDraft = isDraft;
    }
    return data({ [operation]: { pullRequest: { id: `PR_${number}`, isDraft: pull.isDraft } } });
  }

  async function branch(_: Call, of: string): Promise<Answer> {
    const sha = (await context.repository.heads()).get(of);
    return sha === undefined ? failure(404, 'Branch not found') : ok(bodies.branch(of, sha));
  }

  function protection(_: Call, of: string): Answer {
    if (!settings.mayAdminister) return failure(403, 'Resource not accessible by personal access token');
    if (!isProtected(of, settings) || settings.protectedBy !== 'protection')
      return failure(404, 'Branch not protected');
    return ok(bodies.protection());
  }

  function label({ body }: Call, number: string): Answer {
    const pull = pullOf(number);
    const labels = z.array(z.string()).parse(body['labels'] ?? []);
    pull.labels = [...new Set([...pull.labels, ...labels])];
    store.touch(pull);
    return ok(bodies.simple(pull).labels);
  }

  const route = createRoutes({
    [`GET ${R}`]: () => ok(bodies.repository()),
    [`GET ${R}/pulls`]: pulls,
    [`POST ${R}/pulls`]: create,
    [`GET ${R}/pulls/:`]: (_, number = '') => read(pullOf(number)),
    [`PATCH ${R}/pulls/:`]: (call, number = '') => patch(call, number),
    [`PUT ${R}/pulls/:/merge`]: (call, number = '') => merge(call, number),
    [`GET ${R}/pulls/:/reviews`]: (call, number = '') => list(call, bodies.reviews(pullOf(number))),
    [`POST ${R}/issues/:/labels`]: (call, number = '') => label(call, number),
    [`GET ${R}/commits/:/status`]: (_, sha = '') => ok(bodies.status(sha)),
    [`GET ${R}/commits/:/check-runs`]: (call, sha = '') => {
      const runs = bodies.checkRuns(sha);
      return list(call, runs, (page) => ({ total_count: runs.length, check_runs: page }));
    },
    [`GET ${R}/branches/::/protection`]: (call, of = '') => protection(call, of),
    [`GET ${R}/branches/::`]: (call, of = '') => branch(call, of),
    [`GET ${R}/rules/branches/::`]: (call, of = '') => list(call, bodies.rules(of)),
    [`GET ${R}/rulesets/:`]: () => ok(bodies.ruleset()),
    'POST /api/graphql': graphql,
    ...app.routes,
  });

  return {
    base: '/api/v3',
    headers: {
      'x-github-request-id': 'TEST:1',
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '4999',
      'x-ratelimit-reset': '4102444800',
    },
    tokenOf: ({ headers }) => /^(?:token|bearer) (\S+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? null,
    unauthorised: failure(401, 'Bad credentials'),
    async answer(call) {
      if (!settings.mayRead) return NOT_FOUND;
      const isRead = call.method === 'GET' || call.path.startsWith('/app/');
      if (!settings.mayWrite && !isRead)
        return failure(403, 'Resource not accessible by personal access token');
      await store.sync();
      try {
        return conditional(call, (await route(call)) ?? NOT_FOUND);
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'no-such') return NOT_FOUND;
        throw error;
      }
    },
  };
}

const OPERATIONS = /convertPullRequestToDraft|markPullRequestReadyForReview|enablePullRequestAutoMerge/;
const METHOD_WORDS: Readonly<Record<MergeMethod, string>> = {
  merge: 'Merge commits are not allowed on this repository.',
  squash: 'Squash merges are not allowed on this repository.',
  rebase: 'Rebase merges are not allowed on this repository.',
};
const isMethod = (text: string): text is MergeMethod => text in METHOD_WORDS;

/** What the caller has already is answered with 304, which costs none of its rate. */
function conditional(call: Call, answer: Answer): Answer {
  if (call.method !== 'GET' || answer.status !== 200) return answer;
  const digest = createHash('sha256')
    .update(JSON.stringify([answer.body, answer.headers]))
    .digest('hex');
  const etag = `W/"${digest}"`;
  if (call.headers['if-none-match'] === etag) return { status: 304, headers: { ...answer.headers, etag } };
  return { ...answer, headers: { ...answer.headers, etag } };
}
