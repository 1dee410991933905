/** A worker in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { typed } from '../narrate.ts';
import { environmentOf } from '../people.ts';
import { MAIN, type Stage } from './run.ts';

export interface Worker {
  /** Its log so far, a JSON line an entry. */
  log(): string;
  stop(): Promise<void>;
}

/** `signers`: the file of keys that it believes. `env`: of whoever it acts as; nobody in particular where absent. */
export function startWorker(
  { folder }: Stage,
  { redisUrl, signers, env }: { redisUrl: string; signers: string; env?: Readonly<Record<string, string>> },
): Worker {
  typed([`BACKTRAIL_ALLOWED_SIGNERS=${signers}`, 'backtrail', '--repo', 'config', 'worker'], 'worker');
  const file = join(folder, 'worker.log');
  const log = openSync(file, 'w');
  const child = spawn(process.execPath, [MAIN, '--repo', 'config', 'worker'], {
    cwd: folder,
    env: {
      ...(env ?? environmentOf(join(folder, 'home-of-the-worker'))),
      REDIS_URL: redisUrl,
      BACKTRAIL_ALLOWED_SIGNERS: join(folder, signers),
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return {
    log: () => readFileSync(file, 'utf8'),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
