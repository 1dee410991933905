/** A plan as a plain value, for people and scripts: no state of this process. */
import { inOrder } from '../plan/checks/registry.ts';
import {
  type CheckCode,
  type Finding,
  formatCoordinates,
  type HeldField,
  type Impact,
  type FileDifference,
  type KeptPath,
  type MergeMethod,
  type ObjectId,
  type Scope,
  type ServiceDifference,
  type Way,
} from '../model/index.ts';
import type { Destination } from '../git/open.ts';
import type { Approval } from '../policy/gate.ts';
import { spanText } from '../holds/findings.ts';
import type { Planned, RevisionDetails } from './planning/planned.ts';

/** How it will reach the branch: not by a push. */
export interface PlannedPublish {
  readonly via: Exclude<Way, 'push'>;
  /** `manual`: a person merges it; also where a merge queue does. */
  readonly merge: 'auto' | 'manual';
  /** null: not known yet. */
  readonly method: MergeMethod | null;
  readonly labels: readonly string[];
}

/**
 * What a rollback would change. Plain JSON: `JSON.parse(JSON.stringify(plan))` is equal to it. Values of secrets are masked, and no
 * bytes of files are in it. `backtrail plan -o json` prints exactly this.
 */
export interface RollbackPlan {
  readonly mode: Scope['mode'];
  /** `acme/production/api-gateway` */
  readonly scope: string;
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  /** `path#selector` from the root of the repository, sorted; in mode `field`. */
  readonly fields?: readonly string[];
  /** Paths that are restored as a whole in place of the parts selected in them. */
  readonly wholeFiles?: readonly string[];
  /** Environments that own what changes, where there are several: the rules of each apply. */
  readonly owners?: readonly string[];
  readonly branch: string;
  /** Where it would be published. */
  readonly destination?: Destination;
  /** It will be proposed; absent where it is pushed. */
  readonly publish?: PlannedPublish;
  /** The commit of the branch that it was planned on. */
  readonly base: ObjectId;
  /** The commit to roll back to. */
  readonly target: ObjectId;
  /** vN of the scope; null where the commit is older than its first revision. */
  readonly targetVersion: number | null;
  readonly current: ObjectId;
  readonly currentVersion: number | null;
  /** `sha256:` and 64 hexadecimal digits: what a confirmation is bound to. It does not include the base. */
  readonly digest: string;
  /** Nothing would change. */
  readonly unchanged: boolean;
  readonly changes: readonly ServiceDifference[];
  readonly manifests: readonly FileDifference[];
  readonly kept: readonly KeptPath[];
  readonly impact: Impact;
  /** With one of severity `block` it cannot be executed. */
  readonly findings: readonly Finding[];
  /** Codes of checks that would block it, and that are overridden; recorded in the commit. Absent where there are none. */
  readonly overrides?: readonly CheckCode[];
  /** The hold that it places: how long (null: until it is resumed), what is held, and what adapters take away for it. */
  readonly hold?: {
    readonly for: string | null;
    readonly fields: readonly HeldField[];
    readonly taken: readonly { readonly adapter: string; readonly path: string; readonly selector: string }[];
  };
  /** Files of holds that it replaces, in whole or for the fields that it restores. */
  readonly replacesHolds?: readonly string[];
  /** It is a resume: the files of the holds that it lifts. */
  readonly resumes?: readonly string[];
  /** Whose approval it needs; absent where none is needed. */
  readonly approval?: Approval;
  /** Date, author and message of the current revision and of the target; with `revisions: true` only. */
  readonly revisions?: { readonly target?: RevisionDetails; readonly current?: RevisionDetails };
}

/** `revisions`: with those. */
export function planValue(
  { plan, delivery, destination, revisions }: Planned,
  how: { readonly revisions?: boolean } = {},
): RollbackPlan {
  const { scope, branch, base, target, current, digest, files, changes, kept, impact, findings } = plan;
  const { holds, resumes } = plan;
  const placed = holds?.placed;
  return {
    mode: scope.mode,
    scope: formatCoordinates(scope),
    ...(scope.tenant !== undefined && { tenant: scope.tenant }),
    environment: scope.environment,
    ...(scope.service !== undefined && { service: scope.service }),
    ...(scope.fields && { fields: scope.fields }),
    ...(scope.wholeFile && { wholeFiles: plan.wholeFiles }),
    ...(plan.owners.length > 1 && { owners: plan.owners.map(formatCoordinates) }),
    branch,
    ...(destination && { destination }),
    base,
    target: target.commit,
    targetVersion: target.version,
    current: current.commit,
    currentVersion: current.version,
    digest,
    unchanged: files.length === 0,
    changes,
    manifests: delivery.differences,
    kept,
    impact,
    findings: inOrder(findings),
    ...(plan.overrides.length > 0 && { overrides: plan.overrides }),
    ...(placed && {
      hold: {
        for: placed.seconds === null ? null : spanText(placed.seconds),
        fields: placed.fields,
        taken: placed.taken.map(({ adapter, path, selector }) => ({ adapter, path, selector })),
      },
    }),
    ...(resumes === undefined && holds && holds.replaced.length > 0 && { replacesHolds: holds.replaced }),
    ...(resumes && { resumes }),
    ...(how.revisions === true && revisions && { revisions }),
  };
}
