/** The REST API of Gitea and Forgejo, as far as pull requests need it. */
import type { MergeMethod } from '../../../../../engine/model/index.ts';
import { type HostContext, textOf } from './context.ts';
import type { Answer, Call } from '../faults.ts';
import { createBodies } from './gitea-bodies.ts';
import { type Pull, Refusal, type RefusalReason, type Unmet } from '../pulls.ts';
import { createRoutes, pageOf } from './routes.ts';
import type { Dialect } from '../server.ts';

export function gitea(context: HostContext): Dialect {
  const { origin, name, store, settings, account } = context;
  const bodies = createBodies(context);
  const R = `/repos/${name}`;
  const pullOf = (number: string) => store.get(Number(number));
  const ok = (body: unknown): Answer => ({ status: 200, body });
  const failure = (status: number, message: string): Answer => ({
    status,
    body: { message, url: `${origin}/api/swagger` },
  });
  const notFound: Answer = {
    status: 404,
    body: { errors: [], message: "The target couldn't be found.", url: `${origin}/api/swagger` },
  };

  function list(call: Call, items: readonly unknown[]): Answer {
    const url = `${origin}/api/v1${call.path}`;
    const page = pageOf(items, call, { url, size: 'limit', usual: 30, most: settings.pageLimit });
    return {
      status: 200,
      headers: { ...page.headers, 'x-total-count': String(items.length) },
      body: page.items,
    };
  }

  async function pulls(call: Call): Promise<Answer> {
    const { state = 'open', sort = '' } = call.query;
    const found = store.pulls.filter(
      (pull) => state === 'all' || (state === 'open') === (pull.state === 'open'),
    );
    const key = sort.endsWith('update') ? 'updatedAt' : 'createdAt';
    found.sort((one, other) => (one[key] < other[key] ? -1 : 1));
    if (sort !== 'oldest' && sort !== 'leastupdate') found.reverse();
    return list(call, await Promise.all(found.map((pull) => show(pull))));
  }

  /** A look at the details makes it try the merge; a list shows what it knows. */
  const show = async (pull: Pull, options: { isLook?: boolean } = {}) =>
    bodies.pull(pull, await store.verdict(pull, options));

  async function create({ body }: Call): Promise<Answer> {
    const [branch = '', into = '', title = ''] = ['head', 'base', 'title'].map((field) =>
      textOf(body, field),
    );
    if (title === '') return failure(422, '[Title]: Required');
    try {
      const text = textOf(body, 'body') ?? '';
      const pull = await store.create({ branch, into, title, body: text, author: account, isDraft: false });
      pull.labels = bodies.labels.names(body['labels']);
      return { status: 201, body: await show(pull) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'no-branch') return notFound;
      if (error.reason !== 'exists') return failure(422, error.detail);
      const ids = `id: ${error.detail}, issue_id: ${error.detail}, head_repo_id: 1, base_repo_id: 1`;
      const where = `${ids}, head_branch: ${branch}, base_branch: ${into}`;
      return failure(409, `pull request already exists for these targets [${where}]`);
    }
  }

  async function patch({ body }: Call, number: string): Promise<Answer> {
    const pull = pullOf(number);
    const [state, title, text, base] = ['state', 'title', 'body', 'base'].map((field) => textOf(body, field));
    try {
      if (state === 'closed') store.close(pull);
      if (state === 'open') await store.reopen(pull);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'merged')
        return failure(412, 'cannot change state of this pull request, it was already merged');
      return failure(422, 'cannot reopen this pull request');
    }
    if (title !== undefined) store.entitle(pull, title);
    if (text !== undefined) pull.body = text;
    if (base !== undefined) pull.into = base;
    if (text !== undefined || base !== undefined) store.touch(pull);
    await store.sync();
    return { status: 201, body: await show(pull) };
  }

  async function merge({ body }: Call, number: string): Promise<Answer> {
    const [style = ''] = [textOf(body, 'Do')];
    if (!isMethod(style))
      return failure(405, `${style} is not allowed an allowed merge style for this repository`);
    try {
      await context.merge(Number(number), {
        by: account,
        method: style,
        title: textOf(body, 'MergeTitleField'),
        message: textOf(body, 'MergeMessageField'),
        head: textOf(body, 'head_commit_id'),
        force: body['force_merge'] === true && settings.mayAdminister,
      });
      return { status: 200 };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refusedMerge(error, number);
    }
  }

  function refusedMerge({ reason, detail }: Refusal, number: string): Answer {
    if (reason === 'no-such' || (reason === 'not-open' && pullOf(number).state === 'closed')) return notFound;
    if (reason === 'moved') return failure(409, 'head out of date');
    if (reason === 'conflict')
      return { status: 409, body: { Style: '', StdOut: '', StdErr: 'CONFLICT', Err: {} } };
    if (reason === 'method')
      return failure(405, `${detail} is not allowed an allowed merge style for this repository`);
    if (reason !== 'rules') return failure(405, MERGE_WORDS[reason] ?? 'Please try again later');
    const [first] = store.unmet(pullOf(number));
    const why =
      detail === 'behind' ? 'The head branch is behind the base branch' : RULE_WORDS[first ?? 'checks'];
    return failure(405, `not ready to be merged: ${why}`);
  }

  const needsAdmin = (answer: () => Answer): Answer =>
    settings.mayAdminister
      ? answer()
      : failure(403, 'user should be an owner or a collaborator with admin write of a repository');

  async function branch(_: Call, of: string): Promise<Answer> {
    const id = (await context.repository.heads()).get(of);
    return id === undefined ? notFound : ok(bodies.branch(of, id));
  }

  /** The oldest that there ever was, whatever became of it. */
  async function byBranches(_: Call, into: string, of: string): Promise<Answer> {
    const found = store.pulls.find((pull) => pull.into === into && pull.branch === of);
    return found === undefined ? notFound : ok(await show(found, { isLook: true }));
  }

  function addLabel({ body }: Call): Answer {
    const label = bodies.labels.add(textOf(body, 'name') ?? '');
    return { status: 201, body: label };
  }

  function setLabels({ body }: Call, number: string): Answer {
    const pull = pullOf(number);
    pull.labels = [...new Set([...pull.labels, ...bodies.labels.names(body['labels'])])];
    store.touch(pull);
    return ok(pull.labels.map(bodies.labels.add));
  }

  const protections = () => settings.protect.map(bodies.protection);

  const route = createRoutes({
    'GET /version': () => ok({ version: '1.26.0' }),
    'GET /settings/api': () => ok({ max_response_items: settings.pageLimit, default_paging_num: 30 }),
    [`GET ${R}`]: () => ok(bodies.repository()),
    [`GET ${R}/pulls`]: pulls,
    [`POST ${R}/pulls`]: create,
    [`GET ${R}/pulls/(\\d+)`]: async (_, number = '') => ok(await show(pullOf(number), { isLook: true })),
    [`PATCH ${R}/pulls/:`]: (call, number = '') => patch(call, number),
    [`POST ${R}/pulls/:/merge`]: (call, number = '') => merge(call, number),
    [`GET ${R}/pulls/(\\d+)/reviews`]: (call, number = '') => list(call, bodies.reviews(pullOf(number))),
    [`GET ${R}/pulls/:/::`]: (call, base = '', head = '') => byBranches(call, base, head),
    [`GET ${R}/commits/:/status`]: (_, sha = '') => ok(bodies.status(sha)),
    [`GET ${R}/commits/:/statuses`]: (call, sha = '') => list(call, bodies.statuses(sha)),
    [`GET ${R}/labels`]: (call) => list(call, bodies.labels.all()),
    [`POST ${R}/labels`]: addLabel,
    [`POST ${R}/issues/:/labels`]: (call, number = '') => setLabels(call, number),
    [`GET ${R}/branch_protections`]: () => needsAdmin(() => ok(protections())),
    [`GET ${R}/branch_protections/::`]: (_, rule = '') =>
      needsAdmin(() => (settings.protect.includes(rule) ? ok(bodies.protection(rule)) : notFound)),
    [`GET ${R}/branches/::`]: (call, of = '') => branch(call, of),
  });

  return {
    base: '/api/v1',
    headers: {},
    tokenOf: ({ headers }) => /^(?:token|bearer) (\S+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? null,
    unauthorised: failure(401, 'invalid username, password or token'),
    async answer(call) {
      if (!settings.mayRead) return notFound;
      if (!settings.mayWrite && call.method !== 'GET')
        return failure(403, 'user should have a permission to write to a repo');
      await store.sync();
      try {
        return (await route(call)) ?? notFound;
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'no-such') return notFound;
        throw error;
      }
    },
  };
}

const RULE_WORDS: Readonly<Record<Unmet, string>> = {
  reviews: 'Does not have enough approvals',
  rejected: 'There are requested changes',
  checks: 'Not all required status checks successful',
  pending: 'Not all required status checks successful',
};
const MERGE_WORDS: Partial<Readonly<Record<RefusalReason, string>>> = {
  draft: 'Work in progress PRs cannot be merged',
  'not-open': '',
};
const isMethod = (text: string): text is MergeMethod => ['merge', 'rebase', 'squash'].includes(text);
