/** The deployments that rollbacks are which pull requests brought. */
import type { Finding, RequestId, RollbackResult } from '../../model/index.ts';
import { NOT_RECORDED } from '../../rollback/records.ts';
import type { RequestContext } from '../context.ts';

/**
 * Records them as a push of ours does, once: after their `completed` is written, in one commit, and again without harm. Resumes deploy nothing:
 * leave them out. Gives what was left out of the record of each. Never rejects.
 */
export async function recordDeployed(
  { recorder }: Pick<RequestContext, 'recorder'>,
  results: readonly RollbackResult[],
): Promise<ReadonlyMap<RequestId, readonly Finding[]>> {
  const recorded = results.length === 0 ? NOT_RECORDED : ((await recorder?.prepare(results)) ?? NOT_RECORDED);
  // The branch has moved already: there is nothing to ride along with.
  await recorded.ride?.end('discarded');
  await recorded.finish();
  return new Map(results.map(({ requestId }) => [requestId, recorded.findingsOf(requestId)]));
}
