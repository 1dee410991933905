import { readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mirrorFolder } from '../../engine/git/remote/mirror-cache.ts';
import { canary, poison } from '../helpers/program/canary.ts';
import { backtrail, exampleRepo, refusalOf, stateOf } from '../helpers/program/cli.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';
import { serveGit } from '../helpers/servers/git-http.ts';
import { cloneRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { BACK, codes, FILE, publishedTo, roll, SERVICE } from './clone.ts';

const cacheOf = (repo: Repo) => join(repo.env['HOME'] ?? '', '.cache/backtrail');

describe('an upstream that lies within the clone', () => {
  it('is refused however it is named, and none of its hooks runs', async () => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    const { program, marks } = await canary();
    const evil = join(clone.gitDir, 'evil.git');
    await clone.git('clone', '--quiet', '--bare', upstream.folder, evil);
    for (const hook of ['pre-receive', 'update', 'post-receive', 'reference-transaction'])
      await symlink(await program(hook), join(evil, 'hooks', hook)).catch(() => undefined);
    const link = join(await temporaryFolder(), 'link.git');
    await symlink(evil, link);
    const before = await stateOf(clone);
    for (const address of [
      '.git/evil.git',
      './.git/evil',
      evil,
      `file://${evil}`,
      `file://${link}`,
      link,
      '.',
    ]) {
      await clone.git('config', 'remote.origin.url', address);
      expect(refusalOf(await backtrail(clone, BACK))).toMatchObject({
        exit: 3,
        code: 'REPOSITORY_UNTRUSTED',
      });
    }
    await clone.git('config', 'remote.origin.url', upstream.folder);
    await clone.git('config', 'remote.origin.pushurl', evil);
    expect(refusalOf(await backtrail(clone, BACK))).toMatchObject({ exit: 3, code: 'REPOSITORY_UNTRUSTED' });
    expect(await marks()).toEqual([]);
    expect(await stateOf(clone)).toBe(before);
  });
});

describe('a clone of an odd kind', () => {
  it('is read and rolled back as any other: its own folder named as its worktree', async () => {
    const repo = await exampleRepo();
    await repo.git('config', 'core.worktree', repo.folder);
    const result = await roll(repo);
    expect(await readFile(join(repo.folder, FILE), 'utf8')).toContain('v2.0.5');
    expect(await repo.git('rev-parse', 'HEAD~1')).toBe(result.commit);
    expect(await repo.git('status', '--porcelain')).toBe('');
  });

  it('is read and rolled back as any other: a folder with a line end in its name', async () => {
    const repo = await exampleRepo();
    const folder = join(await temporaryFolder(), 'a\nb');
    await rename(repo.folder, folder);
    await roll({ folder, env: repo.env });
    expect(await readFile(join(folder, FILE), 'utf8')).toContain('v2.0.5');
  });

  it.runIf(isProof)(
    'is opened by --repo as well, whatever its name, and doctor tells it in one line',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      const elsewhere = { folder: await temporaryFolder(), env: clone.env };
      for (const name of ['a\nb', 'ends\n']) {
        const folder = join(await temporaryFolder(), name);
        await rename(clone.folder, folder);
        const { code, stderr } = await backtrail(elsewhere, ['history', SERVICE, '--repo', folder]);
        expect([code, stderr]).toEqual([0, '']);
        const doctor = await backtrail(elsewhere, ['doctor', '--repo', folder]);
        expect(doctor.stdout).toContain(`${JSON.stringify(folder)} can be read.`);
        await rename(folder, clone.folder);
      }
      const absent = await backtrail(elsewhere, ['history', SERVICE, '--repo', '/nowhere/a\nb']);
      expect(absent.stderr).toContain('no such folder, and an address holds no control characters');
    },
  );

  it('is refused with the reason where its upstream has a line end in its name', async () => {
    const clone = await cloneRepo(await exampleRepo({ bare: true }));
    await clone.git('config', 'remote.origin.url', '/srv/a\nb.git');
    const refusal = await backtrail(clone, BACK);
    expect(refusal.stderr).toContain('control characters such as line breaks are not allowed');
  });

  it.runIf(isProof)(
    'has its tracking ref moved as a fetch would, where the upstream was forced to another line',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      const [tip, parent] = [
        await upstream.git('rev-parse', 'main'),
        await upstream.git('rev-parse', 'main~1'),
      ];
      const forced = await upstream.git('commit-tree', '-m', 'Forced', '-p', parent, `${tip}^{tree}`);
      await upstream.git('update-ref', 'refs/heads/main', forced);
      const result = await roll(clone);
      expect(await clone.git('rev-parse', 'refs/remotes/origin/main')).toBe(result.deliveryCommit);
      expect(codes(result)).toContain('LOCAL_NOT_UPDATED');
      expect(await clone.git('rev-parse', 'main')).toBe(tip);
    },
  );
});

describe('the configuration of a clone', () => {
  it.each(someOf(['folder', 'http'], 1))(
    'runs nothing, in seeding, reading, publishing and following (%s)',
    async (way) => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      const { program, marks } = await canary();
      let url = upstream.folder;
      if (way === 'http') {
        const server = await serveGit({
          root: join(upstream.folder, '..'),
          env: upstream.env,
          login: { user: 'jane', password: 'p4ss' },
        });
        onTestFinished(() => server.close());
        url = `${server.url}/repo`;
        const helper = '!f() { echo username=jane; echo password=p4ss; }; f';
        await clone.git('config', '--global', 'credential.helper', helper);
      }
      await poison(clone, program, { url, promisor: false });
      const evil = `ext::${await program('insteadOf')} %S`;
      for (const key of ['insteadOf', 'pushInsteadOf']) await clone.git('config', `url.${evil}.${key}`, url);
      await clone.git('config', `url.${evil}.insteadOf`, cacheOf(clone));
      await clone.git('config', `remote.${url}.uploadpack`, await program('by-address'));
      const result = await roll(clone);
      expect(await marks()).toEqual([]);
      await publishedTo(upstream, result);
      expect(codes(result)).not.toContain('LOCAL_NOT_UPDATED');
      expect(await readFile(join(clone.folder, FILE), 'utf8')).toContain('v2.0.5');
      const config = await readFile(join(mirrorFolder(cacheOf(clone), url), 'config'), 'utf8');
      expect(config).not.toContain('remote');
    },
  );

  it.each(
    someOf(
      [
        'ext::sh -c date',
        'fd::7',
        '--upload-pack=date',
        'foo://host/x',
        'ssh://-oProxyCommand=date/x',
        'x::y',
      ],
      2,
    ),
  )('with the address %s is refused, and nothing moves', async (url) => {
    const clone = await cloneRepo(await exampleRepo({ bare: true }));
    for (const key of ['remote.origin.url', 'remote.origin.pushurl']) {
      await clone.git('config', key, url);
      const before = await stateOf(clone);
      const refusal = refusalOf(await backtrail(clone, BACK));
      expect(refusal).toMatchObject({ exit: 2, code: 'REPOSITORY_UNKNOWN' });
      expect(refusal.hint).toContain('--unset-upstream');
      expect(await stateOf(clone)).toBe(before);
      await clone.git('config', 'remote.origin.url', '/nowhere');
    }
  });

  it('moves no ref outside refs/remotes, whatever a refspec maps the branch to', async () => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    await clone.git('branch', 'mine');
    await clone.git('config', 'remote.origin.fetch', '+refs/heads/main:refs/heads/mine');
    const before = await clone.git('rev-parse', 'mine');
    const result = await roll(clone);
    await publishedTo(upstream, result);
    expect(await clone.git('rev-parse', 'main', 'mine')).toBe(`${result.deliveryCommit}\n${before}`);
  });

  it.each(
    someOf(
      [
        ["x:sesame3'cret@", '/up.git'],
        ['x:sesame3"cret@', '/up.git'],
        ['x:sesame3 cret@', '/up.git'],
        ['x:pa/sesame3cret@', '/up.git'],
        ['x:pa#sesame3cret@', '/up.git'],
        ['x:pa?sesame3cret@', '/up.git'],
        ['', '/up.git?access_token=sesame3cret'],
      ],
      2,
    ),
  )('shows nothing of the login or query of http://%s127.0.0.1:1%s', async (login, path) => {
    const repo = await exampleRepo();
    for (const asked of [['environments'], ['doctor']]) {
      const at = ['--repo', `http://${login}127.0.0.1:1${path}`, '-o', 'json', ...asked];
      const { code, stdout, stderr } = await backtrail(repo, at);
      expect(code).toBeGreaterThan(0);
      expect(stdout + stderr).not.toMatch(/sesame3|cret/);
    }
  });

  it('refuses an address with one slash, and does not repeat it', async () => {
    const asked = ['--repo', 'https:/user:s3cret@127.0.0.1/x', 'environments'];
    const refusal = refusalOf(await backtrail(await exampleRepo(), asked));
    expect(refusal).toMatchObject({ exit: 2, code: 'REPOSITORY_UNKNOWN' });
    expect(JSON.stringify(refusal)).not.toContain('s3cret');
  });

  it('keeps a password of the address out of what is said', async () => {
    const clone = await cloneRepo(await exampleRepo({ bare: true }));
    await clone.git('config', 'remote.origin.url', 'http://jane:s3cret@127.0.0.1:1/x.git');
    const { code, stdout, stderr } = await backtrail(clone, BACK);
    expect([code, stdout + stderr]).toEqual([6, expect.not.stringContaining('s3cret')]);
  });
});

describe('a new mirror', () => {
  async function served() {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    const server = await serveGit({ root: join(upstream.folder, '..'), env: upstream.env });
    onTestFinished(() => server.close());
    await clone.git('remote', 'set-url', 'origin', `${server.url}/repo`);
    const packs = () =>
      server.requests.filter((line) => line.startsWith('POST') && line.includes('upload-pack')).length;
    return { upstream, clone, url: `${server.url}/repo`, packs };
  }

  it('takes its objects from the clone: the remote is asked for its refs only', async () => {
    const { clone, packs } = await served();
    expect((await backtrail(clone, ['environments'])).code).toBe(0);
    const seeded = packs();
    await clone.git('config', 'remote.origin.promisor', 'true');
    await clone.git('config', '--global', 'user.name', 'Other');
    const elsewhere = { ...clone, env: { ...clone.env, HOME: join(clone.folder, '..', 'home') } };
    expect((await backtrail(elsewhere, ['environments'])).code).toBe(0);
    // One fetch, which lists refs; without the seed, it asks for a pack besides.
    expect([seeded, packs() - seeded]).toEqual([1, 2]);
  });

  it.runIf(isProof)('has the refs of the remote alone, whatever the clone says they are', async () => {
    const { upstream, clone, url } = await served();
    const forged = await clone.commit({ [FILE]: 'forged: true\n' });
    await clone.git('update-ref', 'refs/remotes/origin/main', forged);
    await clone.git('update-ref', 'refs/remotes/origin/forged/deep', forged);
    await clone.git('reset', '--quiet', '--hard', await upstream.git('rev-parse', 'main'));
    const { stdout } = await backtrail(clone, ['show', SERVICE, 'v8', '-o', 'json']);
    expect(stdout).not.toContain('forged');
    const refs = await clone.gitWith({ env: { GIT_DIR: mirrorFolder(cacheOf(clone), url) } }, [
      'for-each-ref',
      '--format=%(refname) %(objectname)',
    ]);
    expect(refs).toBe(`refs/remotes/origin/main ${await upstream.git('rev-parse', 'main')}`);
  });

  it.runIf(isProof)('does without a clone whose objects are damaged', async () => {
    const { upstream, clone } = await served();
    const tree = await clone.git('rev-parse', 'HEAD~3^{tree}');
    const folder = join(clone.gitDir, 'objects/pack');
    const pack = join(folder, (await readdir(folder)).find((name) => name.endsWith('.pack')) ?? '');
    const bytes = await readFile(pack);
    await rm(folder, { recursive: true });
    await clone.gitWith({ input: bytes }, ['unpack-objects', '-q']);
    await rm(join(clone.gitDir, 'objects', tree.slice(0, 2), tree.slice(2)));
    await expect(clone.git('rev-list', '--objects', 'main')).rejects.toThrow('bad tree');
    await publishedTo(upstream, await roll(clone));
  });
});
