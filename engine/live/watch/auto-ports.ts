/** What an automatic rollback is decided on, and asked for with: Git, the ledger, and the gate that everybody goes through. */
import { autoRuleFor } from '../../layout/configuration/live.ts';
import { listHolds } from '../../holds/list.ts';
import {
  type AutomaticCause,
  BacktrailError,
  type Coordinates,
  type DeploymentStatus,
  isFailure,
  type ObjectId,
  type RequestId,
  type Scope,
} from '../../model/index.ts';
import { endOf, freezesAt } from '../../policy/windows.ts';
import { isOpen } from '../../record/transitions.ts';
import { concerns } from '../../record/arrived.ts';
import type { RequestContext } from '../../requests/context.ts';
import { rulesOf } from '../../requests/context.ts';
import { automaticOf, automaticRequestId } from '../../requests/gate/exemption.ts';
import { openLedgerSnapshot } from '../../requests/ledger/snapshot.ts';
import { lastSuccessful } from '../../rollback/last-successful.ts';
import { historyOf } from '../../rollback/planning/asked-scope.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Permit } from '../../policy/gate.ts';
import { timeText } from '../combine.ts';
import { isPassing } from './decide.ts';
import type { AutoFacts } from './auto.ts';
import type { AutoPorts, Preflight } from './ports.ts';
import type { Watched } from './types.ts';

/** The one door to a change, as far as this needs it. */
export interface Door {
  plan(ask: {
    readonly scope: string;
    readonly to: string;
    readonly automatic: AutomaticCause;
    readonly allowRemoval?: boolean;
  }): Promise<DoorPlan>;
  request(ask: {
    readonly scope: string;
    readonly target: ObjectId;
    readonly digest: string;
    readonly rendered: string | null;
    readonly base: ObjectId;
    readonly reason: string;
    readonly id: RequestId;
    readonly automatic: AutomaticCause;
    readonly allowRemoval?: boolean;
  }): Promise<{ readonly requestId: RequestId; readonly status: string }>;
}

interface DoorPlan {
  readonly target: ObjectId;
  readonly digest: string;
  readonly base: ObjectId;
  readonly unchanged: boolean;
  readonly findings: readonly { readonly code: string; readonly message: string }[];
  readonly gate: {
    readonly needsApproval: boolean;
    readonly rendered: string | null;
    readonly may: { readonly request: Permit };
  };
}

type Open = <Value>(work: (context: RequestContext) => Promise<Value>) => Promise<Value>;

export function createAutoPorts({ open, door }: { readonly open: Open; readonly door: Door }): AutoPorts {
  return {
    facts: (watched) => open((context) => factsOf(context, watched)),
    preflight: (watched) => preflight({ open, door }, watched),
    request: async (watched) => {
      const id = requestIdOf(watched);
      await open((context) => requireWithin(context, watched));
      const { to, ...ask } = await open((context) => askOf(context, watched));
      const { target, digest, base, gate } = await door.plan({ ...ask, to });
      try {
        const planned = { target, digest, rendered: gate.rendered, base };
        const { status } = await door.request({ ...ask, ...planned, id, reason: reasonOf(watched) });
        return { id, status };
      } catch (error) {
        // Another worker was faster, in its own name.
        if (isFailure(error) && error.code === 'REQUEST_EXISTS') return { id, status: 'exists' };
        throw error;
      }
    },
  };
}

/** The same whoever asks. */
const requestIdOf = ({ coordinates, desired }: Pick<Watched, 'coordinates' | 'desired'>): RequestId =>
  automaticRequestId(coordinates, desired.commit);

type Caused = Pick<Watched, 'scope' | 'desired' | 'auto'>;

const versionOf = ({ desired: { commit, version } }: Caused) =>
  version === null ? commit.slice(0, 10) : `v${version} (${commit.slice(0, 10)})`;

const causeOf = (watched: Caused): AutomaticCause => ({
  revision: watched.desired.commit,
  seen: `${versionOf(watched)} of ${watched.scope} was seen degraded for ${timeText(watched.auto?.badMs ?? 0)}.`,
});

const reasonOf = (watched: Caused) =>
  `${causeOf(watched).seen} Nobody asked for this: it follows from \`auto\` of the configuration.`;

/** Back to what was successful last; where nothing was before, to nothing. */
async function askOf(context: RequestContext, { scope, coordinates, ...watched }: Watched) {
  const { nothing } = await lastSuccessful(await context.observe(), scopeOf(coordinates));
  const ask = { scope, automatic: causeOf({ scope, ...watched }) };
  return nothing === null || watched.auto?.atomic !== true
    ? { ...ask, to: 'last-successful' }
    : { ...ask, to: nothing, allowRemoval: true };
}

async function preflight(
  { open, door }: { readonly open: Open; readonly door: Door },
  watched: Watched,
): Promise<Preflight> {
  const id = requestIdOf(watched);
  const refused = (code: string, message: string): Preflight => ({
    id,
    refusal: { code, message },
    needsApproval: false,
  });
  try {
    const plan = await door.plan(await open((context) => askOf(context, watched)));
    if (plan.findings.some(({ code }) => code === 'NO_RECORDS'))
      return refused('AUTO_NO_RECORDS', 'No deployment is recorded as successful.');
    if (plan.unchanged) return refused('AUTO_UNCHANGED', 'It would change nothing.');
    const { may, needsApproval } = plan.gate;
    if (!may.request.allowed) return refused(may.request.code, may.request.message);
    return { id, refusal: null, needsApproval };
  } catch (error) {
    if (!isFailure(error) || isPassing(error)) throw error;
    return refused(error.code, error.message);
  }
}

async function factsOf(context: RequestContext, watched: Watched): Promise<AutoFacts> {
  const snapshot = await context.observe();
  const { coordinates } = watched;
  const { tenant, environment } = coordinates;
  const place = { ...(tenant !== undefined && { tenant }), environment };
  const now = context.clock.now();
  const [freeze] = freezesAt(snapshot.layout.config.policy, place, now);
  return {
    ...(await previousOf(snapshot, coordinates)),
    ...(await ledgerFacts(context, snapshot, watched)),
    hold: await holdOf(snapshot, coordinates, now),
    freeze: freeze === undefined ? null : `Changes there are frozen, ${endOf(freeze)}.`,
  };
}

const scopeOf = (names: Coordinates): Scope => ({
  mode: names.service === undefined ? 'full' : 'service',
  ...names,
});

/** What is recorded of the revision before. */
async function previousOf(
  snapshot: Snapshot,
  coordinates: Coordinates,
): Promise<Pick<AutoFacts, 'previous' | 'isFirst'>> {
  const scope = scopeOf(coordinates);
  const { revisions } = await historyOf(snapshot, scope);
  const before = revisions[1]?.commit.id;
  const records = (await snapshot.deployments?.records(scope)) ?? [];
  const own = records.filter(({ commit, isWider }) => commit === before && !isWider);
  const newest = own.toSorted((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1))[0];
  const previous: DeploymentStatus | null = newest?.status ?? null;
  return { previous, isFirst: revisions.length < 2 };
}

async function ledgerFacts(
  context: RequestContext,
  snapshot: Snapshot,
  watched: Watched,
): Promise<Pick<AutoFacts, 'openRequest' | 'used'>> {
  const { coordinates } = watched;
  const rules = await rulesOf(context, snapshot);
  const ledger = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const own = requestIdOf(watched);
  const [open] = await ledger.find(
    ({ id, status, scope }) =>
      id !== own &&
      isOpen(status) &&
      status !== 'failed' &&
      (concerns(scope, coordinates) || concerns(coordinates, scope)),
  );
  const limit = autoRuleFor(snapshot.layout.config.auto, coordinates)?.limit;
  const since = context.clock.now() - (limit?.perMs ?? 0);
  const asked = await automaticOf(ledger, coordinates);
  const used = asked.filter(({ id, createdAt }) => id !== own && Date.parse(createdAt) > since).length;
  return { openRequest: open?.state.id ?? null, used };
}

/** Another worker may have asked since it was decided. @throws FORBIDDEN */
async function requireWithin(context: RequestContext, watched: Watched): Promise<void> {
  const { used } = await ledgerFacts(context, await context.observe(), watched);
  if (watched.auto === null || used < watched.auto.limit.times) return;
  throw new BacktrailError(
    'FORBIDDEN',
    `The limit of automatic rollbacks of the environment of ${watched.scope} is reached.`,
  );
}

async function holdOf(snapshot: Snapshot, names: Coordinates, now: number): Promise<string | null> {
  const { holds } = await listHolds(snapshot, names, now);
  const standing = holds.find(({ state }) => state !== 'expired');
  return standing === undefined ? null : `The hold of ${standing.requestId} stands.`;
}
