/** The whole audit: one pass over the line, then each rollback of the range, some at a time. */
import { type Coordinates, formatCoordinates, type ObjectId, type Progress } from '../model/index.ts';
import { parseScope } from '../layout/layout.ts';
import { concerns } from '../record/arrived.ts';
import { readDelivery } from '../record/read.ts';
import type { RequestContext } from '../requests/context.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Audit } from './audit.ts';
import { type CommitText, readCommit } from './line/commit-text.ts';
import { createConfigurations } from './commit/configurations.ts';
import { delivers, judgeDelivery } from './commit/delivery.ts';
import { judgeOutcome } from './commit/ledgered.ts';
import { openLedgerAudit } from './ledger/ledger.ts';
import { type AuditLine, type Mark, readLine } from './line/line.ts';
import { outsideOf } from './outside.ts';
import { requestsNamed } from './line/records.ts';
import { type Problem, problem, verdictOf } from './problems.ts';
import { type Range, rangeOf } from './range.ts';
import { openAuditReader } from './line/reader.ts';
import { judgeRollback } from './commit/rollback.ts';
import type { AuditReport, AuditRow, VerifyAsk } from './types.ts';

export interface VerifyInput {
  /** The branch as it is now: what is audited. */
  readonly snapshot: Snapshot;
  readonly context: RequestContext;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** Rollbacks that are judged side by side: what they read comes in one answer of git. */
const TOGETHER = 16;
/** Rollbacks whose signatures are looked at together. */
const AHEAD = 10 * TOGETHER;

/** @throws REVISION_UNKNOWN, REVISION_INVALID, REVISION_NOT_ON_BRANCH, SCOPE_INVALID, and as `openAuditReader` */
export async function verify(input: VerifyInput, ask: VerifyAsk = {}): Promise<AuditReport> {
  const { snapshot, context, env, onProgress = () => undefined } = input;
  const scopes = (ask.scopes ?? []).map((scope) => parseScope(snapshot.layout, scope));
  const reader = await openAuditReader(context.git, ask.reader ?? null, env);
  try {
    const line = await readLine(reader, snapshot.base);
    const range = await rangeOf(reader.history, line, ask.range);
    const audit: Audit = {
      reader,
      branch: snapshot.branch,
      line,
      configurations: createConfigurations(reader.objects, context.config),
      ledger: await openLedgerAudit(context, reader, snapshot),
    };
    const rows = await rowsOf(audit, { range, scopes, onProgress });
    const count = (verdict: AuditRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
    return {
      range,
      reader: reader.name,
      checked: rows.length,
      honest: count('honest'),
      tampered: count('tampered'),
      unverifiable: count('unverifiable'),
      rows,
      ledger: { tip: audit.ledger.tip, problems: audit.ledger.problems },
      outside: await outsideOf(audit, isWithin(line, range)),
    };
  } finally {
    onProgress(null);
    await reader.close();
  }
}

interface Choosing {
  readonly range: Range;
  readonly scopes: readonly Coordinates[];
  readonly onProgress: (progress: Progress) => void;
}

async function rowsOf(audit: Audit, { range, scopes, onProgress }: Choosing): Promise<AuditRow[]> {
  const within = isWithin(audit.line, range);
  const marks = [...audit.line.marks.values()].filter((mark) => JUDGED.has(mark.kind) && within(mark));
  const rows: AuditRow[] = [];
  for (let from = 0; from < marks.length; from += TOGETHER) {
    if (from % AHEAD === 0)
      await audit.ledger.expect(marks.slice(from, from + AHEAD).flatMap(({ requests }) => requests));
    const some = marks.slice(from, from + TOGETHER);
    const judged = await Promise.all(some.map((mark) => rowOf(audit, mark)));
    rows.push(
      ...judged
        .filter((row) => row !== null)
        .filter((row) => isAsked(row, scopes))
        .map(({ row }) => row),
    );
    const done = from + some.length;
    onProgress({ phase: 'auditing', percent: Math.floor((100 * done) / marks.length), objects: done });
  }
  return rows;
}

const JUDGED: ReadonlySet<Mark['kind']> = new Set(['rollback', 'delivery']);

const isWithin = ({ places }: AuditLine, { from, to }: Range) => {
  const start = places.get(to) ?? 0;
  const end = from === null ? Infinity : (places.get(from) ?? Infinity);
  return ({ at }: Pick<Mark, 'at'>) => at >= start && at < end;
};

interface JudgedRow {
  readonly row: AuditRow;
  readonly of: Coordinates;
}

/** What says of no scope that it is its own belongs to all of them. */
const isAsked = ({ of }: JudgedRow, scopes: readonly Coordinates[]) =>
  scopes.length === 0 || of.environment === '' || scopes.some((scope) => concerns(of, scope));

function rowOf(audit: Audit, mark: Mark): Promise<JudgedRow | null> {
  return mark.kind === 'delivery' ? orphanRow(audit, mark) : rollbackRow(audit, mark);
}

async function rollbackRow(audit: Audit, { id, at }: Mark): Promise<JudgedRow> {
  const commit = await readAt(audit, id);
  const { record, problems, made, ledgered } = await judgeRollback(audit, commit);
  const next = await nextOf(audit, at);
  const delivery = next !== null && delivers(next, commit, record.requestId) ? next : null;
  const all: Problem[] = [...problems];
  if (delivery !== null && made !== null)
    all.push(...(await judgeDelivery(audit, { commit, made }, delivery)));
  if (ledgered !== null) all.push(...judgeOutcome(commit, ledgered, delivery?.id ?? null));
  const { tenant, environment, service, mode, requestId } = record;
  const of = {
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
  };
  const row: AuditRow = {
    commit: id,
    requestId,
    scope: formatCoordinates(of),
    mode,
    verdict: verdictOf(all),
    problems: all,
    kind: 'rollback',
    how: 'push',
    deliveryCommit: delivery?.id ?? null,
    time: timeOf(commit),
  };
  return { row, of };
}

const readAt = async ({ reader }: Audit, id: ObjectId): Promise<CommitText> =>
  readCommit(id, await reader.commitBytes(id));

/** The commit after it on the line, where it carries trailers of a delivery. */
async function nextOf(audit: Audit, at: number): Promise<CommitText | null> {
  const next = audit.line.ids[at - 1];
  const isDelivery = next !== undefined && audit.line.marks.get(next)?.kind === 'delivery';
  return isDelivery ? readAt(audit, next) : null;
}

/** null where the manifests follow a rollback that they name: they are judged with it. */
async function orphanRow(audit: Audit, { id, at }: Mark): Promise<JudgedRow | null> {
  const commit = await readAt(audit, id);
  const before = audit.line.ids[at + 1];
  const kind = before === undefined ? undefined : audit.line.marks.get(before)?.kind;
  if (before !== undefined && (kind === 'rollback' || kind === 'resume')) {
    const rollback = await readAt(audit, before);
    if (delivers(commit, rollback, requestIn(rollback))) return null;
  }
  const problems = [
    problem('DELIVERY_ORPHAN', 'It says that it delivers manifests, and follows no rollback that it names.'),
  ];
  const row: AuditRow = {
    commit: id,
    requestId: readDelivery(commit.trailers)?.record.requestId ?? '',
    scope: '',
    mode: null,
    verdict: 'tampered',
    problems,
    kind: 'delivery',
    how: 'push',
    deliveryCommit: id,
    time: timeOf(commit),
  };
  return { row, of: { environment: '' } };
}

/** '' where it names none, or several. */
function requestIn({ trailers }: CommitText): string {
  const [only = '', ...more] = requestsNamed(trailers);
  return more.length === 0 ? only : '';
}

const timeOf = ({ committer: { seconds } }: CommitText) =>
  seconds < 0 ? null : new Date(Math.min(seconds * 1000, 8.64e15)).toISOString();
