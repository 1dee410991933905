/** The host of the tests behaves like the rows on GitLab and Gitea that were read or measured, and each like the others: by plain fetch and git. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isProof } from '../../helpers/run/proof.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { makeCertificate } from '../../helpers/servers/certificate.ts';
import { ask, BRANCH, host, messageOf, push, repo, start, tip, TRAILERS, trailersOf } from './row-scene.ts';

describe.runIf(isProof)('GitLab', () => {
  const P = '/projects/acme%2Fconfig';
  const proposal = { title: 'Roll web back', source_branch: BRANCH, target_branch: 'main' };
  const create = () => ask('POST', `${P}/merge_requests`, proposal);
  const read = async () => (await ask('GET', `${P}/merge_requests/1`)).body;
  const status = async () => {
    await read();
    return z.object({ detailed_merge_status: z.string() }).parse(await read()).detailed_merge_status;
  };

  beforeEach(() => start({ kind: 'gitlab' }));

  it('is checking first, then says what it waits for', async () => {
    expect(await create()).toMatchObject({ status: 201, body: { detailed_merge_status: 'unchecked' } });
    expect(await read()).toMatchObject({ detailed_merge_status: 'checking', sha: await tip(BRANCH) });
    expect(await read()).toMatchObject({ detailed_merge_status: 'mergeable' });
    await host.setChecks(1, { build: { state: 'pending', required: true } });
    expect(await status()).toBe('ci_still_running');
    await host.setChecks(1, { build: 'failing' });
    expect(await read()).toMatchObject({
      detailed_merge_status: 'ci_must_pass',
      head_pipeline: { status: 'failed' },
    });
    await host.setChecks(1, { build: 'green' });
    await host.change({ requiredReviews: 1 });
    expect(await status()).toBe('not_approved');
    expect((await ask('PUT', `${P}/merge_requests/1/merge`, {})).status).toBe(405);
    await host.review(1, { by: 'bob', state: 'approved' });
    await ask('PUT', `${P}/merge_requests/1`, { title: 'Draft: Roll web back' });
    expect(await status()).toBe('draft_status');
  });

  it('refuses a second one for a branch, and a merge of another head', async () => {
    await create();
    expect(await create()).toMatchObject({ status: 409, body: { message: [expect.stringContaining('!1')] } });
    await status();
    const sha = await tip();
    expect((await ask('PUT', `${P}/merge_requests/1/merge`, { sha })).status).toBe(409);
  });

  it('merges or fast-forwards as the project says, and leaves the text of a squash off the first-parent line', async () => {
    const before = await tip();
    await create();
    await status();
    const text = { squash: true, squash_commit_message: `Ours\n\n${TRAILERS}` };
    const answer = await ask('PUT', `${P}/merge_requests/1/merge`, { ...text, sha: await tip(BRANCH) });
    expect(answer.body).toMatchObject({ state: 'merged', merge_commit_sha: await tip() });
    expect(await messageOf('main')).toBe(
      `Merge branch '${BRANCH}' into 'main'\n\nRoll web back\n\nSee merge request acme/config!1`,
    );
    expect(await messageOf('main^2')).toBe(`Ours\n\n${TRAILERS}`);
    expect(await repo.git('log', '--first-parent', '--format=%s', `${before}..main`)).not.toContain('Ours');
    await repo.git('update-ref', 'refs/heads/main', before);
    await host.change({ projectMerge: 'ff', projectSquash: 'never' });
    const branch = 'backtrail/2';
    await repo.git('branch', branch, BRANCH);
    await host.open({ title: 'T', branch, into: 'main', by: 'bob' });
    await host.commitOn('main', { files: { other: 'x\n' } });
    await expect(host.merge(2, { by: 'bob', method: 'merge' })).rejects.toMatchObject({ reason: 'rules' });
    await repo.git('update-ref', 'refs/heads/main', before);
    await host.merge(2, { by: 'bob', method: 'merge' });
    expect(await tip()).toBe(await tip(BRANCH));
    expect((await ask('GET', `${P}/merge_requests/2`)).body).toMatchObject({
      state: 'merged',
      merge_commit_sha: null,
    });
  });

  it('names no commit with an approval', async () => {
    await create();
    await host.review(1, { by: 'bob', state: 'approved' });
    const { body } = await ask('GET', `${P}/merge_requests/1/approvals`);
    expect(body).toMatchObject({ approved: true, approved_by: [{ user: { username: 'bob' } }] });
    expect(JSON.stringify(body)).not.toContain(await tip(BRANCH));
  });

  it('refuses a push to a protected branch in its own words', async () => {
    const refusal = await push(`${BRANCH}:main`).catch((error: Error) => error.message);
    expect(refusal).toContain('You are not allowed to push code to protected branches on this project.');
  });
});

describe.runIf(isProof)('Gitea', () => {
  const R = '/repos/acme/config';
  const proposal = { title: 'Roll web back', head: BRANCH, base: 'main' };
  const create = () => ask('POST', `${R}/pulls`, proposal);

  beforeEach(() => start({ kind: 'gitea' }));

  it('finds the oldest by base and head, refuses a second, and merges only the head that is named', async () => {
    expect((await create()).status).toBe(201);
    expect((await create()).status).toBe(409);
    const found = async () => (await ask('GET', `${R}/pulls/main/${BRANCH}`)).body;
    expect(await found()).toMatchObject({ number: 1, mergeable: false });
    expect(await found()).toMatchObject({ number: 1, mergeable: true });
    const merge = (body: object) => ask('POST', `${R}/pulls/1/merge`, body);
    expect((await merge({ Do: 'merge', head_commit_id: await tip() })).status).toBe(409);
    await host.change({ requiredReviews: 1 });
    expect(await found()).toMatchObject({ mergeable: true });
    expect((await merge({ Do: 'merge' })).status).toBe(405);
    await host.review(1, { by: 'bob', state: 'approved' });
    expect((await merge({ Do: 'merge', head_commit_id: await tip(BRANCH) })).status).toBe(200);
    expect(await found()).toMatchObject({ merged: true, merge_commit_sha: await tip() });
    expect((await ask('PATCH', `${R}/pulls/1`, { state: 'closed' })).status).toBe(412);
  });

  it('appends co-authors to a squash, whatever its text is', async () => {
    await create();
    await ask('GET', `${R}/pulls/1`);
    const text = { MergeTitleField: 'Ours', MergeMessageField: TRAILERS };
    await ask('POST', `${R}/pulls/1/merge`, { Do: 'squash', ...text });
    expect(await messageOf('main')).toBe(
      `Ours\n\n${TRAILERS}\n\n---------\n\nCo-authored-by: Ada <ada@example.com>`,
    );
    expect(await trailersOf('main')).toBe('Co-authored-by: Ada <ada@example.com>');
  });

  it('refuses a push to a protected branch in its own words', async () => {
    const refusal = await push(`${BRANCH}:main`).catch((error: Error) => error.message);
    expect(refusal).toContain('Not allowed to push to protected branch main');
  });
});

describe('every host', () => {
  it.each([
    ['github', 'x-hub-signature-256', 'x-github-delivery', true],
    ['gitea', 'x-gitea-signature', 'x-gitea-delivery', true],
    ['gitlab', 'x-gitlab-token', 'x-gitlab-event-uuid', false],
  ] as const)(
    'tells a webhook who it is, and signs no delivery id: %s',
    async (kind, header, id, isSigned) => {
      await start({ kind });
      await host.open({ title: 'T', branch: BRANCH, into: 'main', by: 'bob' });
      const { headers, body } = await host.delivery(1, 'secret');
      const signature = createHmac('sha256', 'secret').update(body).digest('hex');
      expect(headers[header]?.replace('sha256=', '')).toBe(isSigned ? signature : 'secret');
      expect(headers[id]).toBeTypeOf('string');
      expect(body).not.toContain(headers[id]);
    },
  );

  it.each(['github', 'gitlab', 'gitea'] as const)('breaks when and where it is told to: %s', async (kind) => {
    await start({ kind });
    const path = kind === 'gitlab' ? '/projects/acme%2Fconfig' : '/repos/acme/config';
    const get = () => ask('GET', path);
    host.fail({ status: 503, times: 2 });
    expect([(await get()).status, (await get()).status, (await get()).status]).toEqual([503, 503, 200]);
    host.rateLimit({ retryAfter: 7 });
    const limited = await get();
    expect([403, 429]).toContain(limited.status);
    expect(limited.headers.get('retry-after')).toBe('7');
    host.redirectTo('http://other.invalid/');
    expect((await get()).headers.get('location')).toBe('http://other.invalid/');
    host.echoToken();
    expect(JSON.stringify((await get()).body)).toContain(host.token);
    host.cut();
    await expect(get()).rejects.toThrow('terminated');
    host.loseAnswer();
    await expect(get()).rejects.toThrow('fetch failed');
    const hold = host.hold(`GET ${path}`);
    const held = get();
    expect((await hold.reached).path).toBe(path);
    hold.release();
    expect((await held).status).toBe(200);
    expect(host.calls.map(({ status }) => status)).toEqual([
      503,
      503,
      200,
      limited.status,
      307,
      422,
      200,
      0,
      200,
    ]);
    expect((await fetch(`${host.api}${path}`)).status).toBe(401);
  });

  it('gives two that ask at once for a pull request of one branch one, and the other a refusal', async () => {
    await start({ kind: 'github' });
    const create = () => ask('POST', '/repos/acme/config/pulls', { title: 'T', head: BRANCH, base: 'main' });
    const statuses = (await Promise.all([create(), create()])).map(({ status }) => status);
    expect(statuses).toEqual(expect.arrayContaining([201, 422]));
    expect(await host.pulls()).toHaveLength(1);
  });

  it('takes one as merged whose commits somebody pushed to its base, whichever that is by then', async () => {
    await start({ kind: 'github' });
    await host.open({ title: 'T', branch: BRANCH, into: 'main', by: 'bob' });
    await repo.git('branch', 'other', 'main~1');
    await host.retarget(1, 'other');
    await host.moveBranch('main', await tip(BRANCH));
    expect(await host.pull(1)).toMatchObject({ state: 'open', into: 'other' });
    await host.moveBranch('other', await tip(BRANCH));
    expect(await host.pull(1)).toMatchObject({
      state: 'merged',
      mergeCommit: await tip(BRANCH),
      mergedBy: null,
    });
  });

  it('speaks HTTPS with a certificate that only its own authority vouches for', async () => {
    const folder = await temporaryFolder();
    makeCertificate(folder);
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    await start({ kind: 'gitea', tls: { key: read('server.key'), cert: read('server.crt') } });
    await expect(ask('GET', '/version')).rejects.toThrow('fetch failed');
    const trust = `http.sslCAInfo=${join(folder, 'ca.crt')}`;
    expect(await repo.git('-c', trust, 'ls-remote', host.authenticated, 'main')).toContain(await tip());
  });

  it('needs no package of 404 MB for the types of GitHub', () => {
    const lock = readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8');
    expect(lock).toContain('"node_modules/@octokit/openapi-types"');
    expect(lock).not.toContain('"node_modules/@octokit/openapi"');
  });
});
