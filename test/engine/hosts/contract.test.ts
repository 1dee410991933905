/** The same sentences for every kind of code host, each against a server that speaks its dialect over real git: what its pull requests are. */
import { describe, expect, it } from 'vitest';
import { HOST_KINDS } from '../../../engine/model/index.ts';
import { CREATE_CALL, LIST_CALL, merging, useHost } from './contract-scene.ts';

describe.each(HOST_KINDS)('%s', (kind) => {
  const on = useHost(kind);

  it('opens a pull request, and finds it by its branch', async () => {
    const { branch, head } = await on.push();
    expect(await on.client.find(branch)).toBeNull();
    const made = await on.client.create({
      branch,
      into: 'main',
      title: 'Roll back',
      body: 'Why: <b>',
      labels: ['rollback', 'auto'],
    });
    expect(made).toMatchObject({ state: 'open', isDraft: false, branch, into: 'main', head });
    expect(made.url).toBe((await on.client.read(made.number)).url);
    expect(new URL(made.url).origin).toBe(new URL(on.server.url).origin);
    expect(await on.server.pull(made.number)).toMatchObject({ title: 'Roll back', body: 'Why: <b>' });
    expect((await on.server.pull(made.number)).labels.toSorted()).toEqual(['auto', 'rollback']);
    expect(await on.client.find(branch)).toMatchObject({ number: made.number, head });
  });

  it('gives the first one back where it is asked for a second, also where another worker was faster', async () => {
    const { branch } = await on.push();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    const both = await Promise.all([on.client.create(input), on.client.create(input)]);
    expect(both[0].number).toBe(both[1].number);
    expect((await on.client.create(input)).number).toBe(both[0].number);
    expect((await on.server.pulls()).filter((pull) => pull.branch === branch)).toHaveLength(1);
  });

  it('gives back what is merged, and makes another beside what is closed', async () => {
    const { number, branch, head } = await on.propose();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    await on.client.closePullRequest(number);
    const second = await on.client.create(input);
    expect(second).toMatchObject({ number: number + 1, state: 'open' });
    expect(await on.client.find(branch)).toMatchObject({ number: second.number });
    await on.client.read(second.number);
    expect(await on.client.merge(second.number, merging(head))).toBe('merged');
    expect(await on.client.create(input)).toMatchObject({ number: second.number, state: 'merged' });
  });

  it('finds what it opened where the answer was lost', async () => {
    const { branch } = await on.push();
    const input = { branch, into: 'main', title: 'Roll back', body: '', labels: [] };
    on.server.loseAnswer(CREATE_CALL);
    expect((await on.failure(on.client.create(input))).code).toBe('HOST_UNAVAILABLE');
    expect((await on.client.create(input)).number).toBe((await on.client.find(branch))?.number);
    expect((await on.server.pulls()).filter((pull) => pull.branch === branch)).toHaveLength(1);
  });

  it("never takes a fork's branch of the same name for ours", async () => {
    const pull = await on.propose();
    const listed = await on.plainList();
    const forked = listed.map((item) => ({
      ...item,
      source_project_id: 99,
      head: {
        ...(typeof item['head'] === 'object' ? item['head'] : {}),
        repo_id: 99,
        repo: { full_name: 'acme/fork' },
      },
    }));
    on.server.fail({ match: LIST_CALL, status: 200, body: forked, times: 2 });
    expect(await on.client.find(pull.branch)).toBeNull();
    expect(await on.client.listOpen()).toEqual([]);
    // And a list that was not filtered, with what nobody can read in it.
    on.server.fail({ match: LIST_CALL, status: 200, body: [...forked, { number: 'x' }, null, ...listed] });
    expect(await on.client.find(pull.branch)).toMatchObject({ number: pull.number });
  });

  it.each(['acme/fork', null])("nor by its number, where it is a fork's (%s)", async (fork) => {
    const pull = await on.propose();
    expect((await on.client.read(pull.number)).branch).toBe(pull.branch);
    const [item] = await on.plainList(`/${pull.number}`);
    const id = fork === null ? (kind === 'gitlab' ? null : -1) : 99;
    const head = { ...Object(item?.['head']), repo_id: id, repo: fork && { full_name: fork } };
    const match = new RegExp(`^GET .*/(?:pulls|merge_requests)/${pull.number}$`);
    on.server.fail({ match, status: 200, body: { ...item, source_project_id: id, head }, times: 4 });
    const { branch } = await on.client.read(pull.number);
    expect(branch).not.toBe(pull.branch);
    expect(branch).toContain(`:${pull.branch}`);
  });

  it('changes title and body, and a draft stays one', async () => {
    const { number } = await on.propose();
    await on.client.update(number, { title: 'Roll back again', body: 'Because' });
    expect(await on.server.pull(number)).toMatchObject({ title: 'Roll back again', body: 'Because' });
    await on.client.setDraft(number, true);
    await on.client.setDraft(number, true);
    await on.client.update(number, { title: 'Third' });
    expect(await on.client.read(number)).toMatchObject({ isDraft: true, mergeability: 'blocked' });
    await on.client.setDraft(number, false);
    expect(await on.client.read(number)).toMatchObject({ isDraft: false, mergeability: 'yes' });
    expect((await on.server.pull(number)).title).toBe('Third');
  });

  it('closes and reopens, each once, and neither where it is merged', async () => {
    const { number, head, branch } = await on.propose();
    await on.client.closePullRequest(number);
    await on.client.closePullRequest(number);
    expect(await on.client.find(branch)).toMatchObject({ number, state: 'closed' });
    await on.client.reopenPullRequest(number);
    await on.client.reopenPullRequest(number);
    expect(await on.client.read(number)).toMatchObject({
      state: 'open',
      head,
      mergeCommit: null,
      mergedBy: null,
    });
    await on.client.merge(number, merging(head));
    expect((await on.failure(on.client.closePullRequest(number))).code).toBe('HOST_REFUSED');
    expect((await on.failure(on.client.reopenPullRequest(number))).code).toBe('HOST_REFUSED');
  });

  it('lists the open ones of ours, over many pages', async () => {
    for (const pull of await on.server.pulls())
      if (pull.state === 'open' && pull.number !== on.shared.number) await on.server.closePull(pull.number);
    const { pageLimit } = on.server.settings;
    await on.change({ pageLimit: 2 });
    const ours = [on.shared, await on.propose(), await on.propose(), await on.propose()];
    await on.repo.git('branch', 'feature/x', 'main');
    await on.commitOn('feature/x');
    await on.server.open({ branch: 'feature/x', into: 'main', title: 'Another', by: 'ada' });
    on.server.calls.splice(0);
    const listed = await on.client.listOpen();
    expect(listed.map(({ number }) => number).toSorted((one, other) => one - other)).toEqual(
      ours.map(({ number }) => number),
    );
    expect(listed.every(({ state, head }) => state === 'open' && /^[0-9a-f]{40}$/.test(head))).toBe(true);
    expect(on.server.calls.map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => on.listPath()));
    const [first = ours[0]] = ours;
    if (first) await on.commitOn(first.branch);
    const moved = (await on.client.listOpen()).find(({ number }) => number === first?.number);
    expect(moved?.head).toBe(await on.repo.git('rev-parse', first?.branch ?? ''));
    await on.change({ pageLimit });
  });

  it('takes no address but one of the web from a host', async () => {
    const { number, branch } = on.shared;
    for (const url of [
      'javascript:alert(1)',
      'https://a:b@example.com',
      `https://example.com/${'x'.repeat(2000)}`,
      'https://example.com/\n',
    ]) {
      const listed = (await on.plainList()).map((item) => ({ ...item, html_url: url, web_url: url }));
      on.server.fail({ match: LIST_CALL, status: 200, body: listed });
      expect(await on.failure(on.client.find(branch))).toMatchObject({ code: 'HOST_UNAVAILABLE' });
    }
    expect(await on.client.find(branch)).toMatchObject({ number });
  });
});
