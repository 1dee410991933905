/** What happened, as sinks are told of it. */
import { createHash } from 'node:crypto';
import {
  type EnvironmentName,
  formatCoordinates,
  type LedgerEvent,
  type LedgerRequest,
  type LogEntry,
  type ObservedDeployment,
} from '../../engine/index.ts';
import { typesOf } from '../events/records.ts';
import { type EventType, typeOf } from './event-types.ts';

export interface Happening {
  readonly type: EventType;
  /** Unlike that of any other; always the same for the same event. */
  readonly id: string;
  /** The request or the session: what happens to it is told in order. */
  readonly of: string;
  /** ISO 8601. */
  readonly at: string;
  readonly environment: EnvironmentName;
  readonly scope: string;
  readonly data: HappeningData;
}

interface HappeningData {
  /** As `audit log -o json` has it. Absent: the ledger has none for it. */
  readonly event?: Omit<LedgerEvent, 'state' | 'position'>;
  /** As `request show -o json` has it, as of then: a part of its keys. */
  readonly request?: ReturnType<typeof requestOf>;
  readonly session?: NonNullable<NonNullable<LedgerEvent['state']>['session']>;
  /** As `log -o json` has it: a part of its keys. */
  readonly rollback?: ReturnType<typeof rollbackOf>;
  /** What an observer of a cluster said of a deployment. */
  readonly deployment?: Omit<ObservedDeployment, 'position'>;
}

/** Of each list that may be long. */
const MOST = 100;
/** Characters of each text that a person may have written. */
const LONGEST = 4000;

/** Null for what nobody is told of. */
export function ofLedger(
  event: LedgerEvent,
  environmentOf: (scope: string) => EnvironmentName,
): Happening | null {
  const { state, position: _, ...entry } = event;
  const type = typeOf(event);
  const of = event.requestId ?? event.sessionId;
  if (type === null || of === null || state === undefined) return null;
  const { request, session } = state;
  return {
    type,
    id: `${of} ${event.eventId}`,
    of,
    at: event.at,
    environment: request?.scope ?? environmentOf(event.scope),
    scope: event.scope,
    data: {
      event: { ...entry, comment: entry.comment === null ? null : cut(entry.comment) },
      ...(request && { request: requestOf(request) }),
      ...(session && { session: { ...session, justification: cut(session.justification) } }),
    },
  };
}

/** A rollback that the ledger has no request for. */
export const ofBranch = (entry: LogEntry): Happening => ({
  type: 'rollback.completed',
  id: `${entry.commit} ${entry.requestId}`,
  of: entry.requestId,
  at: entry.time,
  environment: entry.record,
  scope: entry.scope,
  data: { rollback: rollbackOf(entry) },
});

/** What an observer said of a deployment, and what became of that by itself. */
export function ofRecords(observed: ObservedDeployment): readonly Happening[] {
  const { position: _, ...event } = observed;
  return typesOf(observed).map((type) => ({
    type,
    id: `${event.deployment} ${event.eventId} ${type}`,
    of: event.deployment,
    at: event.at,
    environment: event,
    scope: event.scope,
    data: { deployment: { ...event, note: event.note === null ? null : cut(event.note) } },
  }));
}

/** `msg_` and 32 characters that follow from the event and the sink, so that whoever was told knows it again. */
export const messageId = (sink: string, { id }: Pick<Happening, 'id'>): string =>
  `msg_${createHash('sha256')
    .update(JSON.stringify(['webhook', sink, id]))
    .digest('hex')
    .slice(0, 32)}`;

function requestOf(request: LedgerRequest) {
  const { id, scope, status, target, targetVersion, justification, message, author, result } = request;
  const { authenticated, createdAt, updatedAt, expiresAt, follows, supersedes, supersededBy } = request;
  const { overrides, propose, incident, hold, resume, base, digest, gate, breakGlass, link } = request;
  return {
    id,
    scope,
    scopeName: formatCoordinates(scope),
    status,
    target,
    targetVersion,
    rollbackOf: { commit: target, version: targetVersion },
    justification: cut(justification),
    message: cut(message),
    author,
    ...(authenticated && { authenticated }),
    createdAt,
    updatedAt,
    expiresAt,
    follows,
    supersedes,
    supersededBy,
    ...(overrides && { overrides }),
    ...(propose && { propose }),
    ...(request.automatic && { automatic: request.automatic }),
    ...(incident !== undefined && { incident }),
    ...(hold && { hold }),
    ...(resume && { resume }),
    base,
    digest,
    affectedServices: request.affectedServices.slice(0, MOST),
    gate,
    breakGlass,
    link,
    result: result?.status === 'failed' ? { ...result, message: cut(result.message) } : result,
  };
}

function rollbackOf({ record, ...entry }: LogEntry) {
  const { requestId, commit, time, author, mode, scope, reason, deliveryCommit, problems } = entry;
  const { via, pullRequest } = entry;
  return {
    requestId,
    commit,
    time,
    author,
    mode,
    scope,
    reason: cut(reason),
    deliveryCommit,
    target: record.target,
    ...(via && { via }),
    ...(pullRequest && { pullRequest }),
    problems,
  };
}

const cut = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
