import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Git itself as the reader of commit messages, without any configuration of the person who runs the tests. */
export interface MessageReader {
  /** Commits the messages as they are and returns the trailer lines of each as `git log` prints them. */
  logged(messages: readonly string[]): string[][];
  /** The lines that `git interpret-trailers --parse` prints. */
  interpreted(message: string): string[];
  close(): void;
}

export function messageReader(): MessageReader {
  const folder = mkdtempSync(join(tmpdir(), 'backtrail-messages-'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const pinned = ['-c', 'trailer.separators=:', '-c', 'core.commentChar=#'];
  const git = (args: readonly string[], input = '') =>
    execFileSync('git', [...pinned, ...args], { cwd: folder, env, input, encoding: 'utf8', stdio: 'pipe' });
  git(['init', '-q', '--bare', '.']);
  return {
    logged(messages) {
      git(['fast-import', '--quiet', '--force'], stream(messages));
      const printed = git([
        'log',
        '-z',
        '--reverse',
        '--format=%(trailers:only,unfold)',
        'refs/heads/messages',
      ]);
      return printed.split('\0').slice(0, messages.length).map(lines);
    },
    interpreted: (message) => lines(git(['interpret-trailers', '--parse'], message)),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function stream(messages: readonly string[]): string {
  const commits = messages.map(
    (message) =>
      `commit refs/heads/messages\ncommitter Test <test@example.com> 0 +0000\ndata ${Buffer.byteLength(message)}\n${message}\n`,
  );
  return `reset refs/heads/messages\n${commits.join('')}`;
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
