/** A second state machine, only as big as the load needs: was each answer right at some moment of its call? */
import type { Answer } from './answers.ts';
import type { RecordedEvent } from './ledger.ts';

/** The events of one request, each with its place in the ledger, counted from 1. */
export type Life = readonly { readonly position: number; readonly event: RecordedEvent }[];

interface Moment {
  readonly status: 'absent' | 'pending' | 'approved' | 'ended';
  readonly author: string;
  readonly reviewers: readonly string[];
}

export function explain(
  answers: readonly Answer[],
  lives: ReadonlyMap<string, Life>,
  positions: ReadonlyMap<string, number>,
): string[] {
  const end = Math.max(0, ...positions.values());
  return answers.flatMap((answer) => {
    const life = lives.get(answer.request) ?? [];
    const from = positions.get(answer.before ?? '') ?? 0;
    const to = positions.get(answer.after ?? '') ?? end;
    const right =
      answer.refused === null
        ? isRecorded(answer, life, { from, to })
        : answer.refused === 'SCOPE_BUSY'
          ? isBusy(answer, lives, to)
          : isDue(answer, life, { from, to });
    const what = `${answer.operation} of ${answer.request} by ${answer.actor}`;
    const found = answer.refused === null ? 'accepted' : `refused with ${answer.refused}: ${answer.message}`;
    return right ? [] : [`${what} was ${found}; nothing between the events ${from} and ${to} explains that`];
  });
}

/** The event that each operation leaves. */
export const RECORDED = {
  open: 'opened',
  approve: 'approved',
  reject: 'rejected',
  cancel: 'cancelled',
  note: 'noted',
} as const;

interface Window {
  readonly from: number;
  readonly to: number;
}

/** Its event came in between, at a moment that allowed it. */
function isRecorded({ operation, actor, event: id }: Answer, life: Life, { from, to }: Window): boolean {
  return life.some(
    ({ position, event }) =>
      position > from &&
      position <= to &&
      event.type === RECORDED[operation] &&
      event.actor.email === actor &&
      (id === null || event.id === id) &&
      allows(momentAt(life, position - 1), operation, actor),
  );
}

function allows(
  { status, author, reviewers }: Moment,
  operation: Answer['operation'],
  actor: string,
): boolean {
  if (operation === 'open') return status === 'absent';
  if (operation === 'note') return status !== 'absent';
  // What is approved is withdrawn by its author, or by whoever could approve it: all others here.
  if (operation === 'cancel') return status === 'approved' || (status === 'pending' && actor === author);
  return status === 'pending' && actor !== author && !reviewers.includes(actor);
}

/** At some moment of the call the refusal was right. */
function isDue({ refused, operation, actor }: Answer, life: Life, { from, to }: Window): boolean {
  const places = [from, ...life.map(({ position }) => position).filter((at) => at > from && at <= to)];
  return places.some((at) => {
    const { status, author, reviewers } = momentAt(life, at);
    if (refused === 'REQUEST_NOT_PENDING')
      return (
        (status === 'approved' && operation !== 'cancel') || (status === 'ended' && operation !== 'note')
      );
    if (refused === 'ALREADY_REVIEWED') return reviewers.includes(actor);
    if (refused === 'OWN_REQUEST')
      return actor === author && (operation === 'approve' || operation === 'reject');
    if (refused === 'PERMISSION_DENIED') return operation === 'cancel' && actor !== author;
    return false;
  });
}

/** The request that it names waits for a worker: it had its approvals before the call ended. */
function isBusy({ operation, message }: Answer, lives: ReadonlyMap<string, Life>, to: number): boolean {
  const [named = ''] = /rbk-[0-9A-Z]{26}/.exec(message ?? '') ?? [];
  const past = (lives.get(named) ?? []).filter(({ position }) => position <= to);
  return operation === 'open' && past.filter(({ event }) => event.type === 'approved').length >= NEEDED;
}

function momentAt(life: Life, position: number): Moment {
  const past = life.filter((entry) => entry.position <= position).map(({ event }) => event);
  const [opened] = past;
  if (opened === undefined) return { status: 'absent', author: '', reviewers: [] };
  const approvals = past.filter(({ type }) => type === 'approved');
  const ended = past.some(({ type }) => ['rejected', 'superseded', 'cancelled', 'expired'].includes(type));
  const open = approvals.length >= NEEDED ? 'approved' : 'pending';
  const reviewers = past
    .filter(({ type }) => type === 'approved' || type === 'rejected')
    .map(({ actor }) => actor.email);
  return { status: ended ? 'ended' : open, author: opened.actor.email, reviewers };
}

/** The quorum of the load's repository. */
const NEEDED = 2;
