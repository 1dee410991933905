/** Deployments as this face shows them: records of what was deployed, and requests for rollbacks, which become records when they are completed. */
import {
  type Coordinates,
  type DeploymentStatus,
  type DeploymentView,
  formatCoordinates,
  isFailure,
  type RequestStatus,
  type RequestView,
} from '../../engine/index.ts';
import type { Call } from './call.ts';
import { instanceIdOf, organizationIdOf } from './instance.ts';

const OF_RECORD = {
  proposed: 'PROPOSED',
  pending: 'PENDING',
  deployed: 'COMPLETED',
  rolled_back: 'COMPLETED',
  decommissioned: 'COMPLETED',
  failed: 'FAILED',
  superseded: 'ABORTED',
} as const satisfies Record<DeploymentStatus, string>;

const OF_REQUEST = {
  pending: 'PROPOSED',
  approved: 'APPROVED',
  executing: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  rejected: 'REJECTED',
  superseded: 'ABORTED',
  expired: 'ABORTED',
  cancelled: 'ABORTED',
} as const satisfies Record<RequestStatus, string>;

export interface DeploymentNode {
  readonly id: string;
  readonly instanceId: string;
  readonly organizationId: string;
  readonly status: string;
  readonly action: 'PROVISION' | 'DECOMMISSION';
  readonly message: string | null;
  readonly commit: string | null;
  readonly author: DeploymentView['actor'];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly digest: string | null;
  readonly approval: RequestView['approval'] | null;
  readonly pinned: boolean;
  readonly images: readonly string[];
  /** Looks for it where it is not on record. */
  readonly version: () => Promise<number | null>;
  readonly rollbackOf: () => Promise<RollbackOf | null>;
}

interface RollbackOf {
  readonly id: string | null;
  readonly version: number | null;
  readonly commit: string;
}

/** One of the two, or both. */
export interface Deployed {
  readonly coordinates: Coordinates;
  readonly record: DeploymentView | null;
  readonly request: RequestView | null;
}

/** The newest of each that are looked at. */
const MOST = 1000;

/** What is known of one instance, read once a call. */
export interface Known {
  readonly coordinates: Coordinates;
  all(): Promise<readonly Deployed[]>;
  /** N of vN of a commit of its history. */
  versionOf(commit: string): Promise<number | null>;
}

export function knownOf(
  { input: { engine, execution }, person: reader }: Call,
  coordinates: Coordinates,
): Known {
  const scope = formatCoordinates(coordinates);
  const read = once(async () => {
    const [{ deployments }, requests] = await Promise.all([
      engine.deployments.list({ scope, reader, limit: MOST, counting: true }),
      engine.requests.list({ scope, reader, limit: MOST }),
    ]);
    const own = requests.filter((each) => each.scopeName === scope && each.resume !== true);
    return merged(
      coordinates,
      deployments.filter((each) => each.scope === scope),
      await execution.withJobs(own),
    );
  });
  const versions = once(async () => {
    const { revisions } = await engine.history({ scope, limit: MOST, reader });
    return new Map(revisions.map(({ commit, version }) => [commit, version]));
  });
  return {
    coordinates,
    all: read,
    versionOf: async (commit) => (await versions()).get(commit) ?? null,
  };
}

function merged(
  coordinates: Coordinates,
  records: readonly DeploymentView[],
  requests: readonly RequestView[],
): readonly Deployed[] {
  const byId = new Map(requests.map((request) => [request.id, request]));
  const recorded = records.map((record) => {
    const named = record.requestId === null ? undefined : byId.get(record.requestId);
    const request = isOf(record, named) ? named : null;
    if (request !== null) byId.delete(request.id);
    return { coordinates, record, request };
  });
  return [...recorded, ...[...byId.values()].map((request) => ({ coordinates, record: null, request }))];
}

/** A record may name any request: it is of one that was completed, in the same place. */
const isOf = ({ scope }: DeploymentView, request: RequestView | null | undefined): request is RequestView =>
  request?.status === 'completed' && request.scopeName === scope;

/** The deployment that an id names. @throws DEPLOYMENT_UNKNOWN, REQUEST_UNKNOWN, PERMISSION_DENIED */
export async function deployedOf(
  { input: { engine, execution }, person: reader }: Call,
  id: string,
): Promise<Deployed> {
  if (id.startsWith('dep-')) {
    const record = await engine.deployments.show({ id, reader, counting: true });
    const { requestId } = record;
    const named =
      requestId === null ? null : await engine.requests.show({ id: requestId, reader }).catch(unlessUnseen);
    return { coordinates: namesOf(record), record, request: isOf(record, named) ? named : null };
  }
  const found = await engine.requests.show({ id, reader });
  const [request = found] = await execution.withJobs([found]);
  const own = { coordinates: namesOf(request.scope), request };
  if (request.status !== 'completed') return { ...own, record: null };
  const record = await engine.deployments
    .show({ id: id.replace('rbk', 'dep'), reader, counting: true })
    .catch(unlessUnseen);
  return { ...own, record: record?.requestId === id && isOf(record, request) ? record : null };
}

/** What the reader may not see is of another place. */
const UNSEEN: ReadonlySet<string> = new Set([
  'DEPLOYMENT_UNKNOWN',
  'REQUEST_UNKNOWN',
  'PERMISSION_DENIED',
  'TOKEN_TOO_NARROW',
]);

function unlessUnseen(error: unknown): null {
  if (isFailure(error) && UNSEEN.has(error.code)) return null;
  throw error;
}

const namesOf = ({ tenant, environment, service }: Coordinates): Coordinates => ({
  ...(tenant !== undefined && { tenant }),
  environment,
  ...(service !== undefined && { service }),
});

/** Of a rollback it is that of its request, also when it is on record; a record may name any request, and is then only its own. */
export const idOf = ({ record, request }: Deployed): string => request?.id ?? record?.id ?? '';

/** A record says more of what is deployed than the request that led to it. */
export const statusOf = ({ record, request }: Deployed): string => {
  if (record !== null) return OF_RECORD[record.status];
  return request === null ? 'PENDING' : OF_REQUEST[request.status];
};

export const actionOf = ({ record }: Deployed): DeploymentNode['action'] =>
  record?.status === 'decommissioned' ? 'DECOMMISSION' : 'PROVISION';

/** The revision that it deployed. */
export function commitOf({ record, request }: Deployed): string | null {
  if (record !== null) return record.commit;
  const result = request?.result ?? null;
  if (result === null || result.status === 'failed') return null;
  // Where nothing had to be changed, the target's content was there already.
  return result.commit ?? request?.target ?? null;
}

export const createdAtOf = ({ record, request }: Deployed): string =>
  request?.createdAt ?? record?.createdAt ?? '';

export function updatedAtOf({ record, request }: Deployed): string {
  const times = [record?.updatedAt, request?.updatedAt].filter((each) => each !== undefined);
  return times.toSorted().at(-1) ?? '';
}

export async function versionOf(known: Known, deployed: Deployed): Promise<number | null> {
  const own = deployed.record?.version ?? null;
  const commit = commitOf(deployed);
  return own ?? (commit === null ? null : known.versionOf(commit));
}

export function nodeOf(known: Known, deployed: Deployed): DeploymentNode {
  const { coordinates, record, request } = deployed;
  const person = request?.author ?? record?.actor ?? { name: '', email: '' };
  return {
    id: idOf(deployed),
    instanceId: instanceIdOf(coordinates),
    organizationId: organizationIdOf(coordinates),
    status: statusOf(deployed),
    action: actionOf(deployed),
    message: request?.justification ?? record?.notes[0]?.text ?? null,
    commit: commitOf(deployed),
    author: { name: person.name, email: person.email },
    createdAt: createdAtOf(deployed),
    updatedAt: updatedAtOf(deployed),
    digest: request?.digest ?? null,
    approval: request?.approval ?? null,
    pinned: request?.hold !== undefined,
    images: record?.images ?? [],
    version: () => versionOf(known, deployed),
    rollbackOf: () => rollbackOf(known, deployed),
  };
}

/** What it returns to: the deployment of that revision that its message names, else the newest one. */
async function rollbackOf(known: Known, { record, request }: Deployed): Promise<RollbackOf | null> {
  const to = request?.rollbackOf ?? record?.rollbackOf ?? null;
  if (to === null) return null;
  const { commit } = to;
  const same = (await known.all()).filter((each) => commitOf(each) === commit);
  const said = request?.justification ?? '';
  const named = same.find(
    (each) => said.includes(idOf(each)) || (each.record !== null && said.includes(each.record.id)),
  );
  const found = named ?? newest(same);
  const asNamed = found?.record && said.includes(found.record.id) ? found.record.id : found && idOf(found);
  return { id: asNamed ?? null, version: to.version ?? (await known.versionOf(commit)), commit };
}

const newest = (list: readonly Deployed[]): Deployed | undefined =>
  list.toSorted((one, other) => (createdAtOf(one) < createdAtOf(other) ? 1 : -1))[0];

function once<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let reading: Promise<Value> | null = null;
  return () => (reading ??= read());
}
