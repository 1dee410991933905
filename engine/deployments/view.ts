import { formatCoordinates } from '../model/index.ts';
import type { JudgedDeployment } from './counted.ts';
import { coordinatesOf } from './store.ts';
import type { DeploymentView } from './types.ts';

export function viewOf({ state, verified }: JudgedDeployment): DeploymentView {
  const { rollback, charts, ...rest } = state;
  const { id, commit, version, images, actor, source, status } = rest;
  return {
    id,
    ...coordinatesOf(state),
    scope: formatCoordinates(state),
    commit,
    version,
    images,
    chart: charts[0] ?? null,
    charts,
    actor,
    ...(state.authenticated && { authenticated: state.authenticated }),
    source,
    status,
    notes: rest.notes,
    migration: rest.migration,
    createdAt: rest.createdAt,
    updatedAt: rest.updatedAt,
    times: rest.times,
    statusSource: rest.sources[status] ?? null,
    automatic: rest.automatic,
    supersededBy: rest.supersededBy,
    rolledBackBy: rest.rolledBackBy,
    rollbackOf: rollback && { commit: rollback.commit, version: rollback.version },
    requestId: rollback?.request ?? null,
    verified,
  };
}
