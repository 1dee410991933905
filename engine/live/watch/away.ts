/** Clusters that are away are asked more rarely, each by itself; what runs in them is `unconfirmed` in between. */
import type { LiveTarget, Observation } from '../../model/index.ts';
import { awayMs, jittered } from './pace.ts';
import type { WatchPorts } from './ports.ts';
import type { ScopeSeen, Watched } from './types.ts';

interface Outage {
  readonly failures: number;
  /** Monotonic milliseconds. */
  readonly until: number;
}

export interface Away {
  observe(due: readonly Watched[], signal: AbortSignal | undefined): Promise<ReadonlyMap<string, ScopeSeen>>;
  /** Milliseconds until one of its clusters is asked again; 0: now. */
  waitMs(watched: Watched): number;
}

/** Codes of a cluster that could not be asked as a whole. */
const AWAY: ReadonlySet<string> = new Set([
  'CLUSTER_AWAY',
  'CLUSTER_BUSY',
  'CLUSTER_DENIED',
  'KUBECTL_MISSING',
]);

export function createAway(ports: Pick<WatchPorts, 'observe' | 'monotonic' | 'random'>): Away {
  const outages = new Map<string, Outage>();
  // One of two clusters may be worse than the other is away.
  const waitMs = ({ targets }: Watched) =>
    Math.max(
      0,
      Math.min(...targets.map(({ rule }) => outages.get(rule.cluster)?.until ?? 0)) - ports.monotonic(),
    );
  return {
    waitMs,
    observe: async (due, signal) => {
      const asked = due.filter((each) => waitMs(each) === 0);
      if (asked.length === 0) return new Map();
      const seen = await ports.observe(asked, signal);
      const targets = asked.flatMap((each) => each.targets);
      note({ outages, ports }, targets, [...seen.values()]);
      return seen;
    },
  };
}

/** A cluster counts as away where nothing of it could be seen. */
function note(
  {
    outages,
    ports,
  }: { readonly outages: Map<string, Outage>; readonly ports: Pick<WatchPorts, 'monotonic' | 'random'> },
  targets: readonly LiveTarget[],
  seen: readonly ScopeSeen[],
): void {
  const all = seen.flatMap(({ observations }) => observations);
  for (const cluster of new Set(targets.map(({ rule }) => rule.cluster))) {
    const own = all.filter((each) => each.cluster === cluster);
    if (own.length === 0 || !own.every(isUnreachable)) {
      outages.delete(cluster);
      continue;
    }
    const failures = (outages.get(cluster)?.failures ?? 0) + 1;
    const until = ports.monotonic() + jittered(awayMs(failures), ports.random());
    outages.set(cluster, { failures, until });
  }
}

const isUnreachable = ({ state, code = '' }: Observation) => state === 'unconfirmed' && AWAY.has(code);
