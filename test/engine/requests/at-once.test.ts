/** Requests that nobody has to agree to, opened and published by one push, or opened by themselves where that cannot be. */
import { access, chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { configOf, createTeam, engineFor, type Team } from '../../helpers/people/requests.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const LEDGER = 'refs/backtrail/ledger';
const SERVICES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'k', 'l'];
const POLICY = { environments: [{ match: 'prod', quorum: 1, unsignedApprovals: true }] };

let repo: Repo;
let engine: Engine;
/** Publishes through a mirror of its own. */
let other: Engine;
let team: Team;
beforeAll(async () => {
  repo = await createRepo({ bare: true });
  const apps = (tag: string) =>
    Object.fromEntries(
      ['dev', 'prod', 'proposed'].flatMap((where) =>
        SERVICES.map((name) => [`apps/${where}/${name}/app.yaml`, `image: ${tag}\n`]),
      ),
    );
  const config = configOf(POLICY, { publish: [{ match: 'proposed', via: 'branch' }] });
  await repo.replay([{ files: { '.backtrail/config.yaml': config, ...apps('v1') } }, { files: apps('v2') }]);
  const location = `file://${repo.folder}`;
  engine = await engineOf(repo, { location, lives: 'file' });
  other = await engineOf(repo, { location, lives: 'file' });
  team = await createTeam();
});

async function askOn(of: Engine, scope: string) {
  const { target, digest, base } = await of.rollbacks.plan({ scope, author: JANE, ledger: true });
  return { scope, target, digest, base, author: JANE, reason: 'v2 answers 500', ledger: true };
}
const atOnce = { atOnce: true };
const tipOf = (ref: string) => repo.git('rev-parse', ref);
const eventsOf = async (since: string) =>
  (
    await repo.git(
      'log',
      '--reverse',
      '--format=%(trailers:key=Event,valueonly,separator=)',
      `${since}..${LEDGER}`,
    )
  )
    .split('\n')
    .filter(Boolean);
const imageOf = (path: string) => repo.git('show', `main:apps/${path}/app.yaml`);

/** What the hook does, until `work` has ended. */
async function withHook<Value>(name: string, script: string, work: () => Promise<Value>): Promise<Value> {
  const path = join(repo.gitDir, 'hooks', name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  try {
    return await work();
  } finally {
    await rm(path);
  }
}

describe('a request that nobody has to agree to', () => {
  it('is opened, published and recorded by one push, as a worker would have done it', async () => {
    const pushes = join(repo.gitDir, 'pushes');
    const count = `while read -r _ _ ref; do printf '%s ' "$ref"; done >> '${pushes}'; echo >> '${pushes}'`;
    const done = await withHook('post-receive', count, async () =>
      engine.rollbacks.request(await askOn(engine, 'dev/a'), atOnce),
    );
    expect(done).toMatchObject({
      status: 'completed',
      commit: await tipOf('main'),
      request: { status: 'completed', result: { status: 'completed', commit: done.commit } },
    });
    expect(await readFile(pushes, 'utf8')).toBe(`refs/heads/main ${LEDGER} \n`);
    expect(await imageOf('dev/a')).toBe('image: v1');
    const [opened, completed, ...more] = (await repo.git('log', '--reverse', '--format=%H', LEDGER)).split(
      '\n',
    );
    expect([completed, more]).toEqual([await tipOf(LEDGER), []]);
    // Whoever reads the commit finds who asked, and why it was let go ahead.
    expect(
      await repo.git('log', '-1', '--format=%(trailers:key=Rollback-Ledger,valueonly)', 'main'),
    ).toContain(opened);
    expect(await engine.audit.verify()).toMatchObject({ checked: 1, honest: 1, ledger: { problems: [] } });
    expect(await engine.rollbacks.execute(done.requestId)).toMatchObject({ commit: done.commit });
  });

  it.runIf(isProof)('is signed event for event where there is a key', async () => {
    const before = await tipOf(LEDGER);
    const janes = await engineFor({ ...repo, folder: `file://${repo.folder}` }, team.jane, {
      allowedSigners: team.signers,
    });
    const asked = { ...(await askOn(janes, 'dev/b')), author: team.jane };
    expect((await janes.rollbacks.request(asked, atOnce)).status).toBe('completed');
    const commits = (await repo.git('rev-list', `${before}..${LEDGER}`)).split('\n');
    const texts = await Promise.all(commits.map((id) => repo.git('cat-file', 'commit', id)));
    expect(texts.map((text) => text.includes('\ngpgsig '))).toEqual([true, true]);
    expect(await janes.audit.verify()).toMatchObject({ checked: 2, honest: 2, ledger: { problems: [] } });
  });

  it.runIf(isProof)(
    'is published on a branch and a ledger that have moved since, when they were looked at again',
    async () => {
      const asked = await askOn(engine, 'dev/c');
      await other.rollbacks.request(await askOn(other, 'dev/d'), atOnce);
      const [main, ledger] = [await tipOf('main'), await tipOf(LEDGER)];
      const { requestId, status } = await engine.rollbacks.request(asked, atOnce);
      expect([status, await tipOf('main'), await eventsOf(ledger)]).toEqual(['approved', main, ['opened']]);
      expect((await engine.rollbacks.execute(requestId)).status).toBe('completed');
      expect(await eventsOf(ledger)).toEqual(['opened', 'completed']);
    },
  );

  it('is refused where a worker has its scope in hand by now, and leaves nothing behind', async () => {
    const asked = await askOn(engine, 'dev/e');
    const { requestId } = await other.rollbacks.request(await askOn(other, 'dev/e'));
    const [main, ledger] = [await tipOf('main'), await tipOf(LEDGER)];
    await expect(engine.rollbacks.request(asked, atOnce)).rejects.toMatchObject({
      code: 'SCOPE_BUSY',
      details: { requestId },
    });
    expect([await tipOf('main'), await tipOf(LEDGER)]).toEqual([main, ledger]);
    await other.rollbacks.execute(requestId);
  });

  it.runIf(isProof)(
    'is refused while the same process publishes another one of its scope, which goes on',
    async () => {
      const [one, two] = [await askOn(engine, 'dev/k'), await askOn(engine, 'dev/k')];
      const [begun, go] = [join(repo.gitDir, 'begun'), join(repo.gitDir, 'go')];
      const wait = `touch '${begun}'; until [ -e '${go}' ]; do sleep 0.05; done`;
      const [first, second] = await withHook('pre-receive', wait, async () => {
        const publishing = engine.rollbacks.request(one, atOnce);
        await vi.waitFor(() => access(begun), { timeout: 60_000, interval: 50 });
        const refused = await engine.rollbacks.request(two).catch((error: unknown) => error);
        await writeFile(go, '');
        return [await publishing, refused];
      });
      expect(second).toMatchObject({ code: 'SCOPE_BUSY', details: { requestId: first.requestId } });
      expect([first.status, await imageOf('dev/k')]).toEqual(['completed', 'image: v1']);
    },
  );

  it('is opened by itself where the push is refused, and fails then with the reason', async () => {
    const [main, ledger] = [await tipOf('main'), await tipOf(LEDGER)];
    const refuse = `while read -r _ _ ref; do [ "$ref" = refs/heads/main ] && echo 'No rollbacks today.' && exit 1; done; exit 0`;
    const id = await withHook('pre-receive', refuse, async () => {
      const { requestId, status } = await engine.rollbacks.request(await askOn(engine, 'dev/f'), atOnce);
      expect([status, await eventsOf(ledger)]).toEqual(['approved', ['opened']]);
      await expect(engine.rollbacks.execute(requestId)).rejects.toMatchObject({ code: 'REMOTE_REJECTED' });
      return requestId;
    });
    expect(await tipOf('main')).toBe(main);
    expect(await engine.requests.show({ id })).toMatchObject({
      status: 'failed',
      result: { code: 'REMOTE_REJECTED', message: expect.stringContaining('No rollbacks today.') },
    });
  });

  it('is found on the branch where the answer of its push was lost', async () => {
    const fresh = await engineOf(repo, { location: `file://${repo.folder}` });
    const ledger = await tipOf(LEDGER);
    const asked = await askOn(fresh, 'dev/g');
    // The refs have moved when it runs: the server dies before it says so.
    const done = await withHook('post-receive', 'kill -9 "$PPID"', () =>
      fresh.rollbacks.request(asked, atOnce),
    );
    expect([done.status, done.commit]).toEqual(['completed', await tipOf('main')]);
    expect(await eventsOf(ledger)).toEqual(['opened', 'completed']);
    expect(await imageOf('dev/g')).toBe('image: v1');
  });

  it.runIf(isProof)('is opened by itself at a server that moves no refs together', async () => {
    await repo.git('config', 'receive.advertiseAtomic', 'false');
    const fresh = await engineOf(repo, { location: `file://${repo.folder}` });
    const main = await tipOf('main');
    const { status, requestId } = await fresh.rollbacks.request(await askOn(fresh, 'dev/h'), atOnce);
    expect([status, await tipOf('main')]).toEqual(['approved', main]);
    expect((await fresh.rollbacks.execute(requestId)).status).toBe('completed');
    await repo.git('config', '--unset', 'receive.advertiseAtomic');
  });

  it('goes its usual way where others have a say, and where it becomes a pull request', async () => {
    const main = await tipOf('main');
    for (const [scope, expected] of [
      ['prod/i', 'pending'],
      ['proposed/i', 'approved'],
    ] as const) {
      const ledger = await tipOf(LEDGER);
      const { status } = await other.rollbacks.request(await askOn(other, scope), atOnce);
      expect([status, await eventsOf(ledger)]).toEqual([expected, ['opened']]);
    }
    expect(await tipOf('main')).toBe(main);
  });

  it('moves the refs of a repository on this machine, and is opened by itself where files follow the branch', async () => {
    const here = await engineOf(repo);
    const ledger = await tipOf(LEDGER);
    expect((await here.rollbacks.request(await askOn(here, 'dev/i'), atOnce)).status).toBe('completed');
    expect(await eventsOf(ledger)).toEqual(['opened', 'completed']);
    const worktree = await createRepo();
    await worktree.commit({
      '.backtrail/config.yaml': configOf(POLICY),
      'apps/dev/a/app.yaml': 'image: v1\n',
    });
    await worktree.commit({ 'apps/dev/a/app.yaml': 'image: v2\n' });
    const there = await engineOf(worktree);
    const { status } = await there.rollbacks.request(await askOn(there, 'dev/a'), atOnce);
    expect([status, await worktree.git('status', '--porcelain')]).toEqual(['approved', '']);
  });

  it.runIf(isProof)(
    'is not said to be done where the branch was forced back right after the push',
    async () => {
      const fresh = await engineOf(repo, { location: `file://${repo.folder}` });
      const asked = await askOn(fresh, 'dev/l');
      const back = `git update-ref refs/heads/main ${await tipOf('main')}`;
      await withHook('post-receive', back, async () => {
        await expect(fresh.rollbacks.request(asked, atOnce)).rejects.toMatchObject({ code: 'VERIFY_FAILED' });
      });
      expect(await imageOf('dev/l')).toBe('image: v2');
    },
  );
});
