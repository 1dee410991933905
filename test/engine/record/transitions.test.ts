import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isFailure,
  type LedgerRequest,
  makeEventId,
  makeRequestId,
  REQUEST_STATUSES,
  type RequestEvent,
  type RequestStatus,
} from '../../../engine/model/index.ts';
import { applyEvent, foldRequest, TRANSITIONS } from '../../../engine/record/transitions.ts';

const JANE = { name: 'Jane', email: 'jane@example.com' };
const OBJECT = '1'.repeat(40);
const DIGEST = `sha256:${'a'.repeat(64)}`;
const TERMS = { base: OBJECT, digest: DIGEST, rendered: null, affectedServices: ['api'] };
let made = 0;
const stamp = () => ({
  id: makeEventId(0, new Uint8Array(10).fill((made += 1))),
  at: '2026-11-21T10:00:00Z',
  actor: JANE,
});

const opened = (gate: 'no-policy' | 'break-glass' | null = null): RequestEvent => ({
  ...stamp(),
  type: 'opened',
  proposal: {
    id: makeRequestId(0, new Uint8Array(10)),
    scope: { mode: 'service', environment: 'prod', service: 'api' },
    target: OBJECT,
    targetVersion: 1,
    allowRemoval: false,
    justification: 'Because',
    message: 'Rollback to revision v1 (1111111) of prod/api',
    author: JANE,
    createdAt: '2026-11-21T10:00:00Z',
    expiresAt: null,
    follows: null,
    supersedes: null,
    config: null,
  },
  terms: TERMS,
  gate,
  session: gate === 'break-glass' ? { id: 'bgs-1', ticket: null } : null,
});

const vote = (type: 'approved' | 'rejected', settles: boolean): RequestEvent =>
  type === 'approved'
    ? { ...stamp(), type, digest: DIGEST, comment: null, quorum: { have: 1, need: 1 }, settles }
    : { ...stamp(), type, digest: DIGEST, comment: null, settles };

/** One of each kind, as often as it can lead somewhere else. */
const EVENTS: readonly (() => RequestEvent)[] = [
  () => vote('approved', true),
  () => vote('approved', false),
  () => vote('rejected', true),
  () => vote('rejected', false),
  () => ({ ...stamp(), type: 'settled', quorum: { have: 1, need: 1 }, reason: 'x' }),
  () => ({ ...stamp(), type: 'reopened', reason: 'x' }),
  () => ({
    ...stamp(),
    type: 'replanned',
    terms: { ...TERMS, digest: `sha256:${'b'.repeat(64)}` },
    difference: [],
  }),
  () => ({ ...stamp(), type: 'superseded', by: makeRequestId(1, new Uint8Array(10)) }),
  () => ({ ...stamp(), type: 'expired' }),
  () => ({ ...stamp(), type: 'cancelled', reason: null }),
  () => ({ ...stamp(), type: 'completed', outcome: 'completed', commit: OBJECT, deliveryCommit: null }),
  () => ({ ...stamp(), type: 'failed', code: 'RENDER_FAILED', message: 'x' }),
  () => ({ ...stamp(), type: 'retried' }),
  () => ({ ...stamp(), type: 'noted', text: 'x', kind: 'note' }),
];

/** null where it is refused. */
function attempt(state: LedgerRequest, event: RequestEvent): LedgerRequest | null {
  try {
    return applyEvent(state, event);
  } catch (error) {
    if (isFailure(error) && error.code === 'LEDGER_TAMPERED') return null;
    throw error;
  }
}

describe('the life of a request', () => {
  it('begins pending, or approved where nobody has to agree, and in no other way', () => {
    expect(foldRequest([opened()]).status).toBe('pending');
    expect(foldRequest([opened('no-policy')]).status).toBe('approved');
    expect(foldRequest([opened('break-glass')])).toMatchObject({
      status: 'approved',
      breakGlass: { session: 'bgs-1', review: null },
    });
    for (const make of EVENTS)
      expect(() => foldRequest([make()])).toThrow('start with the event that opens it');
    expect(() => foldRequest([opened(), opened()])).toThrow('opened twice');
  });

  it('follows the table: what it lists happens, and everything else is refused', () => {
    const gates = fc.constantFrom(null, 'no-policy' as const, 'break-glass' as const);
    fc.assert(
      fc.property(gates, fc.array(fc.nat(EVENTS.length - 1), { maxLength: 12 }), (gate, choices) => {
        let state = applyEvent(null, opened(gate));
        for (const choice of choices) {
          const event = EVENTS[choice]?.() ?? vote('approved', true);
          const before = state.status;
          const listed: readonly RequestStatus[] =
            event.type === 'opened' ? [] : (TRANSITIONS[event.type][before] ?? []);
          const after = attempt(state, event);
          // Notes change nothing; what the table does not list is refused, and the request stays as it is.
          expect(event.type === 'noted' ? [before] : [...listed, 'refused']).toContain(
            after?.status ?? 'refused',
          );
          state = after ?? state;
        }
      }),
    );
  });

  it('ends for good when it is completed', () => {
    const done = foldRequest([
      opened('no-policy'),
      { ...stamp(), type: 'completed', outcome: 'completed', commit: OBJECT, deliveryCommit: null },
    ]);
    const happened = EVENTS.map((make) => make()).filter((event) => attempt(done, event) !== null);
    expect(happened.map(({ type }) => type)).toEqual(['noted']);
  });

  it('is completed from every other status, because the branch is the truth', () => {
    const others = REQUEST_STATUSES.filter((status) => status !== 'completed');
    for (const status of others) expect(TRANSITIONS.completed[status]).toEqual(['completed']);
  });

  it('asks for approval anew when the plan is another one, whatever let it go ahead before', () => {
    const replanned = EVENTS[6]?.() ?? opened();
    const again = foldRequest([opened('no-policy'), replanned]);
    expect(again).toMatchObject({ status: 'pending', gate: null, digest: `sha256:${'b'.repeat(64)}` });
  });
});
