import {
  type Act,
  BacktrailError,
  blockedError,
  type Engine,
  type Finding,
  isBlocked,
  type RequestPlan,
  type RequestStatus,
  requirePermit,
  asReviewed,
} from '../../../engine/index.ts';
import { confirmGoing } from '../../terminal/ask.ts';
import { printAside } from '../../terminal/output.ts';
import { planText } from '../../print/plan.ts';
import type { Session } from '../../session.ts';
import type { Context } from '../command.ts';

/** Whether to ask for confirmation. @throws CONFIRMATION_REQUIRED if it is needed and there is no terminal */
export function requireConfirmable(
  session: Session,
  { yes }: { readonly yes?: boolean },
  what: string,
): boolean {
  if (yes === true) return false;
  if (session.environment.interactive && session.format === 'text') return true;
  throw new BacktrailError('CONFIRMATION_REQUIRED', `There is no terminal to confirm this ${what} on.`);
}

interface Confirming {
  /** In any other the request is not for confirming, and what follows refuses it. */
  readonly statuses: readonly RequestStatus[];
  /** What is going to be done with it: whether they may is asked before it is shown. */
  readonly act: keyof RequestPlan['may'];
  /** null: the plan is only shown. */
  readonly question: string | null;
}

export interface Seen {
  readonly findings: readonly Finding[];
  /** The digest that reviewers vote on; null if nothing was shown. */
  readonly digest: string | null;
  /** Of its manifests, where votes bind to them. */
  readonly rendered: string | null;
}

const NOTHING: Seen = { findings: [], digest: null, rendered: null };

/** Shows what a request would change now, and asks for confirmation. Returns what was shown. */
export async function confirmOn(
  { session, style }: Context,
  engine: Engine,
  { id, actor: reader }: Act,
  { statuses, act, question }: Confirming,
): Promise<Seen> {
  if (session.format !== 'text') return NOTHING;
  const { status } = await engine.requests.show({ id, reader });
  if (!statuses.includes(status)) return NOTHING;
  const replanned = await engine.requests.plan({ id, reader, revisions: true });
  requirePermit(replanned.may[act]);
  const plan = asReviewed(replanned);
  printAside(planText(style, plan));
  if (isBlocked(plan)) throw blockedError(plan);
  if (question !== null) await confirmGoing(question);
  const { digest, rendered } = replanned.request;
  return { findings: plan.findings, digest, rendered: replanned.rendered === null ? null : rendered };
}
