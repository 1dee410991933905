/** Commit messages of the ledger: a sentence for readers, and trailers that `git log` can search. */
import type { Person } from '../model/index.ts';
import { cleanValue, indentBody, quoteName } from './text.ts';
import { parseTrailerLines } from './trailers.ts';

/** All trailer keys of an event; each at most once. */
export const EVENT_TRAILERS = [
  'Event',
  'Event-Id',
  'Event-Time',
  'Event-Actor',
  'Event-Request',
  'Event-Session',
  'Event-Scope',
  'Event-Status',
  'Event-Digest',
  'Event-Comment',
] as const;

export interface EventRecord {
  readonly event: string;
  readonly id: string;
  readonly at: string;
  readonly actor: Person;
  readonly request: string | null;
  readonly session: string | null;
  readonly scope: string;
  readonly status: string | null;
  readonly digest: string | null;
  readonly comment: string | null;
}

/** The whole message, final newline included. `subject`: one sentence; `body`: free text. */
export function eventMessage(record: EventRecord, subject: string, body: string): string {
  const values: Record<(typeof EVENT_TRAILERS)[number], string | null> = {
    Event: record.event,
    'Event-Id': record.id,
    'Event-Time': record.at,
    'Event-Actor': actorText(record.actor),
    'Event-Request': record.request,
    'Event-Session': record.session,
    'Event-Scope': quoteName(record.scope),
    'Event-Status': record.status,
    'Event-Digest': record.digest,
    'Event-Comment': record.comment,
  };
  const trailers = EVENT_TRAILERS.flatMap((key) => {
    const value = cleanValue(values[key] ?? '');
    return value === '' ? [] : [`${key}: ${value}`];
  });
  const head = cleanValue(subject).replace(/^[-#\s]+/, '') || 'Event';
  const paragraphs = [[head], indentBody(body), trailers].filter((lines) => lines.length > 0);
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const actorText = ({ name, email }: Person) =>
  `${name.replace(/[<>]/g, '')} <${email.replace(/[<>\s]/g, '')}>`;

export interface ReadEvent extends Omit<EventRecord, 'actor'> {
  /** `Name <email>`, as it was written; null where it does not say. */
  readonly by: string | null;
}

/** Parses the trailers of an event; null if it is not one, or has a duplicate key. */
export function readEvent(trailers: readonly string[]): ReadEvent | null {
  const values = parseTrailerLines(trailers);
  const one = (key: (typeof EVENT_TRAILERS)[number]) => values.get(key.toLowerCase())?.[0] ?? null;
  if (EVENT_TRAILERS.some((key) => (values.get(key.toLowerCase())?.length ?? 0) > 1)) return null;
  const [event, id, at] = [one('Event'), one('Event-Id'), one('Event-Time')];
  if (event === null || id === null || at === null) return null;
  return {
    event: cleanValue(event),
    id: cleanValue(id),
    at: cleanValue(at),
    by: one('Event-Actor'),
    request: one('Event-Request'),
    session: one('Event-Session'),
    scope: one('Event-Scope') ?? '',
    status: one('Event-Status'),
    digest: one('Event-Digest'),
    comment: one('Event-Comment'),
  };
}

/** The forms of a ledger's commit: 1 holds one event; 2 holds several, by one actor at one time, each in a file of its own. */
export const LEDGER_FORM = 2;

/** The trailer keys of a commit of several events; `Event-Item` once an event. */
const BATCH_TRAILERS = ['Event-Form', 'Events', 'Event-Time', 'Event-Actor', 'Event-Item'] as const;

interface BatchItem {
  readonly event: string;
  readonly id: string;
  /** Its request or session. */
  readonly of: string;
}

export interface EventBatch {
  readonly at: string;
  readonly actor: Person;
  /** In the order of their files' paths. */
  readonly items: readonly BatchItem[];
}

/** The message of several events. `sentences`: what each of them is, for readers. */
export function batchMessage({ at, actor, items }: EventBatch, sentences: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const { event } of items) counts.set(event, (counts.get(event) ?? 0) + 1);
  const kinds = [...counts].map(([event, count]) => `${count} ${event}`).join(', ');
  const head = cleanValue(`${actor.email} writes ${items.length} events: ${kinds}`).replace(/^[-#\s]+/, '');
  const trailers = [
    `Event-Form: ${LEDGER_FORM}`,
    `Events: ${items.length}`,
    `Event-Time: ${cleanValue(at)}`,
    `Event-Actor: ${cleanValue(actorText(actor))}`,
    ...items.map(({ event, id, of }) => `Event-Item: ${event} ${id} ${of}`),
  ];
  const paragraphs = [[head], indentBody(sentences.join('\n')), trailers];
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** The form that a commit says it has: 1 where it says nothing, 0 where it says what is no number. */
export function readForm(trailers: readonly string[]): number {
  const [value = '1', ...more] = parseTrailerLines(trailers).get('event-form') ?? [];
  return more.length === 0 && /^\d{1,9}$/.test(value) ? Number(value) : 0;
}

export interface ReadBatch extends Omit<EventBatch, 'actor'>, Pick<ReadEvent, 'by'> {}

/** Parses the trailers of several events; null if they are not, or do not count themselves as they are. */
export function readBatch(trailers: readonly string[]): ReadBatch | null {
  const values = parseTrailerLines(trailers);
  if (BATCH_TRAILERS.some((key) => key !== 'Event-Item' && values.get(key.toLowerCase())?.length !== 1))
    return null;
  const items = (values.get('event-item') ?? []).map((line): BatchItem => {
    const [event = '', id = '', of = ''] = line.split(' ');
    return { event, id, of };
  });
  if (values.get('events')?.[0] !== String(items.length)) return null;
  return {
    at: cleanValue(values.get('event-time')?.[0] ?? ''),
    by: values.get('event-actor')?.[0] ?? null,
    items,
  };
}
