/** Hands the rollbacks of an incident to the workers, and follows them. */
import { printProgress } from '../../cli/output.ts';
import { BacktrailError, type ConfigText, isFailure } from '../../engine/index.ts';
import { enqueueRollback, followRollback, openQueue, type RollbackQueue } from '../../workers/index.ts';
import type { Incident } from './file.ts';
import type { Item } from './plan.ts';

export interface Place {
  /** As every worker knows it: an absolute path, or a URL. */
  readonly repo: string;
  readonly config?: ConfigText;
}

/** With `stop` one after the other; with `continue` all at once, as far as there are workers. Failures stay with their item. */
export async function carryOut(
  items: readonly Item[],
  place: Place,
  { onFailure, redisUrl }: { onFailure: Incident['onFailure']; redisUrl: string },
): Promise<void> {
  const queue = await openQueue({ redisUrl });
  try {
    if (onFailure === 'continue') {
      await Promise.all(items.map((item) => carryOutOne(queue, item, place)));
      return;
    }
    for (const item of items) {
      await carryOutOne(queue, item, place);
      if (item.error) return;
    }
  } finally {
    await queue.close();
  }
}

async function carryOutOne(queue: RollbackQueue, item: Item, { repo, config }: Place): Promise<void> {
  const { request, wish } = item;
  if (!request) return;
  const say = (line: string) => printProgress(`${wish.scope}: ${line}`);
  try {
    const job = { v: 1, request, repo, ...(config && { config }) } as const;
    const { since } = await enqueueRollback(queue, job);
    item.result = await followRollback(queue, request.id, {
      since,
      onStep: ({ step }) => say(step),
      onRetry: ({ failure, waitMs }) => say(`${failure.code}, again in ${Math.ceil(waitMs / 1000)} s`),
      onIdle: () => say('no worker is connected; start one with `backtrail worker`'),
    });
  } catch (error) {
    // An unforeseen error of one item must not take the others' results away.
    item.error = isFailure(error) ? error : unforeseen(error);
  }
}

function unforeseen(cause: unknown): BacktrailError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new BacktrailError('INTERNAL', message.replace(/\.?$/, '.'), { cause });
}
