/** Writes events: what may be written is decided on the ledger as it is, and decided again when another person was faster. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ObjectId, formatCoordinates, isFailure } from '../../model/index.ts';
import { type LedgerCache, type LedgerSnapshot, openLedgerSnapshot, snapshotAt } from './snapshot.ts';
import { type RequestContext, type Rules, requireOwnConfig } from '../context.ts';
import { type Entry, grouped, notBeforeTip } from './entries.ts';
import { newEvents, toEvents } from './new-events.ts';

const ATTEMPTS = 60;
const LONGEST_MS = 1500;

export interface Appended {
  readonly ledgerSnapshot: LedgerSnapshot;
  /** The commits of the entries, in their order; none where there was nothing to write. */
  readonly commits: readonly ObjectId[];
}

export type Decide = (ledgerSnapshot: LedgerSnapshot) => Promise<readonly Entry[]>;

/**
 * Appends what `decide` gives, all or none: several events of one actor in one commit, so that one signature is for all of them. Its rules hold
 * across hosts: each time another person was faster, the ledger is read again and `decide` asked again. BRANCH_MOVED after a minute of that.
 * Requests that are opened at the same moment share a commit and a push.
 */
export async function append(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  decide: Decide,
): Promise<Appended> {
  requireOwnConfig(context);
  const key = JSON.stringify([rules.ref, rules.signoff]);
  const lanes = LANES.get(context.cache) ?? new Map<string, Lane>();
  LANES.set(context.cache, lanes);
  const lane = lanes.get(key) ?? { waiting: [], isRunning: false };
  lanes.set(key, lane);
  return new Promise((resolve, reject) => {
    lane.waiting.push({ decide, resolve, reject });
    if (!lane.isRunning) void runLane(lane, context, rules);
  });
}

interface Waiting {
  readonly decide: Decide;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (reason: unknown) => void;
}

/** Of one ledger, in the order in which they came. */
interface Lane {
  waiting: Waiting[];
  isRunning: boolean;
}

/** By what remembers the ledger of an open repository. */
const LANES = new WeakMap<LedgerCache, Map<string, Lane>>();

async function runLane(
  lane: Lane,
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
): Promise<void> {
  lane.isRunning = true;
  try {
    while (lane.waiting.length > 0) {
      // Those that come at the same moment join.
      await nextTurn();
      const taken = lane.waiting;
      lane.waiting = [];
      // What could not join goes first next time.
      lane.waiting = [...(await appendWaiting(taken, context, rules)), ...lane.waiting];
    }
  } finally {
    lane.isRunning = false;
  }
}

/** Settles the first of them, and those that can share its commit; gives the others. Never rejects. */
async function appendWaiting(
  waiting: readonly Waiting[],
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
): Promise<readonly Waiting[]> {
  const { git, clock } = context;
  let open = waiting;
  for (let attempt = 1; open.length > 0; attempt += 1) {
    const joined: Joined = { members: [], left: [] };
    try {
      await git.ledger.inTurn(rules.ref, () => appendOnce(context, rules, open, joined));
      return joined.left;
    } catch (error) {
      const failed = joined.members.length === 0 ? open : joined.members.map(({ member }) => member);
      open = open.filter((each) => joined.left.includes(each) || failed.includes(each));
      if (isFailure(error) && error.code === 'BRANCH_MOVED' && attempt < ATTEMPTS)
        await clock.sleep(jittered(context, Math.min(10 * 2 ** attempt, LONGEST_MS)));
      else {
        for (const { reject } of failed) reject(error);
        return open.filter((each) => !failed.includes(each));
      }
    }
  }
  return [];
}

/** How the waiting ones of one append were divided. */
interface Joined {
  readonly members: { readonly member: Waiting; readonly entries: readonly Entry[] }[];
  readonly left: Waiting[];
}

async function appendOnce(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  waiting: readonly Waiting[],
  { members, left }: Joined,
): Promise<void> {
  const { git, cache } = context;
  const ledgerSnapshot = await openLedgerSnapshot(git, rules.ref, cache);
  const scopes = new Set<string>();
  for (const member of waiting) {
    const isFirst = members.length === 0;
    if (!isFirst && scopes.size === 0) left.push(member);
    else
      try {
        const entries = await member.decide(ledgerSnapshot);
        const scope = openedScope(entries);
        const isTaken = entries.some(({ id }) => members.some((one) => one.entries.some((e) => e.id === id)));
        if (entries.length === 0) member.resolve({ ledgerSnapshot, commits: [] });
        else if (isFirst || (scope !== null && !scopes.has(scope) && !isTaken)) {
          // What cannot be written is said of it alone.
          await toEvents(ledgerSnapshot, grouped(entries));
          members.push({ member, entries });
          if (scope !== null) scopes.add(scope);
        } else left.push(member);
      } catch (error) {
        member.reject(error);
      }
  }
  if (members.length === 0) return;
  const all = members.flatMap(({ entries }) => entries);
  const groups = grouped(await notBeforeTip(context, ledgerSnapshot, all));
  const ids = await git.ledger.append(await newEvents(context, rules, ledgerSnapshot, groups));
  const commits = groups.flatMap((group, index) => group.map(() => ids[index] ?? ''));
  const after = await snapshotAt({ git, ref: rules.ref, cache }, commits.at(-1) ?? null);
  let at = 0;
  for (const { member, entries } of members)
    member.resolve({ ledgerSnapshot: after, commits: commits.slice(at, (at += entries.length)) });
}

/** The scope of a new request that touches nothing else of the ledger: two such events can be decided on the same state. */
function openedScope([entry, ...others]: readonly Entry[]): string | null {
  if (entry?.kind !== 'request' || others.length > 0 || entry.event.type !== 'opened') return null;
  const { proposal, session } = entry.event;
  const isPlain = session === null && proposal.follows === null && proposal.supersedes === null;
  return isPlain ? formatCoordinates(proposal.scope) : null;
}

const jittered = ({ random }: RequestContext, milliseconds: number) => {
  const [byte = 0] = random(1);
  return Math.ceil((milliseconds * (byte + 1)) / 256);
};
