import type { ObjectId } from './git.ts';
import type { RequestId } from './request.ts';
import type { Coordinates } from './scope.ts';

/**
 * Whether what Git holds is what clusters run: rules of the configuration, what observers see, and what it comes to. A rollback is completed when it
 * is in Git; nothing here changes that. Times are ISO 8601 in UTC.
 */

/**
 * `unconfirmed`: could not be asked; `pending`: the cluster has not seen the commit; `overtaken`: a later revision runs. Of several, the worst counts:
 * degraded, progressing, pending, unconfirmed, live.
 */
export const LIVE_STATES = [
  'degraded',
  'progressing',
  'pending',
  'unconfirmed',
  'overtaken',
  'live',
] as const;
export type LiveState = (typeof LIVE_STATES)[number];

export const LIVE_SOURCES = ['argocd', 'flux', 'kubernetes'] as const;
export type LiveSource = (typeof LIVE_SOURCES)[number];

/** Of `live:` in the configuration. Names may have `{tenant}`, `{environment}` and `{service}`. */
export interface LiveRule {
  /** Environments, as in `policy.environments`. All entries that match count. */
  readonly match: string;
  /** A name of the operator's file (BACKTRAIL_CLUSTERS). */
  readonly cluster: string;
  /** After it, `progressing` is `degraded`, and `pending` is `unconfirmed`. Milliseconds. */
  readonly withinMs: number;
  /** Annotates what is to reconcile, so that it does at once. */
  readonly nudge: boolean;
  readonly argocd: { readonly application: string; readonly namespace: string } | null;
  readonly flux: {
    readonly kustomization: string | null;
    readonly helmRelease: string | null;
    readonly namespace: string;
  } | null;
  /** `namespace`: of manifests that name none; null: those have none. */
  readonly kubernetes: { readonly namespace: string | null } | null;
}

/** Of `auto:` in the configuration. The first entry that matches an environment counts. */
export interface AutoRule {
  readonly match: string;
  /** A revision that degrades so long after it became current is rolled back. Milliseconds. */
  readonly windowMs: number;
  /** It has to stay degraded for so long. Milliseconds. */
  readonly badMs: number;
  /** Automatic rollbacks of an environment: at most `times` within `perMs`. */
  readonly limit: { readonly times: number; readonly perMs: number };
  /** A first delivery that never became healthy is removed. */
  readonly atomic: boolean;
}

/** `drift:` of the configuration: `/spec/replicas`, or `Deployment#/spec/replicas`; a key `*` is any key or index. */
export interface DriftConfig {
  readonly ignore: readonly string[];
}

/** What one observer says of one object. */
export interface Observation {
  readonly source: LiveSource;
  readonly cluster: string;
  /** `Application argocd/acme-production-api`, `Deployment acme/api`. */
  readonly object: string;
  readonly state: LiveState;
  /** The commit that it says it runs, as it names it; null where it names none. */
  readonly revision: string | null;
  /** One sentence. */
  readonly message: string;
  /** Why, where a machine is to know: CLUSTER_AWAY, DEADLINE, NOT_SEEN, … */
  readonly code?: string;
  readonly observedAt: string;
}

/** The revision that a scope is to run. */
export interface Desired {
  /** The revision of the scope. */
  readonly commit: ObjectId;
  /** N of vN; null where it was not counted. */
  readonly version: number | null;
}

/** Whether a scope runs what Git holds. */
export interface LiveStatus {
  /** `acme/production/api-gateway` */
  readonly scope: string;
  readonly desired: Desired;
  readonly state: LiveState;
  readonly live: readonly Observation[];
}

/** The same for a rollback, whose request it names. */
export interface RollbackLive extends LiveStatus {
  readonly requestId: RequestId;
}

/** Of a service, or of an environment without services: what is to be looked at. */
export interface LiveTarget extends Coordinates {
  readonly rule: LiveRule;
  readonly desired: Desired;
  /** A cluster runs the revision where the commit that it names contains this one: that of the revision, or of its manifests after it. */
  readonly contains: ObjectId;
  /** The revision of the scope after it; null: there is none. */
  readonly next: ObjectId | null;
  /** When it was published: the revision, or its manifests after it. */
  readonly since: string;
  /** An observer saw it live after that: what it does now, such as being scaled or drained, is no longer its arrival, and has no deadline. */
  readonly hasArrived: boolean;
}

/** Which object an observer has to see: by what manifests and answers name it, so that nobody has to know a plural. */
export interface ObjectQuery {
  /** `apps/v1`, `v1`, `argoproj.io/v1alpha1`. */
  readonly apiVersion: string;
  /** `Deployment` */
  readonly kind: string;
  /** null: not namespaced. */
  readonly namespace: string | null;
  /** null: all of the namespace. */
  readonly name: string | null;
}

/** An object of Kubernetes as it was answered: nothing of it is known to be anything. */
export type ClusterObject = Readonly<Record<string, unknown>>;

/** Why something of a cluster is not known. */
export interface ClusterProblem {
  readonly code: ClusterProblemCode;
  /** One sentence, without a token. */
  readonly message: string;
}

const CLUSTER_PROBLEMS = [
  /** No file of clusters, or none of this name in it. */
  'CLUSTER_UNKNOWN',
  /** It does not answer, or not in time. */
  'CLUSTER_AWAY',
  /** 401 or 403. */
  'CLUSTER_DENIED',
  /** 429. */
  'CLUSTER_BUSY',
  /** It answers what cannot be understood. */
  'CLUSTER_NONSENSE',
  /** It answers more than is read. */
  'CLUSTER_TOO_MUCH',
  /** What is asked for has a name that no object can have. */
  'NAME_INVALID',
  /** It has no such kind of object. */
  'RESOURCE_UNKNOWN',
  /** There is no kubectl. */
  'KUBECTL_MISSING',
] as const;
type ClusterProblemCode = (typeof CLUSTER_PROBLEMS)[number];

/** What a cluster answered to one query: objects (none: there is no such object), or why it is not known. */
export type ClusterAnswer =
  | { readonly objects: readonly ClusterObject[]; readonly problem: null }
  | { readonly objects: null; readonly problem: ClusterProblem };

/** Clusters as observers see them: read-only, and never failing. */
export interface Clusters {
  /**
   * Answers in the order of the queries. Those of one resource are one question; clusters are asked side by side, and one that hangs holds up
   * no other. Never rejects but with INTERRUPTED.
   */
  get(
    cluster: string,
    queries: readonly ObjectQuery[],
    signal?: AbortSignal,
  ): Promise<readonly ClusterAnswer[]>;
  /** Sets one annotation (the one patch verb). Gives why it could not be set. */
  annotate(
    cluster: string,
    object: ObjectQuery & { readonly name: string },
    annotation: { readonly key: string; readonly value: string },
  ): Promise<ClusterProblem | null>;
}

/** How the commit that a cluster names stands to one of ours, by Git. */
export type Relation =
  /** It is it, or contains it. */
  | 'contains'
  /** It is an ancestor of ours. */
  | 'before'
  /** Git has it, on another line. */
  | 'elsewhere'
  /** Git does not have it. */
  | 'unknown';

/** How drift of one field is told. */
export interface DriftField {
  /** A JSON pointer, with `[name=…]` for items of lists with an identity. */
  readonly path: string;
  /** Masked where it looks like a secret. */
  readonly desired: unknown;
  /** Absent where the cluster has none. */
  readonly live?: unknown;
}

export const DRIFT_STATES = ['same', 'differs', 'missing', 'extra', 'unchecked'] as const;
export type DriftState = (typeof DRIFT_STATES)[number];

export interface DriftObject {
  readonly cluster: string;
  readonly kind: string;
  /** null: not namespaced. */
  readonly namespace: string | null;
  readonly name: string;
  readonly state: DriftState;
  readonly fields: readonly DriftField[];
  /** Why it is unchecked, where it is. */
  readonly message?: string;
}

/** How what a cluster has differs from the manifests that were delivered. */
export interface Drift {
  readonly scope: string;
  readonly commit: ObjectId;
  readonly objects: readonly DriftObject[];
  /** When clusters were asked, where earlier answers were allowed for. */
  readonly observedAt?: string;
}
