/** Somebody else on the same branch: a commit every 300 ms for some seconds, then a pause, as deployments come. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentOf } from '../people.ts';
import { file, git } from './ledger/repository.ts';

const EVERY_MS = 300;
const BURST = 30;
const PAUSE_MS = 6000;

export interface Bot {
  stop(): Promise<void>;
}

/** `counts`: goes on with them. */
export function startBot(folder: string, repo: string, counts: { pushed: number; refused: number }): Bot {
  const clone = join(folder, 'bot.git');
  const env = environmentOf(join(folder, 'home-bot'));
  mkdirSync(clone, { recursive: true });
  git(clone, ['init', '--quiet', '--bare', '-b', 'main', '.']);
  git(clone, ['config', 'gc.auto', '0']);
  const run = async (args: readonly string[], input = ''): Promise<boolean> => {
    const child = spawn('git', ['-C', clone, ...args], { env, stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [code] = await once(child, 'exit');
    return code === 0;
  };
  const stopped = new AbortController();
  const push = async (number: number) => {
    if (!(await run(['fetch', '--quiet', '--no-tags', repo, '+refs/heads/main:refs/heads/seen'])))
      return false;
    const time = Math.floor(Date.now() / 1000);
    const head = `commit refs/heads/bot\ncommitter Bot <bot@example.com> ${time} +0000\n`;
    const text = `Deploy ${number}`;
    const commit = `${head}data ${text.length}\n${text}\nfrom refs/heads/seen\n`;
    const path = `tenants/t0000/development/d${number % 7}/values.yaml`;
    return (
      (await run(['fast-import', '--quiet', '--force'], commit + file(path, `image: b${number}\n`))) &&
      run(['push', '--quiet', repo, 'refs/heads/bot:refs/heads/main'])
    );
  };
  const running = (async () => {
    for (let number = 1; !stopped.signal.aborted; number += 1) {
      if (number % BURST === 0)
        await sleep(PAUSE_MS, null, { signal: stopped.signal }).catch(() => undefined);
      const next = sleep(EVERY_MS);
      if (await push(number)) counts.pushed += 1;
      else counts.refused += 1;
      await next;
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
