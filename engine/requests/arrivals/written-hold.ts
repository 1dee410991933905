/** The hold that a commit of somebody else was to place. When it was placed is known from its file alone: a host that merges dates its own commits. */
import type { FileChange, LedgerRequest, PathChange } from '../../model/index.ts';
import { parseHold } from '../../holds/hold-file.ts';
import { holdFileOf } from '../../rollback/stage.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { decode } from '../../yaml/core/text.ts';
import type { RequestContext } from '../context.ts';
import { isFuture } from '../ledger/times.ts';

/** As it is to be, with the time of the file that these changes write; at no time where that is none, or to come. null: it places none. */
export async function writtenHold(
  context: Pick<RequestContext, 'clock'>,
  { reader, hasher }: Pick<Snapshot, 'reader' | 'hasher'>,
  {
    plan,
    request: { id, justification: reason, author },
    changes,
  }: {
    readonly plan: Parameters<typeof holdFileOf>[0];
    readonly request: Pick<LedgerRequest, 'id' | 'justification' | 'author'>;
    readonly changes: readonly PathChange[];
  },
): Promise<FileChange | null> {
  const at = (requestedAt: string) => holdFileOf(plan, { id, reason, author, requestedAt }, hasher);
  const never = at(new Date(0).toISOString());
  if (never === null) return null;
  const entry = changes.find(({ path }) => path === never.path)?.after ?? null;
  const bytes = entry && (await reader.blob(entry.id).catch(() => null));
  const text = bytes && decode(bytes);
  const parsed = text === null ? null : parseHold(never.path, text);
  if (parsed === null || !('hold' in parsed) || isFuture(context, Date.parse(parsed.hold.since)))
    return never;
  return at(parsed.hold.since);
}
