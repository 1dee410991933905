/** Opens the requests that records name. */
import { isFailure } from '../../model/index.ts';
import { isOwed, isPassing } from './decide.ts';
import { did } from './memory.ts';
import type { Pass } from './pass.ts';
import type { LookResult } from './ports.ts';
import type { Watched } from './types.ts';

/** Requests whose failures are recorded, by this look or by one that could not go on. */
export async function askFor(
  { ports, memories, notices }: Pass,
  recorded: ReadonlySet<string>,
  due: readonly Watched[],
): Promise<LookResult['requests']> {
  const opened: { scope: string; id: string; status: string }[] = [];
  for (const watched of due) {
    const { scope } = watched;
    const memory = memories.get(scope);
    if (memory === undefined || !(recorded.has(scope) || isOwed(watched, memory, ports.now()))) continue;
    try {
      opened.push({ scope, ...(await ports.auto.request(watched)) });
      memories.set(scope, did(memory, 'rolled-back'));
    } catch (error) {
      if (!isFailure(error)) throw error;
      const { code, message } = error;
      notices.push({ scope, code, message });
      if (!isPassing(error)) memories.set(scope, did(memory, 'rolled-back'));
    }
  }
  return opened;
}
