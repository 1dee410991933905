/** What can happen, as sinks are told: `type` of a message. docs/webhooks.md says when each comes. */
import type { LedgerEvent } from '../../engine/index.ts';

export const EVENT_TYPES = [
  'rollback.opened',
  'rollback.approved',
  'rollback.rejected',
  'rollback.settled',
  'rollback.superseded',
  'rollback.expired',
  'rollback.cancelled',
  'rollback.proposed',
  'rollback.linked',
  'rollback.reopened',
  'rollback.replanned',
  'rollback.completed',
  'rollback.failed',
  'rollback.retried',
  'rollback.noted',
  'break_glass.opened',
  'break_glass.closed',
  'break_glass.used',
  'break_glass.reviewed',
  'live',
  'degraded',
  'auto-rollback',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Where a sink names none: what nobody should have to ask for. */
export const DEFAULT_EVENTS: readonly string[] = ['break_glass.*', 'rollback.failed', 'auto-rollback'];

/** `rollback.failed`, `rollback.*` or `*`. */
export const isEventPattern = (pattern: string): boolean => EVENT_TYPES.some((type) => fits(pattern, type));

export const fits = (pattern: string, type: EventType): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));

const OWN: Readonly<Record<string, EventType>> = {
  'session-opened': 'break_glass.opened',
  'session-closed': 'break_glass.closed',
  inspected: 'break_glass.reviewed',
};

/** Null for a commit of the ledger that holds no event of ours. */
export function typeOf({ event, state }: Pick<LedgerEvent, 'event' | 'state'>): EventType | null {
  if (event === 'opened' && state?.request?.gate === 'break-glass') return 'break_glass.used';
  const own = OWN[event];
  return own ?? EVENT_TYPES.find((type) => type === `rollback.${event}`) ?? null;
}
