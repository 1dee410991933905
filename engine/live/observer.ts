/** What an observer is: which objects of a cluster it has to see, and what they say. It asks nobody itself. */
import type {
  ClusterAnswer,
  ClusterObject,
  LiveRule,
  LiveSource,
  LiveTarget,
  ObjectId,
  ObjectQuery,
  Observation,
  Relation,
} from '../model/index.ts';

/** An object of the manifests that were delivered for a target. */
export interface DeclaredObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** As it is written; null where it names none. */
  readonly namespace: string | null;
  readonly name: string;
  /** The file that declares it. */
  readonly path: string;
  readonly value: ClusterObject;
}

export interface ObserverContext {
  /** How a commit that a cluster names stands to one of ours. `revision`: hostile text, of which only a whole commit id is asked about. */
  relation(revision: string, ours: ObjectId): Promise<Relation>;
  /** Whether an address of a Git source is one of this repository's. */
  isOurs(address: string): boolean;
  /** Whether a commit that the cluster runs holds a later revision of the target's scope than the one that is desired. */
  isLater(revision: string, target: LiveTarget): Promise<boolean>;
  /** The objects of its delivered manifests, at the commit that its revision is delivered by; [] where there are none. */
  manifests(target: LiveTarget): Promise<readonly DeclaredObject[]>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Seen {
  readonly target: LiveTarget;
  /** In the order of `queries`. */
  readonly answers: readonly ClusterAnswer[];
  readonly context: ObserverContext;
}

export interface Observer {
  readonly source: LiveSource;
  isFor(rule: LiveRule): boolean;
  queries(target: LiveTarget, context: ObserverContext): Promise<readonly ObjectQuery[]>;
  /** What else has to be seen, after the first answers: pods and events of what is not well. */
  details?(seen: Seen): Promise<readonly ObjectQuery[]>;
  /** `details`: answers in the order of `details`. At least one observation; deadlines are not its business. */
  judge(seen: Seen & { readonly details: readonly ClusterAnswer[] }): Promise<readonly Observation[]>;
}
