/** `request approve|reject --incident`: one table of the plans, one question, and the votes of one person as one commit. */
import {
  BacktrailError,
  emailKey,
  FAILURES,
  isFailure,
  type Engine,
  recordable,
} from '../../../engine/index.ts';
import { executionFailed } from '../../../workers/handover/execution-failed.ts';
import {
  type Decision,
  executableAfter,
  findReview,
  isVotable,
  readAgain,
  type ReviewItem,
  reviewValue,
  voteOnAll,
} from '../../../workers/incident/index.ts';
import { type ExecuteHow, executeAllOrLeave } from '../../execute-request.ts';
import { printAside, type Output } from '../../terminal/output.ts';
import { confirmGoing } from '../../terminal/ask.ts';
import { reviewedTable, reviewTable } from '../../print/review-incident.ts';
import type { Context } from '../command.ts';
import { requireConfirmable } from './confirm.ts';

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
    const all = await findReview(engine, { incident, reader: actor, decision });
    const items = itemsOf(all, options);
    if (session.format === 'text') printAside(reviewTable(style, items));
    const open = items.filter(isVotable);
    if (open.length > 0 && asks)
      await confirmGoing(`${question} ${open.length === 1 ? 'this one' : `these ${open.length}`}?`);
    await voteOnAll(engine, open, {
      actor,
      decision,
      ...(comment !== undefined && { comment: recordable(comment) }),
    });
    const on = { actor, incident };
    if (decision === 'approved')
      await executeApproved(context, engine, await executableAfter(engine, items, on), options);
    await readAgain(engine, items, on);
    const exitCode = exitCodeOf(items, decision);
    return {
      value: reviewValue(incident, items),
      text: () => reviewedTable(style, items),
      ...(exitCode !== 0 && { exitCode }),
    };
  });
}

/** @throws REQUEST_UNKNOWN where there is none, INVALID_REQUEST where several people asked under one id */
function itemsOf(found: readonly ReviewItem[], { incident, author }: ReviewOptions): readonly ReviewItem[] {
  const own =
    author === undefined
      ? found
      : found.filter(({ request }) => emailKey(request.author.email) === emailKey(author));
  if (own.length === 0) throw noRequest(incident, author);
  const authors = [...new Set(own.map(({ request }) => emailKey(request.author.email)))];
  if (authors.length > 1) throw severalAuthors(incident, authors);
  return own;
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

async function executeApproved(
  { session }: Context,
  engine: Engine,
  items: readonly ReviewItem[],
  how: ExecuteHow,
): Promise<void> {
  if (items.length === 0) return;
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
