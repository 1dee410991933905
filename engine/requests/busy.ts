/** While a worker executes a rollback of a scope, another one for it would be planned on what is about to change. */
import {
  BacktrailError,
  formatCoordinates,
  type LedgerRequest,
  type RequestEventType,
  type RequestId,
  type Scope,
} from '../model/index.ts';
import { isFor } from '../record/place.ts';
import { isProposed, isWaiting } from '../record/transitions.ts';
import type { RequestContext, Rules } from './context.ts';
import { type LedgerCache, type LedgerSnapshot, openLedgerSnapshot } from './ledger/snapshot.ts';

/**
 * For so long after it was approved, or opened where nobody has to approve it, a request is taken to be in a worker's hands. A worker that was
 * killed, or a queue that was flushed, holds its scope no longer than that.
 */
const EXECUTING_MS = 2 * 60_000;

interface Asked {
  readonly id: RequestId;
  readonly scope: Scope;
}

/** Of each engine, what it publishes in the push that opens it: the ledger says nothing of it yet. */
const publishing = new WeakMap<LedgerCache, Map<RequestId, Scope>>();

/** Until what it gives is called, others of this process are refused for the scope. @throws SCOPE_BUSY */
export function takeScope({ cache }: Pick<RequestContext, 'cache'>, asked: Asked): () => void {
  requireUntaken({ cache }, asked);
  const taken = publishing.get(cache) ?? new Map<RequestId, Scope>();
  publishing.set(cache, taken.set(asked.id, asked.scope));
  return () => void taken.delete(asked.id);
}

/** @throws SCOPE_BUSY */
export function requireUntaken({ cache }: Pick<RequestContext, 'cache'>, { id, scope }: Asked): void {
  for (const [other, taken] of publishing.get(cache) ?? [])
    if (other !== id && isSameScope(taken, scope)) throw busy({ id: other, scope });
}

/** Looks at the ledger only where there is one. @throws SCOPE_BUSY */
export async function requireIdle(context: RequestContext, rules: Rules, asked: Asked): Promise<void> {
  const { git, cache } = context;
  if ((await git.ledger.peek(rules.ref)) === null) return;
  await requireIdleIn({ context, rules }, await openLedgerSnapshot(git, rules.ref, cache), asked);
}

/** @throws SCOPE_BUSY */
export async function requireIdleIn(
  { context, rules }: { readonly context: RequestContext; readonly rules: Rules },
  ledgerSnapshot: LedgerSnapshot,
  { id, scope }: Asked,
): Promise<void> {
  const waiting = await ledgerSnapshot.find(
    (known) => isWaiting(known.status) && known.id !== id && isSameScope(known.scope, scope),
  );
  for (const { state, events } of waiting) {
    // One that waits to be merged gives way; one that is for another place is executed nowhere here.
    if (isProposed(state) || !isFor(rules.home, state.place)) continue;
    const since = events.findLast(({ type }) => BEGINS.has(type))?.at ?? state.createdAt;
    if (isFresh(context, since) && !(await isOnBranch(context, state))) throw busy(state);
  }
}

/** The same names, and the same fields. */
export function isSameScope(one: Scope, other: Scope): boolean {
  const key = ({ mode, tenant, environment, service, fields = [] }: Scope) =>
    JSON.stringify([mode, tenant, environment, service, fields]);
  return key(one) === key(other);
}

/** From when on a worker may take it. */
const BEGINS: ReadonlySet<RequestEventType> = new Set(['opened', 'approved', 'settled', 'retried']);

const isFresh = ({ clock }: RequestContext, since: string) =>
  Math.abs(clock.now() - Date.parse(since)) < EXECUTING_MS;

/** It is done, and only its record is not written yet. */
async function isOnBranch({ git, observe }: RequestContext, { id, base }: LedgerRequest): Promise<boolean> {
  const { base: tip } = await observe();
  return (await git.findRequest({ tip, base, requestId: id })) !== null;
}

function busy({ id, scope }: Asked): BacktrailError {
  return new BacktrailError(
    'SCOPE_BUSY',
    `A worker executes a rollback of ${formatCoordinates(scope)} already: ${id}.`,
    {
      hint: `\`backtrail request show ${id}\` shows how far it is; then ask again.`,
      details: { requestId: id },
    },
  );
}
