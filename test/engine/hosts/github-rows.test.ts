/** The host of the tests behaves like the rows on GitHub that were read or measured: by plain fetch and git. */
import { sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isProof } from '../../helpers/run/proof.ts';
import {
  ask,
  authorization,
  BRANCH,
  host,
  messageOf,
  push,
  repo,
  start,
  tip,
  TRAILERS,
  trailersOf,
} from './row-scene.ts';

const pullShape = z.looseObject({
  node_id: z.string(),
  head: z.object({ sha: z.string() }),
  updated_at: z.string(),
  mergeable_state: z.string(),
});

describe.runIf(isProof)('GitHub', () => {
  const R = '/repos/acme/config';
  const proposal = { title: 'Roll web back', head: BRANCH, base: 'main', body: 'Plan' };
  const create = async () => pullShape.parse((await ask('POST', `${R}/pulls`, proposal)).body);

  beforeEach(() => start({ kind: 'github' }));

  it('ignores head=BRANCH without an owner and lists all, and refuses a second pull request for a branch', async () => {
    await create();
    const list = async (query: string) => (await ask('GET', `${R}/pulls?${query}`)).body;
    expect(await list('head=nowhere')).toHaveLength(1);
    expect(await list('head=acme:nowhere')).toHaveLength(0);
    expect(await list(`head=acme:${BRANCH}`)).toHaveLength(1);
    const second = await ask('POST', `${R}/pulls`, proposal);
    const message = `A pull request already exists for acme:${BRANCH}.`;
    expect(second).toMatchObject({ status: 422, body: { errors: [{ message }] } });
  });

  it('does not know at first whether a pull request merges', async () => {
    await create();
    const read = async () => (await ask('GET', `${R}/pulls/1`)).body;
    expect(await read()).toMatchObject({ mergeable: null, mergeable_state: 'unknown' });
    expect(await read()).toMatchObject({ mergeable: true, mergeable_state: 'clean' });
  });

  it('answers a merge with 405 where rules are not met or a queue merges, and with 409 where the head moved', async () => {
    const { head } = await create();
    const merge = (body: object) => ask('PUT', `${R}/pulls/1/merge`, body);
    await host.change({ requiredReviews: 1 });
    expect(await merge({ sha: head.sha })).toMatchObject({
      status: 405,
      body: { message: expect.stringContaining('At least 1 approving review is required') },
    });
    await host.review(1, { by: 'bob', state: 'approved' });
    await host.change({ queue: 'squash' });
    expect((await merge({ sha: head.sha })).status).toBe(405);
    await host.change({ queue: null, methods: ['merge'] });
    expect((await merge({ sha: head.sha, merge_method: 'squash' })).status).toBe(405);
    await host.pushTo(1, { files: { other: 'x\n' } });
    expect((await merge({ sha: head.sha })).status).toBe(409);
    expect((await merge({ sha: await tip(BRANCH) })).body).toMatchObject({ merged: true, sha: await tip() });
  });

  it('says clean, has_hooks and unstable of what can be merged, and blocked, behind, dirty and draft of what cannot', async () => {
    const { node_id: id } = await create();
    const state = async () => {
      await ask('GET', `${R}/pulls/1`);
      return pullShape.parse((await ask('GET', `${R}/pulls/1`)).body).mergeable_state;
    };
    await host.setChecks(1, { build: 'green', lint: 'failing' });
    expect(await state()).toBe('unstable');
    await host.setChecks(1, { build: 'green', lint: { state: 'pending', required: true } });
    expect(await state()).toBe('blocked');
    await host.setChecks(1, { build: 'green', lint: 'green' });
    expect(await state()).toBe('clean');
    await host.change({ hasHooks: true });
    expect(await state()).toBe('has_hooks');
    const draft =
      'mutation($id: ID!) { convertPullRequestToDraft(input: { pullRequestId: $id }) { clientMutationId } }';
    const answer = await fetch(`http://${host.name}/api/graphql`, {
      method: 'POST',
      headers: authorization(),
      body: JSON.stringify({ query: draft, variables: { id } }),
    });
    expect(answer.status).toBe(200);
    expect(await state()).toBe('draft');
    await host.edit(1, { isDraft: false });
    await host.change({ requireUpToDate: true });
    await host.commitOn('main', { files: { other: 'x\n' } });
    expect(await state()).toBe('behind');
    await host.commitOn('main', { files: { 'apps/web.yaml': 'image: c\n' } });
    expect(await state()).toBe('dirty');
  });

  it('merges what is blocked for a token that may bypass the rules', async () => {
    await create();
    await host.change({ requiredReviews: 1, mayBypass: true });
    await ask('GET', `${R}/pulls/1`);
    expect((await ask('GET', `${R}/pulls/1`)).body).toMatchObject({ mergeable_state: 'blocked' });
    expect((await ask('PUT', `${R}/pulls/1/merge`, {})).status).toBe(200);
  });

  it('squashes with a text after which git reads no trailer of ours, and BLANK drops everything', async () => {
    await create();
    await host.merge(1, { by: 'bob', method: 'squash' });
    expect(await messageOf('main')).toBe(
      [
        'Roll web back (#1)',
        `* Roll web back\n\nWhy.\n\n${TRAILERS}`,
        '* Deliver web',
        '---------',
        'Co-authored-by: Ada <ada@example.com>',
      ].join('\n\n'),
    );
    expect(await trailersOf('main')).toBe('Co-authored-by: Ada <ada@example.com>');
    await host.change({ squashMessage: 'BLANK' });
    await push(`${BRANCH}:refs/heads/backtrail/2`);
    await host.commitOn('main', { files: { 'apps/web.yaml': 'image: b\n', 'rendered/web.yaml': null } });
    const { number } = await host.open({ title: 'T', branch: 'backtrail/2', into: 'main', by: 'bob' });
    await host.merge(number, { by: 'bob', method: 'squash' });
    expect(await messageOf('main')).toBe('T (#2)');
  });

  it('squashes with the text of the call where it gives one', async () => {
    await create();
    const text = { commit_title: 'Roll web back', commit_message: `Why.\n\n${TRAILERS}` };
    await ask('PUT', `${R}/pulls/1/merge`, { ...text, merge_method: 'squash' });
    expect(await messageOf('main')).toBe(`Roll web back\n\nWhy.\n\n${TRAILERS}`);
  });

  it('lets a queue merge by its own method with the texts of the repository', async () => {
    await host.change({ queue: 'squash', squashMessage: 'BLANK', protectedBy: 'ruleset' });
    await create();
    expect((await ask('GET', `${R}/rules/branches/main`)).body).toContainEqual(
      expect.objectContaining({ type: 'merge_queue' }),
    );
    await host.runQueue(1);
    expect(await messageOf('main')).toBe('Roll web back (#1)');
    expect((await ask('GET', `${R}/pulls/1`)).body).toMatchObject({
      merged: true,
      merge_commit_sha: await tip(),
    });
  });

  it('gives new ids to rebased commits, unsigned, and its own key to merges and squashes', async () => {
    const before = await tip();
    await create();
    await host.merge(1, { by: 'bob', method: 'rebase' });
    const of = (ref: string, base: string) =>
      repo.git('log', '--reverse', '--format=%T %an %s', `${base}..${ref}`);
    expect(await of('main', before)).toBe(await of(BRANCH, before));
    expect(await tip()).not.toBe(await tip(BRANCH));
    const raw = async () => repo.git('cat-file', 'commit', 'main');
    expect(await raw()).not.toContain('gpgsig');
    expect(await raw()).toContain('committer bob <');
    for (const [method, parents] of [
      ['squash', 1],
      ['merge', 2],
    ] as const) {
      await repo.git('update-ref', 'refs/heads/main', before);
      const branch = `backtrail/${method}`;
      await repo.git('branch', branch, BRANCH);
      const { number } = await host.open({ title: 'T', branch, into: 'main', by: 'bob' });
      await host.merge(number, { by: 'bob', method });
      expect(await raw()).toContain('gpgsig');
      expect((await repo.git('log', '-1', '--format=%P', 'main')).split(' ')).toHaveLength(parents);
      expect(await repo.git('rev-parse', 'main^{tree}')).toBe(
        await repo.git('rev-parse', `${BRANCH}^{tree}`),
      );
    }
  });

  it.each([
    ['protection', 'GH006'],
    ['ruleset', 'GH013'],
  ] as const)(
    'refuses a push to a branch under %s with %s and takes one beside it',
    async (protectedBy, code) => {
      await host.change({ protectedBy });
      const refusal = await push(`${BRANCH}:main`).catch((error: Error) => error.message);
      expect(refusal).toContain(code);
      expect(refusal).toContain('Changes must be made through a pull request.');
      await push(`${BRANCH}:refs/heads/backtrail/2`);
      expect(await tip('backtrail/2')).toBe(await tip(BRANCH));
    },
  );

  it('answers what the caller knows already with 304, and lists by pages', async () => {
    for (const number of [1, 2, 3]) {
      await repo.git('branch', `backtrail/n${number}`, BRANCH);
      await host.open({ title: 'T', branch: `backtrail/n${number}`, into: 'main', by: 'bob' });
    }
    const first = await ask('GET', `${R}/pulls?per_page=2`);
    expect(first.body).toMatchObject([{ number: 3 }, { number: 2 }]);
    expect(first.headers.get('link')).toContain('page=2>; rel="next"');
    const etag = first.headers.get('etag') ?? '';
    expect((await ask('GET', `${R}/pulls?per_page=2`, undefined, { 'if-none-match': etag })).status).toBe(
      304,
    );
    await host.edit(1, { title: 'Other' });
    await host.edit(2, { title: 'Other' });
    expect((await ask('GET', `${R}/pulls?per_page=2`, undefined, { 'if-none-match': etag })).status).toBe(
      200,
    );
  });

  it('follows pushes to the branch, closes where it is deleted, and then opens it no more', async () => {
    const created = await create();
    await push(`${BRANCH}~1:refs/heads/${BRANCH}`, '--force');
    const moved = pullShape.parse((await ask('GET', `${R}/pulls/1`)).body);
    expect(moved.head.sha).toBe(await tip(BRANCH));
    expect(moved.updated_at > created.updated_at).toBe(true);
    await push(`:refs/heads/${BRANCH}`);
    expect((await ask('GET', `${R}/pulls/1`)).body).toMatchObject({ state: 'closed', merged: false });
    expect((await ask('PATCH', `${R}/pulls/1`, { state: 'open' })).status).toBe(422);
  });

  it('opens again what was closed, also where its branch went on, and not where it was pushed anew by force', async () => {
    await create();
    const open = () => ask('PATCH', `${R}/pulls/1`, { state: 'open' });
    await host.closePull(1);
    await host.commitOn(BRANCH, { files: { other: 'x\n' } });
    expect(await open()).toMatchObject({
      status: 200,
      body: { state: 'open', head: { sha: await tip(BRANCH) } },
    });
    await host.closePull(1);
    await push(`${BRANCH}~1:refs/heads/${BRANCH}`, '--force');
    expect(await open()).toMatchObject({
      status: 422,
      body: { errors: [{ message: expect.stringContaining('was force-pushed or recreated') }] },
    });
  });

  it.each([{ mayRead: false }, { mayWrite: false }])(
    'refuses a token that lacks the right: %o',
    async (right) => {
      await host.change(right);
      const { status } = await ask('POST', `${R}/pulls`, proposal);
      expect(status).toBe('mayRead' in right ? 404 : 403);
    },
  );

  it('takes auto-merge by GraphQL alone, not where it could merge at once, and leaves it on when somebody pushes', async () => {
    const { node_id: id } = await create();
    const enable = async () => {
      const query =
        'mutation($id: ID!) { enablePullRequestAutoMerge(input: { pullRequestId: $id }) { clientMutationId } }';
      const body = JSON.stringify({ query, variables: { id } });
      const init = { method: 'POST', headers: authorization(), body };
      return (await fetch(`http://${host.name}/api/graphql`, init)).json();
    };
    expect(await enable()).toMatchObject({ errors: [{ message: expect.stringContaining('clean status') }] });
    await host.change({ requiredReviews: 1 });
    expect(await enable()).not.toHaveProperty('errors');
    await host.pushTo(1, { files: { other: 'x\n' } });
    expect((await ask('GET', `${R}/pulls/1`)).body).toMatchObject({ auto_merge: { merge_method: 'merge' } });
  });

  it('starts no workflow for a pull request of the token of Actions', async () => {
    const runs = async () => (await ask('GET', `${R}/commits/${await tip(BRANCH)}/check-runs`)).body;
    await host.change({ workflows: ['build'] });
    await host.open({ title: 'T', branch: BRANCH, into: 'main', by: 'github-actions[bot]' });
    expect(await runs()).toMatchObject({ total_count: 0 });
    await host.closePull(1);
    await create();
    expect(await runs()).toMatchObject({ check_runs: [{ name: 'build', status: 'in_progress' }] });
  });
});

describe('an app of GitHub', () => {
  it('is given a token of an hour for its installation, by a token that it signed itself', async () => {
    await start({ kind: 'github' });
    const { id, key } = host.app();
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const unsigned = `${encode({ alg: 'RS256' })}.${encode({ iss: id, iat: now, exp: now + 600 })}`;
    const own = {
      authorization: `bearer ${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), key).toString('base64url')}`,
    };
    const installation = await ask('GET', '/repos/acme/config/installation', undefined, own);
    const path = `/app/installations/${z.object({ id: z.number() }).parse(installation.body).id}/access_tokens`;
    const { status, body } = await ask('POST', path, {}, own);
    expect(status).toBe(201);
    const given = { authorization: `token ${z.object({ token: z.string() }).parse(body).token}` };
    const repository = async (headers: Readonly<Record<string, string>>) =>
      (await ask('GET', '/repos/acme/config', undefined, headers)).status;
    expect([await repository(given), await repository(own)]).toEqual([200, 401]);
    host.expireTokens();
    expect(await repository(given)).toBe(401);
  });
});
