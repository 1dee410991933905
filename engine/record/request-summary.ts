import { formatCoordinates, type RequestProposal } from '../model/index.ts';

/** The message of a request, on one line: `Rollback to revision v3 (3f2c9ab) of acme/production/api-gateway`, or what it resumes. */
export function requestSummary({
  scope,
  target,
  targetVersion,
  resume,
}: Pick<RequestProposal, 'scope' | 'target' | 'targetVersion' | 'resume'>): string {
  if (resume) return `Resume automation of ${formatCoordinates(scope)}`;
  const version = targetVersion === null ? '' : `v${targetVersion} `;
  return `Rollback to revision ${version}(${target.slice(0, 7)}) of ${formatCoordinates(scope)}`;
}
