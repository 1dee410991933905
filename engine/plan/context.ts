import type { FileChange, Finding, Kept, RevisionRef, Scope } from '../model/index.ts';
import type { Content, ScopeQuery } from '../snapshot/content.ts';
import type { DigestItem } from './digest.ts';

export interface CheckContext {
  readonly query: ScopeQuery;
  readonly input: PlanInput;
  readonly base: Content;
  readonly target: Content;
  readonly files: readonly FileChange[];
  readonly kept: readonly Kept[];
}

export interface PlanInput {
  readonly scope: Scope;
  readonly target: RevisionRef;
  readonly current: RevisionRef;
  readonly allowRemoval: boolean;
  /** What resolving the request already found. */
  readonly findings: readonly Finding[];
}

/** What restoring one kind of selection gives: the two kinds add up to the plan. */
export interface Restored {
  readonly files: readonly FileChange[];
  readonly items: readonly DigestItem[];
  readonly kept: readonly Kept[];
  readonly findings: readonly Finding[];
}
