import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleRepo, LOADER, refusalOf, runProcess, start, stateOf } from '../helpers/cli.ts';
import type { Repo } from '../helpers/repo.ts';

const GATEWAY = 'acme/production/api-gateway';
const MAIN = resolve(import.meta.dirname, '../../cli/main.ts');
/** util-linux' `script` gives a child a terminal. */
const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

describe('the program as a process', () => {
  it('takes its options and its environment from where it stands, and ends with the exit code', async () => {
    const repo = await exampleRepo();
    const [found, refused] = await Promise.all([
      runProcess(repo, ['history', GATEWAY, '--limit', '2']),
      runProcess(repo, ['rollback', GATEWAY, '--reason', 'x']),
    ]);
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout.split('\n')).toEqual([
      expect.stringMatching(/^ {4}commit +time \(UTC\) +author +source +holds +subject$/),
      expect.stringMatching(/^v8 {2}5d7c667 .*v2\.1\.0 · current/),
      expect.stringMatching(/^v7 {2}27fea46 .*v2\.0\.5/),
      '… 6 older; --limit 8 shows all',
      '',
    ]);
    expect(refusalOf(refused)).toMatchObject({ exit: 2, code: 'CONFIRMATION_REQUIRED' });
  });

  it('takes author and committer from git and its variables', async () => {
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
    child.stdout.destroy();
    child.stderr.destroy();
    expect((await ended).code).toBe(0);
    expect(await repo.git('log', '-2', '--format=%s')).toMatch(/^Deliver: .*\nRollback: /);
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

  it.runIf(hasScript)(
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

/** Runs on a pseudo terminal, and answers each question once it is asked. */
async function onTerminal(
  repo: Repo,
  args: string[],
  answers: readonly (readonly [asked: string, answer: string])[],
) {
  const command = [process.execPath, '--import', LOADER, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  // A new terminal is no column wide.
  const sized = `stty columns 120 rows 50; exec ${command}`;
  const child = spawn('script', ['--quiet', '--return', '--command', sized, '/dev/null'], {
    cwd: repo.folder,
    env: { ...repo.env, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const left = [...answers];
  let seen = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
    const [next] = left;
    const at = next ? seen.indexOf(next[0], from) : -1;
    if (!next || at < 0) return;
    from = at + next[0].length;
    left.shift();
    // A question is shown before it listens.
    setTimeout(() => child.stdin.write(next[1]), 200);
  });
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, seen };
}
