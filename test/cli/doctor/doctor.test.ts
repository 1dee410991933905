import { chmod, chown, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkNode, diskCheck } from '../../../engine/doctor/machine.ts';
import { backtrail, completedOf, exampleRepo, stateOf } from '../../helpers/program/cli.ts';
import { diagnose, followHint } from '../../helpers/program/doctor.ts';
import { kubectl } from '../../helpers/program/programs.ts';
import { cloneRepo, createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const SIMPLE = 'version: 1\nlayout: { service: [ "apps/{environment}/{service}.yaml" ] }\n';
const FILES = { '.backtrail/config.yaml': SIMPLE, 'apps/production/web.yaml': 'image: v1\n' };

let example: Repo;
beforeAll(async () => {
  example = await exampleRepo();
});

async function simpleRepo(): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit(FILES);
  return repo;
}

describe('a repository in order', () => {
  it('has nothing to look at but what is always so, and is not changed', async () => {
    const before = await stateOf(example);
    const { code, checks } = await diagnose(example);
    const noted = checks.filter(({ status }) => status !== 'ok').map(({ name }) => name);
    expect([code, noted]).toEqual([0, [...(kubectl ? [] : ['renderers']), 'trust', 'queue']]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['repository', 'layout', 'identity', 'git', 'patterns', 'keep', 'push']),
    );
    expect(await stateOf(example)).toBe(before);
  });

  it.runIf(isProof)('is told to people in groups, with a line that counts', async () => {
    const { stdout } = await backtrail(example, ['doctor']);
    const { checks } = await diagnose(example);
    const warned = checks.filter(({ status }) => status === 'warn').length;
    expect(stdout).toMatch(/^This machine\n {2}✓ node +Node\.js is [\d.]+\.\n/);
    expect(stdout).toMatch(/\n\nPublishing\n {2}✓ push /);
    expect(stdout).toMatch(/\n {2}! trust +trust: push-access\.[^\n]+\n {10,}Protect the branch/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `${checks.length} checks: ${checks.length - warned} ok, ${warned} to look at, 0 blocking`,
    );
  });

  it('says who asks and who commits, and that nothing is signed', async () => {
    const repo = await simpleRepo();
    await writeFile(
      repo.globalConfig,
      '[commit]\n\tgpgSign = true\n[user]\n\tname = Jane\n\temail = j@example.com\n',
    );
    const { status, message } = (await diagnose(repo)).one('identity');
    expect(status).toBe('ok');
    expect(message).toContain('Jane <j@example.com>, and committed by Backtrail');
    expect(message).toContain('not signed');
  });
});

describe('what is broken ends no other check', () => {
  it('no repository: the machine, the identity and the queue are looked at', async () => {
    const folder = await temporaryFolder();
    const found = await diagnose({ folder, env: example.env });
    expect(found.code).toBe(3);
    expect(found.one('repository')).toMatchObject({
      status: 'fail',
      details: { code: 'REPOSITORY_UNKNOWN' },
    });
    for (const name of ['node', 'git', 'cache', 'identity']) expect(found.one(name).status).toBe('ok');
    expect(found.one('queue').status).toBe('warn');
  });

  it('no git: the configuration is held against the tree, and it says what still works', async () => {
    const folder = join(await temporaryFolder(), 'bin');
    await mkdir(folder);
    await symlink(process.execPath, join(folder, 'node'));
    const found = await diagnose(example, { env: { PATH: folder } });
    expect(found.code).toBe(3);
    expect(found.one('git')).toMatchObject({ status: 'fail', hint: expect.stringContaining('Install git') });
    expect(found.one('git').message).toContain('history, show, compare, plan, log) works here without it');
    for (const name of ['repository', 'layout', 'patterns', 'services', 'keep', 'fields'])
      expect(found.one(name).status).toBe('ok');
    expect(found.checks.filter(({ status }) => status === 'fail')).toHaveLength(1);
  });

  it('an old git: says what it cannot do', async () => {
    const folder = join(await temporaryFolder(), 'bin');
    await mkdir(folder);
    await writeFile(join(folder, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
    const found = await diagnose(example, { env: { PATH: `${folder}:${example.env['PATH']}` } });
    const { status, message, hint } = found.one('git');
    expect([found.code, status, hint]).toEqual([3, 'fail', expect.stringContaining('git 2.36 or later')]);
    expect(message).toContain('git 2.30.2 is too old: it has no cat-file --batch-command, no core.fsync');
    expect(message).not.toContain('changed-paths');
  });

  it('an invalid configuration: names its place, and publishing is looked at', async () => {
    const repo = await createRepo();
    await repo.commit({ '.backtrail/config.yaml': 'version: 1\nlayout: { servce: [] }\n' });
    const found = await diagnose(repo);
    expect(found.code).toBe(3);
    expect(found.one('config')).toMatchObject({ status: 'fail', details: { code: 'CONFIG_INVALID' } });
    expect(found.one('config').message).toContain('.backtrail/config.yaml:2:');
    for (const name of ['repository', 'push', 'worktree', 'locks']) expect(found.one(name).status).toBe('ok');
  });

  it('another branch: says that rollbacks go past the one that HEAD names', async () => {
    const repo = await simpleRepo();
    await repo.commit({ '.backtrail/config.yaml': `${SIMPLE}branch: feature\n` });
    await repo.git('branch', 'feature');
    const found = await diagnose(repo);
    expect(found.code).toBe(0);
    expect(found.one('branch')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('HEAD names main, but rollbacks go to feature'),
    });
    await repo.git('switch', '--quiet', 'feature');
    expect((await diagnose(repo)).of('branch')).toEqual([]);
  });

  it.runIf(isProof)('another branch, in a clone: says so too, and so does a plan', async () => {
    const upstream = await simpleRepo();
    await upstream.commit({ '.backtrail/config.yaml': `${SIMPLE}branch: main\n` });
    const clone = await cloneRepo(upstream);
    await clone.git('switch', '--quiet', '-c', 'topic');
    expect((await diagnose(clone)).one('branch')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('HEAD names topic, but rollbacks go to main'),
    });
    const plan = async () => (await backtrail(clone, ['plan', 'production', '--to', 'v1'])).stdout;
    expect(await plan()).toContain('BRANCH_DIFFERS topic is checked out here; this is about main');
    await clone.git('switch', '--quiet', 'main');
    expect(await plan()).not.toContain('BRANCH_DIFFERS');
  });

  it.runIf(isProof)('literals of a secretGenerator: named until they are kept', async () => {
    const repo = await createRepo();
    const config = 'version: 1\nlayout: { environment: [ "envs/{environment}/**" ] }\n';
    await repo.commit({
      '.backtrail/config.yaml': config,
      'envs/prod/kustomization.yaml': 'secretGenerator:\n- name: db\n  literals: [ "password=s3cret" ]\n',
      'envs/dev/kustomization.yaml': 'secretGenerator:\n- name: db\n  files: [ db.enc ]\n',
    });
    const found = await diagnose(repo);
    expect(found.one('literals')).toMatchObject({
      status: 'warn',
      details: { paths: ['envs/prod/kustomization.yaml'] },
    });
    expect(JSON.stringify(found.checks)).not.toContain('s3cret');
    const keep = 'keep: [ "**/kustomization.yaml#/secretGenerator" ]\n';
    await repo.commit({ '.backtrail/config.yaml': config + keep });
    expect((await diagnose(repo)).of('literals')).toEqual([]);
  });

  it('no configuration: says where it goes', async () => {
    const repo = await createRepo();
    await repo.commit({ a: 'b' });
    const { status, hint } = (await diagnose(repo)).one('config');
    expect([status, hint]).toEqual(['fail', expect.stringContaining('.backtrail/config.yaml')]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'a repository of another user: its hint is what makes it readable (needs root)',
    async () => {
      const repo = await simpleRepo();
      for (const path of [repo.folder, repo.gitDir]) await chown(path, 12_345, 12_345);
      const found = await diagnose(repo);
      expect(found.code).toBe(3);
      expect(found.one('repository')).toMatchObject({ details: { code: 'REPOSITORY_UNTRUSTED' } });
      await followHint(found.one('repository'), repo);
      expect((await diagnose(repo)).one('repository').status).toBe('ok');
    },
  );
});

describe('the machine', () => {
  it('needs a Node.js that is new enough', () => {
    expect(checkNode('20.18.3')).toMatchObject({ status: 'fail', hint: 'Install Node.js 20.19 or later.' });
    expect(['20.19.0', '22.1.0'].map((version) => checkNode(version).status)).toEqual(['ok', 'ok']);
  });

  it('needs space: a gigabyte, and twice what the repository takes', () => {
    const disk = (free: number, size: number) => diskCheck({ folder: '/x', free, size }).status;
    expect([disk(2e9, 1e6), disk(5e8, 1e6), disk(3e9, 2e9), disk(5e9, 2e9)]).toEqual([
      'ok',
      'warn',
      'warn',
      'ok',
    ]);
  });

  it('needs a folder for mirrors, which blocks where the repository is a remote', async () => {
    const home = join(await temporaryFolder(), 'file');
    await writeFile(home, '');
    expect((await diagnose(example, { env: { HOME: home } })).one('cache').status).toBe('warn');
    const args = ['--repo', `file://${example.folder}`];
    const found = await diagnose(example, { env: { HOME: home }, args });
    expect([found.code, found.one('cache').status]).toEqual([3, 'fail']);
    expect(found.one('repository')).toMatchObject({
      status: 'fail',
      hint: expect.stringContaining('XDG_CACHE_HOME'),
    });
  });

  it('needs an identity, and its hint gives one', async () => {
    const repo = await simpleRepo();
    await writeFile(repo.globalConfig, '');
    expect((await diagnose(repo)).one('identity')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('tester@localhost'),
    });
    await followHint((await diagnose(repo)).one('identity'), repo);
    expect((await diagnose(repo)).one('identity').message).toContain('NAME <EMAIL>');
  });
});

describe('a repository of this machine', () => {
  it('tells of lock files that were left behind, which block where a rollback needs them', async () => {
    const repo = await simpleRepo();
    const old = new Date(Date.now() - 3_600_000);
    const lock = async (name: string, time = old) => {
      await writeFile(join(repo.gitDir, name), '');
      await utimes(join(repo.gitDir, name), time, time);
    };
    await lock('index.lock', new Date());
    expect((await diagnose(repo)).one('locks').status).toBe('ok');
    await lock('config.lock');
    await lock('refs/tags/x y.lock');
    expect(await diagnose(repo)).toMatchObject({ code: 0 });
    expect((await diagnose(repo)).one('locks')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/^2 lock files in .*at least 60 minutes old/),
    });
    await lock('index.lock');
    const found = await diagnose(repo);
    expect([found.code, found.one('locks').status]).toEqual([3, 'fail']);
    await followHint(found.one('locks'), repo);
    expect((await diagnose(repo)).one('locks').status).toBe('ok');
    expect((await readdir(repo.gitDir)).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  it('names every lock file in its hint, in a folder of any name', async () => {
    const repo = await createRepo();
    const folder = join(await temporaryFolder(), "a, b's c");
    await repo.commit(FILES);
    await repo.git('clone', '--quiet', '--bare', repo.folder, folder);
    for (let at = 0; at < 24; at += 1) {
      const path = join(folder, `refs/heads/x${at}.lock`);
      await writeFile(path, '');
      await utimes(path, 1, 1);
    }
    const bare = { folder, env: repo.env };
    await followHint((await diagnose(bare)).one('locks'), bare);
    expect((await diagnose(bare)).one('locks').status).toBe('ok');
  });

  it('tells of refs that killed rollbacks left, and its hint deletes them only', async () => {
    const repo = await exampleRepo();
    const staged = 'refs/backtrail/staging/rbk-01ARZ3NDEKTSV4RRFFQ69G5FAV/1/0';
    const refs = await repo.git('for-each-ref');
    await repo.git('update-ref', staged, 'HEAD');
    const { status, message, hint } = (await diagnose(repo)).one('staging');
    expect([status, message]).toEqual(['warn', expect.stringContaining(staged)]);
    await followHint(
      { name: '', status: 'warn', message, hint: hint?.replace(/^.*if none runs: /, '') },
      repo,
    );
    expect((await diagnose(repo)).one('staging').status).toBe('ok');
    expect(await repo.git('for-each-ref')).toBe(refs);
  });

  it.runIf(isProof)(
    'tells of a long history without a commit-graph, or with one that is of no help',
    async () => {
      const repo = await createRepo();
      await repo.commit(FILES);
      await repo.replay(Array.from({ length: 1100 }, (_, index) => ({ files: { n: `${index}` } })));
      const found = (await diagnose(repo)).one('commit-graph');
      expect(found).toMatchObject({
        status: 'warn',
        message: expect.stringContaining('no commit-graph for 1101'),
      });
      await repo.git('commit-graph', 'write', '--reachable');
      expect((await diagnose(repo)).one('commit-graph').message).toContain('does not know which paths');
      await followHint(found, repo);
      expect((await diagnose(repo)).one('commit-graph')).toMatchObject({
        status: 'ok',
        message: 'The commit-graph knows the changed paths of all but 0 of 1101 commits.',
      });
      await repo.replay(Array.from({ length: 1100 }, (_, index) => ({ files: { n: `again ${index}` } })));
      expect((await diagnose(repo)).one('commit-graph')).toMatchObject({
        status: 'warn',
        message: expect.stringContaining('1100 commits are younger'),
      });
      await repo.git('commit-graph', 'write', '--reachable', '--changed-paths', '--split=no-merge');
      expect((await diagnose(repo)).one('commit-graph').status).toBe('ok');
    },
  );

  it.runIf(isProof)('tells of a shallow clone, whose hint mends it, and of a partial one', async () => {
    const origin = await exampleRepo();
    await origin.git('config', 'uploadpack.allowFilter', 'true');
    const far = { ...origin, folder: `file://${origin.folder}` };
    const shallow = await cloneRepo(far, { args: ['--depth=3'] });
    const partial = await cloneRepo(far, { args: ['--filter=blob:none'] });
    for (const [clone, said] of [
      [shallow, 'a shallow clone'],
      [partial, 'a partial clone'],
    ] as const) {
      const { status, message } = (await diagnose(clone)).one('history');
      expect([status, message]).toEqual(['warn', expect.stringContaining(said)]);
    }
    await followHint((await diagnose(shallow)).one('history'), shallow);
    expect((await diagnose(shallow)).one('history').status).toBe('ok');
  });

  it('says which hooks and settings of the repository do not hold', async () => {
    const repo = await simpleRepo();
    await writeFile(join(repo.gitDir, 'hooks/pre-push'), '#!/bin/sh\n', { mode: 0o755 });
    await repo.git('config', 'core.fsmonitor', 'true');
    await repo.git('config', 'filter.secret.smudge', 'decrypt');
    const { status, message } = (await diagnose(repo)).one('settings');
    expect(status).toBe('ok');
    expect(message).toContain('runs no hooks (pre-push)');
    expect(message).toContain('core.fsmonitor, filter.secret.smudge');
    expect((await diagnose(example)).of('settings')).toEqual([]);
  });
});

describe('publishing here', () => {
  it('is refused where the branch is checked out elsewhere, and its hint says where to go', async () => {
    const repo = await simpleRepo();
    await repo.git('switch', '--quiet', '-c', 'other');
    const linked = join(await temporaryFolder(), 'linked tree');
    await repo.git('worktree', 'add', '--quiet', linked, 'main');
    const config = join(await temporaryFolder(), 'config.yaml');
    await writeFile(config, `${SIMPLE}branch: main\n`);
    const args = ['--config', config];
    const { status, message, hint } = (await diagnose(repo, { args })).one('worktree');
    expect([status, message]).toEqual(['fail', expect.stringContaining(`main is checked out in ${linked}`)]);
    expect(hint).toContain(`--repo '${linked}'`);
    expect((await diagnose({ folder: linked, env: repo.env }, { args })).one('worktree').status).toBe('ok');
  });

  it.runIf(isProof)('is in the way of local changes', async () => {
    const repo = await simpleRepo();
    await repo.write({ 'apps/production/web.yaml': 'image: mine\n', 'not tracked': '' });
    const found = await diagnose(repo);
    expect(found.one('worktree')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/^1 path .* has local changes/),
    });
    await followHint(found.one('worktree'), repo);
    expect((await diagnose(repo)).one('worktree').status).toBe('ok');
  });

  it.skipIf(process.getuid?.() === 0)(
    'needs folders that this account can write to, and its hint opens them (not as root)',
    async () => {
      const repo = await simpleRepo();
      await chmod(join(repo.gitDir, 'refs/heads'), 0o555);
      const found = await diagnose(repo);
      expect([found.code, found.one('push').status]).toEqual([3, 'fail']);
      await followHint(found.one('push'), repo);
      expect((await diagnose(repo)).one('push').status).toBe('ok');
    },
  );

  it.runIf(isProof)('needs a place for what it stages', async () => {
    const repo = await simpleRepo();
    await repo.git('update-ref', 'refs/backtrail/staging', 'HEAD');
    const found = await diagnose(repo);
    expect(found.code).toBe(3);
    expect(found.one('push')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining(`${repo.gitDir}/refs/backtrail/staging`),
    });
    await repo.git('update-ref', '-d', 'refs/backtrail/staging');
    expect((await diagnose(repo)).one('push').status).toBe('ok');
  });

  it.runIf(isProof)('leaves nothing behind, so that a rollback afterwards goes well', async () => {
    const repo = await exampleRepo();
    await diagnose(repo);
    const args = ['rollback', 'acme/staging/web', '--yes', '--reason', 'Why', '-o', 'json'];
    expect(completedOf(await backtrail(repo, args)).status).toBe('completed');
  });
});
