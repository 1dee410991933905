/** Records of deployments in the words of platforms' APIs. */
import { DEPLOYMENT_STATUSES, type DeploymentStatus, type DeploymentView } from '../../engine/index.ts';

export const PLATFORM_STATUSES = DEPLOYMENT_STATUSES.map(inCapitals);

/** The same in capitals. */
function inCapitals(status: DeploymentStatus): Uppercase<DeploymentStatus> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is what the type says
  return status.toUpperCase() as Uppercase<DeploymentStatus>;
}

export function toPlatform(record: DeploymentView) {
  const { id, scope, tenant, environment, service, commit, version, images, times, migration } = record;
  return {
    id,
    scope,
    tenant: tenant ?? null,
    environment,
    service: service ?? null,
    status: inCapitals(record.status),
    configCommit: commit,
    version,
    imageTag: tagOf(images[0] ?? ''),
    images,
    chart: record.chart,
    notes: record.notes,
    migrations: migration === null ? [] : [migration],
    source: record.source,
    deployedBy: record.actor,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    deployedAt: times.deployed ?? null,
    rolledBackAt: times.rolled_back ?? null,
    rolledBackBy: record.rolledBackBy,
    rollbackOf: record.rollbackOf,
    requestId: record.requestId,
    verified: record.verified,
  };
}

/** `v2.1.0` of `registry.example.com/api:v2.1.0`; null where there is none. */
function tagOf(image: string): string | null {
  return /(?:^|:)([^:@/]+)(?:@[^@]*)?$/.exec(image)?.[1] ?? null;
}
