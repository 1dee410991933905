import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { GitRepository } from '../../../../engine/git/open.ts';
import type { Progress } from '../../../../engine/model/index.ts';
import { isProof, runs, someOf } from '../../../helpers/run/proof.ts';
import { serveDaemon } from '../../../helpers/servers/git-daemon.ts';
import { type Fate, serveGit } from '../../../helpers/servers/git-http.ts';
import { canServeSsh, serveSsh, type SshServer } from '../../../helpers/servers/git-ssh.ts';
import { createRepo, temporaryFolder, type Repo } from '../../../helpers/repositories/repo.ts';
import { freePort } from '../../../helpers/servers/server.ts';
import { open, stage } from '../open.ts';

interface Served {
  readonly repo: Repo;
  readonly root: string;
  readonly base: string;
}

async function served(): Promise<Served> {
  const root = await temporaryFolder();
  const repo = await createRepo({ bare: true, folder: join(root, 'x.git') });
  const [, base = ''] = await repo.replay([{ files: { a: '0' } }, { files: { a: '1' } }]);
  return { repo, root, base };
}

async function ssh(there: Served): Promise<SshServer> {
  const server = await serveSsh(there.repo.env);
  onTestFinished(() => server.close());
  return server;
}

const openAt = ({ repo }: Served, location: string, env: Record<string, string> = {}) =>
  open({ ...repo, env: { ...repo.env, ...env } }, { location });

async function publishOnce(git: GitRepository, base: string): Promise<string> {
  const next = await stage(git, base);
  await git.publish({ branch: 'main', expected: base, next });
  expect(await git.readBack('main')).toBe(next);
  return next;
}

describe.skipIf(!canServeSsh)('a remote over ssh (needs /usr/sbin/sshd)', () => {
  test.each(
    someOf<[string, (server: SshServer, there: Served) => string]>(
      [
        ['ssh://', ({ user, port }, { repo }) => `ssh://${user}@127.0.0.1:${port}${repo.folder}`],
        ['host:path', ({ host, user }, { repo }) => `${user}@${host}:${repo.folder}`],
      ],
      1,
    ),
  )('%s is read and written to with GIT_SSH_COMMAND', async (_, address) => {
    const there = await served();
    const server = await ssh(there);
    const git = await openAt(there, address(server, there), { GIT_SSH_COMMAND: server.command });
    expect(await git.defaultBranch()).toBe('main');
    const next = await publishOnce(git, there.base);
    expect(await there.repo.git('rev-parse', 'main')).toBe(next);
  });

  test.runIf(isProof)("is reached with the user's core.sshCommand", async () => {
    const there = await served();
    const server = await ssh(there);
    await there.repo.git('config', '--global', 'core.sshCommand', server.command);
    const git = await openAt(there, `server:${there.repo.folder}`);
    expect(await git.tip('main')).toBe(there.base);
  });

  test.runIf(isProof)('is reached through a wrapper that is no ssh by its name', async () => {
    const there = await served();
    const server = await ssh(there);
    const wrapper = join(await temporaryFolder(), 'jump');
    await writeFile(wrapper, `#!/bin/sh\nexec ${server.command} "$@"\n`, { mode: 0o755 });
    const git = await openAt(there, `server:${there.repo.folder}`, { GIT_SSH: wrapper });
    expect(await git.tip('main')).toBe(there.base);
  });

  test.each(
    someOf<[string, (server: SshServer) => string, RegExp, RegExp]>(
      [
        [
          'whose key nobody has seen',
          ({ strange }) => strange,
          /Host key verification failed/,
          /Connect once by hand/,
        ],
        ['that does not know us', ({ nobody }) => nobody, /Permission denied \(publickey\)/, /credentials/],
      ],
      1,
    ),
  )(
    'a host %s is REMOTE_DENIED, asks nobody, and the hint says what to do',
    async (_, command, message, hint) => {
      const there = await served();
      const server = await ssh(there);
      const opening = openAt(there, `server:${there.repo.folder}`, { GIT_SSH_COMMAND: command(server) });
      await expect(opening).rejects.toMatchObject({
        code: 'REMOTE_DENIED',
        message: expect.stringMatching(message) as unknown,
        hint: expect.stringMatching(hint) as unknown,
      });
    },
  );

  test.runIf(isProof)('a wrapper cannot make ssh ask either', async () => {
    const there = await served();
    const server = await ssh(there);
    const wrapper = join(await temporaryFolder(), 'jump');
    await writeFile(wrapper, `#!/bin/sh\nexec ${server.strange} "$@"\n`, { mode: 0o755 });
    const opening = openAt(there, `server:${there.repo.folder}`, { GIT_SSH_COMMAND: wrapper });
    await expect(opening).rejects.toMatchObject({ code: 'REMOTE_DENIED' });
  });

  test.runIf(isProof)('a repository that is not there is unknown', async () => {
    const there = await served();
    const server = await ssh(there);
    const opening = openAt(there, `server:${there.root}/absent.git`, { GIT_SSH_COMMAND: server.command });
    await expect(opening).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' });
  });
});

describe('a remote that cannot be reached', () => {
  test.each(
    someOf(
      [
        ['ssh', (port: number) => `ssh://127.0.0.1:${port}/x.git`],
        ['git', (port: number) => `git://127.0.0.1:${port}/x.git`],
        ['http', (port: number) => `http://127.0.0.1:${port}/x.git`],
      ],
      1,
    ),
  )('over %s, as nothing listens there, is unavailable', async (_, address) => {
    const there = await served();
    const opening = openAt(there, address(await freePort()));
    await expect(opening).rejects.toMatchObject({
      code: 'REMOTE_UNAVAILABLE',
      message: expect.stringMatching(/refused|connect/i) as unknown,
    });
  });

  test('over ssh is unavailable, also where ssh misses a file of ours besides', async () => {
    const there = await served();
    const command = 'ssh -i /absent/key -o StrictHostKeyChecking=no';
    const opening = openAt(there, `ssh://127.0.0.1:${await freePort()}/x.git`, { GIT_SSH_COMMAND: command });
    await expect(opening).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
  });

  test('for want of an ssh program is unavailable, and the hint says so', async () => {
    const there = await served();
    const opening = openAt(there, `server:${there.repo.folder}`, { GIT_SSH: '/absent/ssh-program' });
    await expect(opening).rejects.toMatchObject({
      code: 'REMOTE_UNAVAILABLE',
      hint: expect.stringContaining('PATH') as unknown,
    });
  });
});

describe('a remote over git://', () => {
  test.runIf(isProof)('is read and written to', async () => {
    const there = await served();
    const server = await serveDaemon({ root: there.root, env: there.repo.env });
    onTestFinished(() => server.close());
    const git = await openAt(there, `${server.url}/x.git`);
    const next = await publishOnce(git, there.base);
    expect(await there.repo.git('rev-parse', 'main')).toBe(next);
    await expect(openAt(there, `${server.url}/absent.git`)).rejects.toMatchObject({
      code: 'REPOSITORY_UNKNOWN',
    });
  });

  test.runIf(isProof)('that takes no pushes denies them for good', async () => {
    const there = await served();
    const server = await serveDaemon({ root: there.root, env: there.repo.env, push: false });
    onTestFinished(() => server.close());
    const git = await openAt(there, `${server.url}/x.git`);
    await expect(publishOnce(git, there.base)).rejects.toMatchObject({ code: 'REMOTE_DENIED' });
    expect(await there.repo.git('rev-parse', 'main')).toBe(there.base);
  });
});

describe('a remote that accepts connections and says nothing', () => {
  /** A way to the port that can fall silent. */
  async function way(to: number): Promise<{ port: number; silent: boolean }> {
    const port = await freePort();
    const state = { port, silent: to === 0 };
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      if (state.silent) return void socket.resume();
      const there = connect(to, '127.0.0.1').on('error', () => socket.destroy());
      sockets.add(there);
      socket.pipe(there).pipe(socket);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return state;
  }

  test.each(
    someOf(
      [
        ['git', (port: number) => `git://127.0.0.1:${port}/x.git`],
        ['ssh', (port: number) => `ssh://127.0.0.1:${port}/x.git`],
        ['http', (port: number) => `http://127.0.0.1:${port}/x.git`],
      ],
      1,
    ),
  )('over %s, is unavailable, and who waits hears of it', async (_, address) => {
    const there = await served();
    const { port } = await way(0);
    const told: (Progress | null)[] = [];
    const opening = open(there.repo, {
      location: address(port),
      silenceMs: runs(2_500, 2_000),
      onProgress: (progress) => told.push(progress),
    });
    await expect(opening).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    expect(told).toContainEqual({ phase: 'asking', percent: null, objects: 0, amount: '1 s' });
    expect(told.at(-1)).toBeNull();
  });

  test.runIf(isProof)('over git://, leaves a question to the mirror', async () => {
    const there = await served();
    const daemon = await serveDaemon({ root: there.root, env: there.repo.env });
    onTestFinished(() => daemon.close());
    const state = await way(Number(new URL(daemon.url).port));
    const options = {
      location: `git://127.0.0.1:${state.port}/x.git`,
      cacheFolder: await temporaryFolder(),
      offline: true,
      silenceMs: 8_000,
    };
    await (await open(there.repo, options)).defaultBranch();
    state.silent = true;
    const git = await open(there.repo, options);
    expect(await git.look()).toMatchObject({ cause: { code: 'REMOTE_UNAVAILABLE' } });
    expect(await git.tip(await git.defaultBranch())).toBe(there.base);
  });

  test('but packs for a long time, or runs a long hook for a push, is waited for', async () => {
    const there = await served();
    const slow = join(await temporaryFolder(), 'slow');
    const silenceMs = runs(8_000, 4_000);
    const ticks = `for i in $(seq ${runs(14, 8)}); do echo packing >&2; sleep 0.6; done`;
    await writeFile(slow, `#!/bin/sh\n${ticks}\nexec "$@"\n`, { mode: 0o755 });
    await there.repo.git('config', '--global', 'uploadpack.packObjectsHook', slow);
    await writeFile(join(there.repo.gitDir, 'hooks/pre-receive'), `#!/bin/sh\nsleep ${runs(9, 5)}\n`, {
      mode: 0o755,
    });
    const daemon = await serveDaemon({ root: there.root, env: there.repo.env });
    onTestFinished(() => daemon.close());
    const began = performance.now();
    const git = await open(there.repo, { location: `${daemon.url}/x.git`, silenceMs });
    expect(performance.now() - began).toBeGreaterThan(silenceMs);
    const next = await publishOnce(git, there.base);
    expect(await there.repo.git('rev-parse', 'main')).toBe(next);
  });
});

describe('a server without atomic pushes', () => {
  test('gets the branch all the same', async () => {
    const there = await served();
    await there.repo.git('config', 'receive.advertiseAtomic', 'false');
    const git = await openAt(there, `file://${there.repo.folder}`);
    const next = await publishOnce(git, there.base);
    expect(await there.repo.git('rev-parse', 'main')).toBe(next);
  });
});

describe('a remote over http with a login', () => {
  async function guarded(): Promise<Served & { url: string; arguments: Set<string> }> {
    const there = await served();
    const seen = new Set<string>();
    const server = await serveGit({
      root: there.root,
      env: there.repo.env,
      login: { user: 'j@ne', password: 'p4ss:w%rd' },
      // At each request the client's git is running: what it was started with stands in /proc.
      fate: async (): Promise<Fate> => {
        for (const line of await commandLines()) seen.add(line);
        return 'serve';
      },
    });
    onTestFinished(() => server.close());
    return { ...there, url: `${server.url}/x.git`, arguments: seen };
  }

  test('in the address stands in no list of processes', async () => {
    const there = await guarded();
    const url = there.url.replace('://', '://j%40ne:p4ss%3Aw%25rd@');
    const git = await openAt(there, url);
    await publishOnce(git, there.base);
    const lines = [...there.arguments];
    expect(lines.some((line) => line.includes(there.url))).toBe(true);
    expect(lines.filter((line) => /p4ss/.test(line))).toEqual([]);
  });

  test("in the address counts before the user's helpers, and is told to none of them", async () => {
    const there = await guarded();
    const mark = join(await temporaryFolder(), 'mark');
    const helper = `!f() { cat >> '${mark}'; echo username=j@ne; echo password=wrong; }; f`;
    await there.repo.git('config', '--global', 'credential.helper', helper);
    const git = await openAt(there, there.url.replace('://', '://j%40ne:p4ss%3Aw%25rd@'));
    expect(await git.tip('main')).toBe(there.base);
    await expect(readFile(mark)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.runIf(isProof)(
    'whose name alone stands in the address comes from the helper of the user',
    async () => {
      const there = await guarded();
      const helper = `!f() { grep -q username=j@ne && echo 'password=p4ss:w%rd'; }; f`;
      await there.repo.git('config', '--global', 'credential.helper', helper);
      const git = await openAt(there, there.url.replace('://', '://j%40ne@'));
      expect(await git.tip('main')).toBe(there.base);
    },
  );

  test.each([
    ['in the address', true],
    ['from the helper', false],
  ])('that is wrong, %s, is REMOTE_DENIED and never repeated to anybody', async (_, inAddress) => {
    const there = await guarded();
    const helper = '!f() { echo username=j@ne; echo password=wr0ng; }; f';
    if (!inAddress) await there.repo.git('config', '--global', 'credential.helper', helper);
    const url = inAddress ? there.url.replace('://', '://j%40ne:wr0ng@') : there.url;
    const failure: unknown = await openAt(there, url).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'REMOTE_DENIED' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wr0ng');
    expect([...there.arguments].filter((line) => line.includes('wr0ng') && !line.includes('f()'))).toEqual(
      [],
    );
  });

  test("is found with the user's insteadOf and sent with the user's extraHeader", async () => {
    const there = await guarded();
    const basic = Buffer.from('j@ne:p4ss:w%rd').toString('base64');
    await there.repo.git('config', '--global', 'http.extraHeader', `Authorization: Basic ${basic}`);
    await there.repo.git(
      'config',
      '--global',
      `url.${there.url}.insteadOf`,
      'https://git.example.invalid/x.git',
    );
    const git = await openAt(there, 'https://git.example.invalid/x.git');
    expect(await git.tip('main')).toBe(there.base);
  });
});

describe("a server's refusal", () => {
  const GITHUB = `cat >&2 <<'END'
Welcome to the server.
error: GH013: Repository rule violations found for refs/heads/main.
Review all repository rules at https://example.com/rules

- Changes must be made through a pull request.
END
exit 1`;
  test.each(
    someOf<[string, string, RegExp]>(
      [
        ['GH013 with the rules', GITHUB, /main: GH013: Repository rule .* through a pull request\.$/],
        [
          'GH006',
          `printf 'error: GH006: Protected branch update failed.\\nerror: 1 approving review is required.\\n' >&2; exit 1`,
          /GH006: Protected branch update failed\. 1 approving review is required\.$/,
        ],
        [
          'in several lines',
          `printf 'Closed until Monday.\\nSee /docs/hooks for the calendar.\\n' >&2; exit 1`,
          / main: Closed until Monday\. See \/docs\/hooks for the calendar\.$/,
        ],
        [
          'that comes after its progress',
          `printf 'Resolving deltas:  50%% (1/2)\\rResolving deltas: 100%% (2/2), done.\\nClosed.\\n' >&2; exit 1`,
          / main: Closed\.$/,
        ],
        ['of endless length', 'yes no | head -c 500000 >&2; exit 1', /^.{50,1000}$/s],
      ],
      3,
    ),
  )('%s reaches the user', async (_, script, message) => {
    const there = await served();
    await writeFile(join(there.repo.gitDir, 'hooks/pre-receive'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const git = await openAt(there, `file://${there.repo.folder}`);
    await expect(publishOnce(git, there.base)).rejects.toMatchObject({
      code: 'REMOTE_REJECTED',
      message: expect.stringMatching(message) as unknown,
    });
    expect(await there.repo.git('rev-parse', 'main')).toBe(there.base);
  });
});

async function commandLines(): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines))
    .map((line) => line.replaceAll('\0', ' '))
    .filter((line) => line.includes('git'));
}
