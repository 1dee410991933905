/** What an audit begins with: the line, the ledger, and what the one says of the other. */
import { BacktrailError, type ObjectId, type Progress } from '../model/index.ts';
import type { RequestContext } from '../requests/context.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Audit } from './audit.ts';
import { createConfigurations } from './commit/configurations.ts';
import { type LedgerAudit, openLedgerAudit } from './ledger/ledger.ts';
import type { Completed } from './ledger/whole.ts';
import { type AuditLine, readLine } from './line/line.ts';
import { type AuditReader, openAuditReader } from './line/reader.ts';
import type { ReaderName } from './types.ts';

export interface AuditInput {
  /** The branch as it is now: what is audited. */
  readonly snapshot: Snapshot;
  readonly context: RequestContext;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Opened {
  readonly reader: AuditReader;
  readonly line: AuditLine;
  readonly ledger: LedgerAudit;
  /** Says how far it is. @throws INTERRUPTED where nobody waits for it any more */
  readonly tell: (done: number, of: number) => void;
}

/** @throws what `openAuditReader` and `openLedgerAudit` fail with */
export async function withOpened<Value>(
  { snapshot, context, env, onProgress = () => undefined, signal }: AuditInput,
  wanted: ReaderName | undefined,
  use: (opened: Opened) => Promise<Value>,
): Promise<Value> {
  const reader = await openAuditReader(context.git, wanted ?? null, env);
  try {
    const line = await readLine(reader, snapshot.base);
    const ledger = await openLedgerAudit(context, reader, snapshot);
    const tell = (done: number, of: number) => {
      if (signal?.aborted) throw new BacktrailError('INTERRUPTED', 'The audit was stopped.');
      onProgress({ phase: 'auditing', percent: Math.floor((100 * done) / of), objects: done });
    };
    return await use({ reader, line, ledger, tell });
  } finally {
    onProgress(null);
    await reader.close();
  }
}

/** `completed`: what the ledger says that the branch holds. */
export function auditOf(
  { snapshot, context }: AuditInput,
  { reader, line, ledger }: Opened,
  { completed, renders }: { readonly completed: readonly Completed[]; readonly renders: boolean },
): { readonly audit: Audit; readonly arrived: ReadonlyMap<ObjectId, readonly Completed[]> } {
  const { at, deliveries } = arrivalsIn(line, completed);
  const audit: Audit = {
    reader,
    branch: snapshot.branch,
    line,
    configurations: createConfigurations(reader.objects, context.config),
    ledger,
    renders,
    arrivedDeliveries: deliveries,
    programs: context.programs,
  };
  return { audit, arrived: at };
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
