import type { Coordinates } from './scope.ts';

/** Who may do what, and who must approve a rollback before it is executed: `policy` in the configuration at the branch tip. */
export interface Policy {
  /** The first entry that matches an environment applies; without a match no approval is needed. */
  readonly environments: readonly EnvironmentPolicy[];
  /** Emails, by group name. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** If there is any grant, whatever is not granted is denied. */
  readonly permissions: readonly Grant[];
}

export interface EnvironmentPolicy {
  // `*` matches any name: acme/production, */production; `**` matches every environment. Without tenant if the layout has none.
  readonly match: string;
  /** Number of approvals needed. */
  readonly quorum: number;
  /** Whether the author's own approval counts. */
  readonly selfApproval: boolean;
  /** Who may approve; null: everybody with the permission `deploy`. */
  readonly approvers: People | null;
  /** Number of rejections that end a request. */
  readonly rejections: number;
  /** Milliseconds until a pending request expires. */
  readonly expiryMs: number;
  /** Whether approvals count that are not signed by a trusted key. */
  readonly unsignedApprovals: boolean;
  /** Whether a request may be executed that its author did not sign with a trusted key. */
  readonly unsignedRequests: boolean;
  /** What an approval is bound to: the plan digest alone, or (`rendered`) also the digest of the manifests. */
  readonly bind: 'digest' | 'rendered';
  /** null: break-glass is not allowed. */
  readonly breakGlass: { readonly longestMs: number } | null;
}

/** Emails and group names. */
export interface People {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** `deploy`: approve, reject, execute, and `record`: say what was deployed. `admin` includes all others; each includes `read`. */
export const PERMISSIONS = ['read', 'propose', 'record', 'deploy', 'break-glass', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

export interface Grant extends People {
  readonly allow: readonly Permission[];
  /** Environments, as in `EnvironmentPolicy.match`. */
  readonly in: readonly string[];
}

export type EnvironmentName = Pick<Coordinates, 'tenant' | 'environment'>;
