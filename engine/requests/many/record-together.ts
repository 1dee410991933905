/** The record of what is published, to be moved by the same push. */
import { isFailure, type RequestId } from '../../model/index.ts';
import type { BatchInput } from '../../rollback/batch/round.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from '../ledger/snapshot.ts';
import { prepareCompleted, requireWanted } from '../outcome.ts';

/**
 * Written on the ledger as it was read last, so that nothing is fetched between the look at the branch and the push: the push says which ledger
 * it expects, and where that has moved the ledger is read `again`. Tells which requests have their record.
 */
export function recordTogether(
  { context, rules, ledgerSnapshot }: Pick<EligibilityInput, 'context' | 'rules' | 'ledgerSnapshot'>,
  written: Set<RequestId>,
  /** Something was pushed since the ledger was read. */
  { isOld = false }: { readonly isOld?: boolean } = {},
): BatchInput['record'] {
  let known: LedgerSnapshot | null = isOld ? null : ledgerSnapshot;
  return async (made, { again }) => {
    const prepared = await prepareCompleted(context, rules, made, again ? null : known);
    if (again) known = null;
    if (prepared === null) return null;
    const end = async (outcome: 'moved' | 'discarded') => {
      await context.git.ledger.finish(prepared, outcome);
      if (outcome === 'discarded') return;
      known = null;
      for (const { requestId } of made) written.add(requestId);
    };
    return { move: prepared.move, end };
  };
}

/** @throws Obstructed. What keeps the ledger from being read keeps nothing from being published. */
export function wantedBy({
  context,
  rules,
}: Pick<EligibilityInput, 'context' | 'rules'>): NonNullable<BatchInput['wanted']> {
  return async (ids, reading) => {
    try {
      const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache, reading);
      await requireWanted(
        ledgerSnapshot,
        ids.map((requestId) => ({ requestId })),
      );
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  };
}
