import type { ArrivedChange, LedgerRequest } from '../../model/index.ts';
import type { RequestContext } from '../context.ts';

/** What the branch bears out of a request that the ledger says a pull request brought; null for any other, for which nothing is read. */
export async function arrivedOf(
  { observe }: Pick<RequestContext, 'observe'>,
  { id, result }: Pick<LedgerRequest, 'id' | 'result'>,
): Promise<ArrivedChange | null> {
  if (result?.status !== 'completed' || result.arrived === undefined) return null;
  const { arrivals, base } = await observe();
  return (await arrivals?.on(base))?.of.get(id) ?? null;
}
