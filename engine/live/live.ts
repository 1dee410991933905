/** Everything that can be asked of clusters, on one repository. */
import {
  BacktrailError,
  type Clock,
  type Clusters,
  type Coordinates,
  formatCoordinates,
  type LiveStatus,
  type ObjectId,
} from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { parseScope } from '../layout/layout.ts';
import { resolveScope } from '../rollback/planning/asked-scope.ts';
import { log } from '../queries/queries.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { type Asking, shareAnswers } from './clusters/shared.ts';
import { combine } from './combine.ts';
import { observerContext } from './context.ts';
import { observeTargets } from './observe.ts';
import { notConfigured, requireTargets } from './targets.ts';
import type { Live, LiveAsk } from './types.ts';

/** Of whoever asks. @throws PERMISSION_DENIED, TOKEN_TOO_NARROW */
interface Readable {
  readonly require: (scope: string) => void;
}

export interface LiveInput {
  /** Asks about a snapshot what its reader may see. @throws PERMISSION_DENIED */
  readonly answer: <Value>(
    ask: Pick<LiveAsk, 'reader'> & { readonly scope?: string },
    question: (snapshot: Snapshot, readable: Readable, git: GitRepository) => Promise<Value>,
  ) => Promise<Value>;
  readonly clusters: Clusters;
  readonly clock: Clock;
}

export function createLive({ answer, clusters, clock }: LiveInput): Live {
  const shared = shareAnswers(clusters, clock);
  return {
    status: ({ scope: text, signal, maxAge = 0, ...ask }) =>
      answer({ ...ask, scope: text }, async (snapshot, _readable, git) => {
        const { mode: _, ...scope } = await resolveScope(snapshot, { scope: text });
        return statusOf({ snapshot, git, asking: shared.within(maxAge), clock, signal }, scope);
      }),
    ofRollback: ({ requestId, signal, maxAge = 0, ...ask }) =>
      answer(ask, async (snapshot, readable, git) => {
        // Most repositories name no cluster, and then nothing is searched for.
        if (snapshot.layout.config.live.length === 0) throw notConfigured(requestId);
        const found = (await log(snapshot, { limit: Number.POSITIVE_INFINITY })).findLast(
          (entry) => entry.requestId === requestId,
        );
        if (found === undefined)
          throw new BacktrailError('REQUEST_UNKNOWN', `The branch holds no rollback ${requestId}.`, {
            hint: 'It is none, or is not completed: `backtrail request show ID` says which.',
          });
        readable.require(found.scope);
        const scope = parseScope(snapshot.layout, found.scope);
        const looking = { snapshot, git, asking: shared.within(maxAge), clock, signal };
        return { requestId, ...(await statusOf(looking, scope, found.commit)) };
      }),
    drift: ({ scope: text, signal, maxAge = 0, ...ask }) =>
      answer({ ...ask, scope: text }, async (snapshot) => {
        const { mode: _, ...scope } = await resolveScope(snapshot, { scope: text });
        const { driftOf } = await import('./drift/drift.ts');
        const asking = shared.within(maxAge);
        const found = await driftOf({ snapshot, clusters: asking.clusters, signal }, scope);
        if (maxAge === 0) return found;
        const times = found.objects.map(({ cluster }) => asking.askedAt(cluster) ?? clock.now());
        return { ...found, observedAt: new Date(Math.min(clock.now(), ...times)).toISOString() };
      }),
  };
}

interface Looking {
  readonly snapshot: Snapshot;
  readonly git: GitRepository;
  readonly asking: Asking;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** `at`: of the revision with this commit, in place of the current one. */
async function statusOf(looking: Looking, scope: Coordinates, at?: ObjectId): Promise<LiveStatus> {
  const { snapshot, git, asking, clock, signal } = looking;
  const { desired, targets } = await requireTargets(snapshot, scope, at);
  const { address } = await git.destination(snapshot.branch);
  const context = observerContext({ snapshot, git, addresses: [address], now: clock.now() });
  const { clusters, askedAt } = asking;
  const observed = await observeTargets({ targets, clusters, contextOf: () => context, signal });
  const { state, live } = combine(observed, clock.now());
  const dated = live.map((each) => {
    const at = askedAt(each.cluster);
    return at === undefined ? each : { ...each, observedAt: new Date(at).toISOString() };
  });
  return { scope: formatCoordinates(scope), desired, state: state ?? 'unconfirmed', live: dated };
}
