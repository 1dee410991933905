/** What can be done with records of deployments: the shapes that the command line and scripts see. */
import type {
  Actor,
  Authentication,
  Coordinates,
  Deployment,
  DeploymentId,
  DeploymentSource,
  DeploymentStatus,
  Finding,
  ObjectId,
  Person,
  RequestId,
} from '../model/index.ts';

/** A record as people and scripts see it. */
export interface DeploymentView extends Coordinates {
  readonly id: DeploymentId;
  /** `acme/production/api-gateway` */
  readonly scope: string;
  /** The revision of the scope. */
  readonly commit: ObjectId;
  /** N of vN when it was recorded; null where that was not counted. */
  readonly version: number | null;
  readonly images: readonly string[];
  /** `chart version`; the first of `charts`. */
  readonly chart: string | null;
  readonly charts: readonly string[];
  readonly actor: Person;
  /** How a server knew them; absent: they wrote it themselves. */
  readonly authenticated?: Authentication;
  readonly source: DeploymentSource;
  readonly status: DeploymentStatus;
  readonly notes: Deployment['notes'];
  readonly migration: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When each status began. */
  readonly times: Deployment['times'];
  /** Who gave it its status, where the record says so. */
  readonly statusSource: DeploymentSource | null;
  /** What became of a failure by itself: the rollback that was asked for, or why none was; null: nothing was said. */
  readonly automatic: Deployment['automatic'];
  readonly supersededBy: DeploymentId | null;
  readonly rolledBackBy: DeploymentId | null;
  /** Of a rollback: the older revision that it returned to. */
  readonly rollbackOf: { readonly commit: ObjectId; readonly version: number | null } | null;
  /** Of a rollback: its request. */
  readonly requestId: RequestId | null;
  /** All of it counts: where this machine knows keys, each event is signed by one of somebody with the permission `record`. */
  readonly verified: boolean;
}

export interface RecordInput {
  readonly scope: string;
  readonly status: DeploymentStatus;
  readonly actor: Actor;
  /** A revision as typed; the current one where absent. */
  readonly commit?: string;
  /** Besides those that are found in the revision. */
  readonly images?: readonly string[];
  readonly note?: string;
  readonly migration?: string;
  /** The record whose next status it is, or six or more characters of its end. */
  readonly id?: string;
  /** Of the record that is opened, where one is: the same again opens no other, and gives none its next status again. A new one where absent. */
  readonly opens?: DeploymentId;
  /** Where the revision has a record with this status already, that is the record, whatever else is said. */
  readonly once?: boolean;
  /** It is a rollback that was made elsewhere: the older revision that it returned to, as typed. Not where a record is there already. */
  readonly rollbackOf?: string;
  /** Called where all of it was recorded before. */
  readonly onRepeated?: () => void;
  /** `pipeline` where absent. */
  readonly source?: Exclude<DeploymentSource, 'backtrail'>;
}

/** Which records are meant; absent: any. */
export interface DeploymentFilter {
  /** `null`: those without a tenant. */
  readonly tenant?: string | null | undefined;
  readonly environment?: string | undefined;
  readonly service?: string | undefined;
}

export interface Restorable {
  readonly deployment: DeploymentView;
  /** `Restore deployment dep-… (v12) of acme/production/api-gateway` */
  readonly reason: string;
}

export interface DeploymentPage {
  readonly deployments: readonly DeploymentView[];
  /** What could not be read. */
  readonly findings: readonly Finding[];
}

/** An observer said that a deployment is live, or degraded. */
export interface ObservedDeployment extends Coordinates {
  /** The commit of the records that says so: several of one look have the same. */
  readonly position: string;
  readonly eventId: string;
  readonly at: string;
  readonly actor: Person;
  readonly scope: string;
  readonly deployment: DeploymentId;
  /** The revision. */
  readonly commit: ObjectId;
  readonly version: number | null;
  readonly state: 'live' | 'degraded';
  readonly note: string | null;
  /** What became of a failure by itself; null: nothing was said. */
  readonly automatic: Deployment['automatic'];
  /** Of a rollback: its request. */
  readonly requestId: RequestId | null;
  /** From the record's beginning as `pending` to `live`; null: another state, or it did not begin so. */
  readonly seconds: number | null;
  /** As of the record it is one of. */
  readonly verified: boolean;
}

export interface DeploymentEvents {
  /** Oldest first. */
  readonly events: readonly ObservedDeployment[];
  /** Where to go on from; `0`: there are no records. */
  readonly position: string;
  readonly hasMore: boolean;
  /** By the policy of the moment in which they were read. */
  readonly mayRead: (reader: Actor, scope: string) => boolean;
  /** How many scopes of environments with `live:` are in which state, by their newest records; where that was asked for. */
  readonly states?: Readonly<Record<'live' | 'pending' | 'degraded', number>>;
}

/** Records of deployments. Every call looks at them anew; each that writes is one commit, or none. */
export interface Deployments {
  /**
   * Opens a record, or writes the next status of one: of the one named by `id`; else of the newest of the same scope and revision that may have it
   * next. The same once more changes nothing.
   *
   * @throws SCOPE_INVALID, ENVIRONMENT_UNKNOWN, SERVICE_UNKNOWN, REVISION_UNKNOWN, REVISION_NOT_ON_BRANCH, DEPLOYMENT_UNKNOWN,
   * DEPLOYMENT_STATUS, RAW_SECRET, PERMISSION_DENIED, INVALID_REQUEST, KEY_REUSED where `opens` is another record, and what the ref cannot be
   * moved with
   */
  record(input: RecordInput): Promise<DeploymentView>;
  /**
   * Newest first. `reader`: only what they may read. `counting`: only what counts, and of each record what counts of it.
   *
   * @throws DEPLOYMENT_UNKNOWN where `after` is none of them, LEDGER_REWOUND, LEDGER_TAMPERED
   */
  list(
    filter: DeploymentFilter & {
      readonly scope?: string;
      readonly statuses?: readonly DeploymentStatus[];
      readonly reader: Person;
      readonly limit?: number;
      readonly after?: string;
      readonly counting?: boolean;
    },
  ): Promise<DeploymentPage>;
  /** @throws DEPLOYMENT_UNKNOWN, with `counting` also where nothing of it counts; PERMISSION_DENIED */
  show(input: {
    readonly id: string;
    readonly reader: Person;
    readonly counting?: boolean;
  }): Promise<DeploymentView>;
  /**
   * What a rollback to a deployment is asked for with: its scope, its revision, and a reason that names it. `orRolledBack`: also to one that was
   * rolled back since, and was deployed before.
   *
   * @throws DEPLOYMENT_UNKNOWN also where nothing of it counts, DEPLOYMENT_STATUS where it is not deployed, PERMISSION_DENIED
   */
  restorable(input: {
    readonly id: string;
    readonly reader: Person;
    readonly orRolledBack?: boolean;
  }): Promise<Restorable>;
  /**
   * What observers said after a position, for whoever follows the records; without one only where they are now. Gives what anybody may read, and
   * whom it may be shown to.
   *
   * @throws INVALID_REQUEST for a text that is no position, EVENT_UNKNOWN for one that the records do not hold
   */
  events(input?: {
    readonly after?: string | undefined;
    readonly states?: boolean;
  }): Promise<DeploymentEvents>;
  /**
   * Whether an image was recorded: as it was named, or by the end of its name (`api:v2.1.0`), its tag or its digest. `exists`: by a record that
   * counts; `deployments`: the newest hundred that name it. `counting`: only what counts, and of each record what counts of it.
   */
  exists(
    input: DeploymentFilter & {
      readonly image: string;
      readonly reader: Person;
      readonly counting?: boolean;
    },
  ): Promise<DeploymentPage & { readonly image: string; readonly exists: boolean }>;
}
