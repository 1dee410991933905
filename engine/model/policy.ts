import type { Coordinates } from './scope.ts';

/** Who must agree before a rollback is carried out, and who may do what: the section `policy` of the configuration at the branch tip. */
export interface Policy {
  /** The first that matches an environment counts; one that none matches needs no approval. */
  readonly environments: readonly EnvironmentPolicy[];
  /** Emails by name of the group. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Where there is any, what none of them grants is denied. */
  readonly permissions: readonly Grant[];
}

export interface EnvironmentPolicy {
  // `*` stands for any name: acme/production, */production; `**` is every environment. Without tenant where the layout has none.
  readonly match: string;
  /** Approvals needed. */
  readonly quorum: number;
  /** Does the author's own approval count? */
  readonly selfApproval: boolean;
  /** Who may approve; null: whoever may `deploy`. */
  readonly approvers: People | null;
  /** Rejections that end a request. */
  readonly rejections: number;
  /** Milliseconds that a request may be pending. */
  readonly expiryMs: number;
  /** Do approvals count that no trusted key signed? */
  readonly unsignedApprovals: boolean;
  /** May a request be carried out whose author no trusted key vouches for? */
  readonly unsignedRequests: boolean;
  /** What an approval is bound to besides the digest: `rendered` the manifests as well. */
  readonly bind: 'digest' | 'rendered';
  /** null: the gate cannot be skipped. */
  readonly breakGlass: { readonly longestMs: number } | null;
}

/** Emails, and names of groups. */
export interface People {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** `deploy`: approve, reject, execute. `admin` holds all others, and each of them `read`. */
export const PERMISSIONS = ['read', 'propose', 'deploy', 'break-glass', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

export interface Grant extends People {
  readonly allow: readonly Permission[];
  /** Environments, as in `EnvironmentPolicy.match`. */
  readonly in: readonly string[];
}

export type EnvironmentName = Pick<Coordinates, 'tenant' | 'environment'>;
