/** GitLab's REST API, as far as merge requests need it. */
import { type HostContext, textOf } from './context.ts';
import type { Answer, Call, Fields } from '../faults.ts';
import { createBodies } from './gitlab-bodies.ts';
import { type Pull, Refusal } from '../pulls.ts';
import { createRoutes, pageOf } from './routes.ts';
import type { Dialect } from '../server.ts';

const failure = (status: number, message: unknown): Answer => ({ status, body: { message } });
const NOT_FOUND = failure(404, '404 Not found');

export function gitlab(context: HostContext): Dialect {
  const { origin, name, store, settings, account } = context;
  const bodies = createBodies(context);
  const P = `/projects/${encodeURIComponent(name)}`;
  const M = `${P}/merge_requests`;
  const pullOf = (number: string) => store.get(Number(number));
  const ok = (body: unknown): Answer => ({ status: 200, body });

  function list(call: Call, items: readonly unknown[]): Answer {
    const url = `${origin}/api/v4${call.path}`;
    const page = pageOf(items, call, { url, size: 'per_page', usual: 20, most: settings.pageLimit });
    const counts = {
      'x-page': page.page,
      'x-per-page': page.size,
      'x-next-page': page.page < page.pages ? page.page + 1 : '',
      'x-prev-page': page.page > 1 ? page.page - 1 : '',
      'x-total': items.length,
      'x-total-pages': page.pages,
    };
    const headers = Object.entries(counts).map(([key, value]) => [key, String(value)]);
    return { status: 200, headers: { ...page.headers, ...Object.fromEntries(headers) }, body: page.items };
  }

  async function mergeRequests(call: Call): Promise<Answer> {
    const { state = 'all', sort = 'desc', source_branch: source, target_branch: target } = call.query;
    const key = call.query['order_by'] === 'updated_at' ? 'updatedAt' : 'createdAt';
    const found = store.pulls
      .filter((pull) => state === 'all' || state === (pull.state === 'open' ? 'opened' : pull.state))
      .filter((pull) => source === undefined || source === pull.branch)
      .filter((pull) => target === undefined || target === pull.into)
      .sort((one, other) => (one[key] < other[key] ? -1 : 1));
    if (sort === 'desc') found.reverse();
    return list(
      call,
      await Promise.all(found.map(async (pull) => bodies.simple(pull, await verdictOf(pull)))),
    );
  }

  /** Fast-forwards and semi-linear histories ask for a branch that holds its base. */
  async function verdictOf(pull: Pull, isLook = false) {
    const verdict = await store.verdict(pull, { isLook });
    if (settings.projectMerge === 'merge' || ['unknown', 'conflict', 'draft'].includes(verdict))
      return verdict;
    return (await context.repository.holds(pull.head, pull.base)) ? verdict : 'behind';
  }

  const show = async (pull: Pull, isLook = false) =>
    bodies.details(pull, await verdictOf(pull, isLook), isLook);

  async function create({ body }: Call): Promise<Answer> {
    const [branch = '', into = '', title = ''] = ['source_branch', 'target_branch', 'title'].map((field) =>
      textOf(body, field),
    );
    if (title === '') return { status: 400, body: { error: 'title is missing' } };
    const text = textOf(body, 'description') ?? '';
    try {
      const pull = await store.create({ branch, into, title, body: text, author: account, isDraft: false });
      pull.labels = labelsOf(body) ?? [];
      return { status: 201, body: await show(pull) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'exists') return failure(409, [exists(error.detail)]);
      if (error.reason !== 'no-branch') return failure(400, { base: [error.detail] });
      const field = error.detail === 'head' ? 'source_branch' : 'target_branch';
      return failure(400, { [field]: ['does not exist'] });
    }
  }

  const exists = (number: string) =>
    `Another open merge request already exists for this source branch: !${number}`;

  async function update({ body }: Call, number: string): Promise<Answer> {
    const pull = pullOf(number);
    const event = textOf(body, 'state_event');
    try {
      if (event === 'close') store.close(pull);
      if (event === 'reopen') await store.reopen(pull);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'exists') return failure(409, [exists(error.detail)]);
      // One that is merged, or whose branch is gone, stays as it is, and nobody is told.
    }
    const [title, text, target] = ['title', 'description', 'target_branch'].map((field) =>
      textOf(body, field),
    );
    const labels = labelsOf(body);
    if (title !== undefined) store.entitle(pull, title);
    if (text !== undefined) pull.body = text;
    if (target !== undefined) pull.into = target;
    if (labels !== undefined) pull.labels = labels;
    if ([text, target, labels].some((value) => value !== undefined)) store.touch(pull);
    await store.sync();
    return ok(await show(pull));
  }

  async function merge({ body }: Call, number: string): Promise<Answer> {
    try {
      const pull = await context.merge(Number(number), {
        by: account,
        method: 'merge',
        squash: typeof body['squash'] === 'boolean' ? body['squash'] : undefined,
        mergeText: textOf(body, 'merge_commit_message'),
        squashText: textOf(body, 'squash_commit_message'),
        head: textOf(body, 'sha'),
      });
      if (body['should_remove_source_branch'] === true && !settings.deleteBranchOnMerge)
        await context.repository.move(pull.branch, null, pull.head);
      return ok(await show(pull));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.reason === 'no-such') return NOT_FOUND;
      if (error.reason === 'moved') return failure(409, 'SHA does not match HEAD of source branch');
      if (error.reason === 'method')
        return failure(
          422,
          'Squashing not allowed: This project does not allow squashing commits when merge requests are accepted.',
        );
      return failure(405, '405 Method Not Allowed');
    }
  }

  const protections = () => settings.protect.map(bodies.protection);
  const mayAdminister = (answer: () => Answer): Answer =>
    settings.mayAdminister ? answer() : failure(403, '403 Forbidden');

  const route = createRoutes({
    'GET /version': () => ok({ version: '18.4.0', revision: 'test' }),
    [`GET ${P}`]: () => ok(bodies.project()),
    [`GET ${M}`]: mergeRequests,
    [`POST ${M}`]: create,
    [`GET ${M}/:`]: async (_, number = '') => ok(await show(pullOf(number), true)),
    [`PUT ${M}/:`]: (call, number = '') => update(call, number),
    [`PUT ${M}/:/merge`]: (call, number = '') => merge(call, number),
    [`GET ${M}/:/approvals`]: (_, number = '') => ok(bodies.approvals(pullOf(number))),
    [`GET ${M}/:/reviewers`]: (call, number = '') => list(call, bodies.reviewers(pullOf(number))),
    [`GET ${M}/:/pipelines`]: (call, number = '') => {
      const { head, branch } = pullOf(number);
      return list(call, bodies.pipelines(head, branch));
    },
    [`GET ${P}/pipelines`]: (call) => list(call, bodies.pipelines(call.query['sha'] ?? '', '')),
    [`GET ${P}/repository/commits/:/statuses`]: (call, sha = '') => list(call, bodies.statuses(sha)),
    [`GET ${P}/repository/branches/:`]: async (_, of = '') => {
      const sha = (await context.repository.heads()).get(of);
      return sha === undefined ? failure(404, '404 Branch Not Found') : ok(bodies.branch(of, sha));
    },
    [`GET ${P}/push_rule`]: () =>
      mayAdminister(() => ok({ id: 1, reject_unsigned_commits: settings.requireSignatures })),
    [`GET ${P}/protected_branches`]: (call) => mayAdminister(() => list(call, protections())),
    [`GET ${P}/protected_branches/:`]: (_, rule = '') =>
      mayAdminister(() => {
        const found = protections().find((one) => one.name === rule);
        return found === undefined ? NOT_FOUND : ok(found);
      }),
  });

  return {
    base: '/api/v4',
    headers: { 'ratelimit-limit': '2000', 'ratelimit-remaining': '1999' },
    tokenOf: ({ headers }) =>
      headers['private-token'] ?? /^bearer (\S+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? null,
    unauthorised: failure(401, '401 Unauthorized'),
    async answer(call) {
      if (!settings.mayRead) return failure(404, '404 Project Not Found');
      if (!settings.mayWrite && call.method !== 'GET') return failure(403, '403 Forbidden');
      await store.sync();
      try {
        return (await route({ ...call, path: call.path.replace(/^\/projects\/1(?=\/|$)/, P) })) ?? NOT_FOUND;
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'no-such') return NOT_FOUND;
        throw error;
      }
    },
  };
}

/** With commas between them. */
const labelsOf = (body: Fields): string[] | undefined =>
  textOf(body, 'labels')
    ?.split(',')
    .filter((label) => label !== '');
