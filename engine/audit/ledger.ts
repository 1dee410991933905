/** The ledger, as far as the judgement of commits needs it. */
import type { ObjectId } from '../model/index.ts';

export interface LedgerAudit {
  readonly tip: ObjectId | null;
}
