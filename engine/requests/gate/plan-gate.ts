/** The gate of a plan as a plain value: who has to agree, and what the person who looks at it may do, and why not. */
import { BacktrailError, type Finding, isFailure } from '../../model/index.ts';
import { blockedError, isBlocked } from '../../rollback/blocked.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { renderedDigest } from '../../rollback/plan.ts';
import type { Gate, Permit, PlanGate } from '../../policy/gate.ts';
import { type Asking, type GateFacts, readGate, requireAsker, requireSigner } from './gate.ts';
import { withInFlight } from './in-flight.ts';
import { bindOf } from './owners.ts';
import { type RequestContext, type Rules, rulesOf } from '../context.ts';
import { requireVoter } from './permissions.ts';

/** The answer of `act` as a value: allowed, or the failure. */
export async function permitOf(act: () => unknown): Promise<Permit> {
  try {
    await act();
    return { allowed: true };
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { code, message, hint, details } = error;
    // The findings of a blocked plan stand in the plan.
    const { findings: _, ...rest } = details;
    return { allowed: false, code, message, hint, ...(Object.keys(rest).length > 0 && { details: rest }) };
  }
}

/** Throws the failure of a permit that was refused. */
export function requirePermit(permit: Permit): void {
  if (permit.allowed) return;
  const { code, message, hint, details = {} } = permit;
  throw new BacktrailError(code, message, { hint, details });
}

/** By what a plan was judged. */
export interface Judged {
  readonly context: RequestContext;
  readonly rules: Rules;
}

interface Known extends Judged {
  readonly planned: Planned;
  readonly facts: GateFacts;
}

/** Never fails because of what the rules say, or because they cannot be read here: that is its answer. */
export async function planGate(
  open: () => Promise<RequestContext>,
  asked: Asking,
): Promise<{ gate: PlanGate; findings: Finding[]; planned: Planned; judged: Judged | null }> {
  const { author } = asked;
  const known: Known[] = [];
  const read = await permitOf(async () => {
    const context = await open();
    const rules = await rulesOf(context, asked.planned.snapshot);
    const facts = await readGate(context, rules, asked);
    const looked = facts.gate.ledgered
      ? await withInFlight(context, rules, asked).catch((error: unknown) => asPlanned(asked, error))
      : asked.planned;
    known.push({ context, rules, planned: looked, facts: { ...facts, overrides: looked.plan.overrides } });
  });
  const person = { name: author.name, email: author.email };
  const [found] = known;
  if (found === undefined) {
    const gate = { ...CLOSED, person, may: { request: read, execute: read, approve: read } };
    return {
      gate,
      findings: gateFindings(asked.planned.plan, null, read),
      planned: asked.planned,
      judged: null,
    };
  }
  const { context, rules, planned, facts } = found;
  const { plan } = planned;
  const { needsApproval, ledgered, session, approval } = facts.gate;
  const ask = await permitOf(() => {
    requireAsker(context, rules, author, facts);
    return requireSigner(context, facts.ruled, author, facts.gate.isExempt);
  });
  const request = isBlocked(plan) ? await permitOf(() => Promise.reject(blockedError(plan))) : ask;
  const execute = !request.allowed || !needsApproval ? request : { ...AWAITING, hint: asksFor(plan) };
  const approve = needsApproval
    ? await permitOf(() => requireVoter(rules.policy, facts.owners, { author, actor: author }))
    : { ...NOT_PENDING, hint: `${commandOf(plan)} executes it.` };
  const binds = bindOf(rules, plan.owners) === 'rendered';
  const gate: PlanGate = {
    needsApproval,
    quorum: approval.need,
    approvers: approval.approvers,
    ...(approval.rules && { rules: approval.rules }),
    ledgered,
    session,
    rendered: binds ? renderedDigest(planned) : null,
    person,
    may: { request, execute, approve },
  };
  return { gate, findings: gateFindings(plan, facts.gate, ask), planned, judged: { context, rules } };
}

/** Offline a plan is shown all the same: what others ask for is not known then. */
function asPlanned({ planned }: Asking, error: unknown): Planned {
  if (isFailure(error)) return planned;
  throw error;
}

/** Nothing goes ahead where the rules cannot be read. */
const CLOSED = {
  needsApproval: true,
  quorum: 0,
  approvers: [],
  ledgered: true,
  session: null,
  rendered: null,
};

const AWAITING = {
  allowed: false,
  code: 'AWAITING_APPROVAL',
  message: 'It needs approval first.',
} as const;

const commandOf = ({ resumes }: Asking['planned']['plan']) =>
  resumes === undefined ? '`backtrail rollback`' : '`backtrail resume`';
const asksFor = (plan: Asking['planned']['plan']) => `${commandOf(plan)} asks for it.`;

const NOT_PENDING = {
  allowed: false,
  code: 'REQUEST_NOT_PENDING',
  message: 'It needs no approval.',
} as const;

/** What the gate says, among the findings of the plan: for a plan that could be executed. */
function gateFindings(plan: Asking['planned']['plan'], gate: Gate | null, ask: Permit): Finding[] {
  if (isBlocked(plan) || plan.files.length === 0) return [];
  if (!ask.allowed) {
    const { code, message, hint } = ask;
    // Without git a repository is only read, and that is said by what writes.
    if (code === 'GIT_MISSING') return [];
    return [{ code, severity: 'warn', message: `It could not go ahead: ${message}`, hint }];
  }
  if (gate === null) return [];
  const { session, needsApproval, approval } = gate;
  if (session !== null)
    return [
      {
        code: 'BREAK_GLASS',
        severity: 'warn',
        message: `Session ${session.id} lets it go ahead without approval; it will be flagged, and waits for a review by another person.`,
      },
    ];
  if (!needsApproval) return [];
  const people = approval.need === 1 ? 'one person' : `${approval.need} people`;
  return [
    {
      code: 'APPROVAL_NEEDED',
      severity: 'info',
      message: `It needs the approval of ${people}: ${whoCan(approval.approvers)}.`,
      hint: asksFor(plan),
    },
  ];
}

/** `bob@example.com can approve` */
export function whoCan(approvers: readonly string[]): string {
  if (approvers.length === 0) return 'whoever may deploy there can approve';
  const shown = approvers.slice(0, 12).join(', ');
  const cut = shown.length > 600 ? `${shown.slice(0, 600)}…` : shown;
  return `${cut}${approvers.length > 12 ? ', …' : ''} can approve`;
}
