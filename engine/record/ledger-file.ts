/** A request or a session as a file of the ledger: what it is now, for people, and the events that made it so. */
import * as z from 'zod';
import {
  ARRIVALS,
  AUTHENTICATIONS,
  BacktrailError,
  HOST_REVIEW_STATES,
  isCheckCode,
  isIncidentId,
  isObjectId,
  isProposedBranch,
  isRequestId,
  isSessionId,
  isWebAddress,
  type LedgerRequest,
  MODES,
  NOTE_KINDS,
  WAYS,
  type BreakGlassSession,
  type RequestEvent,
  type RequestId,
  type SessionEvent,
  type SessionId,
} from '../model/index.ts';
import { LONGEST_ADDRESS } from './place.ts';

/** `requests/2026-11/5K/rbk-….json`: sharded, so that a write changes small trees. */
export function requestPath(id: RequestId): string {
  return pathOf('requests', id);
}

export function sessionPath(id: SessionId): string {
  return pathOf('sessions', id);
}

const pathOf = (folder: string, id: string) => `${shardOf(folder, id)}.json`;

/** The first ten characters of a ULID are its time, the others are random. */
export function shardOf(folder: string, id: string): string {
  const ulid = id.slice(4);
  return `${folder}/${monthOf(ulid.slice(0, 10))}/${ulid.slice(10, 12)}/${id}`;
}

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A derived id is not based on the time and may encode one that is not a valid date. */
function monthOf(digits: string): string {
  const time = Array.from(digits).reduce((value, digit) => value * 32 + BASE32.indexOf(digit), 0);
  const date = new Date(time);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999
    ? 'other'
    : date.toISOString().slice(0, 7);
}

export interface RequestFile {
  readonly state: LedgerRequest;
  readonly events: readonly RequestEvent[];
}

export interface SessionFile {
  readonly state: BreakGlassSession;
  readonly events: readonly SessionEvent[];
}

/**
 * The forms of these files: 7 says that nobody asked for it but a worker that observes the cluster; 6 says how a server knew who acted; 5 says where the request, a vote or a session is for, or withdraws what was approved; 4 asks for commits that are signed; 3 says what was proposed as a pull request, or how it came to the branch; 2 says of which incident a request is and what it is published with, what it holds or lifts, or which checks it
 * overrides. Any other file keeps the form 1, so that older versions of this program go on reading it.
 */
const NEWEST_FORM = 7;

export function printFile({ state, events }: RequestFile | SessionFile): string {
  return `${JSON.stringify({ version: formOf(events), state, events }, null, 2)}\n`;
}

type Events = readonly (RequestEvent | SessionEvent)[];

function formOf(events: Events): 1 | 2 | 3 | 4 | 5 | 6 | 7 {
  const [opened] = events;
  if (opened?.type === 'opened' && opened.proposal.automatic !== undefined) return 7;
  if (events.some(({ authenticated }) => authenticated !== undefined)) return 6;
  if (opened?.type === 'session-opened') return opened.session.place === undefined ? 1 : 5;
  if (opened?.type !== 'opened') return 1;
  if (opened.proposal.place !== undefined || events.some(isPlaced) || events.some(isWithdrawal)) return 5;
  if (opened.proposal.sign !== undefined) return 4;
  if (events.some(isOfPullRequest)) return 3;
  const { incident, hold, resume, overrides } = opened.proposal;
  return [incident, hold, resume, overrides].some((key) => key !== undefined) ? 2 : 1;
}

const isPlaced = (event: Events[number]) =>
  (event.type === 'approved' || event.type === 'rejected') && event.place !== undefined;

const isWithdrawal = (event: Events[number]) => event.type === 'cancelled' && event.approved === true;

const isOfPullRequest = (event: Events[number]) =>
  event.type === 'proposed' || (event.type === 'completed' && event.arrived !== undefined);

const text = (limit: number) => z.string().max(limit);
/** At least one character, and none that a terminal obeys or does not show. */
const ONE_LINE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;
const objectId = z.string().refine(isObjectId);
const requestId = z.string().refine(isRequestId);
const sessionId = z.string().refine(isSessionId);
const time = z.iso.datetime();
const person = z.strictObject({ name: text(500), email: text(500) });
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const name = text(4096);
const terms = z.strictObject({
  base: objectId,
  digest,
  rendered: digest.nullable(),
  affectedServices: z.array(name).max(20_000),
});
const place = z.strictObject({
  repository: text(LONGEST_ADDRESS).regex(ONE_LINE),
  branch: text(1000).regex(ONE_LINE),
});
const quorum = z.strictObject({ have: z.number(), need: z.number() });
/** Members of a group; an incident file comes to no more. */
const MAX_MEMBERS = 5000;

const proposalShape = z.strictObject({
  id: requestId,
  scope: z.strictObject({
    tenant: name.exactOptional(),
    environment: name,
    service: name.exactOptional(),
    mode: z.enum(MODES),
    fields: z.array(name).max(500).exactOptional(),
    wholeFile: z.literal(true).exactOptional(),
  }),
  target: objectId,
  targetVersion: z.number().int().nullable(),
  allowRemoval: z.boolean(),
  overrides: z.array(z.string().refine(isCheckCode)).max(50).exactOptional(),
  justification: text(10_000),
  message: text(10_000),
  author: person,
  createdAt: time,
  expiresAt: time.nullable(),
  follows: requestId.nullable(),
  supersedes: requestId.nullable(),
  propose: z.literal(true).exactOptional(),
  automatic: z.strictObject({ revision: objectId, seen: text(2000) }).exactOptional(),
  incident: z.string().refine(isIncidentId).exactOptional(),
  atomic: z
    .strictObject({
      first: requestId,
      members: z.array(requestId).min(1).max(MAX_MEMBERS).exactOptional(),
    })
    .exactOptional(),
  hold: z.strictObject({ seconds: z.number().int().min(60).max(400_000_000).nullable() }).exactOptional(),
  resume: z.literal(true).exactOptional(),
  sign: z.literal(true).exactOptional(),
  place: place.exactOptional(),
  config: z.strictObject({ name: text(4096), text: text(512 * 1024) }).nullable(),
});
const proposal = proposalShape.refine(
  ({ id, incident, atomic }) =>
    atomic === undefined ||
    (incident !== undefined &&
      (atomic.first === id) === (atomic.members !== undefined) &&
      (atomic.members?.[0] ?? id) === id &&
      new Set(atomic.members).size === (atomic.members?.length ?? 0)),
);
/** As many characters as a commit message of ours may have. */
const MESSAGE = 64 * 1024;
const proposed = z.strictObject({
  via: z.enum(WAYS).exclude(['push']),
  branch: z.string().refine(isProposedBranch),
  base: objectId,
  commit: objectId,
  deliveryCommit: objectId.nullable(),
  tip: objectId,
  messages: z.strictObject({ revert: text(MESSAGE), delivery: text(MESSAGE).nullable() }),
  change: z.strictObject({ revert: digest, delivery: digest.nullable(), whole: digest }),
  together: digest.exactOptional(),
});
const link = z.strictObject({
  number: z.int().positive(),
  url: z.string().max(2000).refine(isWebAddress),
});
const arrived = z.strictObject({
  how: z.enum(ARRIVALS),
  link: link.nullable(),
  by: text(200).nullable(),
  reviews: z
    .array(z.strictObject({ actor: text(200), state: z.enum(HOST_REVIEW_STATES), at: time }))
    .max(100),
});
const comment = text(10_000).nullable();
export const authenticated = z.strictObject({
  how: z.enum(AUTHENTICATIONS),
  by: text(1024).regex(ONE_LINE).nullable(),
});
const base = {
  id: z.string().regex(/^evt-[0-9A-HJKMNP-TV-Z]{26}$/),
  at: time,
  actor: person,
  authenticated: authenticated.exactOptional(),
};
const event = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject({ ...base, ...shape });

const requestEvent = z.discriminatedUnion('type', [
  event({
    type: z.literal('opened'),
    proposal,
    terms,
    gate: z.enum(['no-policy', 'break-glass']).nullable(),
    session: z.strictObject({ id: sessionId, ticket: text(500).nullable() }).nullable(),
  }),
  event({
    type: z.literal('approved'),
    digest,
    comment,
    quorum,
    settles: z.boolean(),
    place: place.exactOptional(),
  }),
  event({ type: z.literal('rejected'), digest, comment, settles: z.boolean(), place: place.exactOptional() }),
  event({ type: z.literal('settled'), quorum, reason: text(2000), rejects: z.literal(true).exactOptional() }),
  event({ type: z.literal('reopened'), reason: text(2000) }),
  event({ type: z.literal('replanned'), terms, difference: z.array(text(4000)).max(200) }),
  event({ type: z.literal('superseded'), by: requestId }),
  event({ type: z.literal('expired') }),
  event({ type: z.literal('cancelled'), reason: comment, approved: z.literal(true).exactOptional() }),
  event({
    type: z.literal('completed'),
    outcome: z.enum(['completed', 'unchanged']),
    commit: objectId.nullable(),
    deliveryCommit: objectId.nullable(),
    arrived: arrived.exactOptional(),
  }),
  event({ type: z.literal('proposed'), proposed }),
  event({ type: z.literal('linked'), link }),
  event({ type: z.literal('failed'), code: z.string().regex(/^[A-Z0-9_]{1,60}$/), message: text(10_000) }),
  event({ type: z.literal('retried') }),
  event({ type: z.literal('noted'), text: text(10_000), kind: z.enum(NOTE_KINDS) }),
  event({ type: z.literal('inspected'), comment: text(10_000) }),
]);

const sessionEvent = z.discriminatedUnion('type', [
  event({
    type: z.literal('session-opened'),
    session: z.strictObject({
      id: sessionId,
      scope: name,
      holder: person,
      justification: text(10_000),
      ticket: text(500).nullable(),
      openedAt: time,
      expiresAt: time,
      place: place.exactOptional(),
    }),
  }),
  event({ type: z.literal('session-closed') }),
]);

/** Maximum length in UTF-16 units; a request usually has fewer than some hundred events. */
const MAX_LENGTH = 4 * 1024 * 1024;
const MAX_EVENTS = 5000;

/** Made once: a shape is compiled when it parses for the first time, which takes longer than a file. */
const fileOf = <Event extends z.ZodType<Events[number]>>(event: Event) =>
  z.strictObject({
    version: z.int().min(1).max(NEWEST_FORM),
    // For readers only; the state is always computed from the events.
    state: z.unknown(),
    events: z.array(event).min(1).max(MAX_EVENTS),
  });
const requestFile = fileOf(requestEvent);
const sessionFile = fileOf(sessionEvent);

/**
 * Parses the events of a request's file.
 * @throws LEDGER_TAMPERED if it is not in the form that Backtrail writes, LEDGER_NEWER if it names a later form
 */
export function readRequestEvents(source: string, path: string): readonly RequestEvent[] {
  return read(source, path, requestFile);
}

export function readSessionEvents(source: string, path: string): readonly SessionEvent[] {
  return read(source, path, sessionFile);
}

function read<Event extends Events[number]>(
  source: string,
  path: string,
  file: z.ZodType<{ readonly version: number; readonly events: readonly Event[] }>,
): readonly Event[] {
  const json = source.length > MAX_LENGTH ? undefined : parseJson(source);
  const named = later.safeParse(json).data?.version;
  if (named !== undefined) throw newerForm(`The ledger's file ${path}`, named, path);
  const parsed = json === undefined ? null : file.safeParse(json);
  if (parsed?.success && parsed.data.version === formOf(parsed.data.events)) return parsed.data.events;
  const issue = parsed?.success ? { path: ['version'] } : parsed?.error.issues[0];
  const place = issue ? ` (${issue.path.map(String).join('.') || 'file'})` : '';
  throw new BacktrailError(
    'LEDGER_TAMPERED',
    `The ledger's file ${path} is not in the form that Backtrail writes${place}.`,
    {
      details: { path },
    },
  );
}

const later = z.looseObject({ version: z.int().min(NEWEST_FORM + 1) });

/** Not a forgery: what later versions of this program write is for them to judge. */
export function newerForm(what: string, form: number, path: string): BacktrailError {
  return new BacktrailError('LEDGER_NEWER', `${what} has the form ${form}, which this version cannot read.`, {
    details: { path, form },
  });
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
