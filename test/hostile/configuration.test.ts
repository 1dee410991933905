import { appendFile, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backtrail, completedOf, exampleRepo, start } from '../helpers/program/cli.ts';
import { isProof } from '../helpers/run/proof.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { temporaryFolder, type Repo } from '../helpers/repositories/repo.ts';

const GATEWAY = 'acme/production/api-gateway';
const HOOKS = (
  'applypatch-msg commit-msg fsmonitor-watchman post-applypatch post-checkout post-commit post-index-change post-merge ' +
  'post-receive post-rewrite post-update pre-applypatch pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase ' +
  'pre-receive prepare-commit-msg proc-receive push-to-checkout reference-transaction sendemail-validate update'
).split(' ');

/** Settings whose value is a program that git runs at some occasion. */
const PROGRAMS = [
  'core.fsmonitor',
  'core.sshCommand',
  'core.editor',
  'core.pager',
  'core.askPass',
  'core.gitProxy',
  'core.alternateRefsCommand',
  'core.hooksPath',
  'sequence.editor',
  'pager.log',
  'diff.external',
  'diff.evil.command',
  'diff.evil.textconv',
  'merge.evil.driver',
  'filter.evil.smudge',
  'filter.evil.clean',
  'filter.evil.process',
  'credential.helper',
  'credential.http://127.0.0.1.helper',
  'gpg.program',
  'gpg.ssh.program',
  'gpg.ssh.defaultKeyCommand',
  'gpg.x509.program',
  'trailer.mode.command',
  'trailer.mode.cmd',
  'trailer.justification.cmd',
  'remote.origin.uploadpack',
  'remote.origin.receivepack',
  'uploadpack.packObjectsHook',
  'interactive.diffFilter',
  'alias.log',
  'alias.merge',
] as const;

/** Settings that change what git says, or whom it talks to. */
const MISLEADING: readonly (readonly [key: string, value: string])[] = [
  ['trailer.mode.key', 'Mode2'],
  ['trailer.justification.key', 'Excuse'],
  ['trailer.author-of-the-change.key', 'Authored-by'],
  ['trailer.helper.key', 'Service-desk'],
  ['trailer.Rollback-Request-ID.key', 'Forgotten'],
  ['trailer.separators', '%'],
  ['core.commentChar', 'M'],
  ['core.quotePath', 'true'],
  ['core.abbrev', '4'],
  ['core.autocrlf', 'true'],
  ['core.logAllRefUpdates', 'always'],
  ['log.date', 'relative'],
  ['log.showSignature', 'true'],
  ['log.mailmap', 'true'],
  ['log.follow', 'true'],
  ['log.decorate', 'full'],
  ['format.pretty', 'oneline'],
  ['format.notes', '*'],
  ['diff.renames', 'false'],
  ['diff.noprefix', 'true'],
  ['diff.orderFile', '/etc/passwd'],
  ['i18n.logOutputEncoding', 'UTF-16'],
  ['i18n.commitEncoding', 'ISO-8859-1'],
  ['color.ui', 'always'],
  ['column.ui', 'always'],
  ['commit.gpgSign', 'true'],
  ['merge.ff', 'false'],
  ['merge.verifySignatures', 'true'],
  ['branch.main.mergeOptions', '--no-ff -S'],
  ['remote.origin.url', 'ext::sh -c "true"'],
  ['remote.origin.promisor', 'true'],
  ['url.ext::sh -c.insteadOf', 'http://'],
  ['protocol.ext.allow', 'always'],
  ['http.proxy', 'http://127.0.0.1:1'],
  ['gc.auto', '1'],
  ['maintenance.auto', 'true'],
  ['submodule.recurse', 'true'],
  ['receive.denyNonFastForwards', 'true'],
  ['transfer.hideRefs', 'refs'],
  ['core.fsync', 'none'],
  ['extensions.worktreeConfig', 'true'],
];

/** A program that leaves a mark, and passes on what it is given, as a filter would. */
async function makeCanary() {
  const folder = await temporaryFolder('canary-');
  const marks = join(folder, 'marks');
  await writeFile(marks, '');
  await mkdir(join(folder, 'hooks'));
  const program = async (name: string) => {
    const path = join(folder, 'hooks', name.replace(/[^\w-]/g, '_'));
    await writeFile(path, `#!/bin/sh\necho '${name}' >> '${marks}'\nexec cat\n`);
    await chmod(path, 0o755);
    return path;
  };
  return {
    folder,
    program,
    ran: async () => (await readFile(marks, 'utf8')).split('\n').filter((line) => line !== ''),
  };
}

type Canary = Awaited<ReturnType<typeof makeCanary>>;

const TREE = {
  '.gitattributes': '* text=auto diff=evil merge=evil\n*.filtered filter=evil\n',
  '.mailmap': 'Somebody Else <else@example.com> Test <test@example.com>\n',
};

async function poison(repo: Repo, { program }: Canary): Promise<void> {
  await repo.commit(TREE);
  const settings = [
    ...MISLEADING,
    ...(await Promise.all(PROGRAMS.map(async (key) => [key, await program(key)] as const))),
  ];
  const lines = settings.map(([key, value]) => configLines(key, value)).join('');
  const hooks = join(repo.gitDir, 'evil-hooks');
  await mkdir(hooks);
  for (const hook of HOOKS)
    for (const folder of [hooks, join(repo.gitDir, 'hooks')]) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, hook), `#!/bin/sh\n${await program(`hook ${hook}`)} </dev/null\n`);
      await chmod(join(folder, hook), 0o755);
    }
  // Three places that git reads: the configuration, what it includes, and the worktree's own.
  await writeFile(join(repo.gitDir, 'included'), lines);
  await writeFile(join(repo.gitDir, 'config.worktree'), `${lines}[core]\n\thooksPath = ${hooks}\n`);
  await appendFile(
    join(repo.gitDir, 'config'),
    `${lines}[include]\n\tpath = included\n[core]\n\thooksPath = ${hooks}\n`,
  );
  await writeFile(join(repo.gitDir, 'info/attributes'), '* diff=evil merge=evil\n*.filtered filter=evil\n');
}

function configLines(key: string, value: string): string {
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  const section = key.slice(0, first);
  const head = first === last ? `[${section}]` : `[${section} "${key.slice(first + 1, last)}"]`;
  return `${head}\n\t${key.slice(last + 1)} = "${value.replace(/["\\]/g, '\\$&')}"\n`;
}

const redis = useRedis();
let repo: Repo;
let canary: Canary;
beforeAll(async () => {
  canary = await makeCanary();
});
beforeEach(async () => {
  repo = await exampleRepo();
  await poison(repo, canary);
});

describe("a user's own configuration", () => {
  it('may rename trailers for itself: ours keep their names', async () => {
    const mine = await exampleRepo();
    await mine.git('config', '--global', 'trailer.author.key', 'Authored-by: ');
    await mine.git('config', '--global', 'trailer.m.key', 'Mode-of-transport');
    await mine.git('config', '--global', 'trailer.ifExists', 'replace');
    const args = ['rollback', GATEWAY, '--yes', '--reason', 'Why', '-o', 'json'];
    const { requestId } = completedOf(await backtrail(mine, args));
    const { stdout } = await backtrail(mine, ['log', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ rollbacks: [{ requestId, mode: 'service', problems: [] }] });
  });
});

describe('a submodule', () => {
  it('has a configuration of its own, which runs nothing', async () => {
    const mine = await exampleRepo();
    const other = await makeCanary();
    const sub = join(mine.folder, 'sub');
    await mkdir(sub);
    await mine.git('-C', sub, 'init', '--quiet');
    await writeFile(join(sub, '.gitattributes'), '* filter=other\n');
    await writeFile(join(sub, 'file'), 'one\n');
    await mine.git('-C', sub, 'add', '.');
    await mine.git('-C', sub, 'commit', '--quiet', '-m', 'One');
    const id = await mine.git('-C', sub, 'rev-parse', 'HEAD');
    await mine.git('update-index', '--add', '--cacheinfo', `160000,${id},sub`);
    await mine.git('commit', '--quiet', '-m', 'Add a submodule');
    await mine.git('-C', sub, 'config', 'filter.other.clean', await other.program('clean'));
    await writeFile(join(sub, 'file'), 'two\n');
    expect(await backtrail(mine, ['doctor'])).toMatchObject({ code: 0 });
    completedOf(await backtrail(mine, ['rollback', GATEWAY, '--yes', '--reason', 'Why', '-o', 'json']));
    expect(await other.ran()).toEqual([]);
    await mine.git('status');
    expect(await other.ran()).not.toEqual([]);
  });
});

describe('a repository whose configuration and hooks want to run programs', () => {
  it('would do so under plain git: the canary sings', async () => {
    const control = await makeCanary();
    const plain = await exampleRepo();
    await poison(plain, control);
    await plain.git('checkout', '--quiet', 'HEAD~1').catch(() => '');
    await plain.git('log', '-1', '--format=%(trailers)').catch(() => '');
    expect((await control.ran()).length).toBeGreaterThan(0);
  });

  it('runs none of them under any command, and every command says what it says elsewhere', async () => {
    const clean = await exampleRepo();
    await clean.git('config', 'remote.origin.url', 'https://git.example.invalid/x.git');
    await clean.commit(TREE);
    const target = await clean.git('rev-parse', 'main~8');
    const commands: readonly string[][] = [
      ['environments'],
      ['history', GATEWAY],
      ['history', 'acme/production', '--field', 'variables.yaml#/services/api-gateway/REPLICAS'],
      ['show', GATEWAY, 'v7'],
      ['compare', GATEWAY, 'v7'],
      ['plan', 'acme/production', '--to', target],
      ['log'],
    ];
    for (const args of commands) {
      const poisoned = await backtrail(repo, [...args, '-o', 'json']);
      const expected = await backtrail(clean, [...args, '-o', 'json']);
      expect({ args, code: poisoned.code, stderr: poisoned.stderr }).toEqual({ args, code: 0, stderr: '' });
      // The plan says where it would be published.
      expect(poisoned.stdout.replaceAll(repo.folder, clean.folder)).toBe(expected.stdout);
    }
    expect(await backtrail(repo, ['doctor'])).toMatchObject({ code: 0 });
    expect(await canary.ran()).toEqual([]);
  });

  it.runIf(isProof)('is rolled back in all modes, files and record as they should be', async () => {
    const back = (...args: string[]) =>
      backtrail(repo, ['rollback', ...args, '--yes', '--reason', 'Why', '-o', 'json']);
    const results = [
      completedOf(await back(GATEWAY)),
      completedOf(await back('acme/production/billing', '--field', 'image')),
      completedOf(await back('acme/staging', '--to', 'v5')),
    ];
    // Looked at with plain git, where nothing hostile speaks.
    const look = await exampleRepo({ bare: true });
    await look
      .git('fetch', '--quiet', '--upload-pack=git-upload-pack', repo.folder, '+main:main')
      .catch(() => '');
    expect(await canary.ran()).toEqual([]);
    for (const { commit, requestId } of results) {
      const raw = await readCommit(repo, commit);
      expect(raw).toMatch(new RegExp(`^Rollback-Request-ID: ${requestId}$`, 'm'));
      expect(raw).toMatch(/^Mode: (service|field|full)$/m);
      expect(raw).not.toMatch(/gpgsig|encoding/);
    }
    const file = 'tenants/acme/production/services/api-gateway/service.yaml';
    // core.autocrlf is a wish of whoever owns the worktree, and runs nothing.
    const worktree = await readFile(join(repo.folder, file), 'utf8');
    expect(worktree.replaceAll('\r\n', '\n')).toBe(await show(repo, `main:${file}`));
  });

  it.runIf(isProof)('is rolled back by a worker', async () => {
    const options = { redisUrl: redis.url };
    const worker = start(repo, ['worker'], options);
    const args = ['rollback', GATEWAY, '--yes', '--reason', 'Why', '--queue', '-o', 'json'];
    completedOf(await backtrail(repo, args, options));
    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    expect(await canary.ran()).toEqual([]);
  });
});

const quiet = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.pager=cat'];
const readCommit = (repo: Repo, id: string) => repo.git(...quiet, 'cat-file', 'commit', id);
const show = async (repo: Repo, object: string) =>
  `${await repo.git(...quiet, 'cat-file', 'blob', object)}\n`;
