/** A watch over an opened repository. */
import { recordObserved } from '../../deployments/observed.ts';
import type { DeploymentCache } from '../../deployments/store.ts';
import type { Clock, Clusters } from '../../model/index.ts';
import type { RequestContext } from '../../requests/context.ts';
import type { SecretScans } from '../../snapshot/secrets/raw-secrets.ts';
import { createAutoPorts, type Door } from './auto-ports.ts';
import { nudgeTargets } from './nudge-targets.ts';
import type { StatusWish, WatchPorts } from './ports.ts';
import { createSurveyor } from './survey.ts';
import type { ScopeSeen, Watched } from './types.ts';
import { createWatch, type Watch } from './watch.ts';

/** What clusters say of many at once, by scope. */
export type See = (
  seeing: {
    readonly context: RequestContext;
    readonly clusters: Clusters;
    readonly signal?: AbortSignal | undefined;
  },
  watched: readonly Watched[],
) => Promise<ReadonlyMap<string, ScopeSeen>>;

export interface OpenWatch {
  readonly open: <Value>(work: (context: RequestContext) => Promise<Value>) => Promise<Value>;
  readonly cache: DeploymentCache;
  readonly scans: SecretScans;
  readonly door: Door;
  readonly clusters: Clusters;
  readonly see: See;
  readonly clock: Pick<Clock, 'now'>;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

export function openWatch(input: OpenWatch): Watch {
  const { open, cache, scans, door, clusters, see, clock, monotonic, random } = input;
  const survey = createSurveyor();
  return createWatch({
    survey: () => open((context) => survey({ context, cache })),
    observe: (watched, signal) => open((context) => see({ context, clusters, signal }, watched)),
    record: (wishes) =>
      open(async (context) => answersOf(wishes, await recordObserved({ context, cache, scans }, wishes))),
    auto: createAutoPorts({ open, door }),
    nudge: (watched) => nudgeTargets(clusters, watched, clock.now()),
    now: () => clock.now(),
    monotonic,
    random: () => (random(1)[0] ?? 0) / 256,
  });
}

function answersOf(
  wishes: readonly StatusWish[],
  { refused }: Awaited<ReturnType<typeof recordObserved>>,
): Awaited<ReturnType<WatchPorts['record']>> {
  return wishes.map((of) => ({ of, refusal: refused.find((each) => each.of === of) ?? null }));
}
