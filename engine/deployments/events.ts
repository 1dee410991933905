/** What observers said of deployments, in the order in which the records gained it: for whoever follows them. */
import {
  type Actor,
  BacktrailError,
  type Deployment,
  type DeploymentEvent,
  type DeploymentStatus,
  formatCoordinates,
  isObjectId,
  type LiveRule,
  type ObjectId,
} from '../model/index.ts';
import { liveRulesFor } from '../layout/configuration/live.ts';
import { hasPermission } from '../policy/policy.ts';
import { type LedgerCommit, readCommits } from '../requests/ledger/commits.ts';
import { environmentOf } from '../requests/ledger/audit.ts';
import { type RequestContext, rulesOf } from '../requests/context.ts';
import { openDeployments } from './append.ts';
import { type JudgedDeployment, judgeDeployments } from './counted.ts';
import { coordinatesOf, type DeploymentCache, type DeploymentStore, type StoredEvent } from './store.ts';
import type { DeploymentEvents, ObservedDeployment } from './types.ts';

/** Commits of one page. */
const MOST = 100;
const BEFORE_ALL = '0';

/** `after`: a position; where the records are now where absent. @throws INVALID_REQUEST, EVENT_UNKNOWN */
export async function deploymentEvents(
  { context, cache }: { readonly context: RequestContext; readonly cache: DeploymentCache },
  { after, states = false }: { readonly after?: string | undefined; readonly states?: boolean },
): Promise<DeploymentEvents> {
  const snapshot = await context.observe();
  const { layout } = snapshot;
  const rules = await rulesOf(context, snapshot);
  const { deployments, commit } = layout.config;
  const store = await openDeployments({ context, cache, ref: deployments.ref, signoff: commit.signoff });
  const mayRead = (reader: Actor, scope: string) =>
    hasPermission(rules.policy, reader, 'read', environmentOf(scope, layout.hasTenant));
  const now = store.tip ?? BEFORE_ALL;
  const more = { mayRead, ...(states && { states: statesIn(store, layout.config.live) }) };
  if (after === undefined || after === now) return { events: [], position: now, hasMore: false, ...more };
  const commits = await commitsAfter(context, store, after);
  const some = commits.slice(0, MOST);
  const events = await eventsOf({ context, rules, store }, some);
  return { events, position: some.at(-1)?.id ?? now, hasMore: commits.length > some.length, ...more };
}

async function commitsAfter(
  { git }: RequestContext,
  { tip }: DeploymentStore,
  after: string,
): Promise<readonly LedgerCommit[]> {
  if (after !== BEFORE_ALL && !isObjectId(after))
    throw new BacktrailError('INVALID_REQUEST', 'A position of the records is a commit of theirs, or 0.');
  if (tip === null) throw unknown(after);
  if (after === BEFORE_ALL) return readCommits(git, { tip, latest: 0 });
  if (!(await git.isAncestor(after, tip).catch(() => false))) throw unknown(after);
  return readCommits(git, { tip, after, latest: 0 });
}

/** By what the records say, whoever wrote them: it only counts. */
function statesIn(
  store: DeploymentStore,
  live: readonly LiveRule[],
): NonNullable<DeploymentEvents['states']> {
  const counts = { live: 0, pending: 0, degraded: 0 };
  const seen = new Set<string>();
  for (const known of store.known((each) => liveRulesFor(live, each).length > 0)) {
    const state = STATES[known.status];
    const scope = formatCoordinates(known);
    if (state === undefined || seen.has(scope)) continue;
    seen.add(scope);
    counts[state] += 1;
  }
  return counts;
}

const STATES: Readonly<Partial<Record<DeploymentStatus, 'live' | 'pending' | 'degraded'>>> = {
  deployed: 'live',
  pending: 'pending',
  failed: 'degraded',
};

const unknown = (after: ObjectId) =>
  new BacktrailError('EVENT_UNKNOWN', `The records of deployments do not hold ${after.slice(0, 12)}.`);

async function eventsOf(
  judging: Parameters<typeof judgeDeployments>[0] & { readonly store: DeploymentStore },
  commits: readonly LedgerCommit[],
): Promise<readonly ObservedDeployment[]> {
  const places = new Map(commits.map(({ id }, index) => [id, index]));
  const ids = new Set(
    commits.flatMap(({ files }) => files.flatMap(({ path }) => path.split('/').at(-2) ?? [])),
  );
  const stored = await judging.store.read([...ids]);
  const judged = new Map(
    (await judgeDeployments(judging, stored)).map((each) => [each.state.id, each] as const),
  );
  return stored
    .flatMap(({ id, events }) => {
      const known = judged.get(id);
      return known === undefined
        ? []
        : events.filter(isObserved).flatMap((event) => toldOf(known, event, places));
    })
    .toSorted((one, other) => one.place - other.place)
    .map(({ told }) => told);
}

const isObserved = ({ event: { source, opening } }: StoredEvent) =>
  source === 'observer' || opening?.source === 'observer';

function toldOf(
  { state, verified }: JudgedDeployment,
  { event, commit }: StoredEvent,
  places: ReadonlyMap<ObjectId, number>,
): readonly { readonly place: number; readonly told: ObservedDeployment }[] {
  const place = places.get(commit.id);
  if (place === undefined || (event.status !== 'deployed' && event.status !== 'failed')) return [];
  const told = {
    position: commit.id,
    eventId: event.id,
    at: event.at,
    actor: event.actor,
    ...coordinatesOf(state),
    scope: formatCoordinates(state),
    deployment: state.id,
    commit: state.commit,
    version: state.version,
    state: event.status === 'deployed' ? 'live' : 'degraded',
    note: event.note,
    automatic: event.automatic ?? null,
    requestId: state.rollback?.request ?? null,
    seconds: secondsTo(state, event),
    verified,
  } as const;
  return [{ place, told }];
}

function secondsTo({ times }: Deployment, { status, at }: DeploymentEvent): number | null {
  if (status !== 'deployed' || times.pending === undefined) return null;
  return Math.max(0, (Date.parse(at) - Date.parse(times.pending)) / 1000);
}
