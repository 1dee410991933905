/**
 * Approves a request in a process of its own, which is killed as soon as the ledger holds the approval: before anything could be
 * enqueued. Argument: JSON {repo, cacheFolder, id, actor}.
 */
import { z } from 'zod';
import { openIn } from '../../../cli/commands/worker.ts';

const { repo, cacheFolder, id, actor } = z
  .object({
    repo: z.string(),
    cacheFolder: z.string(),
    id: z.string(),
    actor: z.object({ name: z.string(), email: z.string() }),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const committer = { name: 'Backtrail', email: 'backtrail@localhost' };
const engine = await openIn({ env: process.env, cacheFolder, committer, clock })(repo);
await engine.requests.approve({ id, actor });
process.kill(process.pid, 'SIGKILL');
