/** Brings the ledger up to what the branch, the clock and the policy say. Safe to run anywhere, at any time, side by side. */
import {
  formatCoordinates,
  type LedgerRequest,
  type ObjectId,
  type RequestEvent,
  type RequestId,
} from '../model/index.ts';
import { requireRequest } from './ledger/require-request.ts';
import { readDelivery, readResume, readRollback } from '../record/read.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { policyFor } from '../policy/policy.ts';
import { isOpen, isProposed, isWaiting } from '../record/transitions.ts';
import type { Repair, Requests, Unmerged } from './types.ts';
import { append } from './ledger/append.ts';
import { onRequest } from './ledger/entries.ts';
import { type LedgerSnapshot, openLedgerSnapshot, type PublishedRequest } from './ledger/snapshot.ts';
import { executesRequest } from './restored.ts';
import { type EligibilityInput, isEligible, judgedElsewhere } from './gate/eligibility.ts';
import { isHome } from './gate/home.ts';
import { isExpired } from './gate/expiry.ts';
import { ownersOf } from './gate/owners.ts';
import { readRules, type RequestContext, requireOwnConfig, type Rules, stamp } from './context.ts';
import { type Proofs, proveRequest, readSignaturesOf } from './ledger/proof.ts';
import { executable } from './many/group.ts';
import { completeLanded } from './pull-requests/completed.ts';
import { followProposed } from './pull-requests/follow.ts';
import { lastProposed, lookOf } from './pull-requests/looking.ts';
import { takeBackProposed } from './pull-requests/take-back.ts';
import { canJudge, judgeRequest, placeOf, proven } from './view.ts';

export async function reconcile(
  context: RequestContext,
  { asksHost = false }: NonNullable<Parameters<Requests['reconcile']>[0]> = {},
): ReturnType<Requests['reconcile']> {
  requireOwnConfig(context);
  const rules = await readRules(context);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const open = await ledgerSnapshot.find(({ status }) => isOpen(status));
  if (open.length === 0) return { repairs: [], waiting: [] };
  const published = await publishedOn(context, rules);
  const reviewed = open.filter(({ state }) => state.status === 'pending' && state.reviews.length > 0);
  await readSignaturesOf(context, ledgerSnapshot, reviewed);
  const wanted: Wanted[] = [];
  const merged: Repair[] = [];
  for (const file of open.toReversed()) {
    const { state } = file;
    const commit = published.get(state.id);
    // One that waits to be merged is found by what it changes, with how it came.
    const isExecuted =
      commit !== undefined &&
      state.proposed === null &&
      (await executesRequest(context, rules.snapshot ?? (await context.observe()), state, commit));
    const repair = await repairOf({ context, rules, ledgerSnapshot }, file, isExecuted ? commit : null);
    if (repair !== null && 'event' in repair) wanted.push(repair);
    else if (repair !== null) merged.push(repair);
  }
  const written = [...merged, ...(await write(context, rules, wanted))];
  const { repairs, problems } = await follow({ context, rules, ledgerSnapshot }, open, {
    isAsked: asksHost,
    done: new Set(written.map(({ requestId }) => requestId)),
  });
  const after = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const approved = await after.find(({ status }) => isWaiting(status));
  const judged = approved.filter(({ state }) => !isProposed(state) && canJudge(context, rules, state));
  const waiting = await executable(
    after,
    await listedHere({ context, rules, ledgerSnapshot: after }, judged),
  );
  const proposed = approved.flatMap(({ state }) => unmerged(context, state)).toReversed();
  return {
    repairs: [...written, ...repairs],
    waiting: waiting.map(({ state }) => state.id).toReversed(),
    ...(proposed.length > 0 && { proposed }),
    ...(problems.length > 0 && { problems }),
  };
}

/** Those that can be judged by the list of keys here, and by the clock; for the others there may be another worker. */
async function listedHere(
  { context, rules, ledgerSnapshot }: Repairing,
  files: readonly RequestFile[],
): Promise<readonly RequestFile[]> {
  if (!rules.knowsKeys) return files;
  await readSignaturesOf(context, ledgerSnapshot, files);
  const listed: RequestFile[] = [];
  for (const file of files) {
    // What is wrong with its past is said, and recorded, when it is executed.
    const proofs = await proveRequest(context, ledgerSnapshot, file).catch((): Proofs => new Map());
    const isUnlisted = file.state.reviews.some(({ id }) => proofs.get(id)?.unlisted === true);
    const isEarly = [...proofs.values()].some(({ future }) => future);
    const found = { context, rules, ledgerSnapshot, file, proofs, counts: proven };
    if (!(isUnlisted || isEarly) || (await judgedElsewhere(found)) === null) listed.push(file);
  }
  return listed;
}

function unmerged(context: RequestContext, state: LedgerRequest): readonly Unmerged[] {
  const { id: requestId, link, proposed } = state;
  if (!isProposed(state) || proposed === null) return [];
  const seen = link === null ? undefined : lookOf(context).details.get(link.number);
  const isClosed = seen?.details.state === 'closed';
  return [{ requestId, branch: proposed.branch, url: link?.url ?? null, isClosed }];
}

/** Those that wait to be merged. */
async function follow(
  { context, rules, ledgerSnapshot }: Repairing,
  open: readonly RequestFile[],
  { isAsked, done }: { readonly isAsked: boolean; readonly done: ReadonlySet<RequestId> },
): ReturnType<typeof followProposed> {
  const isFollowed = ({ state, events }: RequestFile) =>
    state.proposed !== null ||
    // A draft may be open.
    (state.status === 'pending' && events.some(({ type }) => type === 'proposed'));
  const files = open.filter((file) => isFollowed(file) && !done.has(file.state.id));
  if (files.length === 0) return { repairs: [], problems: [] };
  lookOf(context).keep(files.map(({ state }) => state));
  const snapshot = await context.observe();
  return followProposed({ context, rules, ledgerSnapshot, snapshot, isAsked }, files);
}

type Without<Event> = Event extends unknown ? Omit<Event, 'id' | 'at' | 'actor'> : never;

interface Wanted extends Repair {
  readonly event: Without<Extract<RequestEvent, { type: 'completed' | 'expired' | 'settled' }>>;
}

/** All of them at once; without what others have written meanwhile. */
async function write(context: RequestContext, rules: Rules, wanted: readonly Wanted[]): Promise<Repair[]> {
  if (wanted.length === 0) return [];
  let written: readonly Wanted[] = [];
  await append(context, rules, async (ledgerSnapshot) => {
    const states = new Map<RequestId, LedgerRequest>();
    for (const { requestId } of wanted)
      states.set(requestId, (await requireRequest(ledgerSnapshot, requestId)).state);
    written = wanted.filter(({ requestId, event }) => {
      const status = states.get(requestId)?.status;
      return event.type === 'completed' ? status !== 'completed' : status === 'pending';
    });
    return written.map(({ requestId, event }) =>
      onRequest(requestId, { ...stamp(context, context.committer), ...event }),
    );
  });
  return written.map(({ requestId, action, detail }) => ({ requestId, action, detail }));
}

interface Repairing {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
}

async function repairOf(
  { context, rules, ledgerSnapshot }: Repairing,
  file: RequestFile,
  published: PublishedRequest | null,
): Promise<Wanted | Repair | null> {
  const { state } = file;
  const { id: requestId } = state;
  const scope = formatCoordinates(state.scope);
  if (published !== null) {
    const { commit, deliveryCommit } = published;
    const detail = `The rollback of ${scope} is on the branch in ${commit.slice(0, 10)}.`;
    const event = { type: 'completed', outcome: 'completed', commit, deliveryCommit } as const;
    return { requestId, action: 'completed', detail, event };
  }
  if (state.status !== 'pending') return null;
  if (isExpired(context, rules, state)) {
    const merged = await mergedMeanwhile({ context, rules, ledgerSnapshot }, file);
    if (merged !== null) return merged;
    const detail = `Nobody decided on the rollback of ${scope} until ${state.expiresAt}.`;
    return { requestId, action: 'expired', detail, event: { type: 'expired' } };
  }
  return settlementOf({ context, rules, ledgerSnapshot }, file, scope);
}

/** The policy may have changed, and whoever approved may not have known which keys count. */
async function settlementOf(
  { context, rules, ledgerSnapshot }: Repairing,
  file: RequestFile,
  scope: string,
): Promise<Wanted | Repair | null> {
  const { state } = file;
  const { id: requestId } = state;
  if (!isHome(rules)) return null;
  // What was never approved by anybody needs no keys to be looked at, unless no one has to agree any more.
  if (state.reviews.length === 0 && (policyFor(rules.policy, placeOf(state))?.quorum ?? 0) > 0) return null;
  const proofs = await proveRequest(context, ledgerSnapshot, file);
  const owners = await ownersOf(context, state);
  const judgement = judgeRequest({ rules, owners, file, proofs, counts: proven });
  if (judgement?.rejected) {
    const merged = await mergedMeanwhile({ context, rules, ledgerSnapshot }, file);
    if (merged !== null) return merged;
    const reason = 'As many have rejected it as the policy asks for.';
    const event = { type: 'settled', quorum: { have: 0, need: 0 }, reason, rejects: true } as const;
    return { requestId, action: 'settled', detail: `The rollback of ${scope} is rejected: ${reason}`, event };
  }
  if (judgement !== null && !judgement.satisfied) return null;
  // Whoever executes it asks the same: what would be reopened is not settled.
  const found: EligibilityInput = { context, rules, ledgerSnapshot, file, proofs, counts: proven };
  if (!(await isEligible(found))) return null;
  const { have = 0, need = 0 } = judgement ?? {};
  const reason = need === 0 ? 'The policy asks for no approval.' : `${have} of ${need} approvals count.`;
  const quorum = { have, need };
  const detail = `The rollback of ${scope} may go ahead: ${reason}`;
  return { requestId, action: 'settled', detail, event: { type: 'settled', quorum, reason } };
}

/** Its draft is closed first; null where it was not merged before that. */
async function mergedMeanwhile(repairing: Repairing, file: RequestFile): Promise<Repair | null> {
  const landed = await takeBackProposed(repairing, file);
  const state = lastProposed(file);
  if (landed === null || state === null) return null;
  const { context, rules } = repairing;
  await completeLanded(context, rules, [{ state, landed }]);
  const where = `was merged, in ${landed.commit.slice(0, 10)}`;
  return {
    requestId: state.id,
    action: 'completed',
    detail: `The rollback of ${formatCoordinates(state.scope)} ${where}.`,
  };
}

/** Requests that the branch says are executed: the oldest commit that claims each. Asked for again when the branch moved. */
async function publishedOn(
  { git, cache }: RequestContext,
  { snapshot }: Rules & { readonly snapshot?: { readonly base: ObjectId } | null },
): Promise<ReadonlyMap<RequestId, PublishedRequest>> {
  const base = snapshot?.base ?? (await git.tip(await git.defaultBranch()));
  if (cache.published?.base === base) return cache.published.requests;
  const requests = new Map<RequestId, PublishedRequest>();
  let after: { readonly of: ObjectId; readonly request: RequestId; readonly id: ObjectId } | null = null;
  for (const { id, trailers } of await git.history.recorded(base)) {
    const claim = readRollback(trailers) ?? readResume(trailers);
    // Newest first: the delivery comes before the rollback that it delivers.
    if (claim !== null)
      requests.set(claim.record.requestId, {
        commit: id,
        // A host that rebased both has made another commit of the one that the delivery names.
        deliveryCommit: after?.of === id || after?.request === claim.record.requestId ? after.id : null,
        ...('target' in claim.record && { target: claim.record.target }),
        plan: claim.record.plan,
      });
    const delivery = readDelivery(trailers)?.record;
    after = delivery ? { of: delivery.of, request: delivery.requestId, id } : null;
  }
  cache.published = { base, requests };
  return requests;
}
