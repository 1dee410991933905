import type { LiveSource, LiveState, LiveTarget, Observation } from '../../model/index.ts';
import { cleanMessage } from './message.ts';

/** Why, where a machine is to know; besides those of ClusterProblem, and DEADLINE and NOT_SEEN. */
export type JudgementCode =
  /** The cluster has no object of this name. */
  | 'OBJECT_MISSING'
  /** A template, or a manifest, gives no name that Kubernetes has. */
  | 'NAME_INVALID'
  /** A manifest names no namespace, and neither does the rule. */
  | 'NAMESPACE_MISSING'
  /** There is nothing to look at. */
  | 'NOTHING_TO_SEE'
  /** It names a commit that Git does not have, or none. */
  | 'REVISION_UNKNOWN'
  /** It names a commit of another line. */
  | 'REVISION_ELSEWHERE'
  /** None of its sources is this repository. */
  | 'SOURCE_ELSEWHERE'
  /** Applying the revision failed. */
  | 'OPERATION_FAILED'
  /** Applied, and something differs. */
  | 'OUT_OF_SYNC'
  /** Somebody stopped it, on purpose: it waits for a person, and is not sick. */
  | 'SUSPENDED'
  /** Whether it is healthy is not known by whoever applied it. */
  | 'HEALTH_UNKNOWN'
  /** Its controller undid it. */
  | 'REMEDIATED'
  /** Kubernetes gave up on a rollout. */
  | 'PROGRESS_DEADLINE'
  /** Its new pods end again and again. */
  | 'CRASH_LOOP'
  /** An image that no registry can have. */
  | 'IMAGE_INVALID'
  /** An observer could not understand what it saw. */
  | 'OBSERVER_FAILED';

export interface Judgement {
  readonly state: LiveState;
  /** One sentence or more; cleaned by whoever makes an observation of it. */
  readonly message: string;
  readonly revision?: string | null;
  readonly code?: string;
}

/** Of whom somebody says something. */
export interface Subject {
  readonly source: LiveSource;
  readonly target: LiveTarget;
  readonly object: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const MOST_REVISION = 100;

/** What a judgement comes to; its texts, which a cluster may have written, are cleaned. */
export const observationOf = (
  { source, target, object, now }: Subject,
  { state, message, revision = null, code }: Judgement,
  secrets: readonly string[] = [],
): Observation => ({
  source,
  cluster: target.rule.cluster,
  object: cleanMessage(object),
  state,
  revision: revision === null ? null : cleanMessage(revision).slice(0, MOST_REVISION),
  message: cleanMessage(message, secrets),
  ...(code !== undefined && { code }),
  observedAt: new Date(now).toISOString(),
});
