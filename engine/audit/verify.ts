/** The whole audit: one pass over the line, one look at the ledger, then each rollback of the range, some at a time. */
import { type Coordinates, ENGINE, type ObjectId, type Progress } from '../model/index.ts';
import { parseScope } from '../layout/layout.ts';
import { concerns } from '../record/arrived.ts';
import type { RequestContext } from '../requests/context.ts';
import { signaturesOf } from '../requests/ledger/signed.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Audit } from './audit.ts';
import { createConfigurations } from './commit/configurations.ts';
import { openLedgerAudit } from './ledger/ledger.ts';
import { type Completed, readArrivals, readWhole } from './ledger/whole.ts';
import { type AuditLine, readLine } from './line/line.ts';
import { openAuditReader } from './line/reader.ts';
import { outsideOf } from './outside.ts';
import { type Range, rangeOf } from './range.ts';
import { type Candidate, type JudgedRow, missingRow, rowsOf } from './rows.ts';
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
    const ledger = await openLedgerAudit(context, reader, snapshot);
    const isAll = range.from === null && range.to === snapshot.base && scopes.length === 0;
    const tell = (done: number, of: number) =>
      onProgress({ phase: 'auditing', percent: Math.floor((100 * done) / of), objects: done });
    const facts = isAll ? await readWhole(ledger, reader, tell) : await readArrivals(ledger);
    const arrived = arrivalsIn(line, facts.completed);
    const audit: Audit = {
      reader,
      branch: snapshot.branch,
      line,
      configurations: createConfigurations(reader.objects, context.config),
      ledger,
      renders: ask.render === true,
      arrivedDeliveries: arrived.deliveries,
      programs: context.programs,
    };
    const judged = await judgeAll(audit, { range, scopes, at: arrived.at, tell });
    const missing = facts.completed.flatMap((done) => missingRow(audit, done) ?? []);
    const rows = [...missing, ...judged].filter((row) => isAsked(row, scopes)).map(({ row }) => row);
    const count = (verdict: AuditRow['verdict']) => rows.filter((row) => row.verdict === verdict).length;
    return {
      range,
      reader: reader.name,
      checked: rows.length,
      honest: count('honest'),
      tampered: count('tampered'),
      unverifiable: count('unverifiable'),
      rows,
      ledger: { tip: ledger.tip, problems: [...ledger.problems, ...facts.problems] },
      outside: await outsideOf(audit, { range, isWithin: isWithin(line, range), arrived: arrived.at }),
    };
  } finally {
    onProgress(null);
    await reader.close();
  }
}

/** What pull requests brought to the line, by commit; and the commits of manifests that came with them. */
function arrivalsIn({ places }: AuditLine, completed: readonly Completed[]) {
  const at = new Map<ObjectId, Completed[]>();
  const deliveries = new Set<ObjectId>();
  for (const done of completed) {
    if (done.how === 'push' || !places.has(done.commit)) continue;
    at.set(done.commit, [...(at.get(done.commit) ?? []), done]);
    if (done.deliveryCommit !== null) deliveries.add(done.deliveryCommit);
  }
  return { at, deliveries };
}

interface Judging {
  readonly range: Range;
  readonly scopes: readonly Coordinates[];
  readonly at: ReadonlyMap<ObjectId, readonly Completed[]>;
  readonly tell: (done: number, of: number) => void;
}

/** Newest first. */
async function judgeAll(audit: Audit, { range, at, tell }: Judging): Promise<readonly JudgedRow[]> {
  const { line } = audit;
  const within = isWithin(line, range);
  const ids = new Set([...line.marks.keys(), ...at.keys()]);
  const candidates = [...ids]
    .map((id): Candidate => {
      const arrivals = at.get(id) ?? [];
      return { id, at: line.places.get(id) ?? 0, mark: line.marks.get(id) ?? null, arrivals };
    })
    .filter(within)
    .sort((one, other) => one.at - other.at);
  const rows: JudgedRow[] = [];
  for (let from = 0; from < candidates.length; from += TOGETHER) {
    if (from % AHEAD === 0) await expectAll(audit, candidates.slice(from, from + AHEAD));
    const some = candidates.slice(from, from + TOGETHER);
    const judged = await Promise.all(some.map((candidate) => rowsOf(audit, candidate)));
    rows.push(...judged.flat());
    tell(from + some.length, candidates.length);
  }
  return rows;
}

/** What many rollbacks need of programs, in one go. */
async function expectAll(
  { ledger, configurations, reader, line }: Audit,
  candidates: readonly Candidate[],
): Promise<void> {
  if (ledger.tip === null) return;
  await ledger.expect(candidates.flatMap(({ mark }) => mark?.requests ?? []));
  const asked: { readonly id: ObjectId }[] = [];
  for (const { id, at } of candidates) {
    const base = line.ids[at + 1];
    if (base === undefined) continue;
    const { tree } = await reader.objects.commit(base);
    // Its signature does not matter elsewhere.
    if ((await configurations(tree, ENGINE)).layout?.config.commit.sign === true) asked.push({ id });
  }
  await signaturesOf(ledger.context, asked);
}

const isWithin = ({ places }: AuditLine, { from, to }: Range) => {
  const start = places.get(to) ?? 0;
  const end = from === null ? Infinity : (places.get(from) ?? Infinity);
  return ({ at }: { readonly at: number }) => at >= start && at < end;
};

/** What says of no scope that it is its own belongs to all of them. */
const isAsked = ({ of }: JudgedRow, scopes: readonly Coordinates[]) =>
  scopes.length === 0 || of.environment === '' || scopes.some((scope) => concerns(of, scope));
