import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  backtrail,
  completedOf,
  exampleRepo,
  jsonOf,
  refusalOf,
  runProcess,
} from '../../helpers/program/cli.ts';
import { cloneRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

let repo: Repo;
let path: string;

beforeAll(async () => {
  repo = await exampleRepo();
  completedOf(await backtrail(repo, ['-o', 'json', ...ROLLBACK, '--yes', '--reason', 'It answers 500']));
  // A PATH with nothing but node: what the command line is started with.
  path = join(await temporaryFolder(), 'bin');
  await mkdir(path);
  await symlink(process.execPath, join(path, 'node'));
});

const SERVICE = 'acme/production/api-gateway';
const ROLLBACK = ['rollback', SERVICE];
const QUESTIONS = [
  ['environments'],
  ['history', SERVICE],
  ['history', 'acme/production', '--limit', '3'],
  ['history', SERVICE, '--field', 'image'],
  ['show', SERVICE, 'v2'],
  ['compare', SERVICE, 'v1'],
  ['compare', SERVICE, 'v1', 'v2'],
  ['plan', SERVICE],
  ['plan', SERVICE, '--to', 'v1'],
  ['plan', 'acme/production', '--to', '@2030-01-01T00:00Z'],
  ['plan', SERVICE, '--field', 'image'],
  [...ROLLBACK, '--dry-run'],
];

describe('without git on PATH', () => {
  test.each(someOf(QUESTIONS, 2))(
    '%s answers with the bytes that it answers with git',
    async (...question) => {
      const asked = ['-o', 'json', ...question];
      const withGit = await backtrail(repo, asked);
      expect([withGit.code, withGit.stderr]).toEqual([0, '']);
      expect(await backtrail(repo, asked, { env: { PATH: path } })).toEqual(withGit);
    },
  );

  test('log lists what it lists with git, and says that nothing was made again', async () => {
    const asked = ['-o', 'json', 'log', SERVICE];
    const log = z.looseObject({ rollbacks: z.array(z.looseObject({ commit: z.string() })) });
    const withGit = jsonOf(await backtrail(repo, asked), log);
    const { rollbacks, unjudged } = jsonOf(await backtrail(repo, asked, { env: { PATH: path } }), log);
    expect(rollbacks).not.toEqual([]);
    expect(rollbacks.map((row) => ({ ...row, verdict: 'honest' }))).toEqual(withGit.rollbacks);
    expect(unjudged).toMatchObject({ code: 'GIT_MISSING' });
    const text = await backtrail(repo, ['log'], { env: { PATH: path } });
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toContain('There is no git here.');
  });

  test('a process of its own answers too', async () => {
    const { code, stdout, stderr } = await runProcess(repo, ['environments'], { env: { PATH: path } });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('api-gateway');
  });

  test.each([
    [...ROLLBACK, '--yes', '--reason', 'x'],
    [...ROLLBACK, '--yes', '--reason', 'x', '--field', 'image'],
    ['--repo', '.', 'worker'],
  ])('%s %s %s says that writing needs git, and writes nothing', async (...asked) => {
    const before = await repo.git('for-each-ref');
    const refused = refusalOf(await backtrail(repo, asked, { env: { PATH: path } }));
    expect(refused).toMatchObject({ exit: 3, code: 'GIT_MISSING' });
    expect(refused.message).toContain('can be read without it');
    expect(refused.hint).toContain('Install git');
    expect(await repo.git('for-each-ref')).toBe(before);
  });

  test.runIf(isProof)('a clone says with every answer that its upstream was not read', async () => {
    const clone = await cloneRepo(repo);
    for (const question of [['environments'], ['history', SERVICE], ['log']]) {
      const json = await backtrail(clone, ['-o', 'json', ...question], { env: { PATH: path } });
      expect([json.code, json.stderr]).toEqual([0, '']);
      expect(json.stdout).toContain('main at origin, which its main comes from, was not read');
      expect(JSON.parse(json.stdout)).toHaveProperty('offline.message');
      const text = await backtrail(clone, question, { env: { PATH: path } });
      expect(text.stderr).toContain('was not read');
    }
  });

  test('doctor says that git is missing', async () => {
    const { code, stdout } = await backtrail(repo, ['-o', 'json', 'doctor'], { env: { PATH: path } });
    expect(code).toBe(3);
    expect(stdout).toContain('The program git was not found');
  });

  test('a remote needs git', async () => {
    const asked = ['--repo', 'https://example.invalid/config.git', 'environments'];
    const refused = refusalOf(await backtrail(repo, asked, { env: { PATH: path } }));
    expect(refused).toMatchObject({ exit: 3, code: 'GIT_MISSING' });
  });
});
