/** What is to be observed, as Git says it. */
import { openDeployments } from '../../deployments/append.ts';
import { judgeDeployments } from '../../deployments/counted.ts';
import {
  coordinatesOf,
  type DeploymentCache,
  type DeploymentStore,
  type KnownDeployment,
} from '../../deployments/store.ts';
import { autoRuleFor, liveRulesFor } from '../../layout/configuration/live.ts';
import { discover } from '../../layout/discover.ts';
import { type Coordinates, type Deployment, formatCoordinates, type ObjectId } from '../../model/index.ts';
import { type CommitRecord, recordsOf } from '../../queries/records.ts';
import { concerns, isResumeOf, rollbacksIn } from '../../record/arrived.ts';
import { type RequestContext, rulesOf } from '../../requests/context.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { desiredOf, targetsOf, unitsOf } from '../targets.ts';
import type { Survey } from './ports.ts';
import type { RecordSeen, Watched } from './types.ts';

/** Scopes of a repository that are observed. */
const MOST = 5000;
/** How long a rollback without a record is observed. Milliseconds. */
const RECENT_MS = 3_600_000;
/** How long a record is waited for: a cluster that is away for longer is forgotten. Milliseconds. */
const WAITING_MS = 31 * 86_400_000;
/** A survey of the same commits is made again so late: what is recent changes with the time. Milliseconds. */
const FRESH_MS = 10 * 60_000;

interface Surveying {
  readonly context: RequestContext;
  readonly cache: DeploymentCache;
}

type Surveyor = (surveying: Surveying) => Promise<Survey>;

/** The same commits are surveyed once. */
export function createSurveyor(): Surveyor {
  let known: { readonly key: string; readonly at: number; readonly survey: Survey } | null = null;
  return async ({ context, cache }) => {
    await context.git.refresh();
    const snapshot = await context.observe();
    const { deployments, live, commit } = snapshot.layout.config;
    if (live.length === 0) return { watched: [], isWanted: false, left: 0 };
    const place = { context, cache, ref: deployments.ref, signoff: commit.signoff };
    const store = await openDeployments(place);
    const now = context.clock.now();
    const key = JSON.stringify([snapshot.branch, snapshot.base, store.tip, context.allowedSigners]);
    if (known?.key === key && now - known.at < FRESH_MS) return known.survey;
    const survey = await surveyOf({ context, snapshot, store, now });
    known = { key, at: now, survey };
    return survey;
  };
}

interface Place {
  readonly context: RequestContext;
  readonly snapshot: Snapshot;
  readonly store: DeploymentStore;
  readonly now: number;
}

async function surveyOf(place: Place): Promise<Survey> {
  const { snapshot } = place;
  const commits = await recordsOf(snapshot);
  const scopes = await scopesOf(place, commits);
  const some = [...scopes.values()].slice(0, MOST);
  const found: Omit<Watched, 'record'>[] = [];
  for (const coordinates of some) {
    const units = await unitsOf(snapshot, coordinates);
    const isWhole = units.length > 1 || units[0]?.service !== coordinates.service;
    const of = await desiredOf(snapshot, coordinates);
    const targets = await targetsOf(snapshot, units, of);
    if (targets.length === 0) continue;
    found.push({
      scope: formatCoordinates(coordinates),
      coordinates,
      targets,
      desired: of.desired,
      // What is rendered anew makes no revision young.
      since: of.revisedAt,
      kind: kindOf(coordinates, of.desired.commit, commits),
      // What is rolled back by itself is one service.
      auto: isWhole ? null : autoRuleFor(snapshot.layout.config.auto, coordinates),
    });
  }
  const seen = await recordsSeen(place, new Set(found.map(revisionKey)));
  const watched = found.map((each) => ({ ...each, record: seen.get(revisionKey(each)) ?? null }));
  return { watched, isWanted: true, left: scopes.size - some.length };
}

const revisionKey = ({ coordinates, desired }: Pick<Watched, 'coordinates' | 'desired'>) =>
  keyOf({ ...coordinates, commit: desired.commit });

/** Where a record waits, where somebody rolled back lately, and, where `auto` matches, all. */
async function scopesOf(
  { snapshot, store, now }: Place,
  commits: readonly CommitRecord[],
): Promise<ReadonlyMap<string, Coordinates>> {
  const { auto, live } = snapshot.layout.config;
  const isLive = (names: Coordinates) => liveRulesFor(live, names).length > 0;
  const found = new Map<string, Coordinates>();
  const add = (names: Coordinates) => {
    if (isLive(names)) found.set(formatCoordinates(names), coordinatesOf(names));
  };
  const isWaiting = ({ status, createdAt }: KnownDeployment) =>
    status === 'pending' && now - Date.parse(createdAt) < WAITING_MS;
  for (const waiting of store.known(isWaiting)) add(waiting);
  for (const { commit, trailers } of commits.filter(
    ({ commit }) => now - Date.parse(commit.time) < RECENT_MS,
  ))
    for (const rollback of rollbacksIn([{ trailers, arrived: null }])) {
      const names = coordinatesOf(rollback);
      if (!isRecorded(store, names, commit.id)) add(names);
    }
  const automatic = (names: Coordinates) => autoRuleFor(auto, names) !== null;
  if (auto.length > 0)
    for (const names of await discover(await snapshot.view(snapshot.base), snapshot.layout))
      if (names.service === undefined && automatic(names))
        for (const unit of await unitsOf(snapshot, names)) add(unit);
  return found;
}

/** Something came of it: it is not waited for any more. */
const isRecorded = (store: DeploymentStore, names: Coordinates, commit: ObjectId) =>
  store.known(
    (known) => known.commit === commit && formatCoordinates(known) === formatCoordinates(names),
    `"commit":"${commit}"`,
  ).length > 0;

function kindOf(names: Coordinates, commit: ObjectId, commits: readonly CommitRecord[]): Watched['kind'] {
  const own = commits.filter((record) => record.commit.id === commit);
  if (isResumeOf(names, own)) return 'resume';
  return rollbacksIn(own).some((rollback) => concerns(rollback, names)) ? 'rollback' : 'deploy';
}

/** The newest record of each revision of a scope that counts. */
async function recordsSeen(
  { context, snapshot, store }: Place,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, RecordSeen>> {
  const rules = await rulesOf(context, snapshot);
  const known = store.known((each) => wanted.has(keyOf(each)));
  const judged = await judgeDeployments(
    { context, rules, store },
    await store.read(known.map(({ id }) => id)),
  );
  const found = new Map<string, RecordSeen>();
  for (const { state, counted } of judged) {
    const record = rules.knowsKeys ? counted : state;
    if (record === null || found.has(keyOf(record))) continue;
    found.set(keyOf(record), seenOf(record));
  }
  return found;
}

const keyOf = (record: Coordinates & { readonly commit: ObjectId }) =>
  `${formatCoordinates(record)} ${record.commit}`;

const seenOf = ({ status, automatic, updatedAt }: Deployment): RecordSeen => ({
  status,
  automatic,
  updatedAt,
});
