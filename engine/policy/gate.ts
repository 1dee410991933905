/** What stands between a plan and its execution, as values. */
import type { BreakGlassSession, FailureCode, FailureDetails, Person } from '../model/index.ts';

export interface Approval {
  readonly need: number;
  readonly have: number;
  /** Emails of those who can still approve, as far as the policy names people; empty where it names no one. */
  readonly approvers: readonly string[];
  /** Where what changes belongs to several environments that ask for approval: each of them. All have to be satisfied. */
  readonly rules?: readonly {
    readonly environment: string;
    readonly need: number;
    readonly have: number;
    readonly approvers: readonly string[];
  }[];
}

/** What stands between a plan and its execution. */
export interface Gate {
  /** Others have to agree. */
  readonly needsApproval: boolean;
  /** The environment has a policy: its rollbacks go through the ledger. */
  readonly ledgered: boolean;
  /** The session that lets it go ahead without. */
  readonly session: BreakGlassSession | null;
  /** It is automatic, and the policy exempts those from approval. Absent: no. */
  readonly isExempt?: true;
  readonly approval: Approval;
}

/** Whether a person may do something, or the failure that they would get. */
export type Permit =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly code: FailureCode;
      readonly message: string;
      readonly hint: string;
      readonly details?: FailureDetails;
    };

export interface PlanGate {
  /** Others have to agree before it is executed. */
  readonly needsApproval: boolean;
  /** Approvals needed; 0 where none is. */
  readonly quorum: number;
  /** Emails of those who can approve, as far as the policy names people; empty where it names no one. */
  readonly approvers: readonly string[];
  /** Where several environments ask for approval: each of them. All have to be satisfied. */
  readonly rules?: NonNullable<Approval['rules']>;
  /** It is recorded in the ledger, because the branch has a policy for it, or because that is asked for. */
  readonly ledgered: boolean;
  /** The break-glass session of this person that lets it go ahead without approval. */
  readonly session: BreakGlassSession | null;
  /** Digest of the manifests, where approvals bind to them as well: to be given to `request`. */
  readonly rendered: string | null;
  /** Who looks at it. */
  readonly person: Person;
  /** What they may do: ask for it, have it executed at once, approve it once it is asked for. */
  readonly may: { readonly request: Permit; readonly execute: Permit; readonly approve: Permit };
}
