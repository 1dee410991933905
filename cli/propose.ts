/** A planned rollback becomes a request in the ledger, and is carried out where nobody has to agree. */
import { createHash } from 'node:crypto';
import {
  BacktrailError,
  deriveRequestId,
  type Engine,
  type Gate,
  isBlocked,
  makeRequestId,
  type Person,
  type Planned,
  type RequestId,
  type RequestView,
  type RollbackResult,
} from '../engine/index.ts';
import { recordable } from './terminal/ask.ts';
import type { Context } from './commands/command.ts';
import type { Output } from './terminal/output.ts';
import { resultText } from './print/plan.ts';
import { gateFindings } from './print/approval.ts';
import { resultOf } from './proven.ts';
import type { Session } from './session.ts';

export interface Gated {
  /** What the gate says stands among its findings. */
  readonly planned: Planned;
  /** null: it is blocked, or has nothing to do. */
  readonly gate: Gate | null;
}

/** PERMISSION_DENIED, POLICY_UNSATISFIABLE. */
export async function askGate(engine: Engine, planned: Planned, author: Person): Promise<Gated> {
  if (isBlocked(planned.plan) || planned.plan.files.length === 0) return { planned, gate: null };
  const gate = await engine.requests.gate({ planned, author });
  return { planned: withFindings(planned, gateFindings(gate)), gate };
}

export function withFindings(planned: Planned, findings: Planned['plan']['findings']): Planned {
  return { ...planned, plan: { ...planned.plan, findings: [...planned.plan.findings, ...findings] } };
}

export interface Proposal {
  readonly id: RequestId;
  readonly planned: Planned;
  readonly author: Person;
  readonly reason: string;
  readonly allowRemoval: boolean;
  readonly follows?: RequestId;
}

export function newId({ environment: { clock, random } }: Session): RequestId {
  return makeRequestId(clock.now(), random(10));
}

/** The same key always gives the same id. INVALID_REQUEST where it is empty, as an unset variable of a script leaves it. */
export function idOfKey(key: string): RequestId {
  if (key.trim() === '')
    throw new BacktrailError('INVALID_REQUEST', '--request-id is empty.', {
      hint: 'Give what stays the same when a job is tried again, for example the number of its run.',
    });
  return deriveRequestId(createHash('sha256').update(`request-id ${key}`).digest());
}

/** Safe to repeat: the same id gives the same request. */
export function openRequest(engine: Engine, proposal: Proposal): Promise<RequestView> {
  return engine.requests.open({ ...proposal, reason: recordable(proposal.reason) });
}

/** Asks `carryOut` where the request is approved at once. */
export async function carryOn(
  { style }: Context,
  { request, planned }: { readonly request: RequestView; readonly planned: Planned },
  carryOut: () => Promise<RollbackResult>,
): Promise<Output> {
  const pending = request.status === 'pending';
  const result = pending
    ? { ...resultOf(request, 'pending'), findings: planned.plan.findings }
    : await carryOut();
  const { approval, breakGlass, supersedes } = request;
  const { destination } = planned;
  const more = {
    ...(destination && { destination }),
    ...(pending && { approval }),
    ...(breakGlass !== null && { breakGlass }),
    ...(supersedes !== null && { supersedes }),
  };
  return {
    value: { ...result, ...more },
    text: () => resultText(style, result, planned.plan.findings, more),
    ...(pending && { exitCode: 5 }),
  };
}
