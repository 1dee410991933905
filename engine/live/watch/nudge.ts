/** Asks what reconciles a cluster to do so at once. */
import { did } from './memory.ts';
import type { Pass } from './pass.ts';
import type { Watched } from './types.ts';

/** Once a publication of ours; what comes of it is only told. */
export async function nudge({ ports, memories, notices }: Pass, watched: readonly Watched[]): Promise<void> {
  const wanted: Watched[] = [];
  for (const each of watched) {
    const { scope, kind, targets } = each;
    const memory = memories.get(scope);
    const isWanted = kind !== 'deploy' && targets.some(({ rule }) => rule.nudge);
    if (!isWanted || memory === undefined || memory.state !== null || memory.done.has('nudged')) continue;
    // After a start only what is still to come is nudged.
    if (memory.becameAt === null && each.record !== null && each.record.status !== 'pending') continue;
    memories.set(scope, did(memory, 'nudged'));
    wanted.push(each);
  }
  if (wanted.length === 0) return;
  for (const { scope, message } of await ports.nudge(wanted))
    notices.push({ scope, code: 'NUDGE_FAILED', message });
}
