import { chown, copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backtrail, completedOf, exampleRepo, refusalOf, stateOf } from '../../helpers/program/cli.ts';
import { cloneRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const SERVICE = 'acme/production/api-gateway';
const FILE = 'tenants/acme/production/services/api-gateway/service.yaml';
const BACK = ['rollback', SERVICE, '--yes', '--reason', 'It answers 500', '-o', 'json'];
const read = (folder: string, path: string) => readFile(join(folder, path), 'utf8');

describe('a rollback where the branch is checked out', () => {
  it.runIf(isProof)('takes the files along', async () => {
    const repo = await exampleRepo();
    expect(await read(repo.folder, FILE)).toContain('v2.1.0');
    completedOf(await backtrail(repo, BACK));
    expect(await read(repo.folder, FILE)).toContain('v2.0.5');
    expect(await read(repo.folder, 'delivery/acme/production/api-gateway.yaml')).toContain('v2.0.5');
    expect(await repo.git('status', '--porcelain')).toBe('');
  });

  it('works from a folder inside it, takes the files along, and leaves local changes elsewhere alone', async () => {
    const repo = await exampleRepo();
    const other = 'tenants/acme/production/services/billing/service.yaml';
    const changed = `${await read(repo.folder, other)}# mine\n`;
    await repo.write({ [other]: changed, 'notes.txt': 'untracked\n' });
    await repo.git('add', other);
    const cwd = join(repo.folder, 'tenants/acme/production/services/api-gateway');
    completedOf(await backtrail(repo, BACK, { cwd }));
    expect(await read(repo.folder, FILE)).toContain('v2.0.5');
    expect(await read(repo.folder, 'delivery/acme/production/api-gateway.yaml')).toContain('v2.0.5');
    expect(await read(repo.folder, other)).toBe(changed);
    expect(await repo.git('status', '--porcelain')).toBe(`M  ${other}\n?? notes.txt`);
  });

  it('refuses where a local change is in the way: WORKTREE_DIRTY, exit 3, nothing moved', async () => {
    const repo = await exampleRepo();
    await repo.write({ [FILE]: 'mine: true\n' });
    const before = await stateOf(repo);
    const refusal = refusalOf(await backtrail(repo, BACK.slice(0, -2)), { afterPlan: true });
    expect(refusal).toMatchObject({
      exit: 3,
      code: 'WORKTREE_DIRTY',
      message: expect.stringContaining(FILE),
    });
    expect(await read(repo.folder, FILE)).toBe('mine: true\n');
    expect(await stateOf(repo)).toBe(before);
  });

  it.runIf(isProof)('refuses where a change in the index is in the way', async () => {
    const repo = await exampleRepo();
    await repo.write({ [FILE]: 'mine: true\n' });
    await repo.git('add', FILE);
    const before = await stateOf(repo);
    const refusal = refusalOf(await backtrail(repo, BACK.slice(0, -2)), { afterPlan: true });
    expect(refusal).toMatchObject({ exit: 3, code: 'WORKTREE_DIRTY' });
    expect(await stateOf(repo)).toBe(before);
  });

  it('refuses where an untracked file lies where a file comes back, also an ignored one', async () => {
    const repo = await exampleRepo();
    const gone = 'tenants/acme/production/services/web/service.yaml';
    await repo.git('rm', '--quiet', gone);
    await repo.git('commit', '--quiet', '-m', 'Remove web');
    await repo.write({ [gone]: 'mine: true\n', '.git/info/exclude': 'service.yaml\n' });
    const before = await stateOf(repo);
    const args = ['rollback', 'acme/production/web', '--to', 'v1', '--yes', '--reason', 'x'];
    const refusal = refusalOf(await backtrail(repo, args), { afterPlan: true });
    expect(refusal).toMatchObject({
      exit: 3,
      code: 'WORKTREE_DIRTY',
      message: expect.stringContaining(gone),
    });
    expect(await read(repo.folder, gone)).toBe('mine: true\n');
    expect(await stateOf(repo)).toBe(before);
  });

  it.runIf(isProof)('refuses where another git holds the branch: no file has changed', async () => {
    const repo = await exampleRepo();
    await repo.write({ 'notes.txt': 'mine\n', '.git/refs/heads/main.lock': '' });
    const before = await stateOf(repo);
    const refusal = refusalOf(await backtrail(repo, BACK.slice(0, -2)), { afterPlan: true });
    expect(refusal).toMatchObject({ exit: 6, code: 'REPOSITORY_LOCKED' });
    expect(await read(repo.folder, FILE)).toContain('v2.1.0');
    expect(await stateOf(repo)).toBe(before);
    expect(await repo.git('status', '--porcelain')).toBe('?? notes.txt');
  });

  it.runIf(isProof)('moves the branch under another one that is checked out, and no file', async () => {
    const repo = await exampleRepo();
    await repo.git('checkout', '--quiet', '-b', 'work');
    const { deliveryCommit } = completedOf(await backtrail(repo, BACK));
    expect(await repo.git('rev-parse', 'main')).toBe(deliveryCommit);
    expect(await repo.git('symbolic-ref', '--short', 'HEAD')).toBe('work');
    expect(await read(repo.folder, FILE)).toContain('v2.1.0');
    expect(await repo.git('status', '--porcelain')).toBe('');
  });

  it.runIf(isProof)(
    'with a detached HEAD, works on the branch that the configuration there names, and moves no file',
    async () => {
      const repo = await exampleRepo();
      await repo.git('checkout', '--quiet', '--detach');
      const { deliveryCommit } = completedOf(await backtrail(repo, BACK));
      expect(await repo.git('rev-parse', 'main')).toBe(deliveryCommit);
      expect(await repo.git('rev-parse', 'HEAD')).not.toBe(deliveryCommit);
      expect(await read(repo.folder, FILE)).toContain('v2.1.0');
      expect(await repo.git('status', '--porcelain')).toBe('');
    },
  );

  it.runIf(isProof)(
    'says what is missing where HEAD is detached, and where its branch has no configuration',
    async () => {
      const repo = await exampleRepo();
      const path = '.backtrail/config.yaml';
      const config = (await read(repo.folder, path)).replace(/^branch:.*\n/m, '');
      await repo.commit({ [path]: config });
      await repo.git('checkout', '--quiet', '--detach');
      expect(refusalOf(await backtrail(repo, ['environments']))).toMatchObject({
        exit: 2,
        code: 'BRANCH_UNKNOWN',
        hint: expect.stringContaining('Check a branch out'),
      });
      const bare = await repo.commit({ [path]: null });
      expect(refusalOf(await backtrail(repo, ['environments']))).toMatchObject({
        code: 'CONFIG_MISSING',
        message: expect.stringContaining(`HEAD is detached at ${bare.slice(0, 10)}`),
      });
      await repo.git('checkout', '--quiet', '-b', 'work');
      expect(refusalOf(await backtrail(repo, ['environments']))).toMatchObject({
        code: 'CONFIG_MISSING',
        message: expect.stringContaining('Branch work'),
      });
    },
  );

  it.runIf(isProof)('knows the branch without HEAD where a configuration from outside names it', async () => {
    const repo = await exampleRepo();
    const path = '.backtrail/config.yaml';
    const config = join(await temporaryFolder(), 'config.yaml');
    await copyFile(join(repo.folder, path), config);
    await repo.commit({ [path]: null });
    await repo.git('checkout', '--quiet', '--detach');
    const { deliveryCommit } = completedOf(await backtrail(repo, ['--config', config, ...BACK]));
    expect(await repo.git('rev-parse', 'main')).toBe(deliveryCommit);
  });
});

describe('a rollback in another kind of repository', () => {
  it('a bare one: the branch moves', async () => {
    const repo = await exampleRepo({ bare: true });
    const { deliveryCommit, commit } = completedOf(await backtrail(repo, BACK));
    expect(await repo.git('rev-parse', 'main', 'main~1')).toBe(`${deliveryCommit}\n${commit}`);
    expect(await repo.git('show', `main:${FILE}`)).toContain('v2.0.5');
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it.runIf(isProof)(
    'the main worktree, when a linked one holds the branch: BRANCH_CHECKED_OUT; there, it works',
    async () => {
      const repo = await exampleRepo();
      await repo.git('checkout', '--quiet', '--detach');
      const linked = join(await temporaryFolder(), 'linked');
      await repo.git('worktree', 'add', '--quiet', linked, 'main');
      await repo.git('checkout', '--quiet', '-b', 'work');
      const before = await stateOf(repo);
      const refusal = refusalOf(await backtrail(repo, BACK.slice(0, -2)), { afterPlan: true });
      expect(refusal).toMatchObject({
        exit: 3,
        code: 'BRANCH_CHECKED_OUT',
        message: expect.stringContaining(linked),
      });
      expect(await stateOf(repo)).toBe(before);
      completedOf(await backtrail(repo, ['--repo', linked, ...BACK]));
      expect(await read(linked, FILE)).toContain('v2.0.5');
      expect(await repo.git('-C', linked, 'status', '--porcelain')).toBe('');
    },
  );

  it('a shallow clone without an upstream: invents no history, and says what is not: SHALLOW_TARGET', async () => {
    const full = await exampleRepo();
    const oldest = (await full.git('rev-list', '--first-parent', 'main')).split('\n').at(-1) ?? '';
    const clone = await cloneRepo(full, { args: ['--depth=1', '--no-local'] });
    await clone.git('branch', '--unset-upstream');
    const before = await stateOf(clone);
    for (const target of ['previous', 'v1', oldest, oldest.slice(0, 8), '@2001-01-01']) {
      const args = ['rollback', SERVICE, '--to', target, '--yes', '--reason', 'x'];
      const refusal = refusalOf(await backtrail(clone, args));
      expect(refusal).toMatchObject({ code: 'SHALLOW_TARGET', hint: expect.stringContaining('--unshallow') });
    }
    expect(await stateOf(clone)).toBe(before);
    const { code, stdout } = await backtrail(clone, ['history', SERVICE, '-o', 'json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { revisions: [] }]);
    await clone.git('fetch', '--quiet', '--unshallow');
    completedOf(await backtrail(clone, BACK));
    expect(await read(clone.folder, FILE)).toContain('v2.0.5');
  });

  it.runIf(isProof)('a remote by its URL: published there, without any clone of the user', async () => {
    const upstream = await exampleRepo({ bare: true });
    const result = completedOf(
      await backtrail(upstream, ['--repo', `file://${upstream.folder}`, ...BACK], { cwd: '/' }),
    );
    expect(await upstream.git('rev-parse', 'main')).toBe(result.deliveryCommit);
    expect(result.findings.map(({ code }) => code)).not.toContain('UPSTREAM_NOT_UPDATED');
  });

  it.runIf(isProof)('one that git cannot write: an error with a code, and nothing moved', async () => {
    const repo = await exampleRepo({ bare: true });
    const before = await stateOf(repo);
    await mkdir(join(repo.folder, 'refs/heads'), { recursive: true });
    await repo.write({ 'refs/heads/main.lock': '' });
    const refusal = refusalOf(await backtrail(repo, BACK.slice(0, -2)), { afterPlan: true });
    expect(refusal).toMatchObject({
      exit: 6,
      code: 'REPOSITORY_LOCKED',
      message: expect.stringContaining('main.lock'),
    });
    expect(await stateOf(repo)).toBe(before);
  });

  it.runIf(process.getuid?.() === 0)(
    'one that belongs to another user (needs root): says how to trust it',
    async () => {
      const repo = await exampleRepo({ bare: true });
      await chown(repo.folder, 12345, 12345);
      const refusal = refusalOf(await backtrail(repo, ['environments']));
      expect(refusal).toMatchObject({
        exit: 3,
        code: 'REPOSITORY_UNTRUSTED',
        hint: expect.stringContaining('safe.directory'),
      });
    },
  );
});
