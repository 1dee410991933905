import type { ObjectId, Person } from './git.ts';
import type { Authentication, EventId } from './ledger.ts';
import { makeRequestId, type RequestId } from './request.ts';
import type { Coordinates } from './scope.ts';

/** Records that revisions were deployed. Times are ISO 8601 in UTC. */

export const DEPLOYMENT_STATUSES = [
  'proposed',
  'pending',
  'deployed',
  'failed',
  'superseded',
  'rolled_back',
  'decommissioned',
] as const;
export type DeploymentStatus = (typeof DEPLOYMENT_STATUSES)[number];

/** Who says so: a pipeline, a call of the API, whoever looks at the cluster, or a rollback. */
export const DEPLOYMENT_SOURCES = ['pipeline', 'api', 'observer', 'backtrail'] as const;
export type DeploymentSource = (typeof DEPLOYMENT_SOURCES)[number];

/** What the watch of a cluster did about a deployment that failed: asked for a rollback, or why it asked for none. */
export interface AutomaticNote {
  /** null: it was refused. */
  readonly request: RequestId | null;
  /** A code; null: it was not refused. */
  readonly refused: string | null;
}

/** `dep-` and 26 characters of Crockford's base 32, as in a request id. */
export type DeploymentId = string;

export function isDeploymentId(text: string): text is DeploymentId {
  return /^dep-[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}

/** `random` has at least 10 bytes. */
export function makeDeploymentId(now: number, random: Uint8Array): DeploymentId {
  return makeRequestId(now, random).replace('rbk', 'dep');
}

/** A rollback's own record: the same for everybody who writes it, so that it is written once. */
export function deploymentOf(id: RequestId): DeploymentId {
  return id.replace('rbk', 'dep');
}

/** What is fixed when a record is opened. */
interface DeploymentOpening extends Coordinates {
  /** The revision of the scope: the commit that changed it last. */
  readonly commit: ObjectId;
  /** vN of the scope when the record was opened; null where that was not asked. */
  readonly version: number | null;
  readonly images: readonly string[];
  /** `chart version`. */
  readonly charts: readonly string[];
  readonly source: DeploymentSource;
  /** Of a rollback: the older revision that it returned to, and the request; null: whoever recorded it says so, of a rollback of their own. */
  readonly rollback: {
    readonly request: RequestId | null;
    readonly commit: ObjectId;
    readonly version: number | null;
  } | null;
}

/** One event of a record. The first one opens it; each of the others is a transition. */
export interface DeploymentEvent {
  readonly id: EventId;
  readonly at: string;
  readonly actor: Person;
  /** How a server knew who acted. Absent: whoever acted wrote it themselves, or a server that did not say so yet. */
  readonly authenticated?: Authentication;
  readonly deployment: DeploymentId;
  readonly status: DeploymentStatus;
  /** Who gives a record this status; absent: it was not said, or it is that of the opening. */
  readonly source?: 'observer';
  /** With `failed`, by whoever watches the cluster. */
  readonly automatic?: AutomaticNote;
  readonly opening: DeploymentOpening | null;
  readonly note: string | null;
  readonly migration: string | null;
  /** Images that are named besides those of the opening. */
  readonly images: readonly string[];
  /** The deployment that took its place. */
  readonly by: DeploymentId | null;
}

/** Its events, replayed. */
export interface Deployment extends DeploymentOpening {
  readonly id: DeploymentId;
  readonly actor: Person;
  /** Of whoever opened it: how a server knew them. */
  readonly authenticated?: Authentication;
  readonly status: DeploymentStatus;
  readonly notes: readonly {
    readonly at: string;
    readonly actor: Person;
    readonly authenticated?: Authentication;
    readonly text: string;
  }[];
  /** What an operator has to know of a change of data that a rollback does not undo. */
  readonly migration: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When each status began. */
  readonly times: Readonly<Partial<Record<DeploymentStatus, string>>>;
  /** Who gave each status, where the record says so. */
  readonly sources: Readonly<Partial<Record<DeploymentStatus, DeploymentSource>>>;
  /** Of the watch of a cluster, where it failed; null: nothing was said. */
  readonly automatic: AutomaticNote | null;
  readonly supersededBy: DeploymentId | null;
  readonly rolledBackBy: DeploymentId | null;
}

/** What a record says of a revision, where it counts. */
export interface CountedRecord
  extends Pick<
    Deployment,
    | 'automatic'
    | 'commit'
    | 'id'
    | 'rolledBackBy'
    | 'sources'
    | 'status'
    | 'supersededBy'
    | 'times'
    | 'updatedAt'
  > {
  /** It is of the environment, and what is asked about is a service of it. */
  readonly isWider: boolean;
}

/** What records say of one revision of a scope. */
export interface RevisionStanding {
  /** null: no record that counts. */
  readonly status: DeploymentStatus | null;
  /** Whether `previous` and `last-successful` take it. */
  readonly eligible: boolean;
  /** Why not: one sentence each. */
  readonly reasons: readonly string[];
  /** Its deployment failed, also where it was rolled back since. */
  readonly hasFailed: boolean;
}
