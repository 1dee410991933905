/** What a watch sees and does: shapes that its files share. */
import type {
  AutoRule,
  AutomaticNote,
  Coordinates,
  DeploymentStatus,
  Desired,
  LiveState,
  LiveTarget,
  ObjectId,
  Observation,
} from '../../model/index.ts';

/** A service, or an environment without services, that is to be observed. */
export interface Watched {
  /** `acme/production/api-gateway` */
  readonly scope: string;
  readonly coordinates: Coordinates;
  /** One a rule of `live:` that matches. */
  readonly targets: readonly LiveTarget[];
  readonly desired: Desired;
  /** When the revision was published, ISO 8601: a claim of its commit or of its record. */
  readonly since: string;
  /** What the commit of the revision is. */
  readonly kind: 'deploy' | 'rollback' | 'resume';
  /** The newest record of the revision that counts. */
  readonly record: RecordSeen | null;
  readonly auto: AutoRule | null;
}

export interface RecordSeen {
  readonly status: DeploymentStatus;
  readonly automatic: AutomaticNote | null;
  /** When it became what it is, ISO 8601. */
  readonly updatedAt: string;
}

/** What is known of a scope between two looks. Times are milliseconds; `monotonic` ones have no relation to the date. */
export interface Memory {
  readonly revision: ObjectId;
  /** null: it was not observed yet. */
  readonly state: LiveState | null;
  /** When the state began, since 1970. */
  readonly stateAt: number;
  /** The last observation: monotonic, and since 1970. */
  readonly seenAt: number;
  readonly lookedAt: number;
  /** How long it was seen degraded, without a state in between that was confirmed and another one; and since when. */
  readonly bad: { readonly ms: number; readonly from: number } | null;
  /** The same for `live`. */
  readonly liveMs: number;
  /** `live` once this revision was, until it degrades; else its last state that was not `unconfirmed`. */
  readonly confirmed: LiveState | null;
  /** The last confirmed state of the scope before this revision; null: none is known. */
  readonly before: LiveState | null;
  /** When this watch saw the revision become current, since 1970; null: it was current before. */
  readonly becameAt: number | null;
  /** What was done about it, whatever came of that: nothing is done twice. */
  readonly done: ReadonlySet<Deed>;
}

/** `recovered`: the second record of a revision. */
export type Deed = 'deployed' | 'failed' | 'recovered' | 'rolled-back' | 'nudged';

export interface StateChange {
  readonly scope: string;
  readonly revision: ObjectId;
  /** null: it was not observed before. */
  readonly from: LiveState | null;
  readonly to: LiveState;
  readonly observations: readonly Observation[];
  /** ISO 8601. */
  readonly at: string;
  /** From its publication, where it became live; null: that is not known. */
  readonly seconds: number | null;
}

/** What is seen of one scope. */
export interface ScopeSeen {
  readonly state: LiveState;
  readonly observations: readonly Observation[];
}
