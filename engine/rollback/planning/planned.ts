/** What is asked for, and what planning makes of it. */
import type {
  CheckCode,
  Clock,
  Coordinates,
  ImageRegistries,
  ObjectId,
  Person,
  Plan,
  Programs,
  RollbackRequest,
} from '../../model/index.ts';
import type { Destination } from '../../git/open.ts';
import type { HoldWish } from '../../holds/place.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Delivery } from '../../render/planned/render.ts';

/** The scope of a rollback, as typed. */
export interface ScopeAsk {
  /** `[tenant/]environment[/service]`, or the names one by one. */
  readonly scope: string | Coordinates;
  /** Fields as typed; with any, the mode is `field`. */
  readonly fields?: readonly string[];
}

/** A rollback to plan, as typed. */
export interface Ask extends ScopeAsk {
  /** A revision as typed; `previous` where absent. */
  readonly to?: string;
  readonly allowRemoval?: boolean;
  /** Codes of checks that are overridden where they block. */
  readonly overrides?: readonly CheckCode[];
  /** Restore the files that hold the selected parts as whole paths. */
  readonly wholeFile?: boolean;
  /** Keep automation from moving what is restored; where absent, where it shows that it would. */
  readonly hold?: boolean;
  /** How long, as `7d`: implies `hold`. */
  readonly holdFor?: string;
  /** Lift holds of the scope, or of the fields, in place of a rollback. */
  readonly resume?: boolean;
}

/** What planning needs besides the repository. */
export interface PlanTools {
  readonly programs: Programs;
  readonly clock: Pick<Clock, 'now'>;
  /** Asked for the images that a plan brings back, where a person is to look at it. */
  readonly registries?: ImageRegistries;
}

/** A plan and the manifests that it would deliver: shown to people, and the input of the next step. */
export interface Planned {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly delivery: Delivery;
  /** Where it would be published; absent if not requested. */
  readonly destination?: Destination;
  /** For display: details of the target and of the current revision, if they are revisions of the scope. */
  readonly revisions?: { readonly target?: RevisionDetails; readonly current?: RevisionDetails };
}

export interface RevisionDetails {
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly author: Person;
  readonly subject: string;
}

/** What a request is planned by. `hold`: `auto` only where it is asked for. */
export interface PlannedRequest
  extends Pick<RollbackRequest, 'scope' | 'target' | 'allowRemoval' | 'overrides' | 'resume'> {
  readonly hold?: HoldWish | undefined;
  readonly base?: ObjectId | null | undefined;
}
