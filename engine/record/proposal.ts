import { formatCoordinates, type Proposal } from '../model/index.ts';

/** What a request says in one line: `Rollback to revision v3 (3f2c9ab) of acme/production/api-gateway`. */
export function proposalMessage({
  scope,
  target,
  targetVersion,
}: Pick<Proposal, 'scope' | 'target' | 'targetVersion'>): string {
  const version = targetVersion === null ? '' : `v${targetVersion} `;
  return `Rollback to revision ${version}(${target.slice(0, 7)}) of ${formatCoordinates(scope)}`;
}
