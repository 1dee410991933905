/** The sentences of the ledger: `git log` of it is to be read by people. */
import type {
  BreakGlassSession,
  LedgerRequest,
  RequestEvent,
  RequestProposal,
  SessionEvent,
} from '../../model/index.ts';
import { batchMessage, eventMessage } from '../../record/ledger-message.ts';
import { cleanValue } from '../../record/text.ts';

/** The message of an event's commit; `state` is the request after it. */
export function requestMessage(event: RequestEvent, state: LedgerRequest, scope: string): string {
  const { type, id, at, actor } = event;
  const { body, comment } = texts(event);
  const record = {
    event: type,
    id,
    at,
    actor,
    request: state.id,
    session: type === 'opened' ? (event.session?.id ?? null) : null,
    scope,
    status: state.status,
    digest: type === 'opened' || type === 'replanned' ? event.terms.digest : digestOf(event),
    comment,
  };
  const sentence = state.resume ? resuming(event, scope) : deed(event, returning(state, scope));
  return eventMessage(record, `${actor.email} ${sentence}`, body);
}

/** The first line of the same as versions before had it, which spoke of a resume as of a rollback; null where nothing has changed since. */
export function formerSubject(event: RequestEvent, state: LedgerRequest, scope: string): string | null {
  return state.resume ? cleanValue(`${event.actor.email} ${deed(event, returning(state, scope))}`) : null;
}

function returning({ target, targetVersion }: LedgerRequest, scope: string): string {
  const version = targetVersion === null ? '' : `v${targetVersion} `;
  return `${scope} to ${version}(${target.slice(0, 7)})`;
}

/** A resume returns to no revision. */
function resuming(event: RequestEvent, scope: string): string {
  if (event.type === 'completed' && event.outcome !== 'unchanged' && event.commit !== null)
    return `resumed automation of ${scope} in ${event.commit.slice(0, 7)}${arrival(event)}`;
  if (event.type === 'failed') return `could not resume automation of ${scope}: ${event.code}`;
  return deed(event, scope, 'resume');
}

const digestOf = (event: RequestEvent) => ('digest' in event ? event.digest : null);

function deed(event: RequestEvent, what: string, kind: 'rollback' | 'resume' = 'rollback'): string {
  switch (event.type) {
    case 'opened':
      if (event.gate === 'break-glass')
        return `breaks the glass: ${kind} of ${what} without approval${overriding(event.proposal)}`;
      return `asks for a ${kind} of ${what}${overriding(event.proposal)}`;
    case 'approved': {
      const { have, need } = event.quorum;
      return `approves the ${kind} of ${what} (${have}/${need})`;
    }
    case 'rejected':
      return `rejects the ${kind} of ${what}`;
    case 'settled':
      return `finds enough ${event.rejects ? 'rejections of' : 'approvals for'} the ${kind} of ${what}`;
    case 'reopened':
      return `asks again for approval of the ${kind} of ${what}`;
    case 'replanned':
      return `finds another plan for the ${kind} of ${what}, and asks again`;
    case 'superseded':
      return `asks for another ${kind} in place of that of ${what}`;
    case 'expired':
      return `lets the request for a ${kind} of ${what} expire`;
    case 'cancelled':
      return `cancels the ${kind} of ${what}`;
    case 'completed': {
      const { commit, outcome } = event;
      if (outcome === 'unchanged' || commit === null) return `finds the ${kind} of ${what} done already`;
      return `rolled back ${what} in ${commit.slice(0, 7)}${arrival(event)}`;
    }
    case 'proposed':
      return `proposes the ${kind} of ${what} on ${event.proposed.branch}`;
    case 'linked':
      return `opens pull request ${event.link.number} for the ${kind} of ${what}`;
    case 'failed':
      return `could not roll back ${what}: ${event.code}`;
    case 'retried':
      return `tries the ${kind} of ${what} again`;
    case 'noted':
      return `notes on the ${kind} of ${what}`;
    case 'inspected':
      return `has looked at the ${kind} of ${what}, which nobody had approved`;
  }
}

function arrival({ arrived }: RequestEvent & { type: 'completed' }): string {
  if (arrived === undefined) return '';
  const of = arrived.link === null ? '' : ` of pull request ${arrived.link.number}`;
  return `, by ${arrived.how}${of}`;
}

const overriding = ({ overrides }: RequestProposal) =>
  overrides === undefined ? '' : `, overriding ${overrides.join(', ')}`;

/** Free text of an event, for the body and, in a line, for a trailer. */
function texts(event: RequestEvent): { body: string; comment: string | null } {
  switch (event.type) {
    case 'opened': {
      const { justification, follows, incident, overrides } = event.proposal;
      const after = follows === null ? '' : `\nFollows ${follows}.`;
      const of = incident === undefined ? '' : `\nPart of the incident ${incident}.`;
      const past = overrides === undefined ? '' : `\nOverrides ${overrides.join(', ')}.`;
      const comment =
        overrides === undefined ? justification : `[overrides ${overrides.join(', ')}] ${justification}`;
      return { body: `${justification}${past}${after}${of}`, comment };
    }
    case 'approved':
    case 'rejected':
    case 'inspected':
      return { body: event.comment ?? '', comment: event.comment };
    case 'cancelled':
    case 'settled':
    case 'reopened':
      return { body: event.reason ?? '', comment: event.reason };
    case 'replanned':
      return { body: event.difference.join('\n'), comment: null };
    case 'superseded':
      return { body: '', comment: event.by };
    case 'failed':
      return { body: event.message, comment: event.message };
    case 'noted':
      return { body: event.text, comment: `${event.kind}: ${event.text}` };
    case 'linked':
      return { body: event.link.url, comment: event.link.url };
    case 'completed': {
      const url = event.arrived?.link?.url ?? null;
      return { body: url ?? '', comment: url };
    }
    case 'proposed':
    case 'expired':
    case 'retried':
      return { body: '', comment: null };
  }
}

export function sessionMessage(event: SessionEvent, session: BreakGlassSession): string {
  const { type, id, at, actor } = event;
  const opens = type === 'session-opened';
  const { scope, justification, ticket, expiresAt } = session;
  const record = {
    event: type,
    id,
    at,
    actor,
    request: null,
    session: session.id,
    scope,
    status: opens ? 'open' : 'closed',
    digest: null,
    comment: opens ? justification : null,
  };
  const until = `until ${expiresAt}${ticket === null ? '' : `, ticket ${ticket}`}`;
  const said = opens
    ? `breaks the glass of ${scope} ${until}`
    : `closes the break-glass session of ${session.holder.email} for ${scope}`;
  return eventMessage(record, `${actor.email} ${said}`, opens ? justification : '');
}

/** An event, the request or session that it is about, and its own message. */
export interface Said {
  readonly event: RequestEvent | SessionEvent;
  readonly of: string;
  readonly message: string;
  /** What else its first line may be: see `formerSubject`. */
  readonly formerly?: string | null;
}

/** The message of several events of one actor, in the order of their files. */
export function eventsMessage(said: readonly Said[]): string {
  const [first] = said;
  if (first === undefined) return '';
  const { at, actor } = first.event;
  const items = said.map(({ event, of }) => ({ event: event.type, id: event.id, of }));
  return batchMessage(
    { at, actor, items },
    said.map(({ message }) => message.split('\n', 1)[0] ?? ''),
  );
}
