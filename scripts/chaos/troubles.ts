/** One trouble at a time, besides the bot and the clocks, which are there always. Each mends what it did, but for locks in mirrors. */
import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Turn } from './plan.ts';
import type { Redis } from './redis.ts';
import type { Workers } from './workers.ts';

export interface Stage {
  /** Of the remote. */
  readonly directory: string;
  readonly redis: Redis;
  readonly workers: Workers;
  readonly killOpener: () => void;
}

const away = (directory: string) => `${directory}.away`;
const REMOTE_LOCKS = [
  'packed-refs.lock',
  'refs/heads/main.lock',
  'refs/backtrail/ledger.lock',
  'shallow.lock',
];
const MIRROR_LOCKS = [
  'index.lock',
  'packed-refs.lock',
  'shallow.lock',
  'config.lock',
  'HEAD.lock',
  'refs/remotes/origin/main.lock',
  'refs/backtrail/remote/ledger.lock',
  'objects/info/commit-graphs/commit-graph-chain.lock',
];

/** True where it could be done here. */
export async function trouble({ trouble, lasts, pick }: Turn, stage: Stage): Promise<boolean> {
  const { directory, redis, workers } = stage;
  switch (trouble) {
    case 'worker killed':
      workers.kill(pick);
      return true;
    case 'opener killed':
      stage.killOpener();
      return true;
    case 'redis killed':
      await redis.kill();
      await sleep(lasts);
      await redis.start();
      return true;
    case 'redis flushed':
      await redis.flush();
      return true;
    case 'remote refuses':
      writeFileSync(join(directory, 'refuse'), '');
      await sleep(lasts);
      rmSync(join(directory, 'refuse'), { force: true });
      return true;
    case 'remote away':
      renameSync(directory, away(directory));
      await sleep(lasts);
      renameSync(away(directory), directory);
      return true;
    case 'locks in the remote': {
      const left = REMOTE_LOCKS.filter(
        (name, index) => (pick + index) % 2 === 0 && leave(join(directory, name)),
      );
      await sleep(lasts);
      // As git tells whoever looks after the server.
      for (const name of left) rmSync(join(directory, name), { force: true });
      return true;
    }
    case 'locks in a mirror': {
      const mirrors = workers.mirrors();
      const mirror = mirrors[pick % Math.max(1, mirrors.length)];
      if (mirror === undefined) return false;
      // By a git that was killed just now, or minutes ago.
      const ageMs = pick % 3 === 0 ? 0 : 200_000;
      for (const [index, name] of MIRROR_LOCKS.entries())
        if ((pick >> index) % 2 === 0) leave(join(mirror, name), ageMs);
      return true;
    }
    case 'disk full': {
      const makeRoom = workers.fillDisk();
      if (makeRoom === null) return false;
      await sleep(lasts);
      makeRoom();
      return true;
    }
  }
}

/** What a run that was killed left as it was. */
export function mend(directory: string): void {
  if (existsSync(away(directory)) && !existsSync(directory)) renameSync(away(directory), directory);
  for (const name of ['refuse', ...REMOTE_LOCKS]) rmSync(join(directory, name), { force: true });
}

function leave(path: string, ageMs = 0): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '', { flag: 'wx' });
    const time = (Date.now() - ageMs) / 1000;
    utimesSync(path, time, time);
    return true;
  } catch {
    // Git holds it at the moment, or the disk is full.
    return false;
  }
}
