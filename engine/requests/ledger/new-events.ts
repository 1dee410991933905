/** The commits that entries become: files, messages and authors, not written yet. */
import {
  BacktrailError,
  MODE,
  type NewEvent,
  type NewEvents,
  type Write,
  formatCoordinates,
} from '../../model/index.ts';
import { identity } from '../../git/store/identity.ts';
import {
  type RequestFile,
  type SessionFile,
  printFile,
  readRequestEvents,
  readSessionEvents,
  requestPath,
  sessionPath,
} from '../../record/ledger-file.ts';
import { signedOff } from '../../record/style.ts';
import { foldSession } from '../../policy/session.ts';
import { foldRequest } from '../../record/transitions.ts';
import type { LedgerSnapshot } from './snapshot.ts';
import type { RequestContext, Rules } from '../context.ts';
import { type Said, eventsMessage, requestMessage, sessionMessage } from './messages.ts';
import type { Entry, Groups } from './entries.ts';

export async function newEvents(
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

/** A commit for each group. */
export async function toEvents(ledgerSnapshot: LedgerSnapshot, groups: Groups): Promise<readonly NewEvent[]> {
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
