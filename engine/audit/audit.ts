/** What every judgement needs. */
import type { ObjectId, Programs } from '../model/index.ts';
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
  /** Manifests are rendered again. */
  readonly renders: boolean;
  readonly programs: Programs;
  /** Manifests that came with what a pull request brought. */
  readonly arrivedDeliveries: ReadonlySet<ObjectId>;
}
