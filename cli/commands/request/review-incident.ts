/** `request approve|reject --incident`: one table of the plans, one question, and the votes of one person as one commit. */
import {
  emailKey,
  BacktrailError,
  blockedError,
  type Engine,
  FAILURES,
  isBlocked,
  isFailure,
  type Person,
  requirePermit,
  type RequestPlan,
  type RequestView,
  recordable,
  awaitedIn,
} from '../../../engine/index.ts';
import { executionFailed } from '../../../workers/handover/execution-failed.ts';
import { type ExecuteHow, executeAllOrLeave } from '../../execute-request.ts';
import { printAside, type Output } from '../../terminal/output.ts';
import { confirmGoing } from '../../terminal/ask.ts';
import { reviewedTable, reviewTable, reviewValue } from '../../print/review-incident.ts';
import type { Context } from '../command.ts';
import { requireConfirmable } from './confirm.ts';

/** One open request of the incident, and what became of this person's vote on it. */
interface ReviewItem {
  request: RequestView;
  readonly planned?: RequestPlan;
  voted: boolean;
  /** Why there is no vote on it, or why what was approved could not be executed. */
  error?: BacktrailError;
  /** It was left to a worker. */
  executing?: boolean;
  /** The vote was written; what followed went wrong. */
  failed?: BacktrailError;
}

export interface ReviewOptions extends ExecuteHow {
  readonly incident: string;
  readonly author?: string;
  readonly comment?: string;
  readonly yes?: boolean;
}

const WORDS = {
  approved: { what: 'approval', question: 'Approve' },
  rejected: { what: 'rejection', question: 'Reject' },
} as const;

type Decision = keyof typeof WORDS;

export function reviewIncident(
  context: Context,
  decision: Decision,
  options: ReviewOptions,
): Promise<Output> {
  const { session, style } = context;
  const { incident, comment } = options;
  const { what, question } = WORDS[decision];
  const asks = requireConfirmable(session, options, what);
  return session.withEngine(async (engine) => {
    const actor = await session.author(engine);
    const items = await findItems(engine, actor, options, decision);
    if (session.format === 'text') printAside(reviewTable(style, items));
    const open = items.filter(isVotable);
    if (open.length > 0 && asks)
      await confirmGoing(`${question} ${open.length === 1 ? 'this one' : `these ${open.length}`}?`);
    const results = await engine.requests.reviewMany({
      actor,
      decision,
      ...(comment !== undefined && { comment: recordable(comment) }),
      votes: open.map(({ request: { id, digest } }) => ({ id, digest })),
    });
    for (const [index, item] of open.entries()) recordVote(item, results[index]);
    const awaited = await awaitedIn(engine, actor, incident);
    const approved = items.filter(
      ({ voted, request: { status, atomic } }) =>
        voted && status === 'approved' && (atomic === undefined || !awaited.has(atomic.first)),
    );
    if (decision === 'approved' && approved.length > 0)
      await executeApproved(context, engine, approved, options);
    await readAgain(engine, actor, incident, items);
    const exitCode = exitCodeOf(items, decision);
    return {
      value: reviewValue(incident, items),
      text: () => reviewedTable(style, items),
      ...(exitCode !== 0 && { exitCode }),
    };
  });
}

const isVotable = ({ request, error }: ReviewItem) => request.status === 'pending' && !error;

/** @throws REQUEST_UNKNOWN where there is none, INVALID_REQUEST where several people asked under one id */
async function findItems(
  engine: Engine,
  reader: Person,
  { incident, author }: ReviewOptions,
  decision: Decision,
): Promise<ReviewItem[]> {
  const found = await engine.requests.planIncident({ incident, reader });
  const own =
    author === undefined
      ? found
      : found.filter(({ request }) => emailKey(request.author.email) === emailKey(author));
  if (own.length === 0) throw noRequest(incident, author);
  const authors = [...new Set(own.map(({ request }) => emailKey(request.author.email)))];
  if (authors.length > 1) throw severalAuthors(incident, authors);
  const byScope = own.toSorted((one, other) => (one.request.scopeName < other.request.scopeName ? -1 : 1));
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
    requirePermit(may.approve);
    if (decision === 'approved' && isBlocked(plan)) throw blockedError(plan);
    return null;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return error;
  }
}

function noRequest(incident: string, author: string | undefined): BacktrailError {
  const by = author === undefined ? '' : ` by ${JSON.stringify(author.slice(0, 100))}`;
  return new BacktrailError(
    'REQUEST_UNKNOWN',
    `There is no open request of the incident ${JSON.stringify(incident.slice(0, 200))}${by}.`,
    {
      hint: '`backtrail request list` lists them; `backtrail request list --all --incident ID` those that ended, too.',
    },
  );
}

/** Whoever knows an id could add a rollback of their own to what others are about to approve. */
function severalAuthors(incident: string, authors: readonly string[]): BacktrailError {
  const shown = authors.slice(0, 10).join(', ');
  return new BacktrailError(
    'INVALID_REQUEST',
    `Several people have asked for rollbacks under the id ${JSON.stringify(incident.slice(0, 200))}: ${shown}.`,
    { hint: 'Say whose are meant with --author EMAIL.' },
  );
}

function recordVote(item: ReviewItem, result: PromiseSettledResult<RequestView> | undefined): void {
  if (result?.status === 'fulfilled') {
    item.request = result.value;
    item.voted = true;
  } else if (isFailure(result?.reason)) item.error = result.reason;
  else throw result?.reason;
}

/** What the ledger says of them in the end: also those without a vote may have changed. */
async function readAgain(
  engine: Engine,
  reader: Person,
  incident: string,
  items: readonly ReviewItem[],
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

async function executeApproved(
  { session }: Context,
  engine: Engine,
  items: readonly ReviewItem[],
  how: ExecuteHow,
): Promise<void> {
  const results = await executeAllOrLeave(
    session,
    engine,
    items.map(({ request }) => request),
    how,
  );
  for (const item of items) {
    const result = results.get(item.request.id);
    if (result?.status === 'rejected') {
      const error = executionFailed(item.request, result.reason);
      if (!isFailure(error)) throw error;
      item.failed = error;
    }
    if (result?.status === 'fulfilled' && result.value.status === 'executing') item.executing = true;
  }
}

/** As `request approve` ends, and 3 where one of them was refused: nobody is to take a part for all of it. */
function exitCodeOf(items: readonly ReviewItem[], decision: Decision): number {
  if (items.some(({ error }) => error)) return FAILURES.PLAN_BLOCKED.exit;
  const failed = items.find((item) => item.failed)?.failed;
  if (failed) return FAILURES[failed.code].exit;
  // Also of an earlier time: what the incident asked for is not done.
  if (decision === 'approved' && items.some(({ request: { status } }) => status === 'failed'))
    return FAILURES.EXECUTION_FAILED.exit;
  const waits = decision === 'approved' && items.some(({ request }) => request.status === 'pending');
  return waits ? FAILURES.AWAITING_APPROVAL.exit : 0;
}
