/** The same of what a list of the Git log shows: judged on what git and the ledger's index answer anyway, so that the line is not read as a whole. */
import {
  type FailureCode,
  isFailure,
  isRequestId,
  type LogCommit,
  type ObjectId,
  type RequestId,
} from '../model/index.ts';
import { parseScope } from '../layout/layout.ts';
import { readResume, readRollback } from '../record/read.ts';
import { LEDGER_REF } from '../layout/configuration/parse.ts';
import type { RequestContext } from '../requests/context.ts';
import { readCommits } from '../requests/ledger/commits.ts';
import { snapshotAt } from '../requests/ledger/snapshot.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Audit } from './audit.ts';
import { type LedgerAudit, ledgerAuditOf } from './ledger/ledger.ts';
import { type Completed, completedIn } from './ledger/whole.ts';
import type { AuditLine, Mark } from './line/line.ts';
import { expectAll, isAsked } from './judge.ts';
import { openAuditReader } from './line/reader.ts';
import { kindOf, requestsNamed, rulesNamed } from './line/records.ts';
import { type AuditInput, auditOf } from './opened.ts';
import type { Verdict } from './problems.ts';
import { type Candidate, type JudgedRow, missingRow, rowsOf } from './rows.ts';
import type { AuditRow } from './types.ts';

/** An entry of a list. */
interface Listed {
  readonly commit: ObjectId;
  readonly requestId: RequestId;
}

interface JudgedList {
  /** By commit and request. */
  readonly rows: ReadonlyMap<string, AuditRow>;
  /**
   * What no list has: commits that name several requests, and rollbacks that the newest events of the ledger say the branch holds, and it does
   * not.
   */
  readonly unlisted: readonly AuditRow[];
}

const keyOf = ({ commit, requestId }: Listed) => `${commit} ${requestId}`;

/** Entries that are judged: the newest ones. */
const MOST = 50;

/** Why nothing was judged. */
interface Unjudged {
  readonly code: FailureCode;
  readonly message: string;
}

export interface Judged<Rollback extends Listed, Resume extends Listed> {
  readonly rollbacks: readonly WithVerdict<Rollback>[];
  readonly resumes: readonly WithVerdict<Resume>[];
  /** See `JudgedList`. */
  readonly unlisted: readonly AuditRow[];
  readonly unjudged?: Unjudged;
}

/** `verdict` absent: it was not looked at. What was tampered with has that among its problems. */
type WithVerdict<Entry> = Entry & { readonly verdict?: Verdict };

interface Entry extends Listed {
  readonly problems: readonly string[];
}

/** The newest entries of both lists, with what an audit says of them. Never fails: a list is shown all the same. */
export async function judgeEntries<Rollback extends Entry, Resume extends Entry>(
  input: AuditInput,
  lists: { readonly rollbacks: readonly Rollback[]; readonly resumes: readonly Resume[] },
  ask: { readonly scope?: string },
): Promise<Judged<Rollback, Resume>> {
  try {
    const some = [...lists.rollbacks.slice(0, MOST), ...lists.resumes.slice(0, MOST)];
    const { rows, unlisted } = await judgeListed(input, some, ask);
    const withVerdict = <One extends Entry>(entry: One): WithVerdict<One> => {
      const row = rows.get(keyOf(entry));
      if (row === undefined) return entry;
      const { verdict, problems } = row;
      const said = verdict === 'tampered' ? problems.map(({ code, message }) => `${code}: ${message}`) : [];
      return { ...entry, verdict, problems: [...said, ...entry.problems] };
    };
    return {
      rollbacks: lists.rollbacks.map(withVerdict),
      resumes: lists.resumes.map(withVerdict),
      unlisted,
    };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { ...lists, unlisted: [], unjudged: { code: error.code, message: error.message } };
  }
}

/** Commits of the ledger that are looked at for what the branch does not hold any more. */
const NEWEST = 200;

/** `scope`: only what is missing of it. */
async function judgeListed(
  input: AuditInput,
  listed: readonly Listed[],
  { scope }: { readonly scope?: string } = {},
): Promise<JudgedList> {
  const { snapshot, context, env } = input;
  const reader = await openAuditReader(context.git, 'git', env);
  try {
    const line = await lineOf(snapshot);
    const ledger = await ledgerOf(context, snapshot);
    const completed = await arrivedOf(ledger, snapshot, listed);
    const opened = { reader, line, ledger, tell: () => undefined };
    const { audit, arrived } = auditOf(input, opened, { completed, renders: false });
    const unread = await unreadIn(snapshot, arrived);
    const candidates = [...new Set([...unread, ...listed.map(({ commit }) => commit)])].map(
      (id): Candidate => {
        const arrivals = arrived.get(id) ?? [];
        return { id, at: line.places.get(id) ?? 0, mark: line.marks.get(id) ?? null, arrivals };
      },
    );
    await expectAll(audit, candidates);
    const judged = (await Promise.all(candidates.map((candidate) => rowsOf(audit, candidate)))).flat();
    const scopes = scope === undefined ? [] : [parseScope(snapshot.layout, scope)];
    const others = judged.filter(({ row }) => unread.includes(row.commit));
    return {
      rows: new Map(judged.map(({ row }) => [keyOf(row), row])),
      unlisted: [...(await missingOf(audit)), ...others]
        .filter((row) => isAsked(row, scopes))
        .map(({ row }) => row),
    };
  } finally {
    await reader.close();
  }
}

/** The line as the history answers it: which of its commits carry records, and where each is. */
async function lineOf({ base, history }: Snapshot): Promise<AuditLine> {
  const ids = await history.firstParents(base);
  const places = new Map(ids.map((id, at) => [id, at]));
  const marks = new Map<ObjectId, Mark>();
  const oldest = new Map<RequestId, ObjectId>();
  const rules = new Map<number, number>();
  for (const commit of await history.recorded(base)) {
    const mark = markOf(commit, places);
    if (mark === null) continue;
    marks.set(mark.id, mark);
    for (const requestId of mark.requests) oldest.set(requestId, mark.id);
    for (const number of rulesNamed(commit.trailers)) rules.set(number, mark.at);
  }
  return { ids, trees: [], times: [], places, marks, oldest, reverts: new Map(), rules, hasHolds: false };
}

function markOf({ id, subject, trailers }: LogCommit, places: ReadonlyMap<ObjectId, number>): Mark | null {
  const at = places.get(id);
  const kind = kindOf({ subject, trailers, reverts: [], isLike: true });
  return at === undefined || kind === null ? null : { id, at, kind, requests: requestsNamed(trailers) };
}

/** Commits that carry a record which no list shows, as it names several requests. */
async function unreadIn(
  { base, history }: Snapshot,
  arrived: ReadonlyMap<ObjectId, readonly Completed[]>,
): Promise<readonly ObjectId[]> {
  const unread = (await history.recorded(base)).filter(
    ({ id, trailers }) =>
      requestsNamed(trailers).length > 0 &&
      !arrived.has(id) &&
      readRollback(trailers) === null &&
      readResume(trailers) === null,
  );
  return unread.slice(0, MOST).map(({ id }) => id);
}

/** As it was fetched last, with what is remembered of it: `verify` trusts neither. */
async function ledgerOf(context: RequestContext, { layout }: Snapshot): Promise<LedgerAudit> {
  const { git, cache, config } = context;
  const ref = config === null ? layout.config.ledger.ref : LEDGER_REF;
  const tip = await git.ledger.peek(ref);
  const snapshot = await snapshotAt({ git, ref, cache }, tip, { indexed: true });
  return ledgerAuditOf({ ref, tip, problems: [], context, snapshot });
}

/** Those of the list that pull requests brought. */
async function arrivedOf(
  { snapshot: ledger }: LedgerAudit,
  { arrivals, base }: Snapshot,
  listed: readonly Listed[],
): Promise<readonly Completed[]> {
  const known = (await arrivals?.on(base))?.of;
  const found: Completed[] = [];
  for (const { requestId } of listed) {
    if (known?.has(requestId) !== true) continue;
    const file = await ledger.request(requestId);
    const done = file && completedIn(file);
    if (done) found.push(done);
  }
  return found;
}

async function missingOf(audit: Audit): Promise<readonly JudgedRow[]> {
  const { tip, context, snapshot } = audit.ledger;
  if (tip === null) return [];
  const commits = await readCommits(context.git, { tip, latest: 0, limit: NEWEST });
  const ids = commits
    .toReversed()
    .flatMap(({ record, batch }) => [
      ...(record?.event === 'completed' && record.request !== null ? [record.request] : []),
      ...(batch?.items ?? []).flatMap(({ event, of }) => (event === 'completed' ? [of] : [])),
    ]);
  const missing: JudgedRow[] = [];
  for (const id of new Set(ids)) {
    const file = isRequestId(id) ? await snapshot.request(id) : null;
    const done = file && completedIn(file);
    const row = done && missingRow(audit, done);
    if (row) missing.push(row);
  }
  return missing;
}
