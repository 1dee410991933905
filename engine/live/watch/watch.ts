/**
 * Looks at clusters for one repository: what is to be observed is found in Git at each look, so that whoever takes over goes on; between looks only
 * what cannot be written down at once is remembered. It holds no lease, and waits for nobody: whoever calls `look` says when.
 */
import { askFor } from './ask-for.ts';
import { type Away, createAway } from './away.ts';
import { follow } from './memory.ts';
import { nudge } from './nudge.ts';
import { intervalOf, jittered } from './pace.ts';
import type { Pass } from './pass.ts';
import type { LookResult, Notice, WatchPorts } from './ports.ts';
import type { Memory, ScopeSeen, StateChange, Watched } from './types.ts';
import { writeDown } from './write-down.ts';

export interface Watch {
  /** One look, after the one before it has ended. @throws what the branch cannot be looked at for, INTERRUPTED */
  look(signal?: AbortSignal): Promise<LookResult>;
}

/** Milliseconds to the next look at Git at the latest: where a revision that is published may have to be rolled back, it is to be seen soon. */
const IDLE_MS = 60_000;
const AUTO_IDLE_MS = 10_000;
const SHORTEST_MS = 250;

export function createWatch(ports: WatchPorts): Watch {
  const memories = new Map<string, Memory>();
  const away = createAway(ports);
  return {
    look: async (signal) => {
      const { watched, isWanted, left } = await ports.survey();
      const pass: Pass = { ports, memories, notices: [] };
      if (left > 0) pass.notices.push(tooMany(left));
      forget(memories, watched);
      begin(pass, watched);
      await nudge(pass, watched);
      const due = watched.filter((each) => isDue(pass, each));
      const seen = await away.observe(due, signal);
      const changes = due.flatMap((each) => learn(pass, each, seen.get(each.scope)));
      const recorded = await writeDown(pass, due, seen);
      const requests = await askFor(pass, recorded, due);
      return {
        changes,
        requests,
        notices: pass.notices,
        states: countStates(memories),
        observed: due.length,
        nextMs: isWanted ? nextOf(pass, away, watched) : null,
      };
    },
  };
}

const tooMany = (left: number): Notice => ({
  scope: null,
  code: 'TOO_MANY_SCOPES',
  message: `${left} scopes are not observed: there are too many.`,
});

/** Nothing is remembered of what is not watched any more. */
function forget(memories: Map<string, Memory>, watched: readonly Watched[]): void {
  const scopes = new Set(watched.map(({ scope }) => scope));
  for (const scope of memories.keys()) if (!scopes.has(scope)) memories.delete(scope);
}

function begin({ ports, memories }: Pass, watched: readonly Watched[]): void {
  const [now, monotonic] = [ports.now(), ports.monotonic()];
  for (const { scope, desired } of watched) {
    const look = { revision: desired.commit, state: null, now, monotonic };
    memories.set(scope, follow(memories.get(scope) ?? null, look));
  }
}

function isDue({ ports, memories }: Pass, watched: Watched): boolean {
  const memory = memories.get(watched.scope);
  if (memory === undefined) return false;
  return ports.monotonic() - memory.seenAt >= intervalOf(watched, memory);
}

function learn(
  { ports, memories }: Pass,
  { scope, desired, since }: Watched,
  seen: ScopeSeen | undefined,
): readonly StateChange[] {
  const before = memories.get(scope);
  if (seen === undefined || before === undefined) return [];
  const [now, monotonic] = [ports.now(), ports.monotonic()];
  const { state, observations } = seen;
  memories.set(scope, follow(before, { revision: desired.commit, state, now, monotonic }));
  if (before.state === state) return [];
  const seconds = state === 'live' ? Math.max(0, now - (before.becameAt ?? Date.parse(since))) / 1000 : null;
  const at = new Date(now).toISOString();
  return [{ scope, revision: desired.commit, from: before.state, to: state, observations, at, seconds }];
}

function countStates(memories: ReadonlyMap<string, Memory>): LookResult['states'] {
  const counts: Record<string, number> = {};
  for (const { state } of memories.values()) if (state !== null) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function nextOf({ ports, memories }: Pass, away: Away, watched: readonly Watched[]): number {
  const monotonic = ports.monotonic();
  const waits = watched.flatMap((each) => {
    const memory = memories.get(each.scope);
    if (memory === undefined) return [];
    const own = memory.seenAt + intervalOf(each, memory) - monotonic;
    return [Math.max(own, away.waitMs(each))];
  });
  const idle = watched.some(({ auto }) => auto !== null) ? AUTO_IDLE_MS : IDLE_MS;
  const soonest = Math.min(idle, ...waits);
  return Math.max(SHORTEST_MS, jittered(soonest, ports.random()));
}
