/** The history of a release, as `helm history -o json` prints it. */
import {
  BacktrailError,
  type Engine,
  formatCoordinates,
  type HistoryEntry,
  type ObjectId,
  type Person,
  type RequestStatus,
  type RequestView,
} from '../../engine/index.ts';

/** Those of Helm, in capitals. */
export const HELM_STATUSES = [
  'DEPLOYED',
  'SUPERSEDED',
  'FAILED',
  'PENDING_INSTALL',
  'PENDING_UPGRADE',
  'PENDING_ROLLBACK',
  'UNINSTALLED',
] as const;
type HelmStatus = (typeof HELM_STATUSES)[number];

/** One line of `helm history`. */
interface ReleaseRevision {
  readonly revision: number;
  /** ISO 8601, in UTC. */
  readonly updated: string;
  readonly status: HelmStatus;
  /** `name-version`; empty where the service has none. */
  readonly chart: string;
  /** The tag of the first image. */
  readonly app_version: string;
  readonly description: string;
}

export interface ReleaseHistory {
  /** Oldest first, without what is asked for and not done. */
  readonly revisions: readonly { readonly commit: ObjectId; readonly line: ReleaseRevision }[];
  /** What a request that is open, or failed, would be in it. */
  ofRequest(request: RequestView): Promise<ReleaseRevision>;
}

interface Asked {
  readonly scope: string;
  readonly reader: Person;
  /** The newest so many. */
  readonly limit: number;
}

/** @throws INVALID_REQUEST where the scope is no service, and what `engine.history` fails with */
export async function readRelease(engine: Engine, { scope, reader, limit }: Asked): Promise<ReleaseHistory> {
  const found = await engine.history({ scope, limit, reader });
  if (found.scope.service === undefined)
    throw new BacktrailError(
      'INVALID_REQUEST',
      `releaseId names ${formatCoordinates(found.scope)}: a release is a service.`,
    );
  return {
    revisions: found.revisions.map((entry) => ({ commit: entry.commit, line: lineOf(entry) })).toReversed(),
    ofRequest: async (request) => {
      const { version } = request.rollbackOf;
      const known = found.revisions.find((entry) => entry.version === version);
      if (known !== undefined || version === null) return ofRequest(request, found.total, known);
      const older = await engine.history({ scope, limit: 1, before: version + 1, reader });
      return ofRequest(request, found.total, older.revisions[0]);
    },
  };
}

const OPEN: readonly RequestStatus[] = ['pending', 'approved', 'executing'];
/** Requests that are looked at. */
const NEWEST = 20;

/** The rollback of the whole service that waits, is executed, or failed since the service changed last; null: none. */
export async function openRollback(
  engine: Engine,
  { scope, reader }: Pick<Asked, 'scope' | 'reader'>,
  { revisions }: ReleaseHistory,
): Promise<RequestView | null> {
  const found = await engine.requests.list({ scope, reader, limit: NEWEST });
  // Those of fields are upgrades.
  const own = found.filter((each) => each.scopeName === scope && each.scope.mode === 'service');
  // An older one may be open again.
  const open = own.find(({ status }) => OPEN.includes(status));
  if (open !== undefined) return open;
  const [newest] = own;
  if (newest?.status !== 'failed') return null;
  const changed = Date.parse(revisions.at(-1)?.line.updated ?? '');
  return Date.parse(newest.updatedAt) < changed ? null : newest;
}

function lineOf(entry: HistoryEntry): ReleaseRevision {
  const { version, time } = entry;
  const status = statusOf(entry);
  return {
    revision: version,
    updated: time,
    status,
    ...contentOf(entry),
    description: describe(entry, status),
  };
}

function statusOf({ current, status, version, rollbackOf }: HistoryEntry): HelmStatus {
  if (status === 'failed') return 'FAILED';
  if (status === 'decommissioned') return 'UNINSTALLED';
  if (!current) return 'SUPERSEDED';
  if (status !== 'pending') return 'DEPLOYED';
  if (rollbackOf !== null) return 'PENDING_ROLLBACK';
  return version === 1 ? 'PENDING_INSTALL' : 'PENDING_UPGRADE';
}

function contentOf({ identity: { charts, images } }: HistoryEntry) {
  const [, tag = ''] = /(?:^|[:@])([^:@/]+)$/.exec(images[0] ?? '') ?? [];
  return { chart: charts[0]?.replace(' ', '-') ?? '', app_version: tag };
}

/** In Helm's words. */
function describe({ version, rollbackOf, subject }: HistoryEntry, status: HelmStatus): string {
  if (rollbackOf !== null) return rollbackTo(rollbackOf);
  const how = version === 1 ? 'Install' : 'Upgrade';
  if (status === 'FAILED') return `${how} failed`;
  if (status === 'UNINSTALLED') return 'Uninstallation complete';
  if (status.startsWith('PENDING')) return `Preparing ${how.toLowerCase()}`;
  // A rollback of an environment, or of fields, is an upgrade to Helm.
  return subject.startsWith('Rollback:') ? subject : `${how} complete`;
}

function rollbackTo({ version, commit }: NonNullable<HistoryEntry['rollbackOf']>): string {
  return `Rollback to ${version ?? commit.slice(0, 10)}`;
}

function ofRequest(request: RequestView, total: number, target: HistoryEntry | undefined): ReleaseRevision {
  const { rollbackOf, status, result, updatedAt } = request;
  const hasFailed = status === 'failed';
  const why = hasFailed && result?.status === 'failed' ? ` failed: ${result.message.slice(0, 500)}` : '';
  return {
    revision: total + 1,
    updated: updatedAt,
    status: hasFailed ? 'FAILED' : 'PENDING_ROLLBACK',
    ...(target === undefined ? { chart: '', app_version: '' } : contentOf(target)),
    description: `${rollbackTo(rollbackOf)}${why}`,
  };
}
