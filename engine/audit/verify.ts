/** The whole audit: one pass over the line, one look at the ledger, then each rollback of the range, some at a time. */
import { parseScope } from '../layout/layout.ts';
import { readArrivals, readWhole } from './ledger/whole.ts';
import { isAsked, isWithin, judgeAll } from './judge.ts';
import { type AuditInput, auditOf, withOpened } from './opened.ts';
import { outsideOf } from './outside.ts';
import { rangeOf } from './range.ts';
import { missingRow } from './rows.ts';
import type { AuditReport, AuditRow, VerifyAsk } from './types.ts';

/** @throws REVISION_UNKNOWN, REVISION_INVALID, REVISION_NOT_ON_BRANCH, SCOPE_INVALID, and as `openAuditReader` */
export async function verify(input: AuditInput, ask: VerifyAsk = {}): Promise<AuditReport> {
  const { snapshot } = input;
  const scopes = (ask.scopes ?? []).map((scope) => parseScope(snapshot.layout, scope));
  return withOpened(input, ask.reader, async (opened) => {
    const { reader, line, ledger, tell } = opened;
    const range = await rangeOf(reader.history, line, ask.range);
    const isAll = range.from === null && range.to === snapshot.base && scopes.length === 0;
    const facts = await (isAll ? readWhole : readArrivals)(ledger, reader, tell);
    const { completed } = facts;
    const { audit, arrived } = auditOf(input, opened, { completed, renders: ask.render === true });
    const judged = await judgeAll(audit, { range, at: arrived, tell });
    const missing = completed.flatMap((done) => missingRow(audit, done) ?? []);
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
      outside: await outsideOf(audit, { range, isWithin: isWithin(line, range), arrived }),
    };
  });
}
