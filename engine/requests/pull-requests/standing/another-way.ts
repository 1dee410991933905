/** The configuration has changed how rollbacks are published, while one waits to be merged. */
import {
  BacktrailError,
  type LedgerRequest,
  type PublishRule,
  type RequestEvent,
} from '../../../model/index.ts';
import type { RequestFile } from '../../../record/ledger-file.ts';
import { isProposed } from '../../../record/transitions.ts';
import { stamp } from '../../context.ts';
import { append } from '../../ledger/append.ts';
import { onRequest } from '../../ledger/entries.ts';
import { requireRequest } from '../../ledger/require-request.ts';
import type { Following } from '../looking.ts';
import { wayOf } from '../way.ts';

/** The way of each; null where all of them still go the way in which they were proposed. */
export async function otherWays(
  { context, rules }: Pick<Following, 'context' | 'rules'>,
  group: readonly RequestFile[],
): Promise<readonly PublishRule[] | null> {
  const ways = await Promise.all(group.map(({ state }) => wayOf(context, rules, state)));
  return ways.every(({ via }, at) => via === group[at]?.state.proposed?.via) ? null : ways;
}

/** What is closed already is a worker's to push, with the approvals that it has. */
export async function handToPush(
  { context, rules }: Pick<Following, 'context' | 'rules'>,
  states: readonly LedgerRequest[],
): Promise<void> {
  if (states.length === 0) return;
  await append(context, rules, async (ledgerSnapshot) => {
    const entries = [];
    for (const known of states) {
      const { state } = await requireRequest(ledgerSnapshot, known.id);
      if (!isProposed(state) || state.proposed?.commit !== known.proposed?.commit) continue;
      const { code, message } = pushedInstead();
      const at = () => stamp(context, context.committer);
      const events: RequestEvent[] = [
        { ...at(), type: 'failed', code, message },
        { ...at(), type: 'retried' },
      ];
      entries.push(...events.map((event) => onRequest(known.id, event)));
    }
    return entries;
  });
}

export const pushedInstead = () =>
  new BacktrailError(
    'PULL_REQUEST_CLOSED',
    'The configuration lets rollbacks be pushed by now: what was proposed is closed, and a worker pushes it.',
  );
