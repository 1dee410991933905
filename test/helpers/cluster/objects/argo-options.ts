export interface ArgoSource {
  readonly repoURL: string;
  readonly targetRevision?: string;
  readonly path?: string;
  readonly chart?: string;
  /** By which other sources name its files. */
  readonly ref?: string;
  /** What it was at when it was compared, and applied. */
  readonly revision: string;
}

/** A row of `status.resources`. */
interface ArgoResource {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly status?: 'Synced' | 'OutOfSync' | 'Unknown';
  readonly health?: string;
  readonly requiresPruning?: boolean;
  readonly hook?: boolean;
}

interface ArgoOperation {
  readonly phase?: 'Running' | 'Succeeded' | 'Failed' | 'Error' | 'Terminating';
  /** What it applied. */
  readonly revision?: string;
  readonly startedAt?: string;
  /** null: it has not finished. */
  readonly finishedAt?: string | null;
  readonly message?: string;
  readonly resources?: readonly {
    group?: string;
    kind: string;
    name: string;
    namespace?: string;
    status: string;
    message: string;
    hookType?: string;
    hookPhase?: string;
  }[];
}

export interface ArgoApplicationOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly project?: string;
  readonly repoURL?: string;
  readonly path?: string;
  readonly targetRevision?: string;
  /** What was compared, and applied where `operationState` does not say otherwise. */
  readonly revision: string;
  /** In place of one: `revision` is that of each. */
  readonly sources?: readonly ArgoSource[];
  readonly sync?: 'Synced' | 'OutOfSync' | 'Unknown';
  readonly health?: 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';
  readonly healthMessage?: string;
  /** null: none has ever run. */
  readonly operationState?: ArgoOperation | null;
  /** A sync that was asked for and has not begun: its revision. */
  readonly operation?: string;
  readonly reconciledAt?: string;
  readonly resources?: readonly ArgoResource[];
  readonly ignoreDifferences?: readonly {
    group?: string;
    kind: string;
    jsonPointers?: string[];
    jqPathExpressions?: string[];
  }[];
  readonly conditions?: readonly { type: string; message: string }[];
}
