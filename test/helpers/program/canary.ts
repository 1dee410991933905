import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../repositories/repo.ts';
import type { Repo } from '../repositories/repo.ts';

/** A program that leaves a mark, and lets through what it is given. */
export async function canary(): Promise<{
  program: (name: string) => Promise<string>;
  marks: () => Promise<string[]>;
}> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'marks'));
  return {
    async program(name) {
      const file = join(folder, name.replace(/[^\w-]/g, '_'));
      await writeFile(file, `#!/bin/sh\n: > '${join(folder, 'marks', name.replace(/[^\w-]/g, '_'))}'\ncat\n`);
      await chmod(file, 0o755);
      return file;
    },
    marks: () => readdir(join(folder, 'marks')),
  };
}

const HOOKS = [
  'reference-transaction',
  'post-merge',
  'pre-merge-commit',
  'post-checkout',
  'post-index-change',
  'pre-commit',
  'commit-msg',
  'prepare-commit-msg',
  'post-commit',
  'pre-push',
  'update',
  'pre-receive',
  'post-receive',
  'post-update',
  'pre-auto-gc',
  'post-rewrite',
  'fsmonitor-watchman',
];

const KEYS = [
  'core.fsmonitor',
  'core.sshCommand',
  'core.editor',
  'core.pager',
  'core.askPass',
  'core.alternateRefsCommand',
  'sequence.editor',
  'credential.helper',
  'credential.https://example.com.helper',
  'gpg.program',
  'gpg.ssh.program',
  'gpg.ssh.defaultKeyCommand',
  'diff.external',
  'diff.evil.command',
  'diff.evil.textconv',
  'filter.evil.clean',
  'filter.evil.smudge',
  'filter.evil.process',
  'merge.evil.driver',
  'merge.default',
  'pager.log',
  'pager.config',
  'interactive.diffFilter',
  'trailer.evil.command',
  'trailer.evil.cmd',
  'alias.log',
  'alias.cat-file',
  'remote.origin.uploadpack',
  'remote.origin.receivepack',
  'uploadpack.packObjectsHook',
];

/** Everything that a repository can say to make git run a program, in its configuration, its includes and its hooks. */
export async function poison(
  repo: Repo,
  program: (name: string) => Promise<string>,
  upstream: { url: string; promisor: boolean } = { url: 'ext::sh -c date%20>canary', promisor: true },
): Promise<void> {
  const settings: [string, string][] = [];
  for (const key of KEYS) settings.push([key, await program(key)]);
  settings.push(
    ['filter.evil.required', 'true'],
    ['log.showSignature', 'true'],
    ['merge.verifySignatures', 'true'],
  );
  settings.push(
    ['merge.autoStash', 'true'],
    ['submodule.recurse', 'true'],
    ['branch.main.mergeOptions', '--no-ff -S'],
  );
  settings.push(['commit.gpgSign', 'true'], ['gc.auto', '1'], ['protocol.ext.allow', 'always']);
  settings.push(['remote.origin.url', upstream.url]);
  if (upstream.promisor) settings.push(['remote.origin.promisor', 'true']);
  const places = [['--local'], ['--worktree'], ['--file', join(repo.gitDir, 'included')]];
  await repo.git('config', 'extensions.worktreeConfig', 'true');
  for (const place of places)
    for (const [key, value] of settings) await repo.git('config', ...place, key, value);
  await repo.git('config', 'include.path', join(repo.gitDir, 'included'));
  const hooks = join(repo.gitDir, 'own-hooks');
  for (const folder of [hooks, join(repo.gitDir, 'hooks')]) {
    await mkdir(folder, { recursive: true });
    for (const hook of HOOKS) await symlink(await program(`hook-${hook}`), join(folder, hook));
  }
  await repo.git('config', 'core.hooksPath', hooks);
  await mkdir(join(repo.gitDir, 'info'), { recursive: true });
  await writeFile(
    join(repo.gitDir, 'info', 'attributes'),
    '* diff=evil merge=evil\n*.filtered filter=evil\n',
  );
}
