import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backtrail, exampleRepo, refusalOf, start, stateOf } from '../helpers/program/cli.ts';
import { confirmation, engineOf } from '../helpers/repositories/engine.ts';
import { type Fate, serveGit } from '../helpers/servers/git-http.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';
import { cloneRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { BACK, FILE, hook, OTHER, publishedTo, pushed, roll, SERVICE } from './clone.ts';

async function both(): Promise<{ upstream: Repo; clone: Repo }> {
  const upstream = await exampleRepo({ bare: true });
  return { upstream, clone: await cloneRepo(upstream) };
}

const read = (folder: string, path: string) => readFile(join(folder, path));

describe('local changes in a clone', () => {
  const waysToBeDirty: [string, (clone: Repo) => Promise<unknown>][] = [
    ['an unstaged change', (clone) => clone.write({ [FILE]: 'mine: true\n' })],
    [
      'a staged change',
      async (clone) => {
        await clone.write({ [FILE]: 'mine: true\n' });
        await clone.git('add', FILE);
      },
    ],
    ['a staged removal', (clone) => clone.git('rm', '--quiet', '--cached', FILE)],
    ['a removed file', (clone) => clone.write({ [FILE]: null })],
    [
      'a change of the manifests',
      (clone) => clone.write({ 'delivery/acme/production/api-gateway.yaml': 'mine\n' }),
    ],
  ];
  it.each(someOf(waysToBeDirty, 1))(
    'that overlap refuse before anything is published: %s',
    async (_, change) => {
      const { upstream, clone } = await both();
      await change(clone);
      const before = [await stateOf(upstream), await stateOf(clone)];
      for (const args of [['plan', SERVICE], [...BACK, '--dry-run'], BACK]) {
        const { code, stderr } = await backtrail(clone, args);
        expect([code, stderr]).toEqual([3, expect.stringContaining('WORKTREE_DIRTY')]);
      }
      expect([await stateOf(upstream), await stateOf(clone)]).toEqual(before);
    },
  );

  it('refuse where an untracked or ignored file lies where one comes back, or where its folder would be', async () => {
    const gone = 'tenants/acme/production/services/web/service.yaml';
    for (const mine of [gone, 'tenants/acme/production/services/web']) {
      const { upstream, clone } = await both();
      await clone.git('rm', '--quiet', '-r', 'tenants/acme/production/services/web');
      await clone.git('commit', '--quiet', '-m', 'Remove web');
      await clone.git('push', '--quiet');
      await clone.write({ [mine]: 'mine: true\n', '.git/info/exclude': 'web\nservice.yaml\n' });
      const before = [await stateOf(upstream), await stateOf(clone)];
      const args = ['rollback', 'acme/production/web', '--to', 'v1', '--yes', '--reason', 'x'];
      expect(refusalOf(await backtrail(clone, args), { afterPlan: true })).toMatchObject({
        exit: 3,
        code: 'WORKTREE_DIRTY',
        message: `The local change of ${mine} is in the way.`,
      });
      expect([await stateOf(upstream), await stateOf(clone)]).toEqual(before);
    }
  });

  it.runIf(isProof)(
    'refuse where only a change of another person, not the rollback, would overwrite them',
    async () => {
      const { upstream, clone } = await both();
      await pushed(upstream, OTHER, (text) => `${text}\n# theirs`);
      await clone.write({ [OTHER]: 'mine: true\n' });
      const before = [await stateOf(upstream), await stateOf(clone)];
      const refusal = refusalOf(await backtrail(clone, BACK), { afterPlan: true });
      expect(refusal).toMatchObject({
        exit: 3,
        code: 'WORKTREE_DIRTY',
        message: expect.stringContaining(OTHER) as unknown,
      });
      expect([await stateOf(upstream), await stateOf(clone)]).toEqual(before);
    },
  );

  it.runIf(isProof)('refuse also where their names are not UTF-8', async () => {
    const { upstream, clone } = await both();
    const name = Buffer.concat([Buffer.from(`${clone.folder}/docs-`), Buffer.from([0xe9])]);
    await writeFile(name, 'one\n');
    const theirs = await cloneRepo(upstream);
    const commit = async (repo: Repo, text: string) => {
      await writeFile(Buffer.concat([Buffer.from(`${repo.folder}/docs-`), Buffer.from([0xe9])]), text);
      await repo.git('add', '-A', '.');
      await repo.git('commit', '--quiet', '-m', text);
      await repo.git('push', '--quiet', 'origin', 'HEAD:main');
    };
    await commit(clone, 'one');
    await theirs.git('pull', '--quiet', '--ff-only');
    await commit(theirs, 'two');
    await writeFile(name, 'mine\n');
    const refusal = refusalOf(await backtrail(clone, BACK), { afterPlan: true });
    expect(refusal).toMatchObject({
      code: 'WORKTREE_DIRTY',
      message: String.raw`The local change of "docs-\351" is in the way.`,
    });
    expect(await readFile(name, 'utf8')).toBe('mine\n');
  });

  it('elsewhere stay byte for byte, staged, unstaged and untracked', async () => {
    const { upstream, clone } = await both();
    const files = {
      [OTHER]: Buffer.from('a: 1\r\n\0\n'),
      'README.md': Buffer.from('mine'),
      'x.bin': Buffer.from([0, 255]),
    };
    await clone.write(files);
    await clone.git('add', OTHER);
    const before = await clone.git('status', '--porcelain');
    await publishedTo(upstream, await roll(clone));
    expect(await clone.git('status', '--porcelain')).toBe(before);
    for (const [path, content] of Object.entries(files))
      expect(await read(clone.folder, path)).toEqual(content);
    expect(String(await read(clone.folder, FILE))).toContain('v2.0.5');
  });

  it.runIf(isProof)('are nobody’s business where the branch is not checked out', async () => {
    const { upstream, clone } = await both();
    await clone.git('checkout', '--quiet', '-b', 'work');
    await clone.write({ [FILE]: 'mine: true\n' });
    const result = await roll(clone);
    await publishedTo(upstream, result);
    expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
    expect(String(await read(clone.folder, FILE))).toBe('mine: true\n');
  });

  it.runIf(isProof)('that are made after the plan was confirmed refuse as well', async () => {
    const { upstream, clone } = await both();
    const engine = await engineOf(clone);
    const request = confirmation(await engine.plan({ scope: SERVICE }));
    await clone.write({ [FILE]: 'mine: true\n' });
    const before = [await stateOf(upstream), await stateOf(clone)];
    await expect(engine.execute(request)).rejects.toMatchObject({ code: 'WORKTREE_DIRTY' });
    expect([await stateOf(upstream), await stateOf(clone)]).toEqual(before);
  });

  it('that are made in the moment of publishing keep the branch where it is: completed, with a finding', async () => {
    const { upstream, clone } = await both();
    const engine = await engineOf(clone);
    const request = confirmation(await engine.plan({ scope: SERVICE }));
    const before = await clone.git('rev-parse', 'main');
    const onStep = ({ step }: { step: string }) =>
      step === 'published' ? clone.write({ [FILE]: 'mine: true\n' }) : undefined;
    const result = await engine.execute(request, { onStep });
    expect(result.status).toBe('completed');
    expect(await upstream.git('rev-parse', 'main')).toBe(result.deliveryCommit);
    expect(result.findings.at(-1)).toMatchObject({
      code: 'LOCAL_NOT_UPDATED',
      message: expect.stringContaining(FILE) as unknown,
    });
    expect(await clone.git('rev-parse', 'main')).toBe(before);
    expect(await clone.git('status', '--porcelain')).toBe(` M ${FILE}`);
  });
});

describe('between publishing and what follows in the clone', () => {
  it.runIf(isProof)('HEAD may go to another branch: main follows, and no file', async () => {
    const { clone } = await both();
    const engine = await engineOf(clone);
    const request = confirmation(await engine.plan({ scope: SERVICE }));
    const onStep = async ({ step }: { step: string }) => {
      if (step === 'published') await clone.git('checkout', '--quiet', '-b', 'work');
    };
    const result = await engine.execute(request, { onStep });
    expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
    expect(String(await read(clone.folder, FILE))).toContain('v2.1.0');
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it.runIf(isProof)(
    'another git may hold the index: said in a finding, and done by the next run',
    async () => {
      const { upstream, clone } = await both();
      await clone.write({ '.git/index.lock': '' });
      const result = await roll(clone);
      await publishedTo(upstream, result);
      const finding = result.findings.find(({ code }) => code === 'LOCAL_NOT_UPDATED');
      expect(finding?.['hint']).toMatch(/no other git runs here, .*index\.lock"? was left behind: remove it/);
      expect(await clone.git('status', '--porcelain')).toBe('');
      await clone.write({ '.git/index.lock': null });
      const { stdout } = await backtrail(clone, [...BACK, '-o', 'json', '--to', result.target]);
      expect(JSON.parse(stdout)).toMatchObject({ status: 'unchanged' });
      expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      expect(await clone.git('status', '--porcelain')).toBe('');
    },
  );

  it('a process may be killed: the same request, found upstream, is brought home and not repeated', async () => {
    const { upstream, clone } = await both();
    const before = await clone.git('rev-parse', 'main');
    const engine = await engineOf(clone);
    const request = confirmation(await engine.plan({ scope: SERVICE }));
    const marker = join(await temporaryFolder(), 'published');
    // The server has taken the push, and its answer never comes.
    await hook(upstream, 'post-receive', `: > '${marker}'; sleep 30`);
    const { child, ended } = start(clone, [...BACK, '--to', request.target]);
    while ((await readFile(marker).catch(() => null)) === null)
      await new Promise((done) => setTimeout(done, 20));
    child.kill('SIGKILL');
    await ended;
    await hook(upstream, 'post-receive', 'exit 0');
    expect(await clone.git('rev-parse', 'main')).toBe(before);
    const published = await upstream.git('rev-parse', 'main');
    const { stdout } = await backtrail(clone, [...BACK, '-o', 'json', '--to', request.target]);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'unchanged' });
    expect(await upstream.git('rev-parse', 'main')).toBe(published);
    expect(await clone.git('rev-parse', 'main')).toBe(published);
    expect(String(await read(clone.folder, FILE))).toContain('v2.0.5');
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it.runIf(isProof)(
    'an attempt may end: the next one at the same request finds it and brings it home',
    async () => {
      const { upstream, clone } = await both();
      const engine = await engineOf(clone);
      const request = confirmation(await engine.plan({ scope: SERVICE }));
      const onStep = ({ step }: { step: string }) => {
        if (step === 'published') throw new Error('killed');
      };
      await expect(engine.execute(request, { onStep })).rejects.toThrow('killed');
      const published = await upstream.git('rev-parse', 'main');
      expect(await clone.git('rev-parse', 'main')).not.toBe(published);
      await pushed(upstream, OTHER, (text) => `${text}\n# later`);
      const result = await (await engineOf(clone)).execute(request);
      expect(result).toMatchObject({ status: 'completed', deliveryCommit: published, findings: [] });
      expect(await clone.git('rev-parse', 'main', 'origin/main')).toBe(`${published}\n${published}`);
      await clone.git('pull', '--quiet', '--ff-only');
      const again = await (await engineOf(clone)).execute(request);
      expect(again).toMatchObject({ status: 'completed', deliveryCommit: published, findings: [] });
    },
  );
});

describe('an upstream', () => {
  it('that moved in the moment before the push is planned on anew, and the clone follows over both', async () => {
    const { upstream, clone } = await both();
    const engine = await engineOf(clone);
    const request = confirmation(await engine.plan({ scope: SERVICE }));
    let moved = '';
    const onStep = async ({ step }: { step: string }) => {
      if (step === 'delivered' && moved === '')
        moved = await pushed(upstream, OTHER, (text) => `${text}\n# theirs`);
    };
    const result = await engine.execute(request, { onStep });
    expect(result.base).toBe(moved);
    expect(await clone.git('rev-parse', 'main', 'main~2')).toBe(`${result.deliveryCommit}\n${moved}`);
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it('whose hook refuses: nothing moves anywhere, and the worktree is clean', async () => {
    const { upstream, clone } = await both();
    await hook(upstream, 'pre-receive', 'echo "rule 7: production is frozen" >&2; exit 1');
    const before = [await stateOf(upstream), await stateOf(clone)];
    const refusal = refusalOf(await backtrail(clone, BACK), { afterPlan: true });
    expect(refusal).toMatchObject({
      exit: 3,
      code: 'REMOTE_REJECTED',
      message: expect.stringContaining('rule 7') as unknown,
    });
    expect([await stateOf(upstream), await stateOf(clone)]).toEqual(before);
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it.each(someOf(['never', 'in the middle'], 1))('that answers %s: exit 6, nothing moved', async (when) => {
    const { upstream, clone } = await both();
    let away = when === 'never';
    const fate = ({ url }: { url: string }): Fate => {
      away ||= url.includes('receive-pack');
      return away ? 'drop' : 'serve';
    };
    const server = await serveGit({ root: join(upstream.folder, '..'), env: upstream.env, fate });
    onTestFinished(() => server.close());
    await clone.git('remote', 'set-url', 'origin', `${server.url}/repo`);
    const before = [await stateOf(upstream), await stateOf(clone)];
    const refusal = refusalOf(await backtrail(clone, BACK), { afterPlan: true });
    expect(refusal).toMatchObject({ exit: 6, code: 'REMOTE_UNAVAILABLE' });
    expect([await stateOf(upstream), await stateOf(clone)]).toEqual(before);
  });

  it('that is gone from this machine: exit 6', async () => {
    const { clone } = await both();
    await clone.git('remote', 'set-url', 'origin', '/nowhere/x.git');
    expect(refusalOf(await backtrail(clone, BACK))).toMatchObject({ exit: 6, code: 'REMOTE_UNAVAILABLE' });
  });
});
