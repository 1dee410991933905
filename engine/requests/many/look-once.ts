/** One look at the branch and one at the ledger, for all that is asked at the same time. */
import {
  isFailure,
  type BacktrailError,
  type ObjectId,
  type Person,
  type RequestId,
} from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { isOpen } from '../../record/transitions.ts';
import { ownersOf } from '../gate/owners.ts';
import { requirePermission } from '../gate/permissions.ts';
import { type RequestContext, type Rules, rulesOf } from '../context.ts';
import { readSignaturesOf } from '../ledger/proof.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';
import { publishedAfter } from '../restored.ts';
import type { RequestView } from '../types.ts';
import { placeOf, viewOf } from '../view.ts';

export interface Look {
  /** Sees the branch and the ledger as they were then, and fetches nothing. */
  readonly context: RequestContext;
  readonly rules: Rules;
  /** By request the commit of the branch that says that it executes it. */
  readonly published: ReadonlyMap<RequestId, ObjectId>;
}

/** Scopes that are looked up one by one. */
const FEW = 10;

/** For so many rollbacks, of requests made on these bases; null: anywhere on the line. */
export async function lookOnce(
  context: RequestContext,
  snapshot: Snapshot,
  { bases, count }: { readonly bases: readonly (ObjectId | null)[]; readonly count: number },
): Promise<Look> {
  const { git } = context;
  const rules = await rulesOf(context, snapshot);
  const { tip } = await openLedgerSnapshot(git, rules.ref, context.cache);
  const published = await publishedAfter(git, snapshot.base, bases);
  await expectHistory(onBranch(context, snapshot), count);
  const looked: RequestContext = {
    ...onBranch(context, snapshot),
    git: {
      ...git,
      refresh: () => Promise.resolve(),
      findRequest: ({ requestId }) => Promise.resolve(published.get(requestId) ?? null),
      ledger: { ...git.ledger, tip: () => Promise.resolve(tip) },
    },
  };
  return { context: looked, rules, published };
}

/** The history of so many scopes is about to be read: of many, with one walk over the line. */
export async function expectHistory(
  { observe }: Pick<RequestContext, 'observe'>,
  count: number,
): Promise<void> {
  const { history, base } = await observe();
  if (count > FEW) await history.expectMany?.(base);
}

/**
 * Those of the requests that the ledger knows, as people see them, or why they cannot be shown: PERMISSION_DENIED where `reader` may not read
 * one, and what is wrong with the record of one alone.
 */
export async function knownRequests(
  { context, rules }: Look,
  ids: readonly RequestId[],
  reader: Person,
): Promise<ReadonlyMap<RequestId, RequestView | BacktrailError>> {
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const found = new Map<RequestId, RequestView | BacktrailError>();
  const read = async (id: RequestId) => {
    const file = await ledgerSnapshot.request(id);
    if (file === null) return null;
    requirePermission(rules.policy, reader, 'read', placeOf(file.state));
    return file;
  };
  const files = [];
  for (const id of new Set(ids))
    try {
      const file = await read(id);
      if (file !== null) files.push(file);
    } catch (error) {
      if (!isFailure(error)) throw error;
      found.set(id, error);
    }
  await readSignaturesOf(context, ledgerSnapshot, files).catch(() => undefined);
  for (const file of files)
    try {
      const { state } = file;
      const owners = isOpen(state.status) ? await ownersOf(context, state).catch(() => undefined) : undefined;
      found.set(state.id, await viewOf(context, { ledgerSnapshot, rules, file }, owners));
    } catch (error) {
      if (!isFailure(error)) throw error;
      found.set(file.state.id, error);
    }
  return found;
}

/** The same branch for all that is asked, however long it takes; the ledger as it is when it is asked. */
export async function pinned(context: RequestContext): Promise<RequestContext> {
  return onBranch(context, await context.observe());
}

const onBranch = (context: RequestContext, snapshot: Snapshot): RequestContext => ({
  ...context,
  observe: () => Promise.resolve(snapshot),
});

/** Plans at the same time, as each may run programs. */
const AT_ONCE = 4;

/** What becomes of each, in their order; each fails alone. */
export async function settleAll<Ask, Value>(
  asks: readonly Ask[],
  work: (ask: Ask) => Promise<Value>,
): Promise<PromiseSettledResult<Value>[]> {
  const settled: PromiseSettledResult<Value>[] = [];
  for (let at = 0; at < asks.length; at += AT_ONCE)
    settled.push(...(await Promise.allSettled(asks.slice(at, at + AT_ONCE).map(async (ask) => work(ask)))));
  return settled;
}
