/** What the checks of the registry look at: a finished plan, what it would deliver, and what was observed beforehand. */
import type {
  CheckCode,
  FileChange,
  Finding,
  ImageAnswer,
  LogCommit,
  ObjectId,
  Plan,
  RequestId,
  Scope,
  Severity,
} from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Documents } from './documents/documents.ts';

export interface CheckInput {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  /** Manifests that are delivered with it; empty without delivery. */
  readonly outputs: readonly FileChange[];
  readonly documents: Documents;
  /** Commits that changed the scope since the target; absent where they were not read. */
  readonly since?: readonly Pick<LogCommit, 'id' | 'trailers'>[];
  /** Earlier rollbacks of the scope; absent where they were not read. */
  readonly former?: readonly FormerRollback[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A rollback that was made in the scope before. */
interface FormerRollback {
  readonly requestId: RequestId;
  readonly target: ObjectId;
  /** ISO 8601. */
  readonly time: string;
}

/** A finding before the configuration and overrides decide how severe it is. */
export interface RawFinding extends Omit<Finding, 'code' | 'severity' | 'overridden'> {
  readonly code: CheckCode;
  /** At least so severe, unless the check is off. */
  readonly atLeast?: Severity;
  /** At most so severe. */
  readonly atMost?: Severity;
}

/** Gathered by ports before a plan is shown; what is absent was not asked. */
export interface Observations {
  /** What a dry run of a push said; `here`: this process publishes. */
  readonly push?: { readonly here: boolean; readonly denied: string | null; readonly hint?: string };
  /** Images that the target brings back, and what their registries say of them. */
  readonly images?: readonly ObservedImage[];
  /** Open requests of the ledger. */
  readonly requests?: readonly OpenRequest[];
  /** Commits of others in the scope since the plan that a request was made on. */
  readonly since?: readonly ObjectId[];
}

export interface ObservedImage {
  /** As manifests name it. */
  readonly image: string;
  /** The first file that has it. */
  readonly path: string;
  /** It has no digest. */
  readonly isMutable: boolean;
  readonly answer: ImageAnswer;
}

interface OpenRequest {
  readonly id: RequestId;
  readonly scope: Scope;
  readonly status: string;
  /** Email. */
  readonly author: string;
}

export type ContentCheck = (input: CheckInput) => RawFinding[] | Promise<RawFinding[]>;
export type ObservedCheck = (plan: Plan, observed: Observations) => RawFinding[];
