/** Break-glass sessions: a time in which their holder's requests need no approval, and never less of a record. */
import {
  BacktrailError,
  type BreakGlassSession,
  type Finding,
  isSessionId,
  makeSessionId,
  type Person,
  type Policy,
} from '../model/index.ts';
import type { SessionFile } from '../record/ledger-file.ts';
import { hasPermission, mayApprove, policyFor, samePerson } from '../policy/policy.ts';
import { type Layout, parseScope } from '../layout/layout.ts';
import { resolveScope } from '../rollback/planning/asked-scope.ts';
import type { Requests, RequestView, SessionView } from './types.ts';
import { append } from './ledger/append.ts';
import { onSession } from './ledger/entries.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from './ledger/snapshot.ts';
import { readRules, type RequestContext, rulesOf, stamp, timeOf } from './context.ts';
import { proveSession, readSignaturesOf } from './ledger/proof.ts';
import { placeIn, requireHome } from './gate/home.ts';
import { requireLeft, requirePermission } from './gate/permissions.ts';
import { placeOf, viewsOf } from './view.ts';

export async function openSession(
  context: RequestContext,
  { id, scope, holder, reason, ticket, minutes, onRepeated }: Parameters<Requests['openSession']>[0],
): Promise<SessionView> {
  if (id !== undefined && !isSessionId(id))
    throw new BacktrailError('INVALID_REQUEST', 'The id of a session is bgs- and 26 characters.');
  const snapshot = await context.observe();
  const rules = await rulesOf(context, snapshot);
  const { policy } = rules;
  await resolveScope(snapshot, { scope });
  const at = environmentOf(snapshot.layout, scope);
  const rule = policyFor(policy, at);
  if (rule === null || rule.quorum === 0)
    throw new BacktrailError(
      'INVALID_REQUEST',
      `Rollbacks of ${scope} need no approval that could be skipped.`,
      {
        hint: 'Just roll back: `backtrail rollback`.',
      },
    );
  if (rule.breakGlass === null)
    throw new BacktrailError('BREAK_GLASS_FORBIDDEN', `The policy does not allow break-glass in ${scope}.`);
  requireHome(rules);
  requirePermission(policy, holder, 'break-glass', at);
  if (!rule.unsignedApprovals && !(await context.git.ledger.signs()))
    throw new BacktrailError('IDENTITY_UNVERIFIED', 'To break the glass you have to sign for it.');
  if (reason.trim() === '')
    throw new BacktrailError('REASON_REQUIRED', 'Breaking the glass needs a justification.');
  const { longestMs } = rule.breakGlass;
  const lasts = minutes === undefined ? longestMs : minutes * 60_000;
  if (!(lasts > 0) || lasts > longestMs)
    throw new BacktrailError(
      'BREAK_GLASS_FORBIDDEN',
      `The policy allows a break-glass session of ${Math.floor(longestMs / 60_000)} minutes at most in ${scope}.`,
      { hint: 'Ask for a shorter one with --for.' },
    );
  const now = context.clock.now();
  const stamped = stamp(context, holder);
  const session: Omit<BreakGlassSession, 'closed'> = {
    id: id ?? makeSessionId(now, context.random(10)),
    scope,
    holder: stamped.actor,
    justification: reason.slice(0, TEXT),
    ticket: ticket === undefined || ticket.trim() === '' ? null : ticket.slice(0, TICKET),
    openedAt: stamped.at,
    expiresAt: timeOf(Date.parse(stamped.at) + lasts),
    ...placeIn(rules),
  };
  let repeats = false;
  const { ledgerSnapshot } = await append(context, rules, async (present) => {
    const known = id === undefined ? null : await present.session(id);
    repeats = known !== null;
    if (known === null) return [onSession(session.id, { ...stamped, type: 'session-opened', session })];
    requireSame(known.state, session, policy);
    return [];
  });
  if (repeats) onRepeated?.();
  const view = await sessionView(context, ledgerSnapshot, await requireSession(ledgerSnapshot, session.id));
  const isDoubted =
    context.allowedSigners !== null && view.identity === 'unverified' && !rule.unsignedApprovals;
  return isDoubted ? { ...view, findings: [unlisted(view)] } : view;
}

/** @throws KEY_REUSED */
function requireSame(
  known: BreakGlassSession,
  asked: Omit<BreakGlassSession, 'closed'>,
  policy: Policy,
): void {
  const lengthOf = ({ openedAt, expiresAt }: typeof asked) => Date.parse(expiresAt) - Date.parse(openedAt);
  const same =
    known.scope === asked.scope &&
    samePerson(known.holder.email, asked.holder.email, policy) &&
    known.justification === asked.justification &&
    known.ticket === asked.ticket &&
    lengthOf(known) === lengthOf(asked);
  if (!same) throw new BacktrailError('KEY_REUSED', `The session ${known.id} was opened for something else.`);
}

const unlisted = ({ holder }: SessionView): Finding => ({
  code: 'IDENTITY_UNVERIFIED',
  severity: 'warn',
  message: `No key of the list that is trusted here vouches for ${holder.email}: where workers have no other list, rollbacks in this session wait for approval all the same.`,
  hint: 'Have your public key added to the list of those who run workers (BACKTRAIL_ALLOWED_SIGNERS), then open another session.',
});

const TEXT = 8000;
const TICKET = 200;

export async function closeSession(
  context: RequestContext,
  { id, actor }: Parameters<Requests['closeSession']>[0],
): Promise<SessionView> {
  const { snapshot, ...rules } = await readRules(context);
  const { policy } = rules;
  const { ledgerSnapshot } = await append(context, rules, async (ledgerSnapshot) => {
    const { state } = await requireSession(ledgerSnapshot, id);
    // What is closed already is shown to nobody else either.
    requireCloser(policy, snapshot?.layout ?? null, state, actor);
    if (state.closed !== null) return [];
    return [onSession(id, { ...stamp(context, actor), type: 'session-closed' })];
  });
  return sessionView(context, ledgerSnapshot, await requireSession(ledgerSnapshot, id));
}

/** Its holder, and whoever could have approved in its place. @throws PERMISSION_DENIED */
function requireCloser(
  policy: Policy,
  layout: Layout | null,
  { scope, holder }: BreakGlassSession,
  actor: Person,
): void {
  const at = layout !== null && isScope(layout, scope) ? environmentOf(layout, scope) : null;
  if (samePerson(holder.email, actor.email, policy))
    return requireLeft(actor, 'break-glass', at ?? { environment: '' });
  const rule = at && policyFor(policy, at);
  if (at && rule && mayApprove(policy, rule, actor, at)) return;
  if (at && policy.permissions.length > 0 && hasPermission(policy, actor, 'admin', at)) return;
  throw new BacktrailError(
    'PERMISSION_DENIED',
    `${actor.email} may not close a session of ${holder.email}.`,
    {
      hint: 'Ask its holder, or whoever may approve a rollback there.',
    },
  );
}

function isScope(layout: Layout, scope: string): boolean {
  try {
    parseScope(layout, scope);
    return true;
  } catch {
    return false;
  }
}

const environmentOf = (layout: Layout, scope: string) =>
  placeOf({ scope: { ...parseScope(layout, scope), mode: 'full' } });

/** @throws SESSION_UNKNOWN, PERMISSION_DENIED */
export async function session(
  context: RequestContext,
  { id, reader }: Parameters<Requests['session']>[0],
): Promise<SessionView> {
  const rules = await readRules(context, reader);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const file = await requireSession(ledgerSnapshot, id);
  if (!maySee(rules, reader, file.state))
    requirePermission(rules.policy, reader, 'read', { environment: '' });
  return sessionView(context, ledgerSnapshot, file);
}

/** What the layout does not know any more is shown to whoever may read everything. */
function maySee(
  { policy, snapshot }: Awaited<ReturnType<typeof readRules>>,
  reader: Person,
  { scope }: BreakGlassSession,
): boolean {
  if (snapshot === null || hasPermission(policy, reader, 'read', { environment: '' })) return true;
  const at = isScope(snapshot.layout, scope) && environmentOf(snapshot.layout, scope);
  return at !== false && hasPermission(policy, reader, 'read', at);
}

async function requireSession(ledgerSnapshot: LedgerSnapshot, id: string): Promise<SessionFile> {
  const file = await ledgerSnapshot.session(id);
  if (file === null)
    throw new BacktrailError('SESSION_UNKNOWN', `The ledger has no break-glass session ${id}.`);
  return file;
}

async function sessionView(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  file: SessionFile,
): Promise<SessionView> {
  const { state, events } = file;
  const proofs = await proveSession(context, ledgerSnapshot, file);
  const verified = proofs.get(events[0]?.id ?? '')?.verified ?? false;
  const active = state.closed === null && Date.parse(state.expiresAt) > context.clock.now();
  return { ...state, active, identity: verified ? 'verified' : 'unverified' };
}

/** Sessions, newest first, and what was done in them that no one else has looked at yet. */
export async function sessions(
  context: RequestContext,
  reader: Person,
): Promise<{ sessions: SessionView[]; reviews: RequestView[] }> {
  const rules = await readRules(context, reader);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const files = (await ledgerSnapshot.sessions()).filter(({ state }) => maySee(rules, reader, state));
  const broken = await ledgerSnapshot.find(
    (known) => known.isBreakGlass && hasPermission(rules.policy, reader, 'read', placeOf(known)),
  );
  const views = await viewsOf(context, { ledgerSnapshot, rules, files: broken });
  await readSignaturesOf(context, ledgerSnapshot, files);
  return {
    sessions: await Promise.all(files.map((file) => sessionView(context, ledgerSnapshot, file))),
    reviews: views.filter(({ breakGlass }) => breakGlass?.review === null),
  };
}
