/** The votes of one person on the open requests of an incident: what they may vote on, the votes as one commit, and what came of each. */
import {
  awaitedIn,
  type BacktrailError,
  blockedError,
  type Engine,
  isBlocked,
  isFailure,
  type Person,
  requirePermit,
  type RequestId,
  type RequestPlan,
  type RequestView,
} from '../../engine/index.ts';
import { summaryOf } from './summary.ts';

export type Decision = 'approved' | 'rejected';

/** One open request of the incident, and what became of this person's vote on it. */
export interface ReviewItem {
  request: RequestView;
  /** Absent: it cannot be planned now. */
  readonly planned?: RequestPlan;
  voted: boolean;
  /** Why there is no vote on it. */
  error?: BacktrailError;
  /** It was left to a worker. */
  executing?: boolean;
  /** The vote was written; what followed went wrong. */
  failed?: BacktrailError;
}

type Reviewing = Pick<Engine, 'requests'>;

interface Wanted {
  readonly incident: string;
  readonly reader: Person;
  readonly decision: Decision;
  /** With the versions of what they return from. */
  readonly revisions?: boolean;
}

/** Digests of a plan, and of its manifests where votes bind to them. */
export interface Seen {
  readonly digest: string;
  readonly rendered?: string;
}

/** All that are open and that they may read, by scope. What stands in the way of their vote is in `error`. */
export async function findReview(engine: Reviewing, { decision, ...of }: Wanted): Promise<ReviewItem[]> {
  const found = await engine.requests.planIncident(of);
  const byScope = found.toSorted((one, other) => (one.request.scopeName < other.request.scopeName ? -1 : 1));
  return byScope.map(({ request, planned }): ReviewItem => {
    const item = { request, voted: false };
    if (planned.status === 'rejected') {
      if (!isFailure(planned.reason)) throw planned.reason;
      // What cannot be planned can be rejected all the same.
      return decision === 'rejected' ? item : { ...item, error: planned.reason };
    }
    const error = request.status === 'pending' ? refusalOf(planned.value, decision) : null;
    return { ...item, planned: planned.value, ...(error && { error }) };
  });
}

function refusalOf({ plan, may }: RequestPlan, decision: Decision): BacktrailError | null {
  try {
    requirePermit(decision === 'approved' ? may.approve : may.reject);
    if (decision === 'approved' && isBlocked(plan)) throw blockedError(plan);
    return null;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return error;
  }
}

export const isVotable = ({ request, error }: ReviewItem): boolean => request.status === 'pending' && !error;

/**
 * The votes on these, each for the plan that was looked at, in one signed commit. What is refused is refused by itself, and said in its item.
 * `seen`: what was looked at, by request; absent: what reviewers are asked about.
 */
export async function voteOnAll(
  engine: Reviewing,
  items: readonly ReviewItem[],
  how: {
    readonly actor: Person;
    readonly decision: Decision;
    readonly comment?: string;
    readonly seen?: ReadonlyMap<RequestId, Seen>;
  },
): Promise<void> {
  const { seen, ...said } = how;
  const open = items.filter(isVotable);
  const votes = open.map((item) => {
    const { id } = item.request;
    return { id, ...(seen?.get(id) ?? askedAbout(item)) };
  });
  const results = await engine.requests.reviewMany({ ...said, votes });
  for (const [index, item] of open.entries()) recordVote(item, results[index]);
}

/** As for a single vote. */
function askedAbout({ request: { digest, rendered }, planned }: ReviewItem): Seen {
  const binds = planned !== undefined && planned.rendered !== null && rendered !== null;
  return { digest, ...(binds && { rendered }) };
}

function recordVote(item: ReviewItem, result: PromiseSettledResult<RequestView> | undefined): void {
  if (result?.status === 'fulfilled') {
    item.request = result.value;
    item.voted = true;
  } else if (isFailure(result?.reason)) item.error = result.reason;
  else throw result?.reason;
}

/** Those that may be executed after the votes: nothing of what is published with others that still await theirs. */
export async function executableAfter(
  engine: Reviewing,
  items: readonly ReviewItem[],
  { actor, incident }: { readonly actor: Person; readonly incident: string },
): Promise<readonly ReviewItem[]> {
  const approved = items.filter(({ voted, request }) => voted && request.status === 'approved');
  if (approved.length === 0) return [];
  const awaited = await awaitedIn(engine, actor, incident);
  return approved.filter(({ request: { atomic } }) => atomic === undefined || !awaited.has(atomic.first));
}

/** What the ledger says of them in the end: also those without a vote may have changed. */
export async function readAgain(
  engine: Reviewing,
  items: readonly ReviewItem[],
  { actor: reader, incident }: { readonly actor: Person; readonly incident: string },
): Promise<void> {
  const now = new Map(
    (await engine.requests.list({ incident, reader })).map((request) => [request.id, request]),
  );
  for (const item of items) {
    const request = now.get(item.request.id) ?? item.request;
    item.request =
      item.executing && request.status === 'approved' ? { ...request, status: 'executing' } : request;
  }
}

/** What became of each, for scripts. */
export function reviewValue(id: string, items: readonly ReviewItem[]) {
  return {
    id,
    rollbacks: items.map(({ request, voted, error, failed }) => {
      const problem = error ?? failed;
      return {
        ...nameOf(request),
        voted,
        commit: commitOf(request),
        ...(request.status === 'pending' && { approval: request.approval }),
        ...(problem && {
          error: { code: problem.code, message: problem.message, hint: problem.hint },
        }),
      };
    }),
  };
}

/** What each would change now, for whoever is to decide on it. */
export function reviewPlans(id: string, items: readonly ReviewItem[]) {
  return {
    id,
    rollbacks: items.map(({ request, planned, error }) => ({
      ...nameOf(request),
      ...(request.atomic && { atomic: true as const }),
      ...(request.status === 'pending' && { approval: request.approval }),
      ...(planned && {
        plan: {
          ...summaryOf(planned.plan),
          digest: planned.plan.digest,
          rendered: planned.rendered,
          changed: planned.changed,
        },
        may: { approve: planned.may.approve, reject: planned.may.reject },
      }),
      ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
    })),
  };
}

const nameOf = ({ scopeName, target, id, author, digest, status }: RequestView) => ({
  scope: scopeName,
  target,
  requestId: id,
  author: author.email,
  digest,
  status,
});

export const commitOf = ({ result }: RequestView): string | null =>
  result === null || result.status === 'failed' ? null : result.commit;
