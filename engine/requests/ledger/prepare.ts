/** Events that are written and signed, and moved by whoever publishes them together with a branch. */
import { BacktrailError, type NewEvents, type PreparedEvents } from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { foldRequest } from '../../record/transitions.ts';
import { type LedgerSnapshot, openLedgerSnapshot, snapshotAt } from './snapshot.ts';
import { type RequestContext, type Rules, requireOwnConfig } from '../context.ts';
import { type Entry, type Groups, grouped, notBeforeTip } from './entries.ts';
import type { Decide } from './append.ts';
import { newEvents } from './new-events.ts';

/**
 * What `decide` gives on the ledger as it is `known`, or else is now, written and signed, and not moved: for whoever moves the ledger together with a branch
 * (`publish({ …, also: [prepared.move] })`) and ends it with `ledger.finish`. Where the ledger was elsewhere, it is prepared again. null where
 * there is nothing to write.
 */
export async function prepareEvents(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  decide: Decide,
  { known = null, requestId }: { readonly known?: LedgerSnapshot | null } & Pick<NewEvents, 'requestId'> = {},
): Promise<PreparedEvents | null> {
  requireOwnConfig(context);
  const ledgerSnapshot = known ?? (await openLedgerSnapshot(context.git, rules.ref, context.cache));
  const groups = await groupsOf(context, ledgerSnapshot, decide);
  return groups.length === 0
    ? null
    : context.git.ledger.prepare({
        ...(await newEvents(context, rules, ledgerSnapshot, groups)),
        requestId,
      });
}

/** Events that are prepared step by step: what comes between them can name what was written already. */
export interface EventSteps {
  /** The ledger with them, which nobody else sees yet; of one whose events are not signed, what it says of requests and sessions alone. */
  add(entries: readonly Entry[]): Promise<LedgerSnapshot>;
  /** All of them, as one move. */
  end(): Promise<PreparedEvents>;
  /** Gives up what was not prepared to its end. */
  drop(): Promise<void>;
}

export async function prepareInSteps(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  known: LedgerSnapshot,
): Promise<EventSteps> {
  requireOwnConfig(context);
  return (await context.git.ledger.signs())
    ? signedSteps(context, rules, known)
    : unsignedSteps(context, rules, known);
}

/** One process of git for all of them. */
function unsignedSteps(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  known: LedgerSnapshot,
): EventSteps {
  const { git, committer } = context;
  const chain = git.ledger.begin({ ref: rules.ref, parent: known.tip, committer });
  let after = known;
  return {
    async add(entries) {
      const before = after;
      const groups = grouped(await notBeforeTip(context, known, entries));
      const { events } = await newEvents(context, rules, before, groups);
      let tip = before.tip;
      for (const event of events) tip = await chain.add(event);
      const files = new Map<string, RequestFile>();
      for (const { kind, id, event } of groups.flat()) {
        if (kind !== 'request') continue;
        const past = files.get(id) ?? (await before.request(id));
        const all = [...(past?.events ?? []), event];
        files.set(id, { state: foldRequest(all), events: all });
      }
      after = { ...before, tip, request: async (id) => files.get(id) ?? before.request(id) };
      return after;
    },
    end: () => chain.end(),
    drop: () => chain.drop(),
  };
}

/** A signature needs what it signs: each step is written by itself. */
function signedSteps(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  known: LedgerSnapshot,
): EventSteps {
  const { git, cache } = context;
  let after = known;
  let all: PreparedEvents | null = null;
  return {
    async add(entries) {
      const made = await prepareEvents(context, rules, () => Promise.resolve(entries), { known: after });
      if (made === null) return after;
      const move = { ...made.move, expected: known.tip };
      const [commits, staged] = [all?.commits ?? [], all?.staged ?? []];
      all = { commits: [...commits, ...made.commits], move, staged: [...staged, ...made.staged] };
      return (after = await snapshotAt({ git, ref: rules.ref, cache }, move.next));
    },
    end() {
      const made = all;
      all = null;
      if (made === null) throw new BacktrailError('INTERNAL', 'There is no event to prepare.');
      return Promise.resolve(made);
    },
    async drop() {
      if (all !== null) await git.ledger.finish(all, 'discarded');
      all = null;
    },
  };
}

const groupsOf = async (
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  decide: Decide,
): Promise<Groups> => grouped(await notBeforeTip(context, ledgerSnapshot, await decide(ledgerSnapshot)));
