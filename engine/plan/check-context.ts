import type { FileChange, Finding, KeptPath, RevisionRef, Scope } from '../model/index.ts';
import type { ScopeContent, ScopeQuery } from '../snapshot/scope-content.ts';
import type { HoldWish } from '../holds/place.ts';
import type { DigestItem } from './digest.ts';

export interface CheckContext {
  readonly query: ScopeQuery;
  readonly input: PlanInput;
  readonly base: ScopeContent;
  readonly target: ScopeContent;
  readonly files: readonly FileChange[];
  readonly kept: readonly KeptPath[];
}

export interface PlanInput {
  readonly scope: Scope;
  readonly target: RevisionRef;
  readonly current: RevisionRef;
  readonly allowRemoval: boolean;
  /** Absent: none is placed. */
  readonly hold?: HoldWish;
  /** Findings of resolving the target. */
  readonly findings: readonly Finding[];
}

/** The result of restoring one kind of selection; the two kinds add up to the plan. */
export interface Restored {
  readonly files: readonly FileChange[];
  readonly items: readonly DigestItem[];
  readonly kept: readonly KeptPath[];
  readonly findings: readonly Finding[];
}
