/** What every judgement needs. */
import type { AuditReader } from './line/reader.ts';
import type { AuditLine } from './line/line.ts';
import type { Configurations } from './commit/configurations.ts';
import type { LedgerAudit } from './ledger/ledger.ts';

export interface Audit {
  readonly reader: AuditReader;
  /** The branch that is audited. */
  readonly branch: string;
  readonly line: AuditLine;
  readonly configurations: Configurations;
  readonly ledger: LedgerAudit;
}
