/** Judges the commits of a range that are rollbacks, or say so: some at a time. */
import { type Coordinates, ENGINE, type ObjectId } from '../model/index.ts';
import { concerns } from '../record/arrived.ts';
import { signaturesOf } from '../requests/ledger/signed.ts';
import type { Audit } from './audit.ts';
import type { Completed } from './ledger/whole.ts';
import type { AuditLine } from './line/line.ts';
import type { Range } from './range.ts';
import { type Candidate, type JudgedRow, rowsOf } from './rows.ts';

/** Rollbacks that are judged side by side: what they read comes in one answer of git. */
const TOGETHER = 16;
/** Rollbacks whose signatures are looked at together. */
const AHEAD = 10 * TOGETHER;

interface Judging {
  readonly range: Range;
  readonly at: ReadonlyMap<ObjectId, readonly Completed[]>;
  readonly tell: (done: number, of: number) => void;
}

/** Newest first. */
export async function judgeAll(audit: Audit, { range, at, tell }: Judging): Promise<readonly JudgedRow[]> {
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
export async function expectAll(
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

export const isWithin = ({ places }: AuditLine, { from, to }: Range) => {
  const start = places.get(to) ?? 0;
  const end = from === null ? Infinity : (places.get(from) ?? Infinity);
  return ({ at }: { readonly at: number }) => at >= start && at < end;
};

/** What says of no scope that it is its own belongs to all of them. */
export const isAsked = ({ of }: JudgedRow, scopes: readonly Coordinates[]) =>
  scopes.length === 0 || of.environment === '' || scopes.some((scope) => concerns(of, scope));
