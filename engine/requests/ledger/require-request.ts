import { BacktrailError, isRequestId, type RequestId } from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { LedgerSnapshot } from './snapshot.ts';

/** @throws REQUEST_UNKNOWN */
export async function requireRequest(ledgerSnapshot: LedgerSnapshot, id: RequestId): Promise<RequestFile> {
  const file = isRequestId(id) ? await ledgerSnapshot.request(id) : null;
  if (file === null) throw unknownRequest(id);
  return file;
}

export function unknownRequest(id: string): BacktrailError {
  return new BacktrailError('REQUEST_UNKNOWN', `The ledger has no request ${id}.`);
}
