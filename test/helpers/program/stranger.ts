/** Somebody without Backtrail: a shell, git, ssh-keygen and the few POSIX tools that a script needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from '../repositories/repo.ts';

const TOOLS = ['git', 'ssh-keygen', 'awk', 'cmp', 'cat', 'mkdir', 'rm'];

export interface Stranger {
  readonly folder: string;
  /** Runs a script with `sh` on a repository. */
  run(script: string, repository: string): Promise<{ readonly code: number | null; readonly output: string }>;
}

export async function createStranger(): Promise<Stranger> {
  const [folder, bin] = [await temporaryFolder(), await temporaryFolder()];
  for (const tool of TOOLS) await symlink(found(tool), join(bin, tool));
  const env = { PATH: bin, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', TMPDIR: folder };
  return {
    folder,
    run: async (script, repository) => {
      const file = join(folder, 'verify.sh');
      await writeFile(file, script);
      const child = spawn('/bin/sh', [file, repository], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(child, 'close');
      return { code: child.exitCode, output };
    },
  };
}

function found(tool: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, tool);
    try {
      accessSync(file);
      return file;
    } catch {
      // It may be in the next one.
    }
  }
  throw new Error(`${tool} is not installed.`);
}
