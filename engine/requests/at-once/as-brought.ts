import type { GitRepository } from '../../git/open.ts';

const known = new WeakMap<GitRepository, GitRepository>();

/**
 * The repository with the ledger as its last refresh brought it, where that was for the same work: nothing is fetched for it. What is decided so holds
 * where a push expects that very ledger, and otherwise as much as what is decided on the branch of that refresh.
 */
export function asBrought(git: GitRepository): GitRepository {
  const before = known.get(git);
  if (before !== undefined) return before;
  const { ledger } = git;
  const brought = {
    ...git,
    ledger: { ...ledger, tip: (ref: string) => ledger.tip(ref, { refreshed: true }) },
  };
  known.set(git, brought);
  return brought;
}
