/** The rows of an audit: a row for each commit that is a rollback, or says so, or is said to be. */
import {
  type Arrival,
  type Coordinates,
  formatCoordinates,
  type Mode,
  type ObjectId,
  type RequestId,
} from '../model/index.ts';
import { readDelivery } from '../record/read.ts';
import type { Audit } from './audit.ts';
import { judgeArrived, judgeArrivedDelivery } from './commit/arrived.ts';
import { delivers, judgeDelivery } from './commit/delivery.ts';
import { judgeOutcome, type Ledgered } from './commit/ledgered.ts';
import { judgeResume } from './commit/resume.ts';
import { judgeRollback, type Made } from './commit/rollback.ts';
import { judgeSignatures } from './commit/signature.ts';
import type { Completed } from './ledger/whole.ts';
import { type CommitText, readCommit } from './line/commit-text.ts';
import type { Mark } from './line/line.ts';
import { type Problem, problem, verdictOf } from './problems.ts';
import type { AuditRow } from './types.ts';

/** A row, and what it is of; an empty environment: it does not say. */
export interface JudgedRow {
  readonly row: AuditRow;
  readonly of: Coordinates;
}

/** What is to be judged: a commit of the line. */
export interface Candidate {
  readonly id: ObjectId;
  readonly at: number;
  readonly mark: Mark | null;
  /** What pull requests brought with it. */
  readonly arrivals: readonly Completed[];
}

export async function rowsOf(audit: Audit, candidate: Candidate): Promise<readonly JudgedRow[]> {
  const commit = await readAt(audit, candidate.id);
  const { mark, arrivals } = candidate;
  if (arrivals.length > 0) return arrivedRows(audit, commit, candidate);
  if (mark?.kind === 'rollback') return [await rollbackRow(audit, commit, candidate)];
  if (mark?.kind === 'resume') return [await resumeRow(audit, commit, candidate)];
  return mark?.kind === 'delivery' ? orphanRows(audit, commit, candidate) : [];
}

const readAt = async ({ reader }: Audit, id: ObjectId): Promise<CommitText> =>
  readCommit(id, await reader.commitBytes(id));

interface Found {
  readonly commit: CommitText;
  readonly requestId: RequestId;
  readonly of: Coordinates;
  readonly mode: Mode | null;
  readonly kind: AuditRow['kind'];
  readonly how?: 'push' | Arrival;
  readonly deliveryCommit: ObjectId | null;
  readonly problems: readonly Problem[];
}

function rowWith({ commit, of, how = 'push', problems: all, ...rest }: Found): JudgedRow {
  const problems = [...new Map(all.map((one) => [`${one.code} ${one.message}`, one])).values()];
  const row: AuditRow = {
    commit: commit.id,
    requestId: rest.requestId,
    scope: of.environment === '' ? '' : formatCoordinates(of),
    mode: rest.mode,
    verdict: verdictOf(problems),
    problems,
    kind: rest.kind,
    how,
    deliveryCommit: rest.deliveryCommit,
    time: timeOf(commit),
  };
  return { row, of };
}

async function rollbackRow(audit: Audit, commit: CommitText, { at }: Candidate): Promise<JudgedRow> {
  const { record, problems, made, ledgered } = await judgeRollback(audit, commit);
  const { tenant, environment, service, mode, requestId } = record;
  const of = {
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
  };
  const after = await judgeAfter(audit, { commit, at, requestId, made, ledgered });
  const { deliveryCommit } = after;
  const all = [...problems, ...after.problems];
  return rowWith({ commit, requestId, of, mode, kind: 'rollback', deliveryCommit, problems: all });
}

async function resumeRow(audit: Audit, commit: CommitText, { at }: Candidate): Promise<JudgedRow> {
  const { requestId, scope, problems, made, ledgered } = await judgeResume(audit, commit);
  const after = await judgeAfter(audit, { commit, at, requestId, made, ledgered });
  const { deliveryCommit } = after;
  const all = [...problems, ...after.problems];
  const of = scope ?? { environment: '' };
  return rowWith({
    commit,
    requestId,
    of,
    mode: scope?.mode ?? null,
    kind: 'resume',
    deliveryCommit,
    problems: all,
  });
}

interface After {
  readonly commit: CommitText;
  readonly at: number;
  readonly requestId: RequestId;
  readonly made: Made | null;
  readonly ledgered: Ledgered | null;
}

/** What follows a commit: its manifests on the branch, and its end in the ledger. */
async function judgeAfter(
  audit: Audit,
  { commit, at, requestId, made, ledgered }: After,
): Promise<{ readonly deliveryCommit: ObjectId | null; readonly problems: readonly Problem[] }> {
  const next = await nextOf(audit, at);
  const delivery = next !== null && delivers(next, commit, requestId) ? next : null;
  const problems: Problem[] = [];
  if (made !== null) {
    const written = delivery === null ? [commit] : [commit, delivery];
    problems.push(
      ...(await judgeDelivery(audit, { commit, made, ledgered }, delivery)),
      ...(await judgeSignatures(audit, made.snapshot.layout, written)),
    );
  }
  const deliveryCommit = delivery?.id ?? null;
  if (ledgered !== null) problems.push(...judgeOutcome(commit, ledgered, deliveryCommit));
  return { deliveryCommit, problems };
}

/** The commit after it on the line, where it carries trailers of a delivery. */
async function nextOf(audit: Audit, at: number): Promise<CommitText | null> {
  const next = audit.line.ids[at - 1];
  const isDelivery = next !== undefined && audit.line.marks.get(next)?.kind === 'delivery';
  return isDelivery ? readAt(audit, next) : null;
}

/** A row for each request that a commit of a host brought. */
async function arrivedRows(
  audit: Audit,
  commit: CommitText,
  candidate: Candidate,
): Promise<readonly JudgedRow[]> {
  const { arrivals, mark, at } = candidate;
  const [only, ...more] = arrivals;
  // Forwarded to, or pushed by hand: it is the very commit that was proposed.
  if (only !== undefined && more.length === 0 && mark !== null && commit.parents.length === 1) {
    const own = only.isResume
      ? await resumeRow(audit, commit, candidate)
      : await rollbackRow(audit, commit, candidate);
    if (own.row.verdict === 'honest' && own.row.requestId === only.requestId)
      return [{ ...own, row: { ...own.row, how: only.how } }];
  }
  const problems = await judgeArrived(audit, commit, arrivals);
  const next = await nextOf(audit, at);
  const rows: JudgedRow[] = [];
  for (const arrival of arrivals) {
    const { requestId, scope, how, deliveryCommit, isResume } = arrival;
    const all = [...problems, ...(await judgeArrivedDelivery(audit, commit, next, arrival))];
    const kind = isResume ? 'resume' : 'rollback';
    rows.push(
      rowWith({ commit, requestId, of: scope, mode: scope.mode, kind, how, deliveryCommit, problems: all }),
    );
  }
  return rows;
}

/** None where the manifests follow a rollback that they name: they are judged with it. */
async function orphanRows(
  audit: Audit,
  commit: CommitText,
  { id, at }: Candidate,
): Promise<readonly JudgedRow[]> {
  if (audit.arrivedDeliveries.has(id)) return [];
  const before = audit.line.ids[at + 1];
  const kind = before === undefined ? undefined : audit.line.marks.get(before)?.kind;
  if (before !== undefined && (kind === 'rollback' || kind === 'resume')) {
    const rollback = await readAt(audit, before);
    const [requestId = '', ...others] = audit.line.marks.get(before)?.requests ?? [];
    if (delivers(commit, rollback, others.length === 0 ? requestId : '')) return [];
  }
  const problems = [
    problem('DELIVERY_ORPHAN', 'It says that it delivers manifests, and follows no rollback that it names.'),
  ];
  const requestId = readDelivery(commit.trailers)?.record.requestId ?? '';
  const of = { environment: '' };
  return [rowWith({ commit, requestId, of, mode: null, kind: 'delivery', deliveryCommit: id, problems })];
}

/** What the ledger says that the branch holds, and it does not; or that a commit did which says nothing of it. */
export function missingRow(audit: Audit, done: Completed): JudgedRow | null {
  const { requestId, commit, deliveryCommit, how, scope, isResume } = done;
  const { line, reader } = audit;
  const at = line.places.get(commit);
  const mark = line.marks.get(commit);
  if (at !== undefined && (how !== 'push' || mark?.requests.includes(requestId))) return null;
  const short = commit.slice(0, 10);
  const missing = reader.shallow
    ? problem('SHALLOW', `The commit ${short} that the ledger names was never fetched.`)
    : problem(
        'COMMIT_MISSING',
        `The ledger says that ${short} executed it, and the branch does not hold that.`,
      );
  const problems = [
    at === undefined
      ? missing
      : problem(
          'COMMIT_DIFFERS',
          `The ledger says that this commit executed ${requestId}: it names no such request.`,
        ),
  ];
  const row: AuditRow = {
    commit,
    requestId,
    scope: formatCoordinates(scope),
    mode: scope.mode,
    verdict: verdictOf(problems),
    problems,
    kind: isResume ? 'resume' : 'rollback',
    how,
    deliveryCommit,
    time: null,
  };
  return { row, of: scope };
}

const timeOf = ({ committer: { seconds } }: CommitText) =>
  seconds < 0 ? null : new Date(Math.min(seconds * 1000, 8.64e15)).toISOString();
