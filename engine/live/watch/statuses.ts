/** Which status follows for the record of a revision from what was seen. Pure. */
import type { DeploymentStatus } from '../../model/index.ts';
import { isBad, isInWindow } from './auto.ts';
import type { Deed, Memory, Watched } from './types.ts';

/** How long what failed has to be seen live until that is recorded. Milliseconds. */
const RECOVERED_MS = 120_000;

/** Nothing came of it yet. */
const WAITING: ReadonlySet<DeploymentStatus> = new Set(['proposed', 'pending']);

export interface NextStatus {
  readonly status: 'deployed' | 'failed';
  readonly deed: Deed;
  /** It is the first to fail where `auto` matches: what becomes of it by itself is decided now, and recorded with it. */
  readonly isAutomatic: boolean;
}

/** null: nothing changed, or not for long enough. */
export function nextStatus(watched: Watched, memory: Memory): NextStatus | null {
  const next = memory.state === 'live' ? whenLive(watched, memory) : whenDegraded(watched, memory);
  return next === null || memory.done.has(next.deed) ? null : next;
}

function whenLive({ record }: Watched, { liveMs }: Memory): NextStatus | null {
  if (record === null || WAITING.has(record.status))
    return { status: 'deployed', deed: 'deployed', isAutomatic: false };
  if (record.status !== 'failed' || liveMs < RECOVERED_MS) return null;
  return { status: 'deployed', deed: 'recovered', isAutomatic: false };
}

/** What ran well for long, and is degraded now, was no failed deployment: that is not recorded. */
function whenDegraded({ record, auto, since }: Watched, memory: Memory): NextStatus | null {
  if (memory.state !== 'degraded') return null;
  const isOpen = record === null || WAITING.has(record.status);
  if (auto === null) return isOpen ? { status: 'failed', deed: 'failed', isAutomatic: false } : null;
  if (!isBad(auto, memory)) return null;
  if (!isOpen && !(record.status === 'deployed' && isInWindow(auto, memory, since))) return null;
  return { status: 'failed', deed: 'failed', isAutomatic: true };
}
