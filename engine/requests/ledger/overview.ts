/** How the ledger stands: what waits, for how long, and what ended. Counts alone: it asks nobody for permission, and names nobody. */
import type { LedgerRequest, RequestEvent } from '../../model/index.ts';
import { applyEvent, isOpen, isProposed, isWaiting } from '../../record/transitions.ts';
import { readRules, type RequestContext, timeOf } from '../context.ts';
import type { EndedRollback, LedgerOverview, Requests } from '../types.ts';
import type { LedgerCommit } from './commits.ts';
import { commitsFrom, newest, parsePosition } from './events.ts';
import { type LedgerSnapshot, openLedgerSnapshot, REQUESTS, textOf } from './snapshot.ts';

export async function overview(
  context: RequestContext,
  { after }: NonNullable<Parameters<Requests['overview']>[0]> = {},
): Promise<LedgerOverview> {
  const { ref } = await readRules(context);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache, { indexed: true });
  const open = await ledgerSnapshot.find(({ status }) => isOpen(status));
  const states = open.map(({ state }) => state);
  const waiting = open.filter(({ state }) => isWaiting(state.status) && !isProposed(state));
  const since = waiting.flatMap(({ events }) => proceededAt(events) ?? []);
  return {
    pending: states.filter(({ status }) => status === 'pending').length,
    waiting: waiting.length,
    proposed: states.filter(isProposed).length,
    waitingSince: since.length === 0 ? null : timeOf(Math.min(...since)),
    position: await newest(context, ledgerSnapshot),
    ended: after === undefined ? [] : await endedAfter(context, ledgerSnapshot, after),
  };
}

/** Milliseconds since 1970: when the last event was written that let it go ahead. */
function proceededAt(events: readonly RequestEvent[]): number | null {
  let state: LedgerRequest | null = null;
  let since: number | null = null;
  for (const event of events) {
    const before: LedgerRequest | null = state;
    state = applyEvent(before, event);
    if (!isWaiting(state.status)) continue;
    if (before === null || !isWaiting(before.status)) since = Date.parse(event.at);
  }
  return since;
}

async function endedAfter(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  after: string,
): Promise<readonly EndedRollback[]> {
  const [commits, skip] = await commitsFrom(ledgerSnapshot, parsePosition(after));
  const ended: EndedRollback[] = [];
  for (const commit of skip > 0 ? commits.slice(1) : commits)
    for (const file of commit.files) {
      const one = await endedIn(context, commit, file);
      if (one !== null) ended.push(one);
    }
  return ended;
}

/** What the last event of a file ended; null where that is something else, or cannot be read. */
async function endedIn(
  context: RequestContext,
  commit: LedgerCommit,
  { path, blob }: LedgerCommit['files'][number],
): Promise<EndedRollback | null> {
  if (blob === null || !path.startsWith(`${REQUESTS.folder}/`)) return null;
  const read = async () => REQUESTS.parse(await textOf(context.git, path, blob), path);
  const file = await read().catch(() => null);
  const event = file?.events.at(-1);
  if (file === null || (event?.type !== 'completed' && event?.type !== 'failed')) return null;
  const since = proceededAt(file.events);
  return {
    commit: commit.id,
    mode: file.state.scope.mode,
    outcome: event.type === 'failed' ? 'failed' : event.outcome,
    seconds: since === null ? null : Math.max(0, Date.parse(event.at) - since) / 1000,
  };
}
