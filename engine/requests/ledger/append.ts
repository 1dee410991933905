/** Writes events: what may be written is decided on the ledger as it is, and decided again when another person was faster. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  BacktrailError,
  formatCoordinates,
  isFailure,
  MODE,
  type ObjectId,
  type Person,
  type RequestEvent,
  type SessionEvent,
  type Write,
} from '../../model/index.ts';
import { identity } from '../../git/store/identity.ts';
import type { NewEvent, NewEvents, PreparedEvents } from '../../model/index.ts';
import {
  printFile,
  readRequestEvents,
  readSessionEvents,
  type RequestFile,
  requestPath,
  type SessionFile,
  sessionPath,
} from '../../record/ledger-file.ts';
import { signedOff } from '../../record/style.ts';
import { foldSession } from '../../policy/session.ts';
import { foldRequest } from '../../record/transitions.ts';
import { type LedgerCache, type LedgerSnapshot, openLedgerSnapshot, snapshotAt } from './snapshot.ts';
import { type RequestContext, requireOwnConfig, type Rules, timeOf } from '../context.ts';
import { isFuture } from './times.ts';
import { eventsMessage, requestMessage, type Said, sessionMessage } from './messages.ts';

export type Entry =
  | { readonly kind: 'request'; readonly id: string; readonly event: RequestEvent }
  | { readonly kind: 'session'; readonly id: string; readonly event: SessionEvent };

export const onRequest = (id: string, event: RequestEvent): Entry => ({ kind: 'request', id, event });
export const onSession = (id: string, event: SessionEvent): Entry => ({ kind: 'session', id, event });

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

type Groups = readonly (readonly Entry[])[];

const groupsOf = async (
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  decide: Decide,
): Promise<Groups> => grouped(await notBeforeTip(context, ledgerSnapshot, await decide(ledgerSnapshot)));

async function newEvents(
  { committer }: RequestContext,
  { ref, signoff }: Pick<Rules, 'ref' | 'signoff'>,
  ledgerSnapshot: LedgerSnapshot,
  groups: Groups,
): Promise<NewEvents> {
  const written = await toEvents(ledgerSnapshot, groups);
  const events = written.map((event) => {
    const people = signoff ? [event.author, committer].map(identity) : [];
    return { ...event, message: signedOff(event.message, people) };
  });
  return { ref, parent: ledgerSnapshot.tip, events, committer };
}

/** Events of one commit: what people read of it should still be a page. */
const TOGETHER = 1000;

/**
 * The entries that go into one commit each: those of one actor that follow each other, each about something else. An ordinary request, and what
 * it supersedes, stays an event a commit: older versions of this program read those.
 */
function grouped(entries: readonly Entry[]): Groups {
  const asked = entries.filter(({ event }) => event.type !== 'superseded');
  if (asked.length === 1 && asked[0]?.event.type === 'opened') return entries.map((entry) => [entry]);
  const groups: Entry[][] = [];
  for (const entry of entries) {
    const group = groups.at(-1);
    const { actor } = entry.event;
    const joins =
      group !== undefined &&
      group.length < TOGETHER &&
      group.every(({ id, event }) => id !== entry.id && sameActor(event.actor, actor));
    if (joins) group.push(entry);
    else groups.push([entry]);
  }
  return groups.map(atOneTime);
}

const sameActor = (one: Person, other: Person) => one.name === other.name && one.email === other.email;

/** A commit has one time: the latest of its events. */
function atOneTime(group: readonly Entry[]): readonly Entry[] {
  const [latest] = group
    .map(({ event }) => event.at)
    .toSorted((one, other) => Date.parse(other) - Date.parse(one));
  return group.map((entry) => dated(entry, latest ?? entry.event.at));
}

/** A request begins when the event that opens it does, and expires so long after it. */
function dated(entry: Entry, at: string): Entry {
  if (entry.kind === 'session') return { ...entry, event: { ...entry.event, at } };
  const { event } = entry;
  if (event.type !== 'opened') return { ...entry, event: { ...event, at } };
  const { createdAt, expiresAt } = event.proposal;
  const later = Date.parse(at) - Date.parse(createdAt);
  const ends = expiresAt === null ? null : timeOf(Date.parse(expiresAt) + later);
  const proposal = { ...event.proposal, createdAt: at, expiresAt: ends };
  return { ...entry, event: { ...event, at, proposal } };
}

/** No event is dated before the one that it follows, however slow this clock is, so that times in the ledger only grow. */
async function notBeforeTip(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  if (entries.length === 0) return entries;
  const tip = ledgerSnapshot.tip === null ? 0 : await timeOfTip(context, ledgerSnapshot.tip);
  if (isFuture(context, tip)) return entries;
  const later = (at: string) => (Date.parse(at) < tip ? timeOf(tip) : at);
  return entries.map((entry) => dated(entry, later(entry.event.at)));
}

/** Milliseconds since 1970. */
async function timeOfTip({ git, cache }: RequestContext, tip: ObjectId): Promise<number> {
  if (cache.newest?.tip === tip) return cache.newest.time;
  const log = cache.log?.tip === tip ? await cache.log.reading.catch(() => null) : null;
  const known = log?.commits.at(-1)?.time;
  const [newest] = known === undefined ? await git.inspect([tip]) : [];
  const time = known ?? (newest === undefined ? 0 : Date.parse(newest.time));
  cache.newest = { tip, time };
  return time;
}

const jittered = ({ random }: RequestContext, milliseconds: number) => {
  const [byte = 0] = random(1);
  return Math.ceil((milliseconds * (byte + 1)) / 256);
};

/** A commit for each group. */
async function toEvents(ledgerSnapshot: LedgerSnapshot, groups: Groups): Promise<readonly NewEvent[]> {
  const files: Files = { requests: new Map(), sessions: new Map() };
  const events: NewEvent[] = [];
  for (const group of groups) {
    const made: Made[] = [];
    for (const entry of group) made.push(await makeOne(ledgerSnapshot, files, entry));
    events.push(newEvent(made));
  }
  return events;
}

interface Made extends Said {
  readonly path: string;
  readonly file: RequestFile | SessionFile;
}

/** What the entries before have made. */
interface Files {
  readonly requests: Map<string, RequestFile>;
  readonly sessions: Map<string, SessionFile>;
}

async function makeOne(
  ledgerSnapshot: LedgerSnapshot,
  { requests, sessions }: Files,
  entry: Entry,
): Promise<Made> {
  const { id: of, event } = entry;
  if (entry.kind === 'request') {
    const path = requestPath(of);
    const before = requests.get(of) ?? (await ledgerSnapshot.request(of));
    const all = [...(before?.events ?? []), entry.event];
    const file: RequestFile = { state: foldRequest(all), events: all };
    requests.set(of, file);
    return {
      path,
      file,
      event,
      of,
      message: requestMessage(entry.event, file.state, formatCoordinates(file.state.scope)),
    };
  }
  const path = sessionPath(of);
  const before = sessions.get(of) ?? (await ledgerSnapshot.session(of));
  const all = [...(before?.events ?? []), entry.event];
  const file: SessionFile = { state: foldSession(all), events: all };
  sessions.set(of, file);
  return { path, file, event, of, message: sessionMessage(entry.event, file.state) };
}

function newEvent(made: readonly Made[]): NewEvent {
  const [first] = made;
  if (first === undefined) throw new BacktrailError('INTERNAL', 'There is no event to write.');
  const { actor: author, at: time } = first.event;
  const message = made.length === 1 ? first.message : eventsMessage(made.toSorted(byPath));
  return { author, time, message, writes: made.map(writeOf), sign: true };
}

const byPath = (one: Made, other: Made) => (one.path < other.path ? -1 : 1);

function writeOf({ path, file }: Made): Write {
  const text = printFile(file);
  requireReadable(text, path);
  return { path, after: { mode: MODE.file, id: '', content: new TextEncoder().encode(text) } };
}

/** What could not be read again would stop everybody: it is refused before it is written. */
function requireReadable(text: string, path: string): void {
  try {
    if (path.startsWith('requests/')) readRequestEvents(text, path);
    else readSessionEvents(text, path);
  } catch (cause) {
    throw new BacktrailError('INVALID_REQUEST', 'This is more than a record of the ledger holds.', {
      hint: 'Write less, or open another request.',
      cause,
    });
  }
}
