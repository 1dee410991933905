import type { Person } from './git.ts';
import type { Authentication } from './ledger.ts';
import type { Coordinates } from './scope.ts';

/** Who may do what, and who must approve a rollback before it is executed: `policy` in the configuration at the branch tip. */
export interface Policy {
  /** The first entry that matches an environment applies; without a match no approval is needed. */
  readonly environments: readonly EnvironmentPolicy[];
  /** Emails, by group name. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** If there is any grant, whatever is not granted is denied. */
  readonly permissions: readonly Grant[];
  /** Emails of one person each; permissions, votes and whose request it is go by person. Absent: every email is a person. */
  readonly people?: readonly (readonly string[])[];
  /** Times at which changes are frozen; absent: none. */
  readonly windows?: readonly ChangeWindow[];
  /** What is switched on where an environment does not say otherwise; absent: all of it. */
  readonly features?: Partial<Features>;
}

/** What may be used at all. */
export interface Features {
  /** Rollbacks of any kind. */
  readonly rollback: boolean;
  /** Rollbacks of a whole environment (mode `full`). */
  readonly basicRollback: boolean;
  /** Modes other than `full` that may be used. */
  readonly selectiveRollback: readonly SelectiveMode[];
  /** Requests that wait for an approval. */
  readonly rollbackApproval: boolean;
}

export const SELECTIVE_MODES = ['service', 'field'] as const;
type SelectiveMode = (typeof SELECTIVE_MODES)[number];

/** A window that begins at each time of `cron` and lasts `durationMs`. */
export interface ChangeWindow {
  /** Environments, as in `EnvironmentPolicy.match`. */
  readonly match: string;
  /** `deny`: frozen within the window. `allow`: frozen outside of all windows of this kind. */
  readonly kind: 'deny' | 'allow';
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  readonly durationMs: number;
  /** IANA name. */
  readonly timezone: string;
  /** `exempt`: a rollback goes ahead, and its plan tells of the freeze; `bound`: it is blocked. */
  readonly rollbacks: 'exempt' | 'bound';
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
  /** Whether a request may be executed that its author did not sign with a trusted key; null: as `needsSignedRequest` says. */
  readonly unsignedRequests: boolean | null;
  /** Whose key vouches: `person`, only one that is listed for exactly that email. Absent: also that of a server, which signs for people. */
  readonly signedBy?: 'person';
  /** What an approval is bound to: the plan digest alone, or (`rendered`) also the digest of the manifests. */
  readonly bind: 'digest' | 'rendered';
  /** null: break-glass is not allowed. */
  readonly breakGlass: { readonly longestMs: number } | null;
  /** An automatic rollback needs no approval. */
  readonly automatic?: 'exempt';
  readonly features?: Partial<Features>;
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

/** A person as a server knows them. */
export interface Actor extends Person {
  /** What their credentials leave of what the person may do; absent: all of it. */
  readonly only?: Narrowing;
  /** Becomes part of what is recorded of their acts. */
  readonly authenticated?: Authentication;
}

interface Narrowing {
  /** Of a token: never more than this. Absent: all. */
  readonly scope?: { readonly allow: readonly Permission[]; readonly in: readonly string[] };
  /** Groups that an issuer names: in another one they do not count as a member. Absent: nothing is said of groups. */
  readonly groups?: readonly string[];
}

export type EnvironmentName = Pick<Coordinates, 'tenant' | 'environment'>;
