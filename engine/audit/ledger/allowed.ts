/** What allowed a request to go ahead: its votes, by the policy that was in force where it was executed, and by keys that are trusted here. */
import {
  ENGINE,
  type EnvironmentName,
  formatCoordinates,
  isFailure,
  type LedgerRequest,
  type ObjectId,
  type Provenance,
} from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { hasPermission, needsSignedRequest, sessionCovers } from '../../policy/policy.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { foldRequest } from '../../record/transitions.ts';
import { isFor } from '../../record/place.ts';
import { homeIn, type Rules } from '../../requests/context.ts';
import { approvedBy } from '../../requests/gate/eligibility.ts';
import { elsewhere, votedElsewhere } from '../../requests/gate/home.ts';
import { automaticRequestId, exempts, isSeenDeployed, isSeenFailed } from '../../requests/gate/exemption.ts';
import { type OwnerRule, rulesFor, scopesOf, stated } from '../../requests/gate/owners.ts';
import { requireOverrider } from '../../requests/gate/permissions.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { type Proofs, proveSession } from '../../requests/ledger/proof.ts';
import { type Counts, countsForAll, judgeRequest, proven } from '../../requests/view.ts';
import { type Problem, problem } from '../problems.ts';
import { unexplained } from './authenticated.ts';
import type { LedgerAudit } from './ledger.ts';

export interface Allowing {
  readonly ledger: LedgerAudit;
  /** As it was when it went ahead: see `until`. */
  readonly file: RequestFile;
  readonly proofs: Proofs;
  /** The configuration in force. */
  readonly layout: Layout;
  /** The environments that own what it changed. */
  readonly owners: readonly EnvironmentName[];
  /** The newest rules that a commit before it names: who follows them cannot go back to laxer ones. */
  readonly earlier?: number;
}

export interface Allowed {
  /** What the commit has to say of it. */
  readonly provenance: Provenance;
  readonly problems: readonly Problem[];
}

/** A request as it was after some of its events. @throws LEDGER_TAMPERED */
export function until({ events }: RequestFile, count: number): RequestFile {
  const some = events.slice(0, count);
  return { state: foldRequest(some), events: some };
}

export async function allowedBy(allowing: Allowing): Promise<Allowed> {
  const { provenance, problems } = await judgeAllowed(allowing);
  const isLacking = problems.some(
    ({ code }) => code === 'APPROVAL_MISSING' || code === 'IDENTITY_UNVERIFIED',
  );
  const why = isLacking ? unexplained(allowing.file, allowing.proofs) : [];
  return { provenance, problems: [...problems, ...why] };
}

async function judgeAllowed(allowing: Allowing): Promise<Allowed> {
  const { ledger, file, proofs, layout, owners: environments, earlier = 0 } = allowing;
  const { state, events } = file;
  const rules = rulesIn(ledger, layout);
  const { policy } = rules;
  const owners = rulesFor(rules, state, environments);
  const ruled = stated(owners);
  const opened = proofs.get(events[0]?.id ?? '');
  const problems: Problem[] = [...forbidden(rules, owners, state)];
  if (!isFor(rules.home, state.place))
    problems.push(problem('PLACE_DIFFERS', elsewhere('What was asked for', state.place, rules)));
  // Without keys a signature is taken on trust, and said to be.
  const counts: Counts = rules.knowsKeys ? proven : (proof) => proof?.signed ?? false;
  // A request that names its place was made by a program that has the newest rules.
  const isNew = earlier >= ENGINE || state.place !== undefined;
  const isSigned = ruled.some(({ rule }) => needsSignedRequest(rule, isNew ? ENGINE : layout.rules));
  const needsKeys = isSigned || ruled.some(({ rule }) => rule.quorum > 0 && !rule.unsignedApprovals);
  const vouches = countsForAll(ruled, counts);
  if (!rules.knowsKeys && needsKeys)
    problems.push(
      problem('KEYS_MISSING', 'There is no list of trusted keys here, by which its votes could be judged.'),
    );
  const isVouched = vouches(opened);
  const needsSignature =
    isSigned || (rules.knowsKeys && policy.permissions.length > 0 && state.overrides !== undefined);
  if (needsSignature && !isVouched)
    problems.push(
      problem('IDENTITY_UNVERIFIED', `No trusted key vouches for ${state.author.email}, who asked for it.`),
    );
  const unasked = { approvals: [], ledger: opened?.commit ?? '', breakGlass: null, at: state.createdAt };
  if (ruled.length > 0 && state.gate === 'break-glass') {
    problems.push(...(await sessionProblems(allowing, { ruled, counts, isVouched })));
    const { session, ticket } = state.breakGlass ?? { session: '', ticket: null };
    const breakGlass = ticket === null ? session : `${session} (${ticket})`;
    return { provenance: { ...unasked, breakGlass }, problems };
  }
  const judgement = judgeRequest({ rules, owners: environments, file, proofs, counts });
  const isGiven = judgement !== null && judgement.satisfied && judgement.need > 0;
  if (state.automatic !== undefined && exempts(ruled) && !isGiven && judgement?.rejected !== true)
    return { provenance: unasked, problems: [...problems, ...(await unexempt(ledger, state, isVouched))] };
  if (judgement === null || judgement.each.every(({ need }) => need === 0)) {
    if (policy.permissions.length > 0 && rules.knowsKeys && !isVouched && !needsSignature)
      problems.push(
        problem('IDENTITY_UNVERIFIED', `No trusted key vouches for ${state.author.email}, who executed it.`),
      );
    const other = environments.find((owner) => !hasPermission(policy, state.author, 'deploy', owner));
    if (other !== undefined)
      problems.push(
        problem(
          'PERMISSION_DENIED',
          `${state.author.email} may not execute a rollback of ${formatCoordinates(other)}.`,
        ),
      );
    return { provenance: unasked, problems };
  }
  if (judgement.rejected) problems.push(problem('APPROVAL_MISSING', 'It was rejected.'));
  else if (!judgement.satisfied) {
    problems.push(
      problem(
        'APPROVAL_MISSING',
        `${judgement.have} of ${judgement.need} approvals count by the policy that was in force.`,
      ),
    );
    for (const { actor, place } of votedElsewhere(rules, state))
      problems.push(problem('PLACE_DIFFERS', elsewhere(`The vote of ${actor.email}`, place, rules)));
  }
  return { provenance: approvedBy(file, proofs, judgement), problems };
}

/** The rules that were in force, and whether keys are known now. */
export function rulesIn({ ref, context }: LedgerAudit, { config }: Layout): Rules {
  const { policy, publish, host, commit } = config;
  return {
    policy,
    publish,
    host,
    ref,
    signoff: commit.signoff,
    sign: commit.sign,
    home: homeIn(config),
    knowsKeys: context.allowedSigners !== null,
  };
}

/**
 * Why nobody had to agree to what was asked for by itself. Records only grow, so that what they say now bears out what they said then; that nothing
 * else was successful in between is not made again.
 */
async function unexempt(
  { context }: LedgerAudit,
  { id, scope, target, automatic, author, allowRemoval }: LedgerRequest,
  isVouched: boolean,
): Promise<readonly Problem[]> {
  const missing = (why: string) => problem('APPROVAL_MISSING', why);
  if (!isVouched)
    return [problem('IDENTITY_UNVERIFIED', `No trusted key vouches for ${author.email}, who asked for it.`)];
  const revision = automatic?.revision ?? '';
  const { deployments, reader } = await context.observe();
  const records = (await deployments?.records(scope)) ?? [];
  if (id !== automaticRequestId(scope, revision) || !isSeenFailed(records, { revision, request: id }))
    return [missing('No record that counts says that an observer saw fail what it undoes by itself.')];
  // What never was healthy was taken away again: back to the commit before it.
  const isRemoval =
    allowRemoval && !isSeenDeployed(records, revision) && (await firstParent(reader, revision)) === target;
  if (!isRemoval && !isSeenDeployed(records, target))
    return [missing('No record that counts says that its target was deployed.')];
  return [];
}

/** null: it is not there any more, or has none. */
async function firstParent(reader: Snapshot['reader'], commit: ObjectId): Promise<ObjectId | null> {
  try {
    return (await reader.commit(commit)).parents[0] ?? null;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return null;
  }
}

function forbidden({ policy }: Rules, owners: readonly OwnerRule[], state: LedgerRequest): Problem[] {
  const { author, overrides = [] } = state;
  const problems: Problem[] = [];
  for (const { environment } of owners) {
    if (!hasPermission(policy, author, 'propose', environment))
      problems.push(
        problem(
          'PERMISSION_DENIED',
          `${author.email} may not ask for a rollback of ${formatCoordinates(environment)}.`,
        ),
      );
    try {
      requireOverrider(policy, author, { overrides, environment });
    } catch (error) {
      if (!isFailure(error)) throw error;
      problems.push(problem('PERMISSION_DENIED', error.message));
    }
  }
  return problems;
}

interface Breaking {
  readonly ruled: ReturnType<typeof stated>;
  readonly counts: Counts;
  readonly isVouched: boolean;
}

/** Why the session did not let it go ahead when it was asked for. */
async function sessionProblems(
  { ledger, file: { state }, layout }: Allowing,
  { ruled, counts, isVouched }: Breaking,
): Promise<Problem[]> {
  const { context, snapshot } = ledger;
  const { policy } = layout.config;
  const id = state.breakGlass?.session ?? '';
  const session = await snapshot.session(id);
  if (session === null) return [problem('LEDGER_MISSING', `The ledger has no break-glass session ${id}.`)];
  const { openedAt, expiresAt, holder, closed } = session.state;
  const missing = (why: string) => problem('APPROVAL_MISSING', why);
  const problems: Problem[] = [];
  const { place } = session.state;
  const home = { home: homeIn(layout.config) };
  if (!isFor(home.home, place))
    problems.push(problem('PLACE_DIFFERS', elsewhere('The break-glass session', place, home)));
  if (ruled.some(({ rule }) => rule.breakGlass === null))
    problems.push(missing('The policy that was in force does not allow break-glass here.'));
  const lasts = Date.parse(expiresAt) - Date.parse(openedAt);
  if (lasts > Math.min(...ruled.map(({ rule }) => rule.breakGlass?.longestMs ?? Infinity)))
    problems.push(missing('The break-glass session is longer than the policy allows.'));
  if (ruled.some(({ environment }) => !hasPermission(policy, holder, 'break-glass', environment)))
    problems.push(problem('PERMISSION_DENIED', `${holder.email} may not break the glass here.`));
  const at = state.createdAt;
  // One that was closed afterwards was open then; times are of whole seconds, and both may have happened in one.
  const then = {
    ...session.state,
    closed: closed && Date.parse(closed.at) < Date.parse(at) ? closed : null,
  };
  const names = scopesOf(
    state.scope,
    ruled.map(({ environment }) => environment),
  );
  const covers = names.every((scope) =>
    sessionCovers(policy, then, { scope, person: state.author.email, at }),
  );
  if (!covers || Date.parse(openedAt) > Date.parse(at))
    problems.push(missing('The break-glass session had ended, or is for something else.'));
  const proofs = await proveSession(context, snapshot, session);
  const isSessionVouched = countsForAll(ruled, counts)(proofs.get(session.events[0]?.id ?? ''));
  if (!ruled.every(({ rule }) => rule.unsignedApprovals) && !(isVouched && isSessionVouched))
    problems.push(
      problem('IDENTITY_UNVERIFIED', `No trusted key vouches for ${holder.email}, who broke the glass.`),
    );
  return problems;
}
