import { formatCoordinates, type RollbackRequest, type RollbackResult } from '../model/index.ts';

/** The result or the current state of a request. `outcome`: its parts that are not empty. */
export function resultOf(
  {
    id,
    scope,
    base,
    target,
    digest,
  }: Pick<RollbackRequest, 'id' | 'scope' | 'target' | 'digest'> & {
    readonly base: RollbackResult['base'];
  },
  status: RollbackResult['status'],
  outcome: Partial<
    Pick<RollbackResult, 'commit' | 'deliveryCommit' | 'findings' | 'proposed' | 'pullRequest'>
  > = {},
): RollbackResult {
  return {
    requestId: id,
    status,
    mode: scope.mode,
    scope: formatCoordinates(scope),
    base,
    target,
    commit: outcome.commit ?? null,
    deliveryCommit: outcome.deliveryCommit ?? null,
    digest,
    findings: outcome.findings ?? [],
    ...(outcome.proposed && { proposed: outcome.proposed }),
    ...(outcome.pullRequest && { pullRequest: outcome.pullRequest }),
  };
}
