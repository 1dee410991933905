/** Requests as a list shows them. */
import { formatCoordinates, type RequestStatus } from '../../model/index.ts';
import { hasPermission } from '../../policy/policy.ts';
import { readRules, type RequestContext } from '../context.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';
import type { Requests, RequestView } from '../types.ts';
import { placeOf, viewsOf } from '../view.ts';

export async function list(
  context: RequestContext,
  { scope, statuses, incident, reader, limit = Infinity, after }: Parameters<Requests['list']>[0],
): Promise<RequestView[]> {
  const rules = await readRules(context);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache, { indexed: true });
  const isWanted = (status: RequestStatus) => statuses === undefined || statuses.includes(status);
  const found: RequestView[] = [];
  for (let last = after; found.length < limit; ) {
    const missing = limit - found.length;
    const page = { ...(limit < Infinity && { limit: missing }), ...(last !== undefined && { after: last }) };
    const files = await ledgerSnapshot.find((known) => {
      const name = formatCoordinates(known.scope);
      return (
        // One that nobody decided on in time is pending until a reconciler writes that it expired.
        (isWanted(known.status) || (known.status === 'pending' && isWanted('expired'))) &&
        (incident === undefined || known.incident === incident) &&
        (scope === undefined || name === scope || name.startsWith(`${scope}/`)) &&
        hasPermission(rules.policy, reader, 'read', placeOf(known))
      );
    }, page);
    const views = await viewsOf(context, { ledgerSnapshot, rules, files });
    found.push(...views.filter(({ status }) => isWanted(status)));
    if (files.length < missing) break;
    last = files.at(-1)?.state.id;
  }
  return found;
}
