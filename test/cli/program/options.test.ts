import { beforeAll, describe, expect, it } from 'vitest';
import { backtrail, exampleRepo, refusalOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const COMMANDS = [
  'environments',
  'history',
  'show',
  'compare',
  'plan',
  'rollback',
  'log',
  'worker',
  'doctor',
];

let repo: Repo;
beforeAll(async () => {
  repo = await exampleRepo();
});

describe('help', () => {
  it('of the program names every command, what a scope and a revision are, and the exit codes', async () => {
    const { code, stdout, stderr } = await backtrail(repo, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    for (const part of ['--repo', '--config', '-o, --output', 'last-successful', 'Exit codes'])
      expect(stdout).toContain(part);
  });

  it.each(COMMANDS)(
    'of %s says what it does and what it takes, outside of any repository',
    async (command) => {
      const { code, stdout, stderr } = await backtrail(repo, [command, '--help'], { cwd: '/' });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Usage: backtrail ${command} `));
      expect(stdout.split('\n')[2]).toMatch(/^\S.{15,}/);
    },
  );

  it('of rollback has examples', async () => {
    const { stdout } = await backtrail(repo, ['help', 'rollback']);
    expect(stdout).toContain('backtrail rollback acme/production/api-gateway --to v12');
  });

  it('is named by its command where a command refuses what it was given', async () => {
    for (const words of [['rehearse'], ['request', 'retry', '7Q2M9K', '--reason', 'x', '--yes']]) {
      const name = words.slice(0, words[0] === 'request' ? 2 : 1).join(' ');
      expect(refusalOf(await backtrail(repo, words))).toMatchObject({
        code: 'INVALID_REQUEST',
        hint: `See \`backtrail ${name} --help\`.`,
      });
    }
  });

  it('of what is no command says so', async () => {
    for (const words of [
      ['help', 'nope'],
      ['request', 'help', 'nope'],
    ])
      expect(refusalOf(await backtrail(repo, words))).toMatchObject({
        exit: 2,
        message: "Unknown command 'nope'.",
      });
  });

  it('says its version', async () => {
    expect(await backtrail(repo, ['--version'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });
});

describe('options', () => {
  it('stand before or after the command', async () => {
    const args = ['--repo', repo.folder, '-o', 'json'];
    const before = await backtrail(repo, [...args, 'history', 'acme/production/web', '--limit', '1'], {
      cwd: '/',
    });
    const after = await backtrail(repo, ['history', '--limit', '1', 'acme/production/web', ...args], {
      cwd: '/',
    });
    const joined = await backtrail(
      repo,
      ['history', 'acme/production/web', '--limit=1', `--repo=${repo.folder}`, '-ojson'],
      { cwd: '/' },
    );
    expect(before.code).toBe(0);
    expect(JSON.parse(before.stdout)).toMatchObject({ scope: 'acme/production/web' });
    expect([after, joined]).toEqual([before, before]);
  });

  it('take a folder inside the worktree, a relative path and a file:// URL for the same repository', async () => {
    const places = [
      { repo: 'tenants/acme', cwd: repo.folder },
      { repo: '../config', cwd: repo.folder },
      { repo: '.git', cwd: repo.folder },
      { repo: `file://${repo.folder}`, cwd: '/' },
    ];
    const here = await backtrail(repo, ['environments']);
    expect(here.stdout).toContain('acme/production');
    for (const { repo: place, cwd } of places)
      expect(await backtrail(repo, ['--repo', place, 'environments'], { cwd })).toEqual(here);
  });

  it('that name a format decide how an error of the command line itself is printed', async () => {
    for (const args of [
      ['-o', 'json', 'plan', '--nope'],
      ['plan', '--nope', '-o', 'json'],
      ['plan', 'x/y', '--nope', '--output=json'],
      ['-ojson', 'nope'],
    ]) {
      const { code, stdout, stderr } = await backtrail(repo, args);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
      expect(JSON.parse(stdout)).toEqual(JSON.parse(stderr));
    }
  });

  it('that are misspelt, and commands that are, bring the hint what was meant', async () => {
    for (const [word, meant] of [
      ['rolback', 'rollback'],
      ['histroy', 'history'],
    ] as const)
      expect(refusalOf(await backtrail(repo, [word])).hint).toContain(`Did you mean ${meant}?`);
    expect(refusalOf(await backtrail(repo, ['plan', 'x', '--feild', 'y'])).hint).toContain('--field');
    expect(refusalOf(await backtrail(repo, ['zzzzzzzz'])).hint).not.toContain('Did you mean');
  });

  it.each([
    { title: 'an unknown command', args: ['revert', 'acme/production'], says: /unknown command 'revert'/i },
    {
      title: 'a command that is nearly right',
      args: ['rolback', 'acme/production'],
      says: /unknown command 'rolback'/i,
    },
    { title: 'no command', args: [], says: /no command/i },
    {
      title: 'an unknown option',
      args: ['plan', 'acme/production', '--force'],
      says: /unknown option '--force'/i,
    },
    {
      title: 'an unknown option before the command',
      args: ['--force', 'plan', 'acme/production'],
      says: /unknown option '--force'/i,
    },
    {
      title: 'an unknown format',
      args: ['-o', 'xml', 'environments'],
      says: /'xml' is invalid.*text, json, yaml/i,
    },
    { title: 'a missing scope', args: ['plan'], says: /missing required argument 'scope'/i },
    {
      title: 'a missing revision',
      args: ['show', 'acme/production'],
      says: /missing required argument 'revision'/i,
    },
    { title: 'one argument too many', args: ['plan', 'acme/production', 'v1'], says: /too many arguments/i },
    {
      title: 'an option without its value',
      args: ['rollback', 'acme/production', '--yes', '--reason'],
      says: /argument missing/i,
    },
    { title: 'a limit of zero', args: ['history', 'acme/production', '--limit', '0'], says: /whole number/ },
    {
      title: 'a limit that is no number',
      args: ['history', 'acme/production', '--limit', '1e3'],
      says: /whole number/,
    },
    { title: 'a negative concurrency', args: ['worker', '--concurrency', '-1'], says: /whole number/ },
    { title: 'an unknown command with an escape sequence', args: ['\u001b[2Jx'], says: /unknown command/i },
  ])('refuses $title with one sentence and exit 2', async ({ args, says }) => {
    const refusal = refusalOf(await backtrail(repo, args));
    expect(refusal).toMatchObject({ exit: 2, code: 'INVALID_REQUEST', message: expect.stringMatching(says) });
    // oxlint-disable-next-line no-control-regex -- a terminal would obey them
    expect(refusal.message).not.toMatch(/[\u0000-\u001f]/);
  });

  it('says why a scope behind --field is not found', async () => {
    const refusal = refusalOf(await backtrail(repo, ['plan', '--field', 'image', 'acme/production/web']));
    expect(refusal).toMatchObject({ exit: 2, hint: expect.stringMatching(/scope before --field/) });
  });

  it('refuses --no-wait without --queue, which would wait', async () => {
    const args = ['rollback', 'acme/production/web', '--yes', '--reason', 'x', '--no-wait'];
    expect(refusalOf(await backtrail(repo, args))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
  });
});

describe('a place that is no repository', () => {
  it.each([
    { title: 'a folder without one', place: '/' },
    { title: 'a path that is not there', place: '/no/such/folder' },
    { title: 'a file', place: '.backtrail/config.yaml' },
    { title: 'nothing', place: '' },
    { title: 'an option', place: '--upload-pack=touch /tmp/x' },
    { title: 'a transport helper', place: 'ext::sh -c "touch /tmp/x"' },
    { title: 'a scheme that git does not fetch from here', place: 'data://x/y' },
  ])('$title: exit 2, REPOSITORY_UNKNOWN', async ({ place }) => {
    expect(refusalOf(await backtrail(repo, [`--repo=${place}`, 'environments']))).toMatchObject({
      exit: 2,
      code: 'REPOSITORY_UNKNOWN',
    });
  });

  it('a host that does not answer: exit 6', async () => {
    const refusal = refusalOf(await backtrail(repo, ['--repo', 'http://127.0.0.1:1/x.git', 'environments']));
    expect(refusal).toMatchObject({ exit: 6, code: 'REMOTE_UNAVAILABLE' });
  });

  it('a repository without commits: exit 2, BRANCH_UNKNOWN', async () => {
    const { folder } = await createRepo();
    expect(refusalOf(await backtrail(repo, ['--repo', folder, 'environments']))).toMatchObject({
      exit: 2,
      code: 'BRANCH_UNKNOWN',
    });
  });
});
