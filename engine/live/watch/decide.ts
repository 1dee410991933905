/** What becomes of a revision that failed: a rollback by itself, or the reason why not. */
import { isFailure } from '../../model/index.ts';
import { type Refusal, refusedByFacts, refusedByItself } from './auto.ts';
import type { AutoPorts, StatusWish } from './ports.ts';
import type { Memory, Watched } from './types.ts';

/** With which its failure is recorded. */
export type Decision = Pick<StatusWish, 'note' | 'automatic'>;

/** `granted`: of the same environment in this look, which the ledger does not know yet. @throws what the ledger or the branch cannot be read for: it is decided later then */
export async function decide(
  auto: AutoPorts,
  watched: Watched,
  memory: Memory,
  { seen, granted }: { readonly seen: string; readonly granted: number },
): Promise<Decision> {
  const early = refusedByItself(watched, memory);
  if (early !== null || watched.auto === null) return refusedWith(early ?? NO_RULE, seen);
  const found = await auto.facts(watched);
  const facts = { ...found, used: found.used + granted };
  const refusal = refusedByFacts({ rule: watched.auto, record: watched.record }, memory, facts);
  if (refusal !== null) return refusedWith(refusal, seen);
  const flight = await auto.preflight(watched);
  if (flight.refusal !== null) return refusedWith(flight.refusal, seen);
  const waits = flight.needsApproval ? ', which waits for approval' : '';
  return {
    note: `${seen} A rollback is asked for by itself${waits}: ${flight.id}.`,
    automatic: { request: flight.id, refused: flight.needsApproval ? 'APPROVAL_NEEDED' : null },
  };
}

const NO_RULE: Refusal = { code: 'AUTO_WINDOW', message: 'No entry of `auto` matches.' };

const refusedWith = ({ code, message }: Refusal, seen: string): Decision => ({
  note: `${seen} It is not rolled back by itself: ${message}`,
  automatic: { request: null, refused: code },
});

/** How long after its failure a request is still owed, where it could not be opened then. Milliseconds. */
const OWED_MS = 30 * 60_000;

/** The record names a request that may not have been opened: this process, or another one, was kept from it. */
export function isOwed({ record }: Watched, { state, done }: Memory, now: number): boolean {
  return (
    state === 'degraded' &&
    record?.status === 'failed' &&
    typeof record.automatic?.request === 'string' &&
    !done.has('rolled-back') &&
    now - Date.parse(record.updatedAt) <= OWED_MS
  );
}

/** What passes: it is tried again at the next look. */
const PASSING: ReadonlySet<string> = new Set([
  'BRANCH_MOVED',
  'PLAN_CHANGED',
  'REMOTE_UNAVAILABLE',
  'REMOTE_REJECTED',
  'REPOSITORY_LOCKED',
  'SCOPE_BUSY',
  'GIT_TIMEOUT',
  'GIT_FAILED',
]);

export const isPassing = (error: unknown): boolean => isFailure(error) && PASSING.has(error.code);
