/** A planned rollback becomes a request in the ledger, and is carried out where nobody has to agree. */
import {
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
import { recordable } from './ask.ts';
import { resultOf } from './carry-out.ts';
import type { Context } from './commands/command.ts';
import type { Output } from './output.ts';
import { resultText } from './print/plan.ts';
import { gateFindings } from './print/approval.ts';

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
  readonly planned: Planned;
  readonly author: Person;
  readonly reason: string;
  readonly allowRemoval: boolean;
  readonly follows?: RequestId;
}

/** `carryOut` is asked where the request is approved at once. */
export async function proposeRollback(
  { session, style }: Context,
  engine: Engine,
  proposal: Proposal,
  carryOut: (request: RequestView) => Promise<RollbackResult>,
): Promise<Output> {
  const { author, reason, planned } = proposal;
  const { environment } = session;
  const id = makeRequestId(environment.clock.now(), environment.random(10));
  const request = await engine.requests.open({ ...proposal, id, reason: recordable(reason) });
  const pending = request.status === 'pending';
  const supersedes = await supersededBy(engine, request, author);
  const result = pending
    ? { ...resultOf(request, 'pending'), findings: planned.plan.findings }
    : await carryOut(request);
  const { approval, breakGlass } = request;
  const more = {
    ...(pending && { approval }),
    ...(breakGlass !== null && { breakGlass }),
    ...(supersedes.length > 0 && { supersedes }),
  };
  return {
    value: { ...result, ...more },
    text: () => resultText(style, result, planned.plan.findings, more),
    ...(pending && { exitCode: 5 }),
  };
}

/** Older requests of the same scope, which this one took the place of. */
async function supersededBy(
  engine: Engine,
  { id, scopeName }: RequestView,
  reader: Person,
): Promise<RequestId[]> {
  const ended = await engine.requests.list({ scope: scopeName, statuses: ['superseded'], reader });
  return ended.filter((request) => request.supersededBy === id).map((request) => request.id);
}
