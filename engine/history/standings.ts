/** What records of deployments say of the revisions of a scope, and whether one may be returned to. */
import type { CountedRecord, DeploymentStatus, ObjectId, RevisionStanding, Scope } from '../model/index.ts';
import type { ScopeQuery } from '../snapshot/scope-content.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Revision } from './revision.ts';
import { indexAt } from './rolled-back.ts';

export interface Standings {
  /** The scope has records that count. */
  readonly areRecorded: boolean;
  of(revision: Revision): RevisionStanding;
}

const UNKNOWN: RevisionStanding = { status: null, eligible: true, reasons: [], hasFailed: false };

/** `revisions`: all of the scope, newest first. */
export async function readStandings(
  { snapshot, scope }: ScopeQuery,
  revisions: readonly Revision[],
): Promise<Standings> {
  const records = (await snapshot.deployments?.records(scope)) ?? [];
  const newest = new Map<Revision, CountedRecord>();
  for (const record of records) {
    const revision = await revisionOf(snapshot, revisions, record);
    if (revision === undefined) continue;
    const other = newest.get(revision);
    if (other === undefined || isLater(record, other)) newest.set(revision, record);
  }
  return {
    areRecorded: records.length > 0,
    of: (revision) => {
      const record = newest.get(revision);
      const undone = describeUndone(revision);
      const standing = record === undefined ? UNKNOWN : standingOf(record);
      if (undone === null) return standing;
      return { ...standing, eligible: false, reasons: [`${undone}.`, ...standing.reasons] };
    },
  };
}

/** The same of one revision, by records alone: the one that the scope is at with this commit. */
export async function standingAt(
  snapshot: Snapshot,
  scope: Scope,
  commit: ObjectId,
  readRevisions: () => Promise<readonly Revision[]>,
): Promise<RevisionStanding> {
  const records = (await snapshot.deployments?.records(scope)) ?? [];
  if (records.length === 0) return UNKNOWN;
  const revisions = await readRevisions();
  const positions = await snapshot.positions();
  const target = positions.has(commit) ? revisions[await indexAt(snapshot, revisions, commit)] : undefined;
  if (target === undefined) return UNKNOWN;
  let found: CountedRecord | null = null;
  for (const record of records)
    if ((await revisionOf(snapshot, revisions, record)) === target)
      if (found === null || isLater(record, found)) found = record;
  return found === null ? UNKNOWN : standingOf(found);
}

/**
 * Which revision a record is of. That of an environment speaks of a service's revision where that came with the commit; a deployment that
 * succeeded speaks of whatever the service was at.
 */
async function revisionOf(
  snapshot: Snapshot,
  revisions: readonly Revision[],
  { commit, isWider, status }: CountedRecord,
): Promise<Revision | undefined> {
  if (isWider && status !== 'deployed') return revisions.find((revision) => revision.commit.id === commit);
  if (!(await snapshot.positions()).has(commit)) return undefined;
  return revisions[await indexAt(snapshot, revisions, commit)];
}

/** What never came to anything says nothing of a revision that was deployed at another time. */
const IDLE: ReadonlySet<DeploymentStatus> = new Set(['proposed', 'pending', 'superseded']);

function isLater(one: CountedRecord, other: CountedRecord): boolean {
  const key = ({ status, updatedAt, id }: CountedRecord) => `${IDLE.has(status) ? 0 : 1} ${updatedAt} ${id}`;
  return key(one) > key(other);
}

function standingOf(record: CountedRecord): RevisionStanding {
  const reason = REASONS[record.status](record);
  return {
    status: record.status,
    eligible: reason === null,
    reasons: reason === null ? [] : [reason],
    hasFailed: record.times.failed !== undefined,
  };
}

const at = ({ times, status, updatedAt }: CountedRecord) =>
  `${(times[status] ?? updatedAt).slice(0, 16).replace('T', ' ')} UTC`;

const REASONS: Readonly<Record<DeploymentStatus, (record: CountedRecord) => string | null>> = {
  deployed: () => null,
  proposed: ({ id }) => `It was only proposed, and never deployed (${id}).`,
  pending: (record) => `Its deployment has not succeeded: pending since ${at(record)} (${record.id}).`,
  failed: (record) => `Its deployment failed, ${at(record)} (${record.id}).`,
  superseded: (record) =>
    `It was never deployed: ${record.supersededBy ?? 'a newer deployment'} came first (${record.id}).`,
  rolled_back: (record) => {
    const by = record.rolledBackBy === null ? '' : ` by ${record.rolledBackBy}`;
    return `Its deployment was rolled back${by}, ${at(record)} (${record.id}).`;
  },
  decommissioned: (record) => `It was decommissioned, ${at(record)} (${record.id}).`,
};

/** `v3 was rolled back by 1a2b3c4d5e`; null for one that was not undone. */
export function describeUndone({ version, rolledBackBy, undoneBy, holdsLeft }: Revision): string | null {
  if (undoneBy !== null)
    return `v${version} was ${rolledBackBy === null ? 'reverted' : 'rolled back'} by ${undoneBy.slice(0, 10)}`;
  return holdsLeft === null ? null : `v${version} still contains what ${holdsLeft.slice(0, 10)} undid`;
}
