/**
 * The checks of a plan, one list: code, default severity, whether a person may override a block of it, what it sees and what to do next.
 * Only these can be configured (`checks`); what is not in this list, such as PATH_COLLISION, cannot be done at all.
 */

export type Severity = 'block' | 'warn' | 'info';

export interface CheckRule {
  readonly severity: Severity;
  /** `--override CODE` lets a plan go ahead that it blocks. */
  readonly overridable: boolean;
  readonly sees: string;
  /** The hint of its findings, where they have no better one. */
  readonly next: string;
}

export const CHECKS = {
  TARGET_INELIGIBLE: {
    severity: 'block',
    overridable: true,
    sees: 'Deployment records say that the target failed, never succeeded, was only proposed, or was decommissioned.',
    next: 'Choose a revision that `backtrail history SCOPE` shows as eligible.',
  },
  FIXED_FIELD: {
    severity: 'block',
    overridable: true,
    sees: 'A field of `checks.fixed` differs between now and the target: the target is another kind of thing.',
    next: 'Choose a revision since that change, or restore single fields with --field.',
  },
  IMMUTABLE_FIELD: {
    severity: 'block',
    overridable: true,
    sees: 'Manifests would change what Kubernetes refuses to change in place.',
    next: 'Choose a revision since that change; or delete and create the object yourself, and override this.',
  },
  DESTRUCTIVE: {
    severity: 'block',
    overridable: true,
    sees: 'A CustomResourceDefinition, Namespace, PersistentVolume, PersistentVolumeClaim or StatefulSet would go away, and its data with it.',
    next: 'Choose a revision that has it, restore single fields with --field, or keep its file (`keep`).',
  },
  MIGRATION_CROSSED: {
    severity: 'warn',
    overridable: true,
    sees: 'Paths of `checks.migrations` changed, or commits of the scope say `Migration:`, since the target; one that is a fence blocks.',
    next: 'A rollback does not undo a migration: make sure that the old version runs on the present data.',
  },
  RAW_SECRET: {
    severity: 'block',
    overridable: true,
    sees: 'The target holds a secret as plain text that is not there now.',
    next: 'Choose a revision since it was replaced, restore single fields with --field, or add the place to `keep`.',
  },
  DANGLING_REFERENCE: {
    severity: 'warn',
    overridable: true,
    sees: 'What would be restored names a Secret, ConfigMap, base or component that is not in the tree.',
    next: 'Restore it as well, or make sure that it exists in the cluster.',
  },
  SHARED_FILE: {
    severity: 'info',
    overridable: true,
    sees: 'What would change is part of a file that other services have parts of.',
    next: 'Nothing: only the selected parts of it change.',
  },
  SHARED_CHANGED: {
    severity: 'warn',
    overridable: true,
    sees: 'Files of `layout.shared` changed since the target, and are not rolled back.',
    next: 'Inspect them with `git show`; restore what the target needs of them by hand.',
  },
  IMAGE_MISSING: {
    severity: 'block',
    overridable: true,
    sees: 'A registry that BACKTRAIL_REGISTRIES lists has not an image that the target brings back.',
    next: 'Choose a revision whose images exist, or push the image again: `backtrail history SCOPE` shows their tags.',
  },
  IMAGE_MUTABLE: {
    severity: 'warn',
    overridable: true,
    sees: 'An image that the target brings back has a tag and no digest: the tag may name another image by now.',
    next: 'Compare the digest that runs with that of the tag; pin images by digest to be sure.',
  },
  IMAGE_UNCHECKED: {
    severity: 'info',
    overridable: true,
    sees: 'Whether an image exists could not be found out: the registry is not listed, not reachable, or wants other credentials.',
    next: 'List the registry in BACKTRAIL_REGISTRIES, and log in to it with `docker login`.',
  },
  WINDOW_CLOSED: {
    severity: 'block',
    overridable: true,
    sees: 'A freeze window (`policy.windows`) of an environment that the rollback changes covers now; info where rollbacks are exempt.',
    next: 'Wait for the end, or go ahead with --override WINDOW_CLOSED and the reason, which are recorded.',
  },
  MODE_FORBIDDEN: {
    severity: 'block',
    overridable: false,
    sees: '`features` switches off rollbacks of this mode in an environment that the rollback changes.',
    next: 'Whoever may change .backtrail/config.yaml on the branch can switch the feature on.',
  },
  RECURRING: {
    severity: 'info',
    overridable: true,
    sees: 'The scope went back to this revision several times lately (`checks.recurring`).',
    next: 'What brings the newer state back? `backtrail log --recurring` lists such scopes.',
  },
  IN_FLIGHT: {
    severity: 'warn',
    overridable: true,
    sees: 'Another open request overlaps, or others committed in the scope since the plan of a request.',
    next: 'Talk to those who asked for it: `backtrail request list` shows all of them.',
  },
  PUSH_DENIED: {
    severity: 'block',
    overridable: false,
    sees: 'The remote does not let this identity push. Asked by a dry run before a rollback that is executed here; info where a worker executes it.',
    next: 'Use credentials that may write (a deploy key with write access, a token with that right).',
  },
} as const satisfies Record<string, CheckRule>;

export type CheckCode = keyof typeof CHECKS;

export const isCheckCode = (code: string): code is CheckCode => Object.hasOwn(CHECKS, code);

export const CHECK_CODES: readonly CheckCode[] = Object.keys(CHECKS).filter(isCheckCode);

/** How severe a finding of a check is by the configuration; `off`: it does not count. */
type CheckSeverity = Severity | 'off';

/** `checks` of the configuration. */
export interface ChecksConfig {
  readonly severity: Readonly<Partial<Record<CheckCode, CheckSeverity>>>;
  /** `[glob]#selector`; the last step may be `{a,b}`: which of these keys there is. */
  readonly fixed: readonly string[];
  readonly migrations: readonly MigrationPath[];
  readonly recurring: RecurringLimit;
}

/** This many rollbacks of a scope to one revision, within this many days, are worth a word. */
interface RecurringLimit {
  readonly times: number;
  readonly days: number;
}

interface MigrationPath {
  /** A path pattern, as in the layout. */
  readonly path: string;
  /** A rollback to before it is blocked. */
  readonly fence: boolean;
}
