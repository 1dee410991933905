import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { exampleRepo, refusalOf, runProcess, start, stateOf } from '../../helpers/program/cli.ts';
import { hasScript, onTerminal, slowGit } from '../../helpers/program/terminal.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { SOON } from '../../helpers/run/soon.ts';

const GATEWAY = 'acme/production/api-gateway';

describe('the program as a process', () => {
  it('takes its options and its environment from where it stands, and ends with the exit code', async () => {
    const repo = await exampleRepo();
    const [found, refused] = await Promise.all([
      runProcess(repo, ['history', GATEWAY, '--limit', '2']),
      runProcess(repo, ['rollback', GATEWAY, '--reason', 'x']),
    ]);
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout.split('\n')).toEqual([
      expect.stringMatching(/^ {4}commit +time \(UTC\) +author +source +content +subject$/),
      expect.stringMatching(/^v8 {2}5d7c667 .*v2\.1\.0 · current/),
      expect.stringMatching(/^v7 {2}27fea46 .*v2\.0\.5/),
      '… 6 older; --limit 8 shows all',
      '',
    ]);
    expect(refusalOf(refused)).toMatchObject({ exit: 2, code: 'CONFIRMATION_REQUIRED' });
  });

  it.each(someOf([['--help'], ['--version'], ['-o', 'json', 'history', GATEWAY], ['history', GATEWAY]], 1))(
    'says in one sentence that its output cannot be written: %s',
    async (...args) => {
      const repo = await exampleRepo();
      const { code, stderr } = await runProcess(repo, args, { stdout: '/dev/full' });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^backtrail: Standard output cannot be written \(ENOSPC\)\.\n {2}code: INTERNAL\n {2}hint: [^\n]+\n$/,
      );
    },
  );

  it.runIf(isProof)('takes author and committer from git and its variables', async () => {
    const repo = await exampleRepo();
    const env = {
      GIT_AUTHOR_NAME: 'Jane',
      GIT_AUTHOR_EMAIL: 'jane@example.com',
      GIT_COMMITTER_NAME: 'Bot',
      GIT_COMMITTER_EMAIL: 'bot@example.com',
    };
    const done = await runProcess(repo, ['rollback', GATEWAY, '--yes', '--reason', 'x'], { env });
    expect(done.code).toBe(0);
    expect(await repo.git('log', '-1', '--skip=1', '--format=%an <%ae> %cn <%ce>')).toBe(
      'Jane <jane@example.com> Bot <bot@example.com>',
    );
  });

  it('carries a rollback to its end when the reader of its output has gone', async () => {
    const repo = await exampleRepo();
    const { child, ended } = start(repo, ['rollback', GATEWAY, '--yes', '--reason', 'x']);
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect((await ended).code).toBe(0);
    expect(await repo.git('log', '-2', '--format=%s')).toMatch(/^Deliver: .*\nRollback: /);
  });

  it.each(
    someOf(
      [
        ['SIGINT', 130],
        ['SIGTERM', 143],
      ] as const,
      1,
    ),
  )('on %s before it publishes leaves nothing behind, and says so', async (signal, code) => {
    const repo = await exampleRepo();
    const before = await stateOf(repo);
    const slow = await slowGit('fast-import');
    const { child, ended } = start(repo, ['-o', 'json', 'rollback', GATEWAY, '--yes', '--reason', 'x'], slow);
    await slow.reached();
    child.kill(signal);
    const { code: exit, stdout, stderr } = await ended;
    expect({
      exit,
      stdout: JSON.parse(stdout) as unknown,
      error: JSON.parse(stderr) as unknown,
    }).toMatchObject({
      exit: code,
      stdout: { error: { code: 'INTERRUPTED' } },
      error: { error: { code: 'INTERRUPTED', message: `Stopped by ${signal}; nothing was published.` } },
    });
    expect(await stateOf(repo)).toBe(before);
  });

  it.runIf(isProof)('on Ctrl-C while it publishes gives the result: it stands', async () => {
    const repo = await exampleRepo();
    const slow = await slowGit('merge');
    const { child, ended } = start(repo, ['rollback', GATEWAY, '--yes', '--reason', 'x'], slow);
    await slow.reached();
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^completed rollback/) });
    expect(await repo.git('log', '-2', '--format=%s')).toMatch(/^Deliver: .*\nRollback: /);
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it.runIf(isProof)('on a second Ctrl-C leaves at once', async () => {
    const repo = await exampleRepo();
    const slow = await slowGit('fast-import', 300);
    const { child, ended } = start(repo, ['rollback', GATEWAY, '--yes', '--reason', 'x'], slow);
    await slow.reached();
    child.kill('SIGINT');
    await new Promise((done) => setTimeout(done, 400));
    const asked = Date.now();
    child.kill('SIGINT');
    expect(
      (await Promise.race([ended, once(child, 'exit').then(() => ({ code: child.exitCode }))])).code,
    ).toBe(130);
    expect(Date.now() - asked).toBeLessThan(SOON);
  });

  it.runIf(hasScript)(
    'on a terminal (needs util-linux script) shows the plan, asks why and whether, and writes nothing on a no',
    async () => {
      const repo = await exampleRepo();
      const before = await stateOf(repo);
      const refused = await onTerminal(
        repo,
        ['rollback', GATEWAY],
        [
          ['Why?', 'It answers 500\r'],
          ['Roll back?', '\r'],
        ],
      );
      expect(refused.seen).toContain('v2.1.0');
      expect(refused.seen).toContain('not confirmed; nothing was changed.');
      expect(refused.code).toBe(2);
      expect(await stateOf(repo)).toBe(before);
    },
  );

  it.runIf(isProof && hasScript)(
    'on a terminal (needs util-linux script) rolls back on a yes, in colours that are whole',
    async () => {
      const repo = await exampleRepo();
      const done = await onTerminal(
        repo,
        ['rollback', GATEWAY],
        [
          ['Why?', 'It answers 500\r'],
          ['Roll back?', 'y'],
        ],
      );
      expect({ code: done.code, seen: done.seen }).toMatchObject({
        code: 0,
        seen: expect.stringContaining('\u001b[1m'),
      });
      expect(done.seen).not.toContain('\ufffd');
      expect(done.seen).toMatch(/completed.* rollback of/);
      expect(
        await repo.git('log', '-1', '--skip=1', '--format=%(trailers:key=Justification,valueonly)'),
      ).toBe('It answers 500\n');
    },
  );
});
