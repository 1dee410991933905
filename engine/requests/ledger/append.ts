/** Writes events: what may be written is decided on the ledger as it is, and decided again when another person was faster. */
import {
  BacktrailError,
  formatCoordinates,
  isFailure,
  MODE,
  type ObjectId,
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
import { type LedgerSnapshot, bookAt, openLedgerSnapshot } from './snapshot.ts';
import { type RequestContext, requireOwnConfig, type Rules, timeOf } from '../context.ts';
import { isFuture } from './times.ts';
import { requestMessage, sessionMessage } from './messages.ts';

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

/**
 * Appends what `decide` gives, an event a commit, all or none. Its rules hold across hosts: each time another person was faster,
 * the ledger is read again and `decide` asked again. BRANCH_MOVED after a minute of that.
 */
export async function append(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  decide: (ledgerSnapshot: LedgerSnapshot) => Promise<readonly Entry[]>,
): Promise<Appended> {
  requireOwnConfig(context);
  const { git, clock } = context;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await git.ledger.inTurn(rules.ref, () => appendOnce(context, rules, decide));
    } catch (error) {
      if (!isFailure(error) || error.code !== 'BRANCH_MOVED' || attempt === ATTEMPTS) throw error;
      await clock.sleep(jittered(context, Math.min(10 * 2 ** attempt, LONGEST_MS)));
    }
  }
}

async function appendOnce(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  decide: Parameters<typeof append>[2],
): Promise<Appended> {
  const { git, cache } = context;
  const { ledgerSnapshot, events } = await decideEvents(context, rules, decide);
  if (events === null) return { ledgerSnapshot, commits: [] };
  const commits = await git.ledger.append(events);
  return { ledgerSnapshot: await bookAt(git, commits.at(-1) ?? null, cache), commits };
}

/**
 * The same without moving the ledger, for a publisher that moves it together with a branch; null where there is nothing to write. Once
 * published, or given up: `git.ledger.finish`.
 */
export async function prepareAppend(
  context: RequestContext,
  rules: Pick<Rules, 'ref' | 'signoff'>,
  decide: Parameters<typeof append>[2],
): Promise<PreparedEvents | null> {
  requireOwnConfig(context);
  const { events } = await decideEvents(context, rules, decide);
  return events === null ? null : context.git.ledger.prepare(events);
}

async function decideEvents(
  context: RequestContext,
  { ref, signoff }: Pick<Rules, 'ref' | 'signoff'>,
  decide: Parameters<typeof append>[2],
): Promise<{ readonly ledgerSnapshot: LedgerSnapshot; readonly events: NewEvents | null }> {
  const { git, cache, committer } = context;
  const ledgerSnapshot = await openLedgerSnapshot(git, ref, cache);
  const entries = await decide(ledgerSnapshot);
  if (entries.length === 0) return { ledgerSnapshot, events: null };
  const written = await toEvents(ledgerSnapshot, await notBeforeTip(context, ledgerSnapshot, entries));
  const events = written.map((event) => {
    const people = signoff ? [event.author, committer].map(identity) : [];
    return { ...event, message: signedOff(event.message, people) };
  });
  return { ledgerSnapshot, events: { ref, parent: ledgerSnapshot.tip, events, committer } };
}

/** No event is dated before the one that it follows, however slow this clock is, so that times in the ledger only grow. */
async function notBeforeTip(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const [newest] = ledgerSnapshot.tip === null ? [] : await context.git.inspect([ledgerSnapshot.tip]);
  const tip = newest === undefined ? 0 : Date.parse(newest.time);
  if (isFuture(context, tip)) return entries;
  const later = (at: string) => (Date.parse(at) < tip ? timeOf(tip) : at);
  return entries.map((entry): Entry => {
    const at = later(entry.event.at);
    if (entry.kind === 'session') return { ...entry, event: { ...entry.event, at } };
    return { ...entry, event: { ...entry.event, at } };
  });
}

const jittered = ({ random }: RequestContext, milliseconds: number) => {
  const [byte = 0] = random(1);
  return Math.ceil((milliseconds * (byte + 1)) / 256);
};

async function toEvents(ledgerSnapshot: LedgerSnapshot, entries: readonly Entry[]): Promise<NewEvent[]> {
  const requests = new Map<string, RequestFile>();
  const sessions = new Map<string, SessionFile>();
  const events: NewEvent[] = [];
  for (const entry of entries) {
    const { id, event } = entry;
    if (entry.kind === 'request') {
      const before = requests.get(id) ?? (await ledgerSnapshot.request(id));
      const all = [...(before?.events ?? []), entry.event];
      const file: RequestFile = { state: foldRequest(all), events: all };
      requests.set(id, file);
      const message = requestMessage(entry.event, file.state, formatCoordinates(file.state.scope));
      events.push(newEvent(event, message, requestPath(id), file));
    } else {
      const before = sessions.get(id) ?? (await ledgerSnapshot.session(id));
      const all = [...(before?.events ?? []), entry.event];
      const file: SessionFile = { state: foldSession(all), events: all };
      sessions.set(id, file);
      events.push(newEvent(event, sessionMessage(entry.event, file.state), sessionPath(id), file));
    }
  }
  return events;
}

function newEvent(
  { actor: author, at: time }: RequestEvent | SessionEvent,
  message: string,
  path: string,
  file: RequestFile | SessionFile,
): NewEvent {
  const text = printFile(file);
  requireReadable(text, path);
  const content = new TextEncoder().encode(text);
  const write: Write = { path, after: { mode: MODE.file, id: '', content } };
  return { author, time, message, writes: [write], sign: true };
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
