import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { builtMain, shareCompiledCode } from './compiled.ts';
import { type Repo, temporaryFolder } from '../repositories/repo.ts';
import { SOON } from '../run/soon.ts';

/** util-linux' `script` gives a child a terminal. */
export const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

/** A git that takes its time over one command, but the first `skip` times; `reached` waits until it runs. */
export async function slowGit(command: string, seconds = 1, skip = 0) {
  const folder = await temporaryFolder();
  const [marker, path] = [join(folder, 'reached'), process.env['PATH'] ?? '/usr/bin:/bin'];
  const lines = [
    '#!/bin/sh',
    `for word in "$@"; do [ "$word" = ${command} ] || continue; echo >> '${marker}.times'`,
    `[ "$(wc -l < '${marker}.times')" -gt ${skip} ] && { : > '${marker}'; sleep ${seconds}; }; done`,
    `PATH='${path}' exec git "$@"`,
  ];
  await writeFile(join(folder, 'git'), `${lines.join('\n')}\n`, { mode: 0o755 });
  const reached = async () => {
    await expect
      .poll(() =>
        stat(marker).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  };
  return { env: { PATH: `${folder}:${path}` }, reached };
}

/** Runs on a pseudo terminal, and answers each question once it is asked. */
export async function onTerminal(
  repo: Pick<Repo, 'folder' | 'env'>,
  args: string[],
  answers: readonly (readonly [asked: string, answer: string])[],
  { env = {}, rows = 50 }: { env?: Readonly<Record<string, string>>; rows?: number } = {},
) {
  const command = [process.execPath, builtMain(), ...args].map((word) => `'${word}'`).join(' ');
  // A new terminal is no column wide.
  const sized = `stty columns 120 rows ${rows}; exec ${command}`;
  const whole = { ...repo.env, TERM: 'xterm-256color', ...env };
  shareCompiledCode(whole);
  const child = spawn('script', ['--quiet', '--return', '--command', sized, '/dev/null'], {
    cwd: repo.folder,
    env: whole,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), SOON);
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
