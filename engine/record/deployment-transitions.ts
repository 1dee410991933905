/** The state machine of a deployment: one table of transitions, and the state computed from events. */
import {
  type Deployment,
  DEPLOYMENT_STATUSES,
  type DeploymentEvent,
  type DeploymentStatus,
} from '../model/index.ts';

/** From each status those that may follow. */
export const DEPLOYMENT_TRANSITIONS: Readonly<Record<DeploymentStatus, readonly DeploymentStatus[]>> = {
  proposed: ['pending'],
  pending: ['deployed', 'failed', 'superseded'],
  deployed: ['failed', 'rolled_back', 'decommissioned'],
  failed: ['rolled_back'],
  superseded: [],
  rolled_back: [],
  decommissioned: [],
};

/** With which a record may begin: who records only the end of a deployment need not record its beginning. */
export const FIRST_STATUSES: readonly DeploymentStatus[] = ['proposed', 'pending', 'deployed', 'failed'];

export function isDeploymentStatus(text: string): text is DeploymentStatus {
  return DEPLOYMENT_STATUSES.some((status) => status === text);
}

export const mayFollow = (from: DeploymentStatus, to: DeploymentStatus) =>
  DEPLOYMENT_TRANSITIONS[from].includes(to);

/** The state after one more event; null where there can be none: the first event opens it, each of the others is of the table. */
function applyDeployment(state: Deployment | null, event: DeploymentEvent): Deployment | null {
  const { at, actor, authenticated, status, note, migration, images, by } = event;
  const source = event.source ?? event.opening?.source;
  const automatic = event.automatic ?? state?.automatic ?? null;
  const who = { actor, ...(authenticated && { authenticated }) };
  const notes = note === null ? [] : [{ at, ...who, text: note }];
  if (state === null) {
    if (event.opening === null || !FIRST_STATUSES.includes(status)) return null;
    return {
      ...event.opening,
      images: [...new Set([...event.opening.images, ...images])],
      id: event.deployment,
      ...who,
      status,
      notes,
      migration,
      createdAt: at,
      updatedAt: at,
      times: { [status]: at },
      sources: source === undefined ? {} : { [status]: source },
      automatic,
      supersededBy: null,
      rolledBackBy: null,
    };
  }
  if (event.opening !== null || !mayFollow(state.status, status)) return null;
  return {
    ...state,
    status,
    notes: [...state.notes, ...notes],
    migration: migration ?? state.migration,
    images: images.length === 0 ? state.images : [...new Set([...state.images, ...images])],
    updatedAt: at,
    times: { ...state.times, [status]: at },
    sources: source === undefined ? state.sources : { ...state.sources, [status]: source },
    automatic,
    supersededBy: status === 'superseded' ? by : state.supersededBy,
    rolledBackBy: status === 'rolled_back' ? by : state.rolledBackBy,
  };
}

/** The events replayed; those that cannot follow are left out, for anybody who may push can write one. null where none opens it. */
export function foldDeployment(events: readonly DeploymentEvent[]): Deployment | null {
  let state: Deployment | null = null;
  for (const event of events) state = applyDeployment(state, event) ?? state;
  return state;
}
