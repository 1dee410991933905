import type { LedgerRequest, RequestStatus } from '../../model/index.ts';
import type { RequestContext, Rules } from '../context.ts';
import { knownOwners, rulesFor, stated } from './owners.ts';

/** At the latest when the policy says so now, whatever the request says. */
export function isExpired(context: RequestContext, rules: Rules, state: LedgerRequest): boolean {
  const says = state.expiresAt === null ? Infinity : Date.parse(state.expiresAt);
  const latest = stated(rulesFor(rules, state, knownOwners(context, state))).map(
    ({ rule }) => Date.parse(state.createdAt) + rule.expiryMs,
  );
  return Math.min(says, ...latest) <= context.clock.now();
}

/** What it is by now, whether or not a reconciler has written that it expired. */
export const statusNow = (context: RequestContext, rules: Rules, state: LedgerRequest): RequestStatus =>
  state.status === 'pending' && isExpired(context, rules, state) ? 'expired' : state.status;
