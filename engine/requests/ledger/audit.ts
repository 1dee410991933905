/** The ledger's events, newest first, from its files: what a commit's message says of its event is held against it. */
import {
  BacktrailError,
  type EnvironmentName,
  formatCoordinates,
  type ObjectId,
  type Person,
  type RequestEvent,
  type SessionEvent,
} from '../../model/index.ts';
import type { RequestFile, SessionFile } from '../../record/ledger-file.ts';
import { readBatch, readEvent } from '../../record/ledger-message.ts';
import { hasPermission, samePerson } from '../../policy/policy.ts';
import { foldSession } from '../../policy/session.ts';
import { foldRequest } from '../../record/transitions.ts';
import type { AuditEntry, LedgerEvent, Requests } from '../types.ts';
import type { LedgerCommit } from './commits.ts';
import { type LedgerSnapshot, openLedgerSnapshot, REQUESTS, SESSIONS, textOf } from './snapshot.ts';
import { eventsMessage, formerSubject, requestMessage, type Said, sessionMessage } from './messages.ts';
import { isUnexplained, requireKnownForm } from './proof.ts';
import { contradictionsIn } from '../many/borne-out.ts';
import { readRules, type RequestContext, timeOf } from '../context.ts';
import { signedByAuthor } from './signed.ts';
import { eventTimes, isFuture } from './times.ts';

export async function audit(
  context: RequestContext,
  { scope, since, actor, limit, after, reader }: Parameters<Requests['audit']>[0],
): Promise<AuditEntry[]> {
  const from = since === undefined ? -Infinity : Date.parse(since);
  if (Number.isNaN(from))
    throw new BacktrailError('INVALID_REQUEST', `${JSON.stringify(since)} is not a valid time.`);
  const { policy, ref, snapshot } = await readRules(context, reader);
  const tenanted = snapshot?.layout.hasTenant ?? false;
  const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache);
  const chosen: Chosen[] = [];
  const last = after === undefined ? null : markOf(after);
  for (const commit of startingAt(await ledgerSnapshot.commits(), last)) {
    const entries = await readEntries(context, ledgerSnapshot, commit);
    for (const audited of last?.commit === commit.id ? behind(entries, last) : entries) {
      const { entry, time } = audited;
      if (time < from) continue;
      if (scope !== undefined && !concerns(entry.scope, scope)) continue;
      if (actor !== undefined && !samePerson(entry.actor.email, actor)) continue;
      if (!hasPermission(policy, reader, 'read', environmentOf(entry.scope, tenanted))) continue;
      if (chosen.length < limit) chosen.push({ ...audited, commit });
    }
    if (chosen.length >= limit) break;
  }
  return judged(context, ledgerSnapshot, chosen);
}

/** An event, and the commit that wrote it. */
export interface Chosen extends Audited {
  readonly commit: LedgerCommit;
}

/** With what signatures and the branch say of them. */
export async function judged(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  chosen: readonly Chosen[],
): Promise<AuditEntry[]> {
  const commits = chosen.map(({ commit }) => commit);
  const times = new Map<ObjectId, number>();
  // A key that is no longer valid at the latest of several events vouches for none of them.
  for (const { commit, time } of chosen) times.set(commit.id, Math.max(time, times.get(commit.id) ?? time));
  const verified = await signedByAuthor(context, commits, times);
  const contradicted = await contradictedBy(context, ledgerSnapshot, chosen);
  return chosen.map(({ commit, entry }) => {
    const by = verified.get(commit.id);
    const isUnsaid = by === 'server' && isUnexplained({ ...entry, type: entry.event });
    const own = samePerson(commit.author.email, entry.actor.email) && by !== undefined && !isUnsaid;
    const problem = entry.event === 'completed' ? contradicted.get(entry.requestId ?? '') : undefined;
    const problems = problem === undefined ? entry.problems : [...entry.problems, problem];
    return { ...entry, problems, identity: own ? 'verified' : 'unverified' };
  });
}

/** The last entry of a page. */
interface Mark {
  readonly commit: ObjectId;
  readonly eventId: string;
}

function markOf(after: string): Mark {
  const [commit = '', eventId = ''] = after.split('.');
  return { commit, eventId };
}

const unknownMark = () =>
  new BacktrailError('INVALID_REQUEST', 'The ledger has no event to go on from there.');

/** Newest first, from the commit of the mark on. */
function startingAt(commits: readonly LedgerCommit[], mark: Mark | null): readonly LedgerCommit[] {
  const newest = commits.toReversed();
  if (mark === null) return newest;
  const start = newest.findIndex(({ id }) => id === mark.commit);
  if (start === -1) throw unknownMark();
  return newest.slice(start);
}

function behind(entries: readonly Audited[], { eventId }: Mark): readonly Audited[] {
  const at = entries.findIndex(({ entry }) => entry.eventId === eventId);
  if (at === -1) throw unknownMark();
  return entries.slice(at + 1);
}

/** What the branch says otherwise than the events that say what was executed. */
async function contradictedBy(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  chosen: readonly Audited[],
): ReturnType<typeof contradictionsIn> {
  const files: RequestFile[] = [];
  for (const { entry } of chosen) {
    const { event, requestId } = entry;
    const file = event === 'completed' && requestId !== null ? await ledgerSnapshot.request(requestId) : null;
    if (file !== null) files.push(file);
  }
  return contradictionsIn(context, files);
}

interface Audited {
  readonly entry: Omit<AuditEntry, 'identity'>;
  /** When it happened: see `eventTimes`. */
  readonly time: number;
  /** What its file says as of then; absent where the commit holds no event. */
  readonly state?: Written['state'];
}

/** The events of a commit as their files have them, whatever the message says; the last one first. */
export async function readEntries(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  commit: LedgerCommit,
): Promise<readonly Audited[]> {
  requireKnownForm(commit, commit.files[0]?.path ?? '');
  const written = await readWritten(context, commit);
  if (written === null) return [{ entry: unreadable(commit), time: commit.time }];
  const [first] = written;
  const message = commit.form === 1 && first !== undefined ? first.message : eventsMessage(written);
  const wrong =
    commit.form === 1 ? disagreements(commit, message, first?.formerly) : batchDisagreements(commit, message);
  const entries: Audited[] = [];
  for (const one of written.toReversed())
    entries.push(await readEntry({ context, ledgerSnapshot, commit, wrong }, one));
  return entries;
}

async function readEntry(
  {
    context,
    ledgerSnapshot,
    commit,
    wrong,
  }: {
    context: RequestContext;
    ledgerSnapshot: LedgerSnapshot;
    commit: LedgerCommit;
    wrong: readonly string[];
  },
  written: Written,
): Promise<Audited> {
  const { path, event, scope, status, message } = written;
  const opening = (await ledgerSnapshot.versions(path))[0]?.commit ?? commit;
  const dated = [
    ...(opening.id === commit.id ? [] : [{ commit: opening, at: opening.time }]),
    { commit, at: Date.parse(event.at) },
  ];
  const time = (await eventTimes(context, ledgerSnapshot, dated)).get(commit.id) ?? commit.time;
  return {
    time,
    state: written.state,
    entry: {
      commit: commit.id,
      eventId: event.id,
      event: event.type,
      at: timeOf(time),
      actor: event.actor,
      ...(event.authenticated && { authenticated: event.authenticated }),
      requestId: written.requestId,
      sessionId: written.sessionId,
      scope,
      status,
      subject: message.split('\n', 1)[0] ?? '',
      comment: commentOf(message),
      problems: [...wrong, ...otherAuthor(commit, event), ...misdated(context, event, time)],
    },
  };
}

type AnyEvent = RequestEvent | SessionEvent;

interface Written extends Said {
  readonly path: string;
  readonly requestId: string | null;
  readonly sessionId: string | null;
  readonly scope: string;
  readonly status: string | null;
  readonly state: NonNullable<LedgerEvent['state']>;
}

/**
 * What the commit wrote: the last event of its one file, or of each of its files where it holds several events; null where it wrote
 * anything else.
 */
async function readWritten(
  context: RequestContext,
  { form, files }: LedgerCommit,
): Promise<readonly Written[] | null> {
  if (files.length === 0 || (form === 1 ? files.length > 1 : form !== 2)) return null;
  const written: Written[] = [];
  for (const { path, blob } of files.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
    const one = blob === null ? null : await readFile(context, path, blob);
    if (one === null) return null;
    written.push(one);
  }
  return written;
}

async function readFile(context: RequestContext, path: string, blob: ObjectId): Promise<Written | null> {
  const read = async () => textOf(context.git, path, blob);
  try {
    if (path.startsWith(`${REQUESTS.folder}/`)) return ofRequest(path, REQUESTS.parse(await read(), path));
    if (path.startsWith(`${SESSIONS.folder}/`)) return ofSession(path, SESSIONS.parse(await read(), path));
  } catch (error) {
    if (!(error instanceof BacktrailError) || error.code === 'LEDGER_NEWER') throw error;
  }
  return null;
}

function ofRequest(path: string, { events }: RequestFile): Written | null {
  const event = events.at(-1);
  if (event === undefined) return null;
  const state = foldRequest(events);
  const scope = formatCoordinates(state.scope);
  const message = requestMessage(event, state, scope);
  const sessionId = readEvent(trailersOf(message))?.session ?? null;
  const { id, status } = state;
  return {
    path,
    event,
    of: id,
    requestId: id,
    sessionId,
    scope,
    status,
    message,
    formerly: formerSubject(event, state, scope),
    state: { request: state, session: null },
  };
}

function ofSession(path: string, { events }: SessionFile): Written | null {
  const event = events.at(-1);
  if (event === undefined) return null;
  const state = foldSession(events);
  const message = sessionMessage(event, state);
  const { id, scope } = state;
  return {
    path,
    event,
    of: id,
    requestId: null,
    sessionId: id,
    scope,
    status: null,
    message,
    state: { request: null, session: state },
  };
}

/** A commit of the ledger that holds no event, such as someone's own. */
function unreadable({ id, author, time }: LedgerCommit): Omit<AuditEntry, 'identity'> {
  return {
    commit: id,
    eventId: '',
    event: 'unknown',
    at: timeOf(time),
    actor: author,
    requestId: null,
    sessionId: null,
    scope: '',
    status: null,
    subject: '',
    comment: null,
    problems: ['The commit adds no event as Backtrail writes it.'],
  };
}

const trailersOf = (message: string) => message.trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
const commentOf = (message: string) => readEvent(trailersOf(message))?.comment ?? null;

/** Where the commit says something else than the event that it adds. What it says is not repeated: it may be meant to be read. */
export function disagreements(
  commit: LedgerCommit,
  message: string,
  formerly: string | null = null,
): string[] {
  const expected = readEvent(trailersOf(message));
  const { record } = commit;
  const keys = [
    'event',
    'id',
    'at',
    'by',
    'request',
    'session',
    'scope',
    'status',
    'digest',
    'comment',
  ] as const;
  const wrong: string[] = keys.filter((key) => record?.[key] !== expected?.[key]);
  if (![message.split('\n', 1)[0], formerly].includes(commit.subject)) wrong.push('subject');
  return [
    ...(record === null ? ['The commit message names no event.'] : []),
    ...(record !== null && wrong.length > 0
      ? [`The commit message says something else than the event: ${wrong.join(', ')}.`]
      : []),
  ];
}

/** The same of a commit of several events, for each of them: which one it is wrong about is not told. */
export function batchDisagreements({ batch, subject }: LedgerCommit, message: string): string[] {
  const expected = readBatch(trailersOf(message));
  const agrees = JSON.stringify(batch) === JSON.stringify(expected) && subject === message.split('\n', 1)[0];
  return agrees ? [] : ['The commit message says something else than its events.'];
}

const otherAuthor = ({ author }: LedgerCommit, { actor }: AnyEvent) =>
  sameIdentity(author, actor) ? [] : ['The author of the commit is not who acted in the event.'];

const sameIdentity = (one: Person, other: Person) => samePerson(one.email, other.email);

function misdated(context: RequestContext, event: AnyEvent, time: number): string[] {
  if (isFuture(context, time)) return ['It is dated later than the clock of this machine.'];
  return timeOf(time) === timeOf(Date.parse(event.at))
    ? []
    : ['It is dated earlier than what came before it.'];
}

/** An event of the environment concerns its services, and one of a service concerns its environment. */
function concerns(of: string, scope: string): boolean {
  return of === scope || of.startsWith(`${scope}/`) || scope.startsWith(`${of}/`);
}

export function environmentOf(scope: string, tenanted: boolean): EnvironmentName {
  const [first = '', second = ''] = scope.split('/');
  return tenanted ? { tenant: first, environment: second } : { environment: first };
}
