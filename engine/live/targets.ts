/** What is to be looked at for a scope: each of its services under each rule that matches, with the revision that it is to run. */
import { liveRulesFor } from '../layout/configuration/live.ts';
import { discover } from '../layout/discover.ts';
import { deliveryOutput } from '../layout/layout.ts';
import {
  BacktrailError,
  type Coordinates,
  type CountedRecord,
  type Desired,
  formatCoordinates,
  type LiveTarget,
  type LogCommit,
  type ObjectId,
  type Scope,
} from '../model/index.ts';
import type { Revision } from '../history/revision.ts';
import { historyOf } from '../rollback/planning/asked-scope.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** The revision that a scope is at, and what a cluster has to hold of it. */
export type DesiredRevision = Pick<LiveTarget, 'desired' | 'contains' | 'next' | 'since' | 'hasArrived'> & {
  /** When the revision itself was published, whatever was rendered from it since. */
  readonly revisedAt: string;
};

type Published = Pick<LogCommit, 'id' | 'time'>;

/** The services of an environment, or the environment itself where it has none; a service itself. */
export async function unitsOf(
  snapshot: Snapshot,
  { tenant, environment, service }: Coordinates,
): Promise<readonly Coordinates[]> {
  const owner = { ...(tenant !== undefined && { tenant }), environment };
  if (service !== undefined) return [{ ...owner, service }];
  const found = await discover(await snapshot.view(snapshot.base), snapshot.layout, owner);
  const services = found.filter(
    (each) => each.service !== undefined && each.tenant === tenant && each.environment === environment,
  );
  return services.length > 0 ? services : [owner];
}

/**
 * What is to be looked at for a scope, and its revision; `at`: of the one that it is at with this commit.
 *
 * @throws LIVE_NOT_CONFIGURED where no entry of `live` matches, before history is read
 */
export async function requireTargets(
  snapshot: Snapshot,
  scope: Coordinates,
  at?: ObjectId,
): Promise<{ readonly desired: Desired; readonly targets: readonly LiveTarget[] }> {
  if (liveRulesFor(snapshot.layout.config.live, scope).length === 0)
    throw notConfigured(formatCoordinates(scope));
  const of = await desiredOf(snapshot, scope, at);
  return { desired: of.desired, targets: await targetsOf(snapshot, await unitsOf(snapshot, scope), of) };
}

export const notConfigured = (what: string): BacktrailError =>
  new BacktrailError(
    'LIVE_NOT_CONFIGURED',
    `No entry of \`live\` in the configuration matches ${what}: no cluster can be asked for it.`,
  );

/** `of`: the revision that all of them are to run, as of a whole environment; each its own where absent. */
export async function targetsOf(
  snapshot: Snapshot,
  units: readonly Coordinates[],
  of?: DesiredRevision,
): Promise<readonly LiveTarget[]> {
  const targets: LiveTarget[] = [];
  for (const unit of units) {
    const rules = liveRulesFor(snapshot.layout.config.live, unit);
    if (rules.length === 0) continue;
    const { revisedAt: _, ...desired } = of ?? (await desiredOf(snapshot, unit));
    for (const rule of rules) targets.push({ ...unit, rule, ...desired });
  }
  return targets;
}

/** The current revision; `at`: the one that the scope is at with this commit. */
export async function desiredOf(
  snapshot: Snapshot,
  coordinates: Coordinates,
  at?: ObjectId,
): Promise<DesiredRevision> {
  const scope: Scope = { mode: coordinates.service === undefined ? 'full' : 'service', ...coordinates };
  const { revisions } = await historyOf(snapshot, scope);
  const index = at === undefined ? 0 : await indexAt(snapshot, revisions, at);
  const [revision, next] = [revisions[index]?.commit, revisions[index - 1]?.commit];
  const [tip] = revision
    ? [revision]
    : await snapshot.history.log({ tip: snapshot.base, path: '', limit: 1 });
  const from = tip ?? { id: snapshot.base, time: new Date(0).toISOString() };
  const delivered = await deliveredBy(snapshot, coordinates, { from, before: next?.id });
  const desired = { commit: revision?.id ?? snapshot.base, version: revisions[index]?.version ?? null };
  const records = ((await snapshot.deployments?.records(scope)) ?? []).filter(
    (record) => record.commit === desired.commit && !record.isWider,
  );
  const since = publishedAt(records, delivered.time);
  return {
    desired,
    contains: delivered.id,
    next: next?.id ?? null,
    since,
    hasArrived: records.some(
      ({ times, sources }) =>
        sources.deployed === 'observer' && Date.parse(times.deployed ?? '') >= Date.parse(since),
    ),
    revisedAt: publishedAt(records, from.time),
  };
}

/** Of the newest revision that is `at`, or before it. */
async function indexAt(snapshot: Snapshot, revisions: readonly Revision[], at: ObjectId): Promise<number> {
  const positions = await snapshot.positions();
  const place = positions.get(at) ?? 0;
  const found = revisions.findIndex(({ commit }) => (positions.get(commit.id) ?? 0) >= place);
  return found < 0 ? revisions.length : found;
}

/** The newest commit from a revision on that changed its manifests, before the next revision; the revision where none did. */
async function deliveredBy(
  snapshot: Snapshot,
  coordinates: Coordinates,
  { from, before }: { readonly from: Published; readonly before: ObjectId | undefined },
): Promise<Published> {
  const outputs = await outputsOf(snapshot, coordinates);
  if (outputs.length === 0) return from;
  const positions = await snapshot.positions();
  const [oldest, newest] = [
    positions.get(from.id) ?? 0,
    before === undefined ? -1 : (positions.get(before) ?? -1),
  ];
  const changed =
    outputs.length === 1 && newest < 0
      ? await snapshot.history.log({ tip: snapshot.base, path: outputs[0] ?? '', limit: 1 })
      : await snapshot.history.changed({ tip: snapshot.base, paths: outputs });
  const own = changed.find(({ id }) => {
    const place = positions.get(id) ?? 0;
    return place <= oldest && place > newest;
  });
  return own ?? from;
}

async function outputsOf(snapshot: Snapshot, coordinates: Coordinates): Promise<readonly string[]> {
  if (snapshot.layout.config.delivery === null) return [];
  const units = await unitsOf(snapshot, coordinates);
  return units.flatMap((unit) => deliveryOutput(snapshot.layout, unit) ?? []);
}

/** The commit of a rollback that waited for approval is as old as its request, and its record is not. */
function publishedAt(records: readonly CountedRecord[], time: string): string {
  const recorded = records.flatMap(({ times }) => Object.values(times).toSorted().slice(0, 1));
  const latest = Math.max(...[time, ...recorded].map((each) => Date.parse(each)));
  return new Date(latest).toISOString();
}
