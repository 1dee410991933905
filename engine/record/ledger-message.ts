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

/** Parses the trailers of an event; null if it is not one, or has a duplicate key. */
export function readEvent(trailers: readonly string[]): Omit<EventRecord, 'actor'> | null {
  const values = parseTrailerLines(trailers);
  const one = (key: (typeof EVENT_TRAILERS)[number]) => values.get(key.toLowerCase())?.[0] ?? null;
  if (EVENT_TRAILERS.some((key) => (values.get(key.toLowerCase())?.length ?? 0) > 1)) return null;
  const [event, id, at] = [one('Event'), one('Event-Id'), one('Event-Time')];
  if (event === null || id === null || at === null) return null;
  return {
    event: cleanValue(event),
    id: cleanValue(id),
    at: cleanValue(at),
    request: one('Event-Request'),
    session: one('Event-Session'),
    scope: one('Event-Scope') ?? '',
    status: one('Event-Status'),
    digest: one('Event-Digest'),
    comment: one('Event-Comment'),
  };
}
