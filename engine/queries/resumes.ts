/** Resumes found in the Git log, from their trailers. */
import {
  type Arrival,
  formatCoordinates,
  type ObjectId,
  type Person,
  type PullRequestLink,
} from '../model/index.ts';
import { HOLDS, parseHold } from '../holds/hold-file.ts';
import { parseScope } from '../layout/layout.ts';
import { readResume } from '../record/read.ts';
import { decode } from '../yaml/core/text.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isBehind, requirePlace } from './log-page.ts';
import type { RecordsAsk } from './queries.ts';
import { type CommitRecord, recordsOf } from './records.ts';

export interface ResumeEntry {
  readonly requestId: string;
  readonly commit: ObjectId;
  readonly time: string;
  readonly author: Person;
  /** Of the hold that was lifted; of its environment where its file cannot be read. */
  readonly scope: string;
  readonly reason: string;
  /** The files of the holds that were lifted, in whole or in part. */
  readonly holds: readonly string[];
  /** As of a rollback: see `LogEntry`. */
  readonly via?: Arrival;
  readonly pullRequest?: PullRequestLink;
  /** In which respects the trailers are not as Backtrail writes them. */
  readonly problems: readonly string[];
}

/** Newest first; of one scope and its services, or all. */
export async function resumes(snapshot: Snapshot, ask: RecordsAsk): Promise<ResumeEntry[]> {
  const within = ask.scope === undefined ? null : formatCoordinates(parseScope(snapshot.layout, ask.scope));
  const entries: ResumeEntry[] = [];
  const records = await recordsOf(snapshot);
  requirePlace(ask.after ?? null, records);
  const isShown = isBehind(ask.after ?? null);
  for (const record of records) {
    const entry = await entryOf(snapshot, record);
    const concerns =
      within === null ||
      entry?.scope === within ||
      entry?.scope.startsWith(`${within}/`) ||
      within.startsWith(`${entry?.scope}/`);
    if (entry !== null && concerns && ask.sees?.(entry.scope) !== false && isShown(entry))
      entries.push(entry);
    if (entries.length === ask.limit) break;
  }
  return entries;
}

async function entryOf(
  snapshot: Snapshot,
  { commit, trailers, arrived }: CommitRecord,
): Promise<ResumeEntry | null> {
  const claim = readResume(trailers);
  if (claim === null) return null;
  const { id, parents, time } = commit;
  const author = arrived?.author ?? commit.author;
  const { record, problems } = claim;
  const [path = '', parent] = [record.holds[0], parents[0]];
  const { requestId, justification: reason, holds } = record;
  const scope =
    (parent && (await scopeAt(snapshot, parent, path))) ||
    path
      .slice(HOLDS.length + 1)
      .split('/')
      .slice(0, -1)
      .join('/');
  const came = arrived && { via: arrived.how, ...(arrived.link && { pullRequest: arrived.link }) };
  return { requestId, commit: id, time, author, scope, reason, holds, ...came, problems };
}

async function scopeAt(snapshot: Snapshot, commit: ObjectId, path: string): Promise<string | null> {
  const bytes = await (await snapshot.view(commit)).read(path).catch(() => null);
  const parsed = bytes && parseHold(path, decode(bytes) ?? '');
  return parsed && 'hold' in parsed ? formatCoordinates(parsed.hold) : null;
}
