/** What Gitea asks for before it merges into a branch: docs.gitea.com, "Protected branches". */
import type { HostReview } from '../../model/index.ts';
import type { CheckState } from './context.ts';

export interface GiteaRules {
  readonly isProtected: boolean;
  readonly requiredApprovals: number;
  /** Patterns for the names of checks; null: no check is asked for. None of them: all have to pass. */
  readonly requiredChecks: readonly string[] | null;
  readonly mustBeUpToDate: boolean;
  readonly noRejections: boolean;
  readonly mayPush: boolean | null;
  /** It takes signed commits alone; null: not told. */
  readonly requiresSignatures: boolean | null;
  /** Administrators may merge past it; null: not told. */
  readonly adminsPass: boolean | null;
}

export interface GiteaReview extends HostReview {
  /** Of those whose reviews count, and for the present head. */
  readonly counts: boolean;
}

export interface Check {
  readonly name: string;
  readonly state: CheckState;
}

export const areChecksGreen = ({ requiredChecks }: GiteaRules, checks: readonly Check[]): boolean =>
  requiredChecks === null ||
  (requiredChecks.length === 0
    ? checks.every(({ state }) => state === 'passed')
    : requiredChecks.every((pattern) => {
        const named = checks.filter(({ name }) => matches(pattern, name));
        return named.length > 0 && named.every(({ state }) => state === 'passed');
      }));

/** Patterns that no check has answered to yet. */
export const unreported = ({ requiredChecks }: GiteaRules, checks: readonly Check[]): string[] =>
  (requiredChecks ?? []).filter((pattern) => !checks.some(({ name }) => matches(pattern, name)));

export function areReviewsMet(rules: GiteaRules, reviews: readonly GiteaReview[]): boolean {
  const counted = reviews.filter(({ counts }) => counts);
  const approvals = counted.filter(({ state }) => state === 'approved').length;
  const isRejected = counted.some(({ state }) => state === 'changes-requested');
  return approvals >= rules.requiredApprovals && !(rules.noRejections && isRejected);
}

/** `*` alone is a pattern here: what is written otherwise matches nothing, so that it is never taken for green. Greedy matching suffices; no backtracking. */
export function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split(/\*+/);
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
